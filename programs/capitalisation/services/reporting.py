"""Builds the report of a capitalisation period from current evidence, people-time and spend, or reads the
frozen one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from core.json_documents import copied
from integrations.delivery.allocation.initiative_time import (
    NONE,
    InitiativeKey,
    InitiativeName,
    names_of_initiatives,
    spend_of,
    time_of,
)
from integrations.delivery.records.initiatives import InitiativeKind
from integrations.models import AllocationRule
from integrations.models.allocation import TERMS
from programs.capitalisation.services.document import (
    FrozenEvidence,
    FrozenPeriod,
    FrozenRule,
    FrozenSpend,
    FrozenTime,
    PeriodReport,
)
from programs.capitalisation.services.eligibility import Eligibility, WorkState, eligibility
from programs.closing.services.frozen import FrozenDays, stored_document
from programs.models import CapitalisationPeriod, InitiativeEvidence

DECIMALS_OF_DAYS, DECIMALS_OF_DOLLARS = 4, 6
DAY = 1


def keys_of(evidence: Iterable[InitiativeEvidence]) -> list[InitiativeKey]:
    return [InitiativeKey(one.pk, InitiativeKind(one.kind), one.key) for one in evidence]


def current_names(evidence: Collection[InitiativeEvidence]) -> Mapping[int, InitiativeName]:
    """Today's names by id; deleted initiatives have none."""
    return names_of_initiatives(keys_of(evidence))


def live_report(period: CapitalisationPeriod) -> PeriodReport:
    """The figures as they are now."""
    evidence = list(InitiativeEvidence.objects.order_by("pk"))
    chosen, names = keys_of(evidence), current_names(evidence)
    eligible = {one.pk: eligibility(one, period.standard) for one in evidence}
    return PeriodReport(
        period=FrozenDays(str(period), period.start, period.end),
        standard=period.standard,
        hours_a_day=float(period.hours_a_day),
        currency=period.currency,
        hourly_rate=None if period.hourly_rate is None else float(period.hourly_rate),
        dollar_rate=None if period.dollar_rate is None else float(period.dollar_rate),
        initiatives=tuple(_evidence(one, names.get(one.pk), eligible[one.pk]) for one in evidence),
        time=_time(chosen, eligible, period),
        spend=_spend(chosen, eligible, period),
        rules=tuple(_rule(rule) for rule in AllocationRule.objects.select_related("category", "unit")),
    )


def frozen_report(period: CapitalisationPeriod) -> FrozenPeriod:
    """The document of a frozen period.  Raises FrozenDocumentError if the text is not the one that was frozen."""
    if period.document is None:
        raise ValueError("The period is not frozen.")
    return stored_document(FrozenPeriod, period.document)


def report_of(period: CapitalisationPeriod) -> PeriodReport:
    """The period's report: frozen, or current."""
    return frozen_report(period).report if period.is_frozen else live_report(period)


def _evidence(one: InitiativeEvidence, name: InitiativeName | None, eligible: Eligibility) -> FrozenEvidence:
    return copied(
        FrozenEvidence,
        one,
        id=one.pk,
        name=name.name if name else one.name,
        reference=name.reference if name else "",
        eligible_from=eligible.start,
        eligible_to=eligible.end,
    )


def _time(
    chosen: list[InitiativeKey], eligible: Mapping[int, Eligibility], period: CapitalisationPeriod
) -> tuple[FrozenTime, ...]:
    days: dict[tuple[int, int, date, str], float] = defaultdict(float)
    for part in time_of(chosen, period.start, period.end):
        state = WorkState.OTHER
        if part.initiative != NONE:
            state = eligible[part.initiative].state_of(part.first_day, part.end, part.investment)
        days[part.initiative, part.person, part.first_day.replace(day=1), state.value] += part.days
    return tuple(FrozenTime(*key, round(value, DECIMALS_OF_DAYS)) for key, value in sorted(days.items()))


def _spend(
    chosen: list[InitiativeKey], eligible: Mapping[int, Eligibility], period: CapitalisationPeriod
) -> tuple[FrozenSpend, ...]:
    dollars: dict[tuple[int, int | None, date, str], float] = defaultdict(float)
    for part in spend_of(chosen, period.start, period.end):
        next_day = date.fromordinal(part.day.toordinal() + DAY)
        state = eligible[part.initiative].state_of(part.day, next_day, part.investment)
        dollars[part.initiative, part.person, part.day.replace(day=1), state.value] += float(part.spend)
    in_order = sorted(dollars.items(), key=lambda entry: (entry[0][0], entry[0][1] or 0, *entry[0][2:]))
    return tuple(FrozenSpend(*key, round(value, DECIMALS_OF_DOLLARS)) for key, value in in_order)


def _rule(rule: AllocationRule) -> FrozenRule:
    conditions = {name: list(getattr(rule, name)) for name in TERMS if getattr(rule, name)}
    unit = rule.unit.slug if rule.unit else ""
    return FrozenRule(rule.category.name, rule.category.kind, unit, rule.rank, conditions)
