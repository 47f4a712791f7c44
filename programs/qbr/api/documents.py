"""Business reviews as JSON, as far as the reader may see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.model_serializers import BodySerializer, Choice, Day, Text, WholeNumber
from insights.api.schema import ErrorsSerializer
from insights.query.enums import UnitOfMeasure
from orgtree.access.access import Access
from orgtree.models import Person
from programs.closing.api.documents import FrozenObjectiveSerializer, account_names, frozen_objective_documents
from programs.closing.services.restated import Restated
from programs.models import Qbr, QbrPeriod, QbrSection, TicketState
from programs.qbr.services.comparing import ComparedFigure
from programs.qbr.services.reading import Amount, Chart, Figure, QbrDocument, QbrTicket
from programs.qbr.services.sections import SectionWriteSerializer


class QbrSerializer(serializers.ModelSerializer[Qbr]):
    unit = serializers.SlugField(source="unit.slug", default=None, help_text="Null: the whole organisation.")
    name = serializers.CharField(source="period_name", help_text="Q3 2026, September 2026.")
    frozen_at = serializers.DateTimeField(source="document.frozen_at", default=None)
    sha256 = serializers.CharField(source="document.sha256", default=None, help_text="Of the frozen document.")
    signed_by = serializers.SerializerMethodField()

    class Meta:
        model = Qbr
        fields = (
            *("id", "unit", "period", "name", "start", "end", "state", "frozen_at", "sha256", "signed_at"),
            *("signed_by", "version"),
        )
        read_only_fields = fields

    def get_signed_by(self, qbr: Qbr) -> str | None:
        names: Mapping[int, str] = self.context.get("names", {})
        return names.get(qbr.signed_by_id or 0)


class QbrsSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    qbrs = QbrSerializer(many=True)


class AmountSerializer(serializers.Serializer[object]):
    value = serializers.FloatField(allow_null=True)
    sample_size = serializers.IntegerField()
    people = serializers.IntegerField()
    reason = serializers.CharField(allow_null=True, help_text="Why there is no value.")
    hidden = serializers.BooleanField(help_text="Whether it is withheld from you.")


class QbrFigureSerializer(serializers.Serializer[object]):
    metric = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField(help_text="Of the formula.")
    formula = serializers.CharField()
    unit_of_measure = serializers.ChoiceField(choices=list(UnitOfMeasure))
    better = serializers.CharField()
    statistic = serializers.CharField(allow_null=True)
    now = AmountSerializer()
    before = AmountSerializer(help_text="Of the period before, or as many days of it.")
    threshold = serializers.FloatField(allow_null=True)
    target = serializers.FloatField(allow_null=True)
    band = serializers.CharField(allow_null=True, help_text="In the published set that was chosen.")
    restated = serializers.FloatField(allow_null=True, help_text="What it is today, where that is something else.")
    is_restated = serializers.BooleanField()


class QbrPartSerializer(serializers.Serializer[object]):
    key = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]  # DRF takes it from the class
        help_text="Of a week its first day."
    )
    amount = AmountSerializer()


class QbrChartSerializer(serializers.Serializer[object]):
    kind = serializers.ChoiceField(choices=("stages", "by_unit", "by_week", "by_agent"))
    metric = serializers.CharField()
    rows = serializers.ListField(
        child=QbrPartSerializer(many=True), help_text="Of stages two, the period and the one before."
    )


class QbrTextSerializer(serializers.Serializer[object]):
    key = serializers.CharField()
    name = serializers.CharField()
    headline = serializers.CharField()
    commentary = serializers.CharField(help_text="Markdown.")
    figures = serializers.ListField(child=serializers.CharField(), help_text="Keys of `figures`.")
    charts = QbrChartSerializer(many=True)


class QbrTicketSerializer(serializers.Serializer[object]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    owner = serializers.CharField(allow_null=True, help_text="E-mail address.")
    state = serializers.ChoiceField(choices=TicketState.choices)
    due_on = serializers.DateField()
    completed_on = serializers.DateField(allow_null=True)
    before = serializers.FloatField(allow_null=True, help_text="The metric in the four weeks before it began.")
    after = serializers.FloatField(allow_null=True)


class QbrDocumentSerializer(serializers.Serializer[object]):
    period = serializers.CharField()
    period_before = serializers.CharField()
    counted_to = serializers.DateField(help_text="The first day that is not counted any more.")
    figures = QbrFigureSerializer(many=True)
    sections = QbrTextSerializer(many=True)
    objectives = FrozenObjectiveSerializer(many=True)
    teams_without_objective = serializers.ListField(child=serializers.CharField(), help_text="Slugs.")
    tickets = QbrTicketSerializer(many=True)
    tickets_total = serializers.IntegerField()


class QbrSectionSerializer(serializers.ModelSerializer[QbrSection]):
    name = serializers.CharField(source="get_key_display")

    class Meta:
        model = QbrSection
        fields = ("key", "name", "position", "is_included", "headline", "commentary", "metrics", "version")
        read_only_fields = fields


class OneQbrSerializer(QbrSerializer):
    writing = serializers.SerializerMethodField(help_text="Sections of a draft, for its writers.")
    document = serializers.SerializerMethodField()

    class Meta:
        model = Qbr
        fields = (*QbrSerializer.Meta.fields, "writing", "document")
        read_only_fields = fields

    @extend_schema_field(QbrSectionSerializer(many=True, allow_null=True))
    def get_writing(self, qbr: Qbr) -> list[dict[str, Any]] | None:
        if qbr.is_frozen:
            return None
        return list(QbrSectionSerializer(qbr.sections.order_by("position"), many=True).data)

    @extend_schema_field(QbrDocumentSerializer)
    def get_document(self, qbr: Qbr) -> dict[str, Any]:
        document: dict[str, Any] = self.context["document"]
        return document


class QbrCreateSerializer(BodySerializer):
    unit = Text(required=False, allow_null=True, allow_blank=True, help_text="Slug; without it the whole organisation.")
    period = Choice(choices=QbrPeriod.choices, required=False)
    day = Day(help_text="A day in the month or fiscal quarter.")


class QbrSectionWriteSerializer(SectionWriteSerializer):
    version = WholeNumber(help_text="Of the section which the change was made from.")

    class Meta(SectionWriteSerializer.Meta):
        fields = (*SectionWriteSerializer.Meta.fields, "version")


class QbrSectionConflictSerializer(ErrorsSerializer):
    """Somebody changed the section in the meantime; nothing was stored."""

    stored = QbrSectionSerializer()


class QbrArrangeSerializer(BodySerializer):
    order = serializers.ListField(child=Text(), help_text="Keys of sections.")
    included = serializers.ListField(child=Text(), help_text="Keys of those that are shown.")
    version = WholeNumber(help_text="Of the review.")


class ComparedFigureSerializer(serializers.Serializer[object]):
    section = serializers.CharField()
    metric = serializers.CharField()
    name = serializers.CharField()
    unit_of_measure = serializers.CharField()
    now = AmountSerializer(allow_null=True, help_text="Null: it is not in this review.")
    earlier = AmountSerializer(allow_null=True)
    is_of_another_formula = serializers.BooleanField()


class ComparisonSerializer(serializers.Serializer[object]):
    earlier = QbrSerializer()
    figures = ComparedFigureSerializer(many=True)


def names_for(qbrs: Sequence[Qbr], access: Access) -> Mapping[int, str]:
    return account_names([qbr.signed_by_id for qbr in qbrs], access)


def content_document(document: QbrDocument, restated: Mapping[str, Restated], access: Access) -> dict[str, Any]:
    owners = {ticket.owner for ticket in document.tickets if ticket.owner is not None and access.is_of_account}
    addresses = dict(Person.objects.filter(pk__in=owners).values_list("pk", "email"))
    return {
        "period": document.period_name,
        "period_before": document.before_name,
        "counted_to": document.counted_to,
        "figures": [_figure(figure, restated.get(figure.key)) for figure in document.figures.values()],
        "sections": [
            {
                **{name: getattr(section, name) for name in ("key", "name", "headline", "commentary")},
                "figures": [figure.key for figure in section.figures],
                "charts": [_chart(chart) for chart in section.charts],
            }
            for section in document.sections
        ],
        "objectives": frozen_objective_documents(document.objectives, access),
        "teams_without_objective": [team.slug for team in document.teams_without_objective],
        "tickets": [_ticket(ticket, addresses) for ticket in document.tickets],
        "tickets_total": document.tickets_total,
    }


def compared_documents(compared: Sequence[ComparedFigure]) -> list[dict[str, Any]]:
    return [
        {
            "section": one.section,
            "metric": one.figure.key,
            "name": one.figure.name,
            "unit_of_measure": one.figure.unit,
            "now": _amount(one.now.now) if one.now else None,
            "earlier": _amount(one.earlier.now) if one.earlier else None,
            "is_of_another_formula": one.is_of_another_formula,
        }
        for one in compared
    ]


def _figure(figure: Figure, restated: Restated | None) -> dict[str, Any]:
    return {
        "metric": figure.key,
        **{name: getattr(figure, name) for name in ("name", "version", "formula", "better", "threshold", "target")},
        "unit_of_measure": figure.unit,
        "statistic": figure.statistic or None,
        "now": _amount(figure.now),
        "before": _amount(figure.before),
        "band": figure.band.word if figure.band else None,
        "restated": restated.figure.value if restated and restated.figure else None,
        "is_restated": restated is not None,
    }


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "kind": chart.kind,
        "metric": chart.figure.key,
        "rows": [
            [
                {
                    "key": part.key,
                    "label": part.day.isoformat() if part.day else part.label,
                    "amount": _amount(part.amount),
                }
                for part in row
            ]
            for row in chart.rows
        ],
    }


def _amount(amount: Amount) -> dict[str, Any]:
    return {
        **{name: getattr(amount, name) for name in ("value", "sample_size", "people", "hidden")},
        "reason": amount.reason or None,
    }


def _ticket(ticket: QbrTicket, addresses: Mapping[int, str | None]) -> dict[str, Any]:
    same = ("id", "title", "state", "due_on", "completed_on", "before", "after")
    return {**{name: getattr(ticket, name) for name in same}, "owner": addresses.get(ticket.owner or 0)}
