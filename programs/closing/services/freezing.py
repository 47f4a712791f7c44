"""Builds the document of a closed quarter from its records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from core.json_documents import copied
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import find
from insights.privacy.withhold import is_of_delivery
from insights.query.enums import BelongsTo
from orgtree.models import Unit
from programs.closing.services.frozen import (
    FrozenCheckIn,
    FrozenDays,
    FrozenKeyResult,
    FrozenObjective,
    FrozenParent,
    FrozenPoint,
    FrozenQuarter,
    FrozenTicket,
    FrozenUnit,
)
from programs.models import (
    CheckIn,
    FrozenDocument,
    KeyResult,
    KeyResultMeasure,
    Objective,
    ObjectiveStatus,
    Quarter,
    Ticket,
)


def content_of(
    quarter: Quarter,
    objectives: Sequence[Objective],
    teams_without: Sequence[Unit],
    *,
    closed_at: datetime,
    closed_by: int | None,
    forced_because: str,
) -> FrozenQuarter:
    """Builds the content from the records as they are; the objectives come scored, with unit, parent and measure."""
    return FrozenQuarter(
        schema=FrozenQuarter.schema_versions[-1],
        kind=FrozenDocument.Kind.QUARTER.value,
        quarter=FrozenDays(str(quarter), quarter.start, quarter.end),
        closed_at=closed_at,
        closed_by=closed_by,
        forced_because=forced_because,
        retrospective=quarter.retrospective,
        objectives=frozen_objectives(objectives),
        teams_without_objective=tuple(map(frozen_unit, teams_without)),
    )


def frozen_unit(unit: Unit) -> FrozenUnit:
    return FrozenUnit(unit.pk, unit.slug, unit.name)


def frozen_objectives(objectives: Sequence[Objective]) -> tuple[FrozenObjective, ...]:
    """Objectives with unit, parent and measure as they are, in order."""
    key_results: dict[int, list[KeyResult]] = defaultdict(list)
    of_them = KeyResult.objects.filter(objective__in=objectives).select_related("measure")
    for key_result in of_them.order_by("objective", "position"):
        key_results[key_result.objective_id].append(key_result)
    check_ins: dict[int, list[CheckIn]] = defaultdict(list)
    for check_in in CheckIn.objects.filter(objective__in=objectives).order_by("at", "pk"):
        check_ins[check_in.objective_id].append(check_in)
    tickets: dict[int, list[Ticket]] = defaultdict(list)
    for ticket in Ticket.objects.filter(objective__in=objectives).order_by("pk"):
        tickets[ticket.objective_id or 0].append(ticket)
    return tuple(
        _objective(objective, key_results[objective.pk], check_ins[objective.pk], tickets[objective.pk])
        for objective in objectives
    )


def _objective(
    objective: Objective, key_results: Sequence[KeyResult], check_ins: Sequence[CheckIn], tickets: Sequence[Ticket]
) -> FrozenObjective:
    measure = getattr(objective, "measure", None)
    unit, parent = objective.unit, objective.parent
    return copied(
        FrozenObjective,
        objective,
        unit=frozen_unit(unit) if unit else None,
        owner=objective.owner_id,
        parent=FrozenParent(parent.pk, parent.title) if parent else None,
        is_dropped=objective.dropped_at is not None,
        override_by=objective.override_by_id,
        computed=measure.standing if measure else ObjectiveStatus.UNKNOWN.value,
        why=measure.why if measure else "",
        progress=measure.progress if measure else None,
        key_results=tuple(map(_key_result, key_results)),
        check_ins=tuple(map(_check_in, check_ins)),
        tickets=tuple(map(_ticket, tickets)),
    )


def _check_in(check_in: CheckIn) -> FrozenCheckIn:
    label = check_in.get_confidence_display()
    return copied(
        FrozenCheckIn, check_in, account=check_in.by_id, key_result=check_in.key_result_id, confidence_label=label
    )


def _ticket(ticket: Ticket) -> FrozenTicket:
    return copied(FrozenTicket, ticket, owner=ticket.owner_id, state_label=ticket.get_state_display())


def _key_result(key_result: KeyResult) -> FrozenKeyResult:
    measure = getattr(key_result, "measure", None) or KeyResultMeasure(reason="It was never measured.")
    metric = find(key_result.metric) if key_result.metric else None
    return copied(
        FrozenKeyResult,
        key_result,
        metric_name=metric.marked_name if metric else "Items of an initiative" if key_result.initiative else "",
        metric_version=measure.metric_version,
        formula=metric.formula if metric else "",
        of_people=_is_of_people(key_result, metric),
        open_as_in_tools=metric is not None and is_of_delivery(metric),
        statistic=key_result.statistic or (metric.statistic.value if metric and metric.statistic else ""),
        **{name: getattr(measure, name) for name in _MEASURED},
        score=key_result.final_score,
        points=tuple(FrozenPoint(date.fromisoformat(day), value, people) for day, value, people in measure.points),
    )


_MEASURED = ("value", "reason", "sample_size", "people", "progress", "holds", "standing", "why")


def _is_of_people(key_result: KeyResult, metric: Metric | None) -> bool:
    """Whether the key result is a metric of people; a removed metric may have been one."""
    return bool(key_result.metric) and (metric is None or metric.belongs_to is BelongsTo.PERSON)
