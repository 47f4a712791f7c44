"""/api/v1/findings/: the findings of each night, and the decisions on them."""

from __future__ import annotations

from collections.abc import Sequence

from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import sent_object
from core.api.operations import operation
from core.api.resources import Documents, ListCreate
from core.write_errors import FieldError
from insights.api.program_view import ProgramView
from insights.findings.contexts import named_unit
from insights.findings.deciding import ACTS, decide, find_finding
from insights.findings.history import history_of
from insights.findings.listing import FindingFilters, WaitsFilters, debt_of, finding_rows, wait_rows
from insights.findings.thresholds import moved_thresholds, set_undone
from insights.findings.words import names_behind, worded
from insights.formulas.findings import DEBT, REFACTORING, UNKNOWN
from insights.formulas.review_waits import Cause
from insights.models import Finding, ReviewWaits
from insights.models.findings import FindingState, Verdict
from insights.query.windows import local_today


class DebtSignSerializer(serializers.Serializer[object]):
    """Mean weekly values before the change and since."""

    metric = serializers.CharField()
    before = serializers.FloatField()
    after = serializers.FloatField()


class DebtSerializer(serializers.Serializer[object]):
    """Technical debt or refactoring work where churn or cycle time rises, and the signs that support it."""

    answer = serializers.ChoiceField(choices=(DEBT, REFACTORING, UNKNOWN))
    signs = DebtSignSerializer(many=True)


class FindingSerializer(serializers.Serializer[object]):
    """A change or a difference that exceeds chance, with its wording."""

    id = serializers.IntegerField()
    detector = serializers.CharField()
    metric = serializers.CharField(help_text="Key.")
    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the organisation.")
    state = serializers.ChoiceField(choices=FindingState.choices)
    title = serializers.CharField()
    detail = serializers.CharField()
    cost = serializers.CharField(help_text="Hours of waiting a month; empty where the metric is no wait.")
    complexity_or_debt = DebtSerializer(allow_null=True, help_text="Null: not a rise of churn or cycle time.")
    another_reading = serializers.CharField()
    to_try = serializers.CharField()
    since = serializers.DateField(help_text="First day of the change, or of the weeks that are compared.")
    before = serializers.FloatField(help_text="Before the change, or in comparable teams.")
    after = serializers.FloatField()
    difference_low = serializers.FloatField(help_text="95 % interval of after − before.")
    difference_high = serializers.FloatField()
    chance = serializers.FloatField(help_text="Probability of as clear a result by chance, in this check alone.")
    sample = serializers.IntegerField()
    compared_with = serializers.ListField(child=serializers.CharField(), help_text="Slugs of comparable units.")
    compared_by = serializers.CharField(help_text="The rule by which they are comparable.")
    found_on = serializers.DateField()
    ended_on = serializers.DateField(allow_null=True)
    verdict = serializers.ChoiceField(choices=[("", ""), *Verdict.choices])
    reason = serializers.CharField()


class FindingDecisionSerializer(serializers.Serializer[object]):
    act = serializers.ChoiceField(choices=ACTS)
    reason = serializers.CharField(
        required=False, help_text="Required to dismiss one, to open it again, or to call it wrong."
    )


class Findings(ProgramView, ListCreate):
    operations = {
        "list": ("v1_findings_list", "The findings that the viewer may see, the newest first."),
        "csv": ("v1_findings_csv", "The findings as a CSV file."),
    }
    plural = "findings"
    filters = FindingFilters
    serializer = FindingSerializer
    find = staticmethod(find_finding)
    file_rows = staticmethod(finding_rows)

    def documents(self, records: Sequence[Finding]) -> Documents:
        names = names_behind(records)
        return [
            {
                "id": one.pk,
                "detector": one.detector,
                "metric": one.metric,
                "unit": one.unit.slug if one.unit else None,
                "state": one.state,
                "title": words.title,
                "detail": words.detail,
                "cost": words.cost,
                "complexity_or_debt": debt_of(one),
                "another_reading": words.reading,
                "to_try": words.to_try,
                "since": one.since,
                "before": one.before,
                "after": one.after,
                "difference_low": one.low,
                "difference_high": one.high,
                "chance": one.chance,
                "sample": one.sample,
                "compared_with": one.compared_with,
                "compared_by": one.compared_by,
                "found_on": one.found_on,
                "ended_on": one.ended_on,
                "verdict": one.verdict,
                "reason": one.reason,
            }
            for one in records
            if (words := worded(one, names))
        ]

    @operation("v1_finding", FindingSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One finding."""
        return self.answer(pk)

    @operation("v1_finding_decide", FindingSerializer, request=FindingDecisionSerializer)
    def decide(self, request: Request, pk: int) -> Response:
        """Acknowledge or dismiss a finding, reopen a dismissed one, or rate how useful it was.

        A dismissed finding stays hidden until a different change is found.
        """
        finding = self.find(pk, self.access)
        given = sent_object(request)
        act, reason = given.get("act", ""), given.get("reason", "")
        if not isinstance(act, str) or not isinstance(reason, str):
            raise FieldError("act", "Both act and reason are texts.")
        decide(self.access, finding, act=act, reason=reason)
        return self.answer(pk)


class FindingChangeSerializer(serializers.Serializer[object]):
    """A change of a finding's state or verdict."""

    at = serializers.DateTimeField()
    by = serializers.CharField(help_text="Empty: a deleted account.")
    automatic = serializers.BooleanField(help_text="Made by the night's checks.")
    state = serializers.ChoiceField(choices=FindingState.choices)
    verdict = serializers.ChoiceField(choices=[("", ""), *Verdict.choices])
    reason = serializers.CharField(help_text="Given with this change.")


class FindingHistorySerializer(serializers.Serializer[object]):
    history = FindingChangeSerializer(many=True, help_text="The latest first.")


class FindingHistoryView(ProgramView):
    @operation("v1_finding_history", FindingHistorySerializer, parameters=())
    def get(self, request: Request, pk: int) -> Response:
        """List when a finding was detected, and the decisions on it."""
        if not self.access.is_of_account:
            raise PermissionDenied("This token has no account and reads nobody's decisions.")
        history = history_of(find_finding(pk, self.access))
        return Response(FindingHistorySerializer({"history": history}).data)


class CauseSerializer(serializers.Serializer[object]):
    """A cause's share of a team's long waits, 0 to 1, with its 95 % interval."""

    cause = serializers.ChoiceField(choices=[cause.value for cause in Cause])
    share = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class ReviewWaitsSerializer(serializers.Serializer[object]):
    """The causes of a team's long waits for review: each wait has one, or *unknown*."""

    unit = serializers.CharField(help_text="Slug.")
    since = serializers.DateField()
    until = serializers.DateField(help_text="The first day that was not looked at any more.")
    pull_requests = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Pull requests that waited long.")
    causes = CauseSerializer(many=True)


class ReviewWaitsList(ProgramView, ListCreate):
    operations = {
        "list": ("v1_review_waits_list", "Causes of long waits for review, of the teams that the viewer may see."),
        "csv": ("v1_review_waits_csv", "Causes of long waits for review as a CSV file, a row for each cause."),
    }
    plural = "review_waits"
    filters = WaitsFilters
    serializer = ReviewWaitsSerializer
    file_rows = staticmethod(wait_rows)

    def documents(self, records: Sequence[ReviewWaits]) -> Documents:
        return [
            {
                "unit": one.unit.slug,
                "since": one.since,
                "until": one.until,
                "pull_requests": one.pull_requests,
                "waiting": one.waiting,
                "causes": one.lines,
            }
            for one in records
        ]


class ThresholdSerializer(serializers.Serializer[object]):
    """A threshold that verdicts have adjusted."""

    detector = serializers.CharField()
    unit = serializers.CharField(allow_null=True, help_text="Slug; null: the organisation.")
    declared = serializers.FloatField(help_text="Share by which findings have to differ, 0.2.")
    least = serializers.FloatField(help_text="The same, as verdicts moved it.")
    verdicts = serializers.DictField(child=serializers.IntegerField(), help_text="The number of each in a year.")
    repository = serializers.CharField(help_text="Name; empty: not of one repository.")
    is_undone = serializers.BooleanField()


class ThresholdsSerializer(serializers.Serializer[object]):
    thresholds = ThresholdSerializer(many=True)


class ThresholdWriteSerializer(serializers.Serializer[object]):
    detector = serializers.CharField()
    unit = serializers.CharField(required=False, allow_null=True, help_text="Slug; null: the organisation.")
    repository = serializers.CharField(required=False, help_text="Name, where the threshold is of one.")
    is_undone = serializers.BooleanField()


class ThresholdsView(ProgramView):
    @operation("v1_finding_thresholds", ThresholdsSerializer)
    def get(self, request: Request) -> Response:
        """List the thresholds that verdicts have adjusted, for the units that the viewer may see."""
        return self._answer()

    @operation("v1_finding_thresholds_undo", ThresholdsSerializer, request=ThresholdWriteSerializer)
    def patch(self, request: Request) -> Response:
        """Stop counting verdicts on a detector's findings in a unit, or count them again."""
        given = sent_object(request)
        detector, is_undone = given.get("detector"), given.get("is_undone")
        if not isinstance(detector, str) or not isinstance(is_undone, bool):
            raise FieldError("detector", "Name a detector, and whether is_undone is true or false.")
        unit, repository = (str(given.get(name) or "") for name in ("unit", "repository"))
        set_undone(self.access, detector, named_unit(self.access, unit), repository, is_undone=is_undone)
        return self._answer()

    def _answer(self) -> Response:
        rows = [
            {
                "detector": one.detector.key,
                "unit": one.unit.slug if one.unit else None,
                "declared": one.detector.least,
                "least": one.least,
                "verdicts": one.verdicts,
                "repository": one.repository,
                "is_undone": one.is_undone,
            }
            for one in moved_thresholds(self.access, local_today())
        ]
        return Response({"thresholds": rows})
