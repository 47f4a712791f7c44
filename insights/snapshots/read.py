"""Answering queries from cells: where they exist and are fresh enough, with the same outcomes as from facts."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from insights.metrics.declarations import Outcome
from insights.metrics.outcomes import Outcomes, tells_unmatched
from insights.metrics.plan import Plan
from insights.metrics.query import Statistic, Window
from insights.metrics.reading import Placed
from insights.models import MetricCell, Period
from insights.snapshots.cells import TOO_MANY_VALUES
from insights.snapshots.kept import kept_as, kept_segments


class Freshness(enum.Enum):
    """How long ago facts may have changed that an answer does not hold yet."""

    AT_ONCE = "at once"  # API and commands: what was answered is counted
    OF_PAGES = "of pages"  # within 5 s; quarters and trailing windows within 60 s


PROMPT_WITHIN = timedelta(seconds=5)
LAGGING_WITHIN = timedelta(seconds=60)
LAGGING_PERIODS = (Period.QUARTER, Period.WINDOW)


@dataclass(frozen=True)
class Dirt:
    """Cells of a unit (None: the whole organisation) touched by these days do not hold a change of `since`."""

    family: str
    unit_id: int | None
    any_unit: bool
    days: Window
    lagging: bool
    since: datetime


def outcomes_from_cells(plans: Sequence[Plan], freshness: Freshness) -> list[Outcomes | None]:
    """The outcomes of each plan, in order; None where its cells are not kept or not fresh enough."""
    if not plans:
        return []
    rolled_to, settled_to, dirt = _state()
    clock = plans[0].clock
    if rolled_to != clock.today:
        return [None] * len(plans)
    settled = settled_to == clock.settled_before
    as_of = [_as_of(plan, dirt, freshness) if settled or not plan.metric.settles else None for plan in plans]
    cells = _cells([plan for plan, at in zip(plans, as_of, strict=True) if at])
    return [_outcomes(plan, cells, at) if at else None for plan, at in zip(plans, as_of, strict=True)]


def _as_of(plan: Plan, dirt: Sequence[Dirt], freshness: Freshness) -> datetime | None:
    """The moment whose facts the plan's cells hold; None where they are not kept or that is too long ago."""
    if plan.query.facets or plan.segments not in kept_segments(plan.metric):
        return None
    if not plan.placement.is_kept:
        return None
    as_of = plan.clock.now
    for window in plan.windows:
        kept = kept_as(window, plan.clock.today)
        if kept is None:
            return None
        lagging = kept[0] in LAGGING_PERIODS
        patience = LAGGING_WITHIN if lagging else PROMPT_WITHIN
        for each in dirt:
            if each.lagging == lagging and _touches(each, plan, kept[1]):
                if freshness is Freshness.AT_ONCE or plan.clock.now - each.since >= patience:
                    return None
                as_of = min(as_of, each.since)
    return as_of


def _touches(dirt: Dirt, plan: Plan, window: Window) -> bool:
    return (
        dirt.days.start < window.end
        and window.start < dirt.days.end
        and (dirt.any_unit or dirt.unit_id == _unit_id(plan))
        and dirt.family in plan.metric.families
    )


def _unit_id(plan: Plan) -> int | None:
    return plan.placement.ids[0] if plan.placement.placed is Placed.UNIT else None


def _state() -> tuple[date | None, datetime | None, Sequence[Dirt]]:
    """For which day and settling time the cells stand, and what they do not hold: the outbox, what was taken of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT rolled_to, settled_to, NULL, NULL, false, NULL, NULL, NULL, NULL FROM insights_snapshotstate
            UNION ALL
            SELECT NULL, NULL, family, unit_id, false, min(day_from), max(day_to), lagging, min(noted_at)
            FROM insights_dirtyrange GROUP BY family, unit_id, lagging, day_from
            UNION ALL
            SELECT NULL, NULL, family, NULL, true, min(day_from), max(day_to), lagging, min(at)
            FROM integrations_factchange CROSS JOIN (VALUES (false), (true)) AS speed (lagging)
            GROUP BY family, lagging
            """
        )
        rows = cursor.fetchall()
    rolled_to, settled_to = next((row[:2] for row in rows if row[0]), (None, None))
    dirt = [
        Dirt(family, unit_id, any_unit, Window(start, end), lagging, since)
        for _, _, family, unit_id, any_unit, start, end, lagging, since in rows
        if family
    ]
    return rolled_to, settled_to, dirt


Cells = Mapping[tuple[str, int | None, Window, str], Sequence[MetricCell]]


def _cells(plans: Sequence[Plan]) -> Cells:
    """The cells of all plans, one query a unit, by metric, unit, window and segment name."""
    wanted: dict[int | None, dict[Window, None]] = defaultdict(dict)
    for plan in plans:
        for window in plan.windows:
            kept = kept_as(window, plan.clock.today)
            if kept:
                wanted[_unit_id(plan)][kept[1]] = None
    keys = sorted({plan.metric.key for plan in plans})
    found: dict[tuple[str, int | None, Window, str], list[MetricCell]] = defaultdict(list)
    for unit_id, windows in wanted.items():
        for cell in MetricCell.objects.raw(
            f"""
            SELECT cell.*
            FROM unnest(%s::date[], %s::date[]) AS wanted (starts, ends)
            JOIN insights_metriccell cell ON cell.start = wanted.starts AND cell."end" = wanted.ends
            WHERE cell.unit_id {"IS NULL AND %s::bigint IS NULL" if unit_id is None else "= %s"}
              AND cell.metric = ANY(%s)
            """,  # noqa: S608 — one of two texts above
            [[window.start for window in windows], [window.end for window in windows], unit_id, keys],
        ):
            found[cell.metric, cell.unit_id, Window(cell.start, cell.end), cell.segment_name].append(cell)
    return found


def _outcomes(plan: Plan, cells: Cells, as_of: datetime) -> Outcomes | None:
    """None where a segment has too many values to be kept."""
    name = plan.segments[0].value if plan.segments else ""
    found: dict[tuple[Window, tuple[str, ...]], Outcome] = {}
    shared: dict[Window, Outcome] = {}
    unmatched: dict[Window, float | None] = {}
    for window in plan.windows:
        kept = kept_as(window, plan.clock.today)
        if kept is None:
            return None
        own = _of_version(plan, cells.get((plan.metric.key, _unit_id(plan), kept[1], name), ()))
        unsplit = _of_version(plan, cells.get((plan.metric.key, _unit_id(plan), kept[1], ""), ()))
        for cell in (*own, *unsplit):
            if part := plan.metric.shared_part(_outcome(cell), plan.segments):
                shared.setdefault(window, part)
        for cell in own:
            if name and cell.segment_value == TOO_MANY_VALUES:
                return None
            found[window, (cell.segment_value,) if name else ()] = _outcome(cell)
            unmatched[window] = cell.unmatched
    whole = plan.query.window
    tells = tells_unmatched(plan, found)
    return Outcomes(found, shared, unmatched.get(whole) if tells else None, as_of)


def _of_version(plan: Plan, cells: Iterable[MetricCell]) -> Sequence[MetricCell]:
    """Cells of the metric's own version, one per segment value: a span may be kept under two periods."""
    current = [cell for cell in cells if cell.version == plan.metric.version]
    return list({cell.segment_value: cell for cell in current}.values())


def _outcome(cell: MetricCell) -> Outcome:
    statistics: dict[Statistic, Any] = {each: getattr(cell, each.value) for each in Statistic}
    return Outcome(
        cell.value,
        cell.numerator,
        cell.denominator,
        cell.sample_size,
        cell.people,
        {statistic: value for statistic, value in statistics.items() if value is not None},
        cell.missing,
        cell.low,
        cell.mix,
    )
