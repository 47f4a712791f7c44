"""The team behind an initiative: the unit in which most of the people who finish its items are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from insights.formulas.working_days import WorkingDays
from integrations.delivery.records.initiatives import Initiative

DAYS_READ = 130  # working days: the longest window of a forecast

_TEAMS = """
    SELECT DISTINCT ON (initiative) initiative, unit_id, name
    FROM (
        SELECT behind.initiative, placement.unit_id, unit.name, count(*) AS people
        FROM unnest(%(initiatives)s::int[], %(people)s::bigint[]) AS behind (initiative, person_id)
        JOIN orgtree_placement placement
          ON placement.person_id = behind.person_id AND placement.unit_id = placement.ancestor_id
         AND placement.during @> %(day)s
        JOIN orgtree_unit unit ON unit.id = placement.unit_id
        GROUP BY behind.initiative, placement.unit_id, unit.name
    ) AS counted
    ORDER BY initiative, people DESC, unit_id
"""
# Days on which people came into a unit, or left it.
_MEMBERS = """
    SELECT placement.ancestor_id, lower(placement.during), upper(placement.during)
    FROM orgtree_placement placement
    WHERE placement.ancestor_id = ANY (%(units)s) AND placement.during && daterange(%(first)s, %(day)s)
"""


# The days on which people finished items while they were in a unit.
_FINISHED = """
    SELECT placement.ancestor_id, array_agg(figures.done_on)
    FROM orgtree_placement placement
    JOIN orgtree_identity identity ON identity.person_id = placement.person_id
    JOIN integrations_workitemfigures figures
      ON figures.credited_id = identity.id AND figures.done_on >= %(first)s AND placement.during @> figures.done_on
    JOIN integrations_workitem item ON item.id = figures.work_item_id AND item.deleted_at IS NULL
    WHERE placement.ancestor_id = ANY (%(units)s)
    GROUP BY placement.ancestor_id
"""


@dataclass(frozen=True)
class Team:
    """A unit, and its size on each of the last working days."""

    unit_id: int
    name: str
    sizes: Sequence[int]


def teams_of(initiatives: Sequence[Initiative], *, day: date, calendar: WorkingDays) -> Mapping[str, Team]:
    """The team of each initiative, by its key; those without known people have none."""
    behind = [(number, person) for number, one in enumerate(initiatives) for person in one.people]
    if not behind:
        return {}
    yesterday = day - timedelta(days=1)
    working = [calendar.after(yesterday, -number) for number in range(DAYS_READ - 1, -1, -1)]
    with connection.cursor() as cursor:
        numbers, people = map(list, zip(*behind, strict=True))
        cursor.execute(_TEAMS, {"initiatives": numbers, "people": people, "day": day})
        found = cursor.fetchall()
        cursor.execute(_MEMBERS, {"units": [unit for _, unit, _ in found], "first": working[0], "day": day})
        members: dict[int, list[tuple[date | None, date | None]]] = {}
        for unit, since, until in cursor.fetchall():
            members.setdefault(unit, []).append((since, until))
    sizes = {unit: _sizes(ranges, working) for unit, ranges in members.items()}
    return {initiatives[number].key: Team(unit, name, sizes.get(unit, ())) for number, unit, name in found}


def finished_by(units: Collection[int], *, day: date, calendar: WorkingDays) -> Mapping[int, Sequence[date]]:
    """Unit → the days on which its people finished any items lately."""
    if not units:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FINISHED, {"units": list(units), "first": calendar.after(day, -DAYS_READ)})
        return dict(cursor.fetchall())


def _sizes(ranges: Sequence[tuple[date | None, date | None]], working: Sequence[date]) -> Sequence[int]:
    return [
        sum((since is None or since <= day) and (until is None or day < until) for since, until in ranges)
        for day in working
    ]
