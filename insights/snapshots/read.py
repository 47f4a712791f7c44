"""Answering queries from cells: where they are kept and fresh enough, put together as what is read from facts."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from insights.engine.scan import Cell
from insights.metrics.figures import fingerprint
from insights.metrics.outcomes import Begun, Facts
from insights.metrics.plan import Need, Plan
from insights.metrics.query import Dimension, Window
from insights.metrics.reading import CellKey, Placed, Reading, StockReading
from insights.models import Period
from insights.people_figures.unassigned import begun_with_kept
from insights.snapshots.groups import families_of, segment_name
from insights.snapshots.kept import OF_UNITS, kept_as, only_in_windows
from insights.snapshots.kept_cells import Cells, Wanted, as_scanned, read_cells
from insights.snapshots.standing import Dirt, Standing, StandingGroup, standing
from insights.snapshots.storing import TOO_MANY_VALUES


class Freshness(enum.Enum):
    """How long ago facts may have changed that an answer does not hold yet."""

    AT_ONCE = "at once"  # API and commands: what was answered is counted
    OF_PAGES = "of pages"  # within 5 s; quarters and trailing windows within 60 s


PROMPT_WITHIN = timedelta(seconds=5)
LAGGING_WITHIN = timedelta(seconds=60)
LAGGING_PERIODS = (Period.QUARTER, Period.WINDOW)


@dataclass(frozen=True)
class Answerable:
    """A plan of whose needs some have cells, as of a moment: by need the group, by window the cells' window."""

    plan: Plan
    as_of: datetime
    groups: Sequence[tuple[Need, StandingGroup]]
    kept_as: Mapping[Window, Window]

    def wanted(self) -> Iterator[tuple[Need, StandingGroup, Window, Wanted]]:
        """Every cell that it needs, with the window that it stands for."""
        unit_id = _unit_id(self.plan)
        for need, group in self.groups:
            for window, kept in self.kept_as.items():
                yield need, group, window, Wanted(group.pk, unit_id, kept)


def begun_with_cells(plans: Sequence[Plan], freshness: Freshness) -> list[Begun]:
    """Each plan, in order, with what is kept and fresh enough of it.

    Whoever is in no unit has no cells, but for pages figures that are kept as those of people are.
    """
    if not plans:
        return []
    unassigned = begun_with_kept(plans) if freshness is Freshness.OF_PAGES else {}
    clock = plans[0].clock
    state = standing({_unit_id(plan) for plan in plans}, clock.today)
    looking = _Looking(state, freshness)
    answerable = [looking.at(plan) for plan in plans]
    cells = read_cells(wanted for each in answerable if each for *_, wanted in each.wanted())
    found, too_many = _as_found([each for each in answerable if each], cells)
    return [
        Begun(plan, found, tuple(_not_in(each, plan)), each.as_of)
        if each and not too_many.intersection(each.groups)
        else unassigned.get(position) or Begun.of_facts(plan)
        for position, (plan, each) in enumerate(zip(plans, answerable, strict=True))
    ]


def needs_without_cells(plans: Sequence[Plan], freshness: Freshness) -> Iterator[Need]:
    """What of these plans is read from facts, as far as that is known without reading their cells."""
    if plans:
        looking = _Looking(standing({_unit_id(plan) for plan in plans}, plans[0].clock.today), freshness)
        for plan in plans:
            found = looking.at(plan)
            yield from plan.needs.values() if found is None else _not_in(found, plan)


def _not_in(answerable: Answerable, plan: Plan) -> Iterator[Need]:
    kept = {need.reading for need, _ in answerable.groups}
    return (need for need in plan.needs.values() if need.reading not in kept)


class _Looking:
    """Looks for what holds a plan's figures; a page's queries ask of the same windows and measures."""

    def __init__(self, state: Standing, freshness: Freshness) -> None:
        self._state = state
        self._freshness = freshness
        self._kept: dict[tuple[Window, bool], tuple[Period, Window] | None] = {}
        self._groups: dict[Need, StandingGroup | None] = {}

    def at(self, plan: Plan) -> Answerable | None:
        """None where nothing of the plan is kept, or cells hold the facts of a time too long ago.

        What heeds none of the query's filters, such as the whole that a part is held against, has cells where the
        rest has none.
        """
        if not plan.placement.is_kept:
            return None
        if plan.settles and self._state.settled_to != plan.clock.settled_before:
            return None
        windows: dict[Window, tuple[Period, Window]] = {}
        for window in plan.windows:
            kept = self._window(window, plan)
            if kept is None:
                return None
            windows[window] = kept
        of_reading: dict[Reading | StockReading, list[tuple[Need, StandingGroup | None]]] = defaultdict(list)
        for need in plan.needs.values():
            of_reading[need.reading].append((need, self._group(need)))
        groups: list[tuple[Need, StandingGroup]] = []
        as_of = plan.clock.now
        for reading, found in of_reading.items():
            known = [(need, group) for need, group in found if group]
            if len(known) < len(found) or not _is_kept_for(reading, windows.values()):
                continue
            since = self._since(reading, plan, windows.values())
            if since is not None:
                groups += known
                as_of = min(as_of, since)
        return Answerable(plan, as_of, groups, {window: kept for window, (_, kept) in windows.items()})

    def _since(
        self, reading: Reading | StockReading, plan: Plan, windows: Iterable[tuple[Period, Window]]
    ) -> datetime | None:
        """The moment as of which cells tell of it; None where that is too long ago."""
        families, since = families_of(reading.relation), plan.clock.now
        for period, window in windows:
            lagging = period in LAGGING_PERIODS
            for each in self._state.dirt(_unit_id(plan), lagging=lagging):
                if each.touches(families, window):
                    if self._is_too_long_ago(each, plan, lagging=lagging):
                        return None
                    since = min(since, each.since)
        return since

    def _is_too_long_ago(self, dirt: Dirt, plan: Plan, *, lagging: bool) -> bool:
        patience = LAGGING_WITHIN if lagging else PROMPT_WITHIN
        return self._freshness is Freshness.AT_ONCE or plan.clock.now - dirt.since >= patience

    def _group(self, need: Need) -> StandingGroup | None:
        """The standing group that holds the measure, split as the need asks; None where none can."""
        if need not in self._groups:
            split = _split_of(need)
            group = self._state.groups.get((need.reading.relation.name, segment_name(split or ())))
            holds = group is not None and fingerprint(need.measure) in group.starts
            picks_sessions = isinstance(need.reading, Reading) and need.reading.model_picks_facts
            self._groups[need] = group if holds and split is not None and not picks_sessions else None
        return self._groups[need]

    def _window(self, window: Window, plan: Plan) -> tuple[Period, Window] | None:
        """As what the window is kept."""
        asked = (window, plan.metric.is_stock or _unit_id(plan) is not None)
        if asked not in self._kept:
            self._kept[asked] = kept_as(window, plan.clock.today, *([OF_UNITS] if asked[1] else []))
        return self._kept[asked]


def _is_kept_for(reading: Reading | StockReading, windows: Iterable[tuple[Period, Window]]) -> bool:
    """Whether what it is split by is kept in these windows."""
    if not isinstance(reading, Reading) or not only_in_windows((*reading.segments, *_filtered_by(reading))):
        return True
    return all(period is Period.WINDOW for period, _ in windows)


def _split_of(need: Need) -> tuple[Dimension, ...] | None:
    """How the cells that hold it are split; None where none are so.

    Cells are split in one way at most, and what is filtered by one value is what a split holds under it.
    """
    if not isinstance(need.reading, Reading):
        return ()
    segments, filtered = need.reading.segments, _filtered_by(need.reading)
    if len(segments) + len(filtered) > 1 or any(len(values) > 1 for _, values in need.reading.facets):
        return None
    return segments or filtered


def _filtered_by(reading: Reading) -> tuple[Dimension, ...]:
    return tuple(dimension for dimension, _ in reading.facets)


def _unit_id(plan: Plan) -> int | None:
    return plan.placement.ids[0] if plan.placement.placed is Placed.UNIT else plan.unit_id


def _as_found(answerable: Iterable[Answerable], cells: Cells) -> tuple[Facts, set[tuple[Need, StandingGroup]]]:
    """The cells as if they had just been read from facts, and the needs of which one has too many segment values."""
    scanned: dict[Reading, dict[CellKey, Cell]] = defaultdict(dict)
    stocked: dict[StockReading, dict[tuple[int | None, Window], int]] = defaultdict(dict)
    too_many: set[tuple[Need, StandingGroup]] = set()
    for each in answerable:
        unit_id = each.plan.unit_id
        for need, group, window, wanted in each.wanted():
            found = cells.get(wanted, ())
            if isinstance(need.reading, StockReading):
                of_stock = stocked[need.reading]
                span = each.plan.clock.stock_span(window)
                for kept in found:
                    of_stock[unit_id, span] = kept.figures.people
                continue
            of_reading = scanned[need.reading]
            picked = need.reading.facets[0][1][0] if need.reading.facets else None
            for kept in found:
                if (need.split or picked is not None) and kept.segment_value == TOO_MANY_VALUES:
                    too_many.add((need, group))
                if picked is not None and kept.segment_value != picked:
                    continue
                segment = (kept.segment_value,) if need.split else ()
                of_reading[CellKey(unit_id, window, segment)] = as_scanned(kept, group.starts)
    return Facts(scanned, stocked), too_many
