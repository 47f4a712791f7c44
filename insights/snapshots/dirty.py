"""What has to be computed anew: from the outboxes of facts and of placements to ranges of days, by unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction

from insights import windows
from insights.columns.stale import mark_stale
from insights.metrics.connected import SOURCES, source_since
from insights.metrics.plan import Clock
from insights.metrics.query import Window
from insights.metrics.reading import ANYBODY
from insights.metrics.registry import metrics
from insights.snapshots.keeping_columns import forget_columns_of
from insights.snapshots.kept import kept_from
from integrations.facts.changes import take_changes
from integrations.facts.ownership import OWNER_PLACEMENTS
from integrations.models import FactFamily
from integrations.services.usage_days import forget_usage_of

# Days that lie this near to each other are computed together: for each piece the months, quarters and trailing windows
# that it lies in are computed anew, and weekends would cut a year into fifty pieces.
NEAR_DAYS = 31
# Prompt cells are computed in transactions of about this size, the shortest ranges first: facts of today do not wait
# for the two years of an Org Tree that was just imported (docs/decisions).
UNIT_DAYS_AT_ONCE = 10_000
# A piece is a handful of statements, whatever the number of its units.
MOST_PIECES = 16

Range = tuple[FactFamily, int | None, Window]


@dataclass(frozen=True)
class Dirt:
    """Units (None: the whole organisation) whose cells of a family are wrong on the same days."""

    family: FactFamily
    days: Window
    units: tuple[int | None, ...]


def note_everything(clock: Clock) -> int:
    """Empty the outboxes of facts and of placements into dirty ranges; how many changes were taken."""
    return note_changes() + note_placement_changes(clock)


def note_changes() -> int:
    """Turn the outbox into dirty ranges of the whole organisation and of every unit on the people's paths.

    Each change is taken exactly once, in the transaction that notes its ranges.  Answers how many were taken.
    Facts that no metric is computed from make nothing dirty.
    """
    noted = 0
    computed = {family for metric in metrics() for family in metric.changed_by}
    while True:
        with transaction.atomic():
            changes = take_changes()
            if not changes:
                return noted
            forget_usage_of(changes)
            forget_columns_of(changes)
            mark_stale(changes)
            _note(
                [
                    (each.family.value, each.person_id, each.owned_id, each.day_from, each.day_to)
                    for each in changes
                    if each.family in computed
                ]
            )
        noted += len(changes)


def _note(changes: Sequence[tuple[str, int | None, int | None, date, date]]) -> None:
    """Changes of (family, person, owned thing, from, to).

    Coalesced: ranges of one family and unit that touch become one.
    """
    if not changes:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH changed AS (
                SELECT *
                FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::date[], %s::date[])
                     AS c (family, person_id, owned_id, starts, ends)
            ), touched AS (
                SELECT family, NULL::bigint AS unit_id, daterange(starts, ends) AS days FROM changed
                UNION ALL
                SELECT family, placement.ancestor_id, daterange(starts, ends) * placement.during
                FROM changed
                JOIN orgtree_placement placement ON placement.person_id = changed.person_id
                 AND placement.during && daterange(starts, ends)
                UNION ALL
                SELECT family, owner.ancestor_id, daterange(starts, ends) * owner.during
                FROM changed
                JOIN ({OWNER_PLACEMENTS}) AS owner ON owner.owned_id = changed.owned_id
                 AND owner.during && daterange(starts, ends)
            )
            INSERT INTO insights_dirtyrange (family, unit_id, day_from, day_to, lagging)
            SELECT family, unit_id, lower(days), upper(days), lagging
            FROM (SELECT family, unit_id, unnest(range_agg(days)) AS days FROM touched GROUP BY family, unit_id) AS c
            CROSS JOIN (VALUES (false), (true)) AS speed (lagging)
            """,  # noqa: S608  # a constant
            [list(column) for column in zip(*changes, strict=True)],
        )


def note_placement_changes(clock: Clock) -> int:
    """As `note_changes`, of units for which other people count than before, on days that have cells and facts.

    Every family is wrong then, of these units alone: the whole organisation is the same people as before.
    """
    kept = kept_from(clock.today)
    days = {
        family: Window(max(since, kept), clock.tomorrow)
        for family, source in SOURCES.items()
        if (since := source_since(source, ANYBODY))
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            WITH taken AS (
                DELETE FROM orgtree_placementchange RETURNING unit_id, daterange(day_from, day_to) AS days, at
            ), touched AS (
                SELECT kept.family, taken.unit_id, range_agg(taken.days * kept.days) AS days, min(taken.at) AS at
                FROM taken
                CROSS JOIN (
                    SELECT family, daterange(starts, ends)
                    FROM unnest(%s::text[], %s::date[], %s::date[]) AS of_family (family, starts, ends)
                ) AS kept (family, days)
                WHERE taken.days && kept.days
                GROUP BY kept.family, taken.unit_id
            ), noted AS (
                INSERT INTO insights_dirtyrange (family, unit_id, day_from, day_to, lagging, noted_at)
                SELECT family, unit_id, lower(stretch), upper(stretch), lagging, at
                FROM touched
                CROSS JOIN unnest(days) AS stretch
                CROSS JOIN (VALUES (false), (true)) AS speed (lagging)
            )
            SELECT count(*) FROM taken
            """,
            [
                [family.value for family in days],
                [window.start for window in days.values()],
                [window.end for window in days.values()],
            ],
        )
        noted: int = cursor.fetchone()[0]
    return noted


def claim(*, lagging: bool) -> Sequence[Dirt]:
    """Take dirty ranges out of the table, coalesced with what lies between them; the shortest first, and not all.

    If the caller's transaction fails they are still there.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH claimed AS (
                DELETE FROM insights_dirtyrange
                WHERE id = ANY (ARRAY(
                    SELECT id
                    FROM (
                        SELECT id, day_to - day_from AS days,
                               sum(day_to - day_from) OVER (ORDER BY day_to - day_from, id) AS days_so_far
                        FROM insights_dirtyrange
                        WHERE lagging = %(lagging)s
                    ) AS waiting
                    WHERE %(lagging)s OR days_so_far - days < %(limit)s
                ))
                RETURNING family, unit_id, day_from, day_to
            ), coalesced AS (
                SELECT family, unit_id, unnest(range_agg(daterange(day_from, day_to + %(near)s))) AS days
                FROM claimed
                GROUP BY family, unit_id
            )
            SELECT family, unit_id, lower(days), upper(days) - %(near)s
            FROM coalesced
            ORDER BY family, 3, 4, unit_id NULLS FIRST
            """,
            {"lagging": lagging, "limit": UNIT_DAYS_AT_ONCE, "near": NEAR_DAYS},
        )
        ranges = [
            (FactFamily(family), unit_id, Window(start, end)) for family, unit_id, start, end in cursor.fetchall()
        ]
    if lagging:
        return _of_each_family(ranges)
    pieces = _together(ranges)
    return pieces if len(pieces) <= MOST_PIECES else _together(_in_whole_quarters(ranges))


def _together(ranges: Iterable[Range]) -> Sequence[Dirt]:
    """Units with the same days of a family are computed by the same statements."""
    units: dict[tuple[FactFamily, Window], dict[int | None, None]] = defaultdict(dict)
    for family, unit_id, days in ranges:
        units[family, days][unit_id] = None
    return [Dirt(family, days, tuple(together)) for (family, days), together in units.items()]


def _of_each_family(ranges: Iterable[Range]) -> Sequence[Dirt]:
    """All units of a family on all days from the first to the last: long windows are scanned once, for however many."""
    units: dict[FactFamily, dict[int | None, None]] = defaultdict(dict)
    days: dict[FactFamily, Window] = {}
    for family, unit_id, stretch in ranges:
        units[family][unit_id] = None
        before = days.get(family, stretch)
        days[family] = Window(min(before.start, stretch.start), max(before.end, stretch.end))
    return [Dirt(family, days[family], tuple(together)) for family, together in units.items()]


def _in_whole_quarters(ranges: Iterable[Range]) -> Iterable[Range]:
    """The ranges widened to whole quarters, of which there are so few that most units have the same."""
    for family, unit_id, days in ranges:
        first, last = windows.quarter_of(days.start), windows.quarter_of(days.end - timedelta(days=1))
        yield family, unit_id, Window(first.start, last.end)
