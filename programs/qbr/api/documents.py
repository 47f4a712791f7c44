"""Business reviews as JSON, as the reader may see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.errors import ErrorsSerializer
from core.api.model_serializers import (
    AnswerSerializer,
    BodySerializer,
    Choice,
    Day,
    Named,
    ReadSerializer,
    RecordSerializer,
    Text,
    TextOrNull,
    WholeNumber,
)
from insights.api.schema import LeadTimeBottleneckSerializer
from insights.models.findings import FindingState
from insights.query.enums import UnitOfMeasure
from orgtree.access.access import Access
from programs.closing.api.documents import AddressField, FrozenObjectiveSerializer, account_names, people_of
from programs.closing.services.figures import Amount, Figure
from programs.closing.services.restated import Restated
from programs.models import Qbr, QbrAudience, QbrDecision, QbrPeriod, QbrSection, TicketState
from programs.qbr.services.decisions import DecisionWriteSerializer
from programs.qbr.services.document import (
    FrozenDecision,
    FrozenFinding,
    NextObjective,
    QbrDocument,
    QbrSectionText,
    QbrTicket,
)
from programs.qbr.services.sections import SectionWriteSerializer
from programs.teams.fields import OwnerField


class QbrSerializer(serializers.ModelSerializer[Qbr]):
    unit = serializers.SlugField(source="unit.slug", default=None, help_text="Null: the whole organisation.")
    name = serializers.CharField(source="period_name", help_text="Q3 2026, September 2026.")
    frozen_at = serializers.DateTimeField(source="document.frozen_at", default=None)
    sha256 = serializers.CharField(source="document.sha256", default=None, help_text="SHA-256 of the frozen document.")
    signed_by = serializers.SerializerMethodField()

    class Meta:
        model = Qbr
        fields = (
            *("id", "unit", "period", "name", "start", "end", "state", "audience", "frozen_at", "sha256", "signed_at"),
            *("signed_by", "version", "revision", "reopened_because"),
        )
        read_only_fields = fields

    def get_signed_by(self, qbr: Qbr) -> str | None:
        names: Mapping[int, str] = self.context.get("names", {})
        return names.get(qbr.signed_by_id or 0)


class QbrsSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    qbrs = QbrSerializer(many=True)


class AmountSerializer(RecordSerializer):
    reason = TextOrNull(help_text="Why there is no value.")
    hidden = serializers.BooleanField(help_text="Whether it is withheld from you.")

    class Meta:
        record = Amount
        fields = ("value", "sample_size", "people", "reason", "hidden")


class QbrFigureSerializer(RecordSerializer):
    version = serializers.IntegerField(help_text="Version of the formula.")
    unit_of_measure = serializers.ChoiceField(choices=list(UnitOfMeasure))
    statistic = TextOrNull()
    now = AmountSerializer()
    before = AmountSerializer(help_text="Value of the previous period, or of as many days of it.")
    band = serializers.CharField(allow_null=True, source="band.word", help_text="The band in the chosen published set.")
    restated = serializers.SerializerMethodField(help_text="Today's value, if it differs.")
    is_restated = serializers.SerializerMethodField()

    class Meta:
        record = Figure
        fields = (
            *("metric", "name", "version", "formula", "unit_of_measure", "better", "statistic", "now", "before"),
            *("threshold", "target", "band", "restated", "is_restated"),
        )

    def get_restated(self, figure: Figure) -> float | None:
        restated: Restated | None = self.context["restated"].get(figure.metric)
        return restated.figure.value if restated and restated.figure else None

    def get_is_restated(self, figure: Figure) -> bool:
        return figure.metric in self.context["restated"]


class QbrPartSerializer(AnswerSerializer):
    key = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]  # DRF takes it from the class
        help_text="Label of the part; for a week, its first day."
    )
    amount = AmountSerializer(source="*")
    target = serializers.FloatField(
        default=None, allow_null=True, help_text="Target share of all time of a category of investment, in percent."
    )


class QbrChartSerializer(AnswerSerializer):
    kind = serializers.ChoiceField(choices=("stages", "by_unit", "by_week", "by_period", "by_agent", "by_category"))
    metric = serializers.CharField(source="figure.metric")
    rows = serializers.ListField(
        child=QbrPartSerializer(many=True),
        help_text="Rows of the chart; stages have two, this and the previous period.",
    )
    bottleneck = LeadTimeBottleneckSerializer(allow_null=True, help_text="The bottleneck stage; null for other charts.")


class QbrPointSerializer(serializers.Serializer[object]):
    """A point of the executive report."""

    key = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField()
    consequence = serializers.CharField(help_text="For customers, cost or dates; may be empty.")
    effect = serializers.CharField(default="", help_text="Expected effect of a recommendation; empty for other points.")
    effort = serializers.CharField(default="", help_text="small, medium or large; empty for other points.")


class QbrTextSerializer(RecordSerializer):
    commentary = serializers.CharField(help_text="Markdown.")
    figures = serializers.ListField(child=serializers.CharField(), help_text="Keys of `figures`.")
    charts = serializers.SerializerMethodField()
    points = serializers.SerializerMethodField()

    class Meta:
        record = QbrSectionText
        fields = ("key", "name", "headline", "commentary", "figures", "charts", "points")

    @extend_schema_field(QbrPointSerializer(many=True))
    def get_points(self, section: QbrSectionText) -> Any:
        document: QbrDocument = self.context["document"]
        return QbrPointSerializer(document.points_of(section), many=True).data

    @extend_schema_field(QbrChartSerializer(many=True))
    def get_charts(self, section: QbrSectionText) -> Any:
        document: QbrDocument = self.context["document"]
        return QbrChartSerializer(document.charts_of(section), many=True).data


class QbrTicketSerializer(RecordSerializer):
    owner = AddressField(help_text="E-mail address.")
    state = serializers.ChoiceField(choices=TicketState.choices)
    before = serializers.FloatField(
        allow_null=True, source="effect.before", help_text="The metric in the four weeks before it began."
    )
    after = serializers.FloatField(allow_null=True, source="effect.after")

    class Meta:
        record = QbrTicket
        fields = ("id", "title", "owner", "state", "due_on", "completed_on", "before", "after")


class DecisionSerializer(ReadSerializer[QbrDecision]):
    owner = OwnerField(help_text="E-mail address.")

    class Meta:
        model = QbrDecision
        fields = ("id", "title", "reason", "owner", "due_on", "ticket", "version")


class FrozenDecisionSerializer(RecordSerializer):
    owner = AddressField(help_text="E-mail address.")
    state = TextOrNull(help_text="State of its ticket on the day of freezing.")

    class Meta:
        record = FrozenDecision
        fields = ("title", "reason", "owner", "due_on", "ticket", "state", "completed_on")


class NextObjectiveSerializer(RecordSerializer):
    unit = TextOrNull(source="unit.slug", help_text="Slug; null: the whole organisation.")
    owner = AddressField(help_text="E-mail address.")

    class Meta:
        record = NextObjective
        fields = ("id", "title", "unit", "owner")


class FrozenFindingSerializer(RecordSerializer):
    unit = TextOrNull(source="unit.slug", help_text="Slug; null: the whole organisation.")
    hours = serializers.FloatField(help_text="Hours of waiting a month; 0 where the metric is no wait.")
    state = serializers.ChoiceField(choices=FindingState.choices, help_text="The state on the day of freezing.")

    class Meta:
        record = FrozenFinding
        fields = ("id", "unit", "metric", "title", "hours", "found_on", "state", "ended_on", "reason")


class QbrDocumentSerializer(RecordSerializer):
    period = serializers.CharField(source="period.name")
    period_before = serializers.CharField(source="before.name")
    counted_to = serializers.DateField(
        source="period.counted_to", help_text="The first day that is not counted any more."
    )
    figures = QbrFigureSerializer(many=True, source="all_figures")
    sections = QbrTextSerializer(many=True)
    objectives = FrozenObjectiveSerializer(many=True)
    teams_without_objective = serializers.ListField(child=Named("slug"), help_text="Slugs.")
    tickets = QbrTicketSerializer(many=True)
    decisions = FrozenDecisionSerializer(many=True)
    decided = FrozenDecisionSerializer(many=True, help_text="Decisions of the preceding review, with their state.")
    next_objectives = NextObjectiveSerializer(many=True)
    findings = FrozenFindingSerializer(many=True, help_text="Open at any time of the period.")

    class Meta:
        record = QbrDocument
        fields = (
            *("period", "period_before", "counted_to", "figures", "sections", "objectives"),
            *("teams_without_objective", "tickets", "tickets_total", "decisions", "decided_in", "decided"),
            *("next_objectives", "findings"),
        )


class QbrSectionSerializer(serializers.ModelSerializer[QbrSection]):
    name = serializers.CharField(source="get_key_display")

    class Meta:
        model = QbrSection
        fields = ("key", "name", "position", "is_included", "headline", "commentary", "metrics", "version")
        read_only_fields = fields


class OneQbrSerializer(QbrSerializer):
    writing = serializers.SerializerMethodField(help_text="Sections of a draft, for its writers.")
    document = serializers.SerializerMethodField()
    decisions = DecisionSerializer(many=True, help_text="The decisions in their present state.")
    followed_by = serializers.SerializerMethodField(help_text="The newest revision after it; null where it is that.")

    class Meta:
        model = Qbr
        fields = (*QbrSerializer.Meta.fields, "followed_by", "decisions", "writing", "document")
        read_only_fields = fields

    @extend_schema_field(QbrSectionSerializer(many=True, allow_null=True))
    def get_writing(self, qbr: Qbr) -> list[dict[str, Any]] | None:
        if qbr.is_frozen:
            return None
        return list(QbrSectionSerializer(qbr.sections.order_by("position"), many=True).data)

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_followed_by(self, qbr: Qbr) -> int | None:
        following: Qbr | None = self.context["followed_by"]
        return following.pk if following else None

    @extend_schema_field(QbrDocumentSerializer)
    def get_document(self, qbr: Qbr) -> dict[str, Any]:
        document: dict[str, Any] = self.context["document"]
        return document


class QbrReopenSerializer(BodySerializer):
    because = Text(help_text="Why; shown on both revisions.")


class QbrCreateSerializer(BodySerializer):
    unit = Text(required=False, allow_null=True, allow_blank=True, help_text="Slug; default: the whole organisation.")
    period = Choice(choices=QbrPeriod.choices, required=False)
    day = Day(help_text="A day in the month or fiscal quarter.")


class QbrSignSerializer(BodySerializer):
    audience = Choice(
        choices=QbrAudience.choices,
        required=False,
        help_text="Readers besides the writers and the participants of the meeting; default: unchanged.",
    )


class QbrSectionWriteSerializer(SectionWriteSerializer):
    version = WholeNumber(help_text="Version of the section that the change is based on.")

    class Meta(SectionWriteSerializer.Meta):
        fields = (*SectionWriteSerializer.Meta.fields, "version")


class DecisionChangeSerializer(DecisionWriteSerializer):
    version = WholeNumber(help_text="Version of the decision that the change is based on.")

    class Meta(DecisionWriteSerializer.Meta):
        fields = (*DecisionWriteSerializer.Meta.fields, "version")


class DecisionConflictSerializer(ErrorsSerializer):
    """Somebody changed the decision in the meantime; nothing was stored."""

    stored = DecisionSerializer()


class QbrSectionConflictSerializer(ErrorsSerializer):
    """Somebody changed the section in the meantime; nothing was stored."""

    stored = QbrSectionSerializer()


class QbrArrangeSerializer(BodySerializer):
    order = serializers.ListField(child=Text(), help_text="Keys of sections.")
    included = serializers.ListField(child=Text(), help_text="Keys of those that are shown.")
    version = WholeNumber(help_text="Version of the review.")


class ComparedFigureSerializer(AnswerSerializer):
    section = serializers.CharField()
    metric = serializers.CharField(source="figure.metric")
    name = serializers.CharField(source="figure.name")
    unit_of_measure = serializers.CharField(source="figure.unit")
    now = AmountSerializer(allow_null=True, source="now.now", help_text="Null: it is not in this review.")
    earlier = AmountSerializer(allow_null=True, source="earlier.now")
    is_of_another_formula = serializers.BooleanField()


class ComparisonSerializer(serializers.Serializer[object]):
    earlier = QbrSerializer()
    figures = ComparedFigureSerializer(many=True)


def names_for(qbrs: Sequence[Qbr], access: Access) -> Mapping[int, str]:
    return account_names([qbr.signed_by_id for qbr in qbrs], access)


def content_document(document: QbrDocument, restated: Mapping[str, Restated], access: Access) -> dict[str, Any]:
    owners = [
        *(ticket.owner for ticket in document.tickets),
        *(decision.owner for decision in (*document.decisions, *document.decided)),
        *(objective.owner for objective in document.next_objectives),
    ]
    people = people_of(document.objectives, access, owners)
    return dict(QbrDocumentSerializer(document, context={**people, "restated": restated, "document": document}).data)
