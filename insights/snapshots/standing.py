"""What stands: for which day and groups there are cells, and which facts they do not hold yet; asked in one query."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from django.db import connection

from insights.metrics.query import Window
from orgtree.services.fiscal_calendar import first_month


@dataclass(frozen=True, eq=False)
class StandingGroup:
    """A `CellGroup` whose cells stand for today."""

    pk: int
    starts: Mapping[str, int]


@dataclass(frozen=True)
class Dirt:
    """Cells touched by these days do not hold a change of `since`."""

    family: str | None  # None: of every family
    days: Window
    since: datetime

    def touches(self, families: Collection[str], window: Window) -> bool:
        """Whether a cell of that window into which facts of these families enter may be wrong."""
        of_family = self.family is None or self.family in families
        return of_family and self.days.start < window.end and window.start < self.days.end


class Standing:
    """`groups` are by the names of relation and segment; sessions that ended until `settled_to` are not pending."""

    def __init__(
        self,
        groups: Mapping[tuple[str, str], StandingGroup],
        settled_to: datetime | None,
        dirt: Iterable[tuple[int | None, bool, bool, Dirt]],
    ) -> None:
        self.groups = groups
        self.settled_to = settled_to
        self._of_all: dict[bool, list[Dirt]] = defaultdict(list)
        self._of_unit: dict[tuple[int | None, bool], list[Dirt]] = defaultdict(list)
        for unit_id, any_unit, lagging, each in dirt:
            (self._of_all[lagging] if any_unit else self._of_unit[unit_id, lagging]).append(each)

    def dirt(self, unit_id: int | None, *, lagging: bool) -> Iterable[Dirt]:
        """Of the unit (None: the whole organisation): of its lagging or its prompt cells."""
        return chain(self._of_all.get(lagging, ()), self._of_unit.get((unit_id, lagging), ()))


def standing(units: Collection[int | None], today: date) -> Standing:
    """As of now, for these units (None: the whole organisation)."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STATE,
            {
                "units": [unit for unit in units if unit is not None],
                "today": today,
                "fiscal_month": first_month(),
                "ever": date.min,
                "never": date.max,
            },
        )
        rows = cursor.fetchall()
    settled_to, groups = next(row[:2] for row in rows if row[-1] is None)
    standing_groups = json.loads(groups or "[]")
    return Standing(
        {(relation, segment): StandingGroup(pk, starts) for pk, relation, segment, starts in standing_groups},
        settled_to,
        (
            (unit_id, any_unit, lagging, Dirt(family, Window(start, end), since))
            for _, _, family, unit_id, any_unit, start, end, lagging, since in rows
            if since is not None
        ),
    )


# One row with the state; what is still in the outboxes of facts and of placements, and what was taken of them.
_STATE = """
    SELECT (SELECT settled_to FROM insights_snapshotstate),
           (SELECT jsonb_agg(jsonb_build_array(id, relation, segment_name, starts))
            FROM insights_cellgroup WHERE rolled_to = %(today)s AND fiscal_month = %(fiscal_month)s),
           NULL, NULL, false, NULL, NULL, NULL, NULL
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
    SELECT NULL, NULL, NULL, unit_id, false, coalesce(day_from, %(ever)s), coalesce(day_to, %(never)s), lagging, min(at)
    FROM orgtree_placementchange CROSS JOIN (VALUES (false), (true)) AS speed (lagging)
    WHERE unit_id = ANY(%(units)s)
    GROUP BY unit_id, lagging, day_from, day_to
"""
