"""Computing cells from facts, in one of two ways that come to the same (docs/decisions/0028).

- By the statements that answer ad-hoc queries, within the database (storing.py): cells of few units, those of everybody
  while there are few facts, and those of measures of which only the database tells.
- In memory (storing_from_memory.py): cells of a hundred units and more, those of everybody with some units beside them,
  as in the nightly fill, and those of everybody where there are many facts, with whatever units are asked for.  The
  rows of a relation are read once for all splits and pieces, where each statement would find them anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date, timedelta

from django.db import connection

from insights.metrics.plan import Clock
from insights.metrics.query import Granularity, Window
from insights.metrics.reading import ANYBODY, Edges, Placed, Placement, windows_of
from insights.metrics.stints import stints_of
from insights.metrics.table_sizes import MANY_ROWS, most_rows, relations_with_rows
from insights.models import Period
from insights.snapshots.groups import Group
from insights.snapshots.kept import (
    NOT_OF_STOCKS,
    bucket_edges,
    of_units,
    of_windows,
    only_in_windows,
    prompt_partitions,
    quarters_between,
)
from insights.snapshots.recomputation import Recomputation
from insights.snapshots.storing import store_by_statement
from insights.snapshots.storing_from_memory import computable_in_memory, store_from_memory
from integrations.facts.ownership import OWNER_PLACEMENTS

Partitions = Sequence[tuple[Period, Edges]]
_Placed = tuple[Partitions, Placement]  # windows, and whose cells

# The days of prompt buckets that are computed at once: a statement holds what it finds until it is through.
QUARTERS_AT_ONCE = 2
LONGEST_PIECE = timedelta(days=190)
# From here on reading all rows costs less than what the database would add up and sort; and each statement that asks of
# everybody reads them anyway, once for each split.
UNITS_COMPUTED_IN_MEMORY = 100
# Where everybody is asked for as well, the database reads all rows in any case, again for each split: of 40 units it
# took two and a half times as much processor time.
UNITS_BESIDE_EVERYBODY = 20


def prompt_pieces(days: Window) -> Iterator[Partitions]:
    """The prompt buckets of many days, by some quarters."""
    return (prompt_partitions(part) for part in _parts(days))


def _parts(days: Window) -> Iterator[Window]:
    if days.days <= LONGEST_PIECE.days:
        yield days
        return
    quarters = list(quarters_between(days.start, days.end - timedelta(days=1)))
    for position in range(0, len(quarters), QUARTERS_AT_ONCE):
        first, last = quarters[position], quarters[position : position + QUARTERS_AT_ONCE][-1]
        yield Window(max(days.start, first.start), min(days.end, last.end))


def whole_pieces(days: Window) -> Sequence[Partitions]:
    """As `prompt_pieces`, with the quarters, and each window in one of them."""
    found: list[Partitions] = []
    ended: dict[Period, date] = {}  # where the windows of the pieces before end
    for part in _parts(days):
        partitions = []
        quarters = (Period.QUARTER, bucket_edges(part, Granularity.QUARTER))
        for period, edges in (*prompt_partitions(part), quarters):
            left = tuple(edge for edge in edges if edge >= ended.get(period, edge))
            if len(left) > 1:
                partitions.append((period, left))
                ended[period] = left[-1]
        found.append(partitions)
    return found


def last_day(piece: Partitions) -> date:
    """The last day of its windows."""
    return max(edges[-1] for _, edges in piece) - timedelta(days=1)


def recompute_all(pieces: Sequence[Partitions], clock: Clock, only: Mapping[Group, int]) -> int:
    """As `recompute` of each piece, for the whole organisation and for every unit; no window is in two pieces."""
    units = _units()
    return _recompute([each for piece in pieces for each in _placed(piece, units, everybody=True)], clock, only)


def recompute(
    partitions: Partitions, units: Collection[int], clock: Clock, only: Mapping[Group, int], *, everybody: bool
) -> int:
    """Compute the cells of these groups (by id) in these windows anew, in the caller's transaction; how many.

    Those of the units, and of the whole organisation where `everybody` is asked for.
    """
    return _recompute(_placed(partitions, units, everybody=everybody), clock, only)


def _placed(partitions: Partitions, units: Collection[int], *, everybody: bool) -> Sequence[_Placed]:
    partitions = tuple(dict.fromkeys(partitions))
    found = [(partitions, ANYBODY)] if everybody else []
    return [*found, (of_units(partitions), Placement(Placed.UNITS, tuple(units)))] if units else found


def _recompute(asked: Sequence[_Placed], clock: Clock, only: Mapping[Group, int]) -> int:
    if not only:
        return 0
    for partitions, placement in asked:
        _delete(partitions, placement, only.values())
    there = _of_relations_with_rows(only)
    many = _of_many_rows(there, [placement for _, placement in asked])
    others = {group: pk for group, pk in there.items() if group not in many}
    written = _compute_in_memory(asked, clock, many) if many else 0
    return written + (sum(_compute_by_statements(*each, clock, others) for each in asked) if others else 0)


def _of_many_rows(groups: Mapping[Group, int], placements: Sequence[Placement]) -> Mapping[Group, int]:
    """Those that are computed in memory."""
    told = computable_in_memory(groups)
    everybody = ANYBODY in placements
    enough = UNITS_BESIDE_EVERYBODY if everybody else UNITS_COMPUTED_IN_MEMORY
    if any(len(placement.ids) >= enough for placement in placements):
        return told
    if not everybody:
        return {}
    return {group: pk for group, pk in told.items() if most_rows(group.relation) >= MANY_ROWS}


def _compute_in_memory(asked: Sequence[_Placed], clock: Clock, only: Mapping[Group, int]) -> int:
    """The cells of all that is asked, reading the rows of each relation once; they come piece by piece."""
    recomputations = [_Recomputations(partitions, placement, clock) for partitions, placement in asked]
    units = next((placement for _, placement in asked if placement.placed is Placed.UNITS), ANYBODY)
    with _stints(units, [window for each in recomputations for window in each.everything.periods], clock):
        return store_from_memory(only, lambda group: [each.of(group) for each in recomputations])


def _units() -> tuple[int, ...]:
    """Those for which ever anybody counted, or anything that is owned: a unit may own without having people."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT ancestor_id FROM orgtree_placement
            UNION
            SELECT ancestor_id FROM ({OWNER_PLACEMENTS}) AS owners
            """  # noqa: S608  # a constant
        )
        return tuple(unit for (unit,) in cursor.fetchall())


def _of_relations_with_rows(only: Mapping[Group, int]) -> Mapping[Group, int]:
    """Of a young installation most relations have none, and each statement that finds nothing costs a few ms."""
    there = relations_with_rows(group.relation for group in only)
    return {group: pk for group, pk in only.items() if group.relation.name in there}


def _compute_by_statements(
    partitions: Partitions, placement: Placement, clock: Clock, only: Mapping[Group, int]
) -> int:
    recomputations = _Recomputations(partitions, placement, clock)
    with _stints(placement, tuple(recomputations.everything.periods), clock):
        return sum(store_by_statement(group, pk, recomputations.of(group)) for group, pk in only.items())


class _Recomputations:
    """What is computed of each group, in these windows at most."""

    def __init__(self, partitions: Partitions, placement: Placement, clock: Clock) -> None:
        self.everything = _recomputation(partitions, placement, clock)
        self._of_stocks = _recomputation(
            [each for each in partitions if each[0] not in NOT_OF_STOCKS], placement, clock
        )
        self._listed = _recomputation(of_windows(partitions), placement, clock)

    def of(self, group: Group) -> Recomputation:
        if only_in_windows(group.segments):
            return self._listed
        return self._of_stocks if group.relation.stock else self.everything


def _recomputation(partitions: Partitions, placement: Placement, clock: Clock) -> Recomputation:
    return Recomputation(tuple(dict.fromkeys(edges for _, edges in partitions)), _periods(partitions), placement, clock)


def _periods(partitions: Iterable[tuple[Period, Edges]]) -> Mapping[Window, Sequence[str]]:
    """As what each window is kept: the running quarter and a trailing window may be the same days."""
    periods: dict[Window, list[str]] = defaultdict(list)
    for period, edges in partitions:
        for window in windows_of(edges):
            periods[window].append(period.value)
    return periods


def _stints(placement: Placement, windows: Sequence[Window], clock: Clock) -> AbstractContextManager[None]:
    if placement.placed is not Placed.UNITS:
        return nullcontext()
    days = Window(min(each.start for each in windows), max(each.end for each in windows))
    return stints_of(placement.ids, days, clock.today)


def _delete(partitions: Iterable[tuple[Period, Edges]], placement: Placement, groups: Iterable[int]) -> None:
    spans = [(period.value, window) for period, edges in partitions for window in windows_of(edges)]
    units = "unit_id IS NULL" if placement == ANYBODY else "unit_id = ANY(%(units)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            DELETE FROM insights_metriccell AS cell
            USING unnest(%(periods)s::text[], %(starts)s::date[], %(ends)s::date[]) AS span (period, starts, ends)
            WHERE cell.start = span.starts AND cell."end" = span.ends AND cell.period = span.period
              AND cell.group_id = ANY(%(groups)s) AND cell.{units}
            """,  # noqa: S608 — one of two texts above
            {
                "periods": [period for period, _ in spans],
                "starts": [window.start for _, window in spans],
                "ends": [window.end for _, window in spans],
                "groups": list(groups),
                "units": list(placement.ids),
            },
        )
