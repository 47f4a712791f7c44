"""Sets a unit's working agreement, for the unit's managers, executives and admins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework import serializers

from core.api.model_serializers import Day, WriteSerializer, validated
from core.authorship import changes_by
from core.write_errors import FieldError, MayNotWriteError
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.privacy.visible import visible_totals
from insights.query.query import Dimension, MetricValue, Query, Scope, Window
from insights.query.windows import local_today, quarter_name, quarter_of
from insights.ui import wording
from integrations.delivery.agreements.agree import OwnTerms, agree, own_terms
from integrations.delivery.agreements.preview import NoPreviewError, as_if_agreed
from integrations.models import WorkingAgreement
from integrations.models.working_agreements import LONGEST_LABEL, TERMS
from orgtree.access.access import Access
from programs.requests.visible import account_of

MOST_LABELS = 50
AFFECTED = (
    *("pr.oversized_rate", "pr.late_review_rate", "pr.unlinked_rate", "pr.throughput", "pr.size", "pr.cycle_time"),
    *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"),
    *("sprint.delivered_vs_planned", "sprint.scope_creep", "capacity.after_hours_share", "capacity.weekend_share"),
)
"""Metrics that depend on a term, in the order of the preview."""
BY_SIZE = "pr.throughput"


def _words(help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_LABEL),
        required=False,
        allow_null=True,
        max_length=MOST_LABELS,
        help_text=help_text,
    )


class AgreementWriteSerializer(WriteSerializer[WorkingAgreement]):
    first_day = Day(required=False, allow_null=True, help_text="Default: today; null: since the beginning.")
    size_thresholds = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=1_000_000),
        required=False,
        allow_null=True,
        max_length=3,
        help_text="Most lines of sizes S, M and L.",
    )
    ignored_labels = _words("A pull request with one of these labels counts in no figure.")
    hotfix_branches = _words("Beginnings of branches whose deployment fixes the one before it.")
    hotfix_labels = _words("Labels of pull requests whose deployment fixes the one before it.")

    class Meta:
        model = WorkingAgreement
        fields: tuple[str, ...] = ("first_day", *TERMS)


def checked_terms(stored: OwnTerms, given: Mapping[str, Any]) -> tuple[dict[str, Any], date | None]:
    """The given terms in stored form, and the day from which they apply.  Raises FieldError."""
    fields = validated(AgreementWriteSerializer(data=given, partial=True))
    start = fields.pop("first_day", local_today())
    now = {name: getattr(stored.agreement, name) for name in TERMS}
    agreement = WorkingAgreement(**{**now, **fields})
    try:
        agreement.clean_fields(exclude={"unit", "during", *(set(TERMS) - fields.keys())})
        agreement.clean()
    except ValidationError as problem:
        raise _field_error(problem) from None
    return {name: getattr(agreement, name) for name in fields}, start


def set_agreement(access: Access, stored: OwnTerms, given: Mapping[str, Any], *, of_version: int) -> OwnTerms:
    """Sets terms of the unit from a day on.

    Raises FieldError, MayNotWriteError, and ConflictError if somebody has changed the agreement since `of_version`.
    """
    account = account_of(access)
    check_may_write(access, stored)
    terms, start = checked_terms(stored, given)
    with changes_by(account):
        try:
            agree(stored.unit, terms, start=start, of_version=of_version)
        except ValidationError as problem:
            raise _field_error(problem) from None
        return own_terms(stored.unit, start)


def check_may_write(access: Access, terms: OwnTerms) -> None:
    if not access.visibility.leads(terms.unit.pk):
        raise MayNotWriteError(f"The agreement of {terms.unit.name} is changed by its managers, executives and admins.")


def _field_error(problem: ValidationError) -> FieldError:
    name, messages = next(iter(problem.message_dict.items()))
    return FieldError(name if name in TERMS else "", " ".join(messages))


@dataclass(frozen=True)
class MetricEffect:
    """A metric of the last quarter before and after the change; `part` is the pull request size that it counts."""

    metric: Metric
    part: str
    before: MetricValue
    after: MetricValue

    @property
    def name(self) -> str:
        return f"{self.metric.name} of size {self.part}" if self.part else self.metric.name

    def shown(self, value: MetricValue) -> str:
        if value.withheld:
            return "Hidden"
        return "No data" if value.value is None else str(wording.reading(value.value, self.metric.unit))

    @property
    def changes(self) -> bool:
        return (self.before.value, self.before.withheld) != (self.after.value, self.after.withheld)


@dataclass(frozen=True)
class Effect:
    """The effect on a quarter; `problem` says why there is no preview."""

    quarter: str
    metrics: Sequence[MetricEffect] = ()
    problem: str = ""

    @property
    def changed(self) -> Sequence[MetricEffect]:
        return [effect for effect in self.metrics if effect.changes]

    @property
    def rows(self) -> Sequence[tuple[str, str, str]]:
        """Name, current value and new value of each metric that changes."""
        return [(effect.name, effect.shown(effect.before), effect.shown(effect.after)) for effect in self.changed]

    @property
    def unchanged(self) -> Sequence[Metric]:
        """Metrics that have a value and keep it."""
        same = [effect for effect in self.metrics if not effect.changes and effect.before.value is not None]
        return [effect.metric for effect in same if not effect.part]


def effect_of(access: Access, stored: OwnTerms, given: Mapping[str, Any]) -> Effect:
    """The last quarter's figures of the unit, as if these terms had been agreed on at its start; nothing is saved.

    Raises FieldError, MayNotWriteError.
    """
    check_may_write(access, stored)
    terms, _ = checked_terms(stored, given)
    window = Window(*quarter_of(quarter_of(local_today()).start - timedelta(days=1)))
    queries = _queries(stored, window)
    effect = Effect(quarter_name(window.start))
    before = visible_totals(queries, access)
    try:
        with as_if_agreed(stored.unit, terms, window.start, window.end):
            after = visible_totals(queries, access)
    except NoPreviewError as problem:
        return replace(effect, problem=str(problem))
    pairs = [
        (query, _by_part(was.total), _by_part(would_be.total))
        for query, was, would_be in zip(queries, before, after, strict=True)
    ]
    none = MetricValue(window, {})
    return replace(
        effect,
        metrics=[
            MetricEffect(get(query.key), part, was.get(part, none), would_be.get(part, none))
            for query, was, would_be in pairs
            for part in sorted({*was, *would_be}, key=_SIZES.index)
        ],
    )


_SIZES = ("", "S", "M", "L", "XL")


def _by_part(values: Sequence[MetricValue]) -> dict[str, MetricValue]:
    return {value.segment.get(Dimension.SIZE_CLASS, ""): value for value in values if _size(value) in _SIZES}


def _size(value: MetricValue) -> str:
    return value.segment.get(Dimension.SIZE_CLASS, "")


def _queries(stored: OwnTerms, window: Window) -> list[Query]:
    scope = Scope(unit=stored.unit.slug)
    whole = [Query(key, window, scope=scope) for key in AFFECTED]
    return [*whole, Query(BY_SIZE, window, scope=scope, segments=(Dimension.SIZE_CLASS,))]
