"""Builds the document of a closed quarter from its records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

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
from programs.key_results.services.fields import FIELDS
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
from programs.objectives.services.fields import PLAIN


def content_of(
    quarter: Quarter,
    objectives: Sequence[Objective],
    teams_without: Sequence[Unit],
    *,
    closed_at: datetime,
    closed_by: int | None,
    forced_because: str,
) -> FrozenQuarter:
    """Everything as it stands; the objectives with unit, parent and measure, scored."""
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
    """Objectives with unit, parent and measure as they stand, in order."""
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
    return FrozenObjective(
        id=objective.pk,
        **{name: getattr(objective, name) for name in PLAIN},
        unit=frozen_unit(unit) if unit else None,
        owner=objective.owner_id,
        parent=FrozenParent(parent.pk, parent.title) if parent else None,
        published_at=objective.published_at,
        is_dropped=objective.dropped_at is not None,
        dropped_why=objective.dropped_why,
        override=objective.override,
        override_reason=objective.override_reason,
        override_by=objective.override_by_id,
        computed=measure.standing if measure else ObjectiveStatus.UNKNOWN.value,
        why=measure.why if measure else "",
        progress=measure.progress if measure else None,
        score=objective.score,
        carry_over=objective.carry_over,
        retrospective=objective.retrospective,
        key_results=tuple(map(_key_result, key_results)),
        check_ins=tuple(
            FrozenCheckIn(
                at=check_in.at,
                account=check_in.by_id,
                key_result=check_in.key_result_id,
                confidence=check_in.confidence,
                confidence_label=check_in.get_confidence_display(),
                note=check_in.note,
                value=check_in.value,
            )
            for check_in in check_ins
        ),
        tickets=tuple(
            FrozenTicket(
                id=ticket.pk,
                title=ticket.title,
                state=ticket.state,
                state_label=ticket.get_state_display(),
                owner=ticket.owner_id,
                due_on=ticket.due_on,
                completed_on=ticket.completed_on,
            )
            for ticket in tickets
        ),
    )


def _key_result(key_result: KeyResult) -> FrozenKeyResult:
    measure: KeyResultMeasure | None = getattr(key_result, "measure", None)
    metric = find(key_result.metric) if key_result.metric else None
    written = {name: getattr(key_result, name) for name in FIELDS if name != "statistic"}
    return FrozenKeyResult(
        id=key_result.pk,
        **written,
        metric_name=metric.marked_name if metric else "",
        metric_version=measure.metric_version if measure else None,
        formula=metric.formula if metric else "",
        of_people=_is_of_people(key_result, metric),
        open_as_in_tools=metric is not None and is_of_delivery(metric),
        statistic=key_result.statistic or (metric.statistic.value if metric and metric.statistic else ""),
        baseline_from=key_result.baseline_from,
        baseline_to=key_result.baseline_to,
        baseline_people=key_result.baseline_people,
        value=measure.value if measure else None,
        reason=measure.reason if measure else "It was never measured.",
        sample_size=measure.sample_size if measure else 0,
        people=measure.people if measure else 0,
        progress=measure.progress if measure else None,
        holds=measure.holds if measure else None,
        score=key_result.final_score,
        standing=measure.standing if measure else ObjectiveStatus.UNKNOWN.value,
        why=measure.why if measure else "",
        points=tuple(
            FrozenPoint(date.fromisoformat(day), value, people)
            for day, value, people in (measure.points if measure else ())
        ),
    )


def _is_of_people(key_result: KeyResult, metric: Metric | None) -> bool:
    """A metric that is gone may have been one of people's own."""
    return bool(key_result.metric) and (metric is None or metric.belongs_to is BelongsTo.PERSON)
