"""Answering queries from cells: where they exist and are fresh enough, with the same outcomes as from facts."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection

from insights.metrics.declarations import Outcome
from insights.metrics.outcomes import Outcomes, tells_unmatched
from insights.metrics.plan import Plan
from insights.metrics.query import Window
from insights.metrics.reading import Placed
from insights.models import Period
from insights.snapshots.cells import TOO_MANY_VALUES
from insights.snapshots.kept import OF_UNITS, keeps, kept_as, kept_segments
from insights.snapshots.kept_cells import Cells, Kept, Wanted, read_cells


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

    family: str | None  # None: of every family
    unit_id: int | None
    any_unit: bool
    days: Window
    lagging: bool
    since: datetime


def outcomes_from_cells(plans: Sequence[Plan], freshness: Freshness) -> list[Outcomes | None]:
    """The outcomes of each plan, in order; None where its cells are not kept or not fresh enough."""
    if not plans:
        return []
    rolled_to, settled_to, dirt = _state({_unit_id(plan) for plan in plans})
    clock = plans[0].clock
    if rolled_to != clock.today:
        return [None] * len(plans)
    settled, keeping = settled_to == clock.settled_before, _Keeping(clock.today)
    as_of = [_as_of(plan, dirt, freshness, keeping) if settled or not plan.metric.settles else None for plan in plans]
    cells = read_cells(_wanted(plan, keeping) for plan, at in zip(plans, as_of, strict=True) if at)
    return [_outcomes(plan, cells, at, keeping) if at else None for plan, at in zip(plans, as_of, strict=True)]


def _as_of(plan: Plan, dirt: Sequence[Dirt], freshness: Freshness, keeping: _Keeping) -> datetime | None:
    """The moment whose facts the plan's cells hold; None where they are not kept or that is too long ago."""
    if plan.query.facets or plan.segments not in kept_segments(plan.metric):
        return None
    if not plan.placement.is_kept:
        return None
    as_of = plan.clock.now
    for window in plan.windows:
        kept = keeping.of(window, plan)
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


class _Keeping:
    """In which cell each window is kept, looked up once: a page's queries ask of the same windows."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._known: dict[tuple[Window, bool], tuple[Period, Window] | None] = {}

    def of(self, window: Window, plan: Plan) -> tuple[Period, Window] | None:
        without_days = _unit_id(plan) is not None or not keeps(plan.metric, Period.DAY)
        asked = (window, without_days)
        if asked not in self._known:
            self._known[asked] = kept_as(window, self._today, *([OF_UNITS] if asked[1] else []))
        return self._known[asked]


def _touches(dirt: Dirt, plan: Plan, window: Window) -> bool:
    return (
        dirt.days.start < window.end
        and window.start < dirt.days.end
        and (dirt.any_unit or dirt.unit_id == _unit_id(plan))
        and (dirt.family is None or dirt.family in plan.metric.changed_by)
    )


def _unit_id(plan: Plan) -> int | None:
    return plan.placement.ids[0] if plan.placement.placed is Placed.UNIT else plan.unit_id


def _state(units: Collection[int | None]) -> tuple[date | None, datetime | None, Sequence[Dirt]]:
    """For which day and settling time the cells stand, and what those of these units do not hold.

    That is what is still in the outboxes of facts and of placements, and what was taken of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT rolled_to, settled_to, NULL, NULL, false, NULL, NULL, NULL, NULL FROM insights_snapshotstate
            UNION ALL
            SELECT NULL, NULL, family, unit_id, false, min(day_from), max(day_to), lagging, min(noted_at)
            FROM insights_dirtyrange
            WHERE unit_id IS NULL OR unit_id = ANY(%(units)s)
            GROUP BY family, unit_id, lagging, day_from
            UNION ALL
            SELECT NULL, NULL, family, NULL, true, min(day_from), max(day_to), lagging, min(at)
            FROM integrations_factchange CROSS JOIN (VALUES (false), (true)) AS speed (lagging)
            GROUP BY family, lagging
            UNION ALL
            SELECT NULL, NULL, NULL, unit_id, false, coalesce(day_from, %(ever)s), coalesce(day_to, %(never)s), lagging,
                   min(at)
            FROM orgtree_placementchange CROSS JOIN (VALUES (false), (true)) AS speed (lagging)
            WHERE unit_id = ANY(%(units)s)
            GROUP BY unit_id, lagging, day_from, day_to
            """,
            {"units": [unit for unit in units if unit is not None], "ever": date.min, "never": date.max},
        )
        rows = cursor.fetchall()
    rolled_to, settled_to = next((row[:2] for row in rows if row[0]), (None, None))
    dirt = [
        Dirt(family, unit_id, any_unit, Window(start, end), lagging, since)
        for _, _, family, unit_id, any_unit, start, end, lagging, since in rows
        if since
    ]
    return rolled_to, settled_to, dirt


def _wanted(plan: Plan, keeping: _Keeping) -> Wanted:
    kept = (keeping.of(window, plan) for window in plan.windows)
    names = ("", *(dimension.value for dimension in plan.segments))
    return Wanted(plan.metric.key, names, _unit_id(plan), tuple(cell[1] for cell in kept if cell))


def _outcomes(plan: Plan, cells: Cells, as_of: datetime, keeping: _Keeping) -> Outcomes | None:
    """None where a segment has too many values to be kept."""
    name = plan.segments[0].value if plan.segments else ""
    found: dict[tuple[Window, tuple[str, ...]], Outcome] = {}
    shared: dict[Window, Outcome] = {}
    unmatched: dict[Window, float | None] = {}
    for window in plan.windows:
        kept = keeping.of(window, plan)
        if kept is None:
            return None
        own = _of_version(plan, cells.get((plan.metric.key, _unit_id(plan), kept[1], name), ()))
        unsplit = _of_version(plan, cells.get((plan.metric.key, _unit_id(plan), kept[1], ""), ()))
        for cell in (*own, *unsplit):
            if part := plan.metric.shared_part(cell.outcome, plan.segments):
                shared.setdefault(window, part)
        for cell in own:
            if name and cell.segment_value == TOO_MANY_VALUES:
                return None
            found[window, (cell.segment_value,) if name else ()] = cell.outcome
            unmatched[window] = cell.unmatched
    whole = plan.query.window
    tells = tells_unmatched(plan, found)
    return Outcomes(found, shared, unmatched.get(whole) if tells else None, as_of)


def _of_version(plan: Plan, cells: Iterable[Kept]) -> Sequence[Kept]:
    """Cells of the metric's own version, one per segment value: a span may be kept under two periods."""
    current = [cell for cell in cells if cell.version == plan.metric.version]
    return list({cell.segment_value: cell for cell in current}.values())
