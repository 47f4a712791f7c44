"""Who counts for which units when, as arrays: what `stints_of` has found (insights/metrics/stints.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from insights.formulas.cell_layout import Lists, Tree
from insights.formulas.positions import positions_in
from integrations.facts.relation import Relation

if TYPE_CHECKING:
    from insights.formulas.arrays import Integers

FIRST_DAY = date(1, 1, 1)


class PlacedTree(NamedTuple):
    """A tree of units, and for each stint its path in it; -1 where it has none."""

    tree: Tree
    path_of_stint: Integers


@dataclass(frozen=True)
class StintArrays:
    """The trees of the units that are asked for, and everybody's stints."""

    trees: Sequence[PlacedTree]
    stints: Integers  # a row each: id, first day and end day as ordinals, the person, owned thing and repository or 0

    @classmethod
    def read(cls) -> StintArrays:
        """While `stints_of` lasts."""
        import numpy as np

        stints = _read(
            """
            SELECT id, first_day - %(first)s::date, end_day - %(first)s::date, coalesce(person_id, 0),
                   coalesce(owned_id, 0), coalesce(repository_id, 0)
            FROM metric_stint
            """,
            6,
            {"first": FIRST_DAY},
        )
        paths = _read("SELECT stint_id, path_id, tree_id FROM metric_stint_path", 3)
        units = _read("SELECT path_id, unit_id FROM metric_path_unit", 2)
        stint_count = int(stints[:, 0].max(initial=0)) + 1
        found = []
        for tree_id in np.unique(paths[:, 2]):
            of_tree = paths[paths[:, 2] == tree_id]
            path_ids, of_stints = np.unique(of_tree[:, 1], return_inverse=True)
            path_of_stint = np.full(stint_count, -1, dtype=np.int64)
            path_of_stint[of_tree[:, 0]] = of_stints
            mine = units[np.isin(units[:, 0], path_ids)]
            unit_ids, positions = np.unique(mine[:, 1], return_inverse=True)
            lists = Lists.of_pairs(np.searchsorted(path_ids, mine[:, 0]), positions, len(path_ids))
            found.append(PlacedTree(Tree(unit_ids, lists), path_of_stint))
        return cls(found, stints)

    @classmethod
    def of_nobody(cls) -> StintArrays:
        """Where no unit is asked for."""
        import numpy as np

        return cls((), np.zeros((0, 6), dtype=np.int64))

    def stints_on(self, relation: Relation, placed: Integers, days: Integers, first_day: date) -> Integers:
        """The stint of each of the relation's rows on its day, given what places it; -1 where there is none."""
        import numpy as np

        stints = self.stints
        # What is owned has the negative of its id, or of its repository's where only its agents count for it.
        owned = stints[:, 5] if relation.falls_to_owners else stints[:, 4]
        whose = np.where(stints[:, 3] != 0, stints[:, 3], -owned)
        stints, whose = stints[whose != 0], whose[whose != 0]
        found = np.full(len(placed), -1, dtype=np.int64)
        if not len(stints):
            return found
        different, numbers = np.unique(whose, return_inverse=True)
        day = days + (first_day - FIRST_DAY).days
        days_known = int(stints[:, 2].max()) + 2
        keys = numbers * days_known + stints[:, 1]
        order = np.argsort(keys)
        number = positions_in(different, placed)
        last = np.searchsorted(numbers[order], np.arange(len(different)), side="right")[number] - 1
        # Who has several is searched for: most have one.
        several = np.flatnonzero((np.bincount(numbers) > 1)[number])
        days_of_several = np.minimum(day[several], days_known - 1)
        last[several] = np.searchsorted(keys[order], number[several] * days_known + days_of_several, side="right") - 1
        stint = order[np.maximum(last, 0)]
        is_there = (number >= 0) & (last >= 0) & (whose[stint] == placed)
        is_there &= (stints[stint, 1] <= day) & (day < stints[stint, 2])
        found[is_there] = stints[stint[is_there], 0]
        return found


def _read(statement: str, width: int, values: Mapping[str, Any] | None = None) -> Integers:
    import numpy as np

    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, width)
