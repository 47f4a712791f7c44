"""Who is counted once in each unit and window: held against sets, on random histories with moves."""

from __future__ import annotations

import random
from collections import defaultdict

import numpy as np
import pytest

from insights.formulas.cell_distinct_counts import DistinctEntities, EntityRows, TooManyToNumberError, one_for_each_bit
from insights.formulas.cell_layout import Calendar, Homes, Lists, Tree

PEOPLE, PATHS, UNITS, STRETCHES, SPANS, SEGMENTS, BITS = 9, 5, 7, 6, 8, 3, 2


@pytest.mark.parametrize("seed", range(20))
def test_everybody_is_counted_once_in_each_unit_window_and_segment(seed: int) -> None:
    rng = random.Random(seed)
    windows = [rng.sample(range(SPANS), rng.randint(0, 3)) for _ in range(STRETCHES)]
    units = [rng.sample(range(UNITS), rng.randint(0, 4)) for _ in range(PATHS)]
    paths = [rng.choice([-1, *range(PATHS)]) for _ in range(PEOPLE * 2)]  # two stints each
    rows = [
        (
            person := rng.randrange(PEOPLE),
            person * 2 + rng.randrange(2),
            rng.randrange(SEGMENTS),
            rng.randrange(STRETCHES),
            rng.randrange(1 << BITS),
        )
        for _ in range(rng.choice([1, 30, 200]))
    ]
    expected: dict[tuple[int, int, int], list[set[int]]] = defaultdict(lambda: [set() for _ in range(1 + BITS)])
    for person, stint, segment, stretch, bits in rows:
        for span in windows[stretch]:
            for unit in units[paths[stint]] if paths[stint] >= 0 else ():
                sets = expected[unit, segment, span]
                sets[0].add(person)
                for bit in range(BITS):
                    if bits >> bit & 1:
                        sets[1 + bit].add(person)

    people, stints, segments, stretches, entered = np.array(rows).T
    tree, calendar = Tree(np.arange(UNITS), _lists(units)), Calendar(_lists(windows), SPANS)
    path_of_stint = np.array(paths)
    placed = path_of_stint[stints] >= 0
    homes = Homes.of_rows(tree, path_of_stint[stints][placed], segments[placed], SEGMENTS)
    counted = DistinctEntities.of_rows(
        EntityRows(people, stints, segments, entered.astype(np.uint64)), stretches, calendar
    )
    found = counted.by_home(homes, path_of_stint, SPANS, one_for_each_bit(BITS))
    for part in range(1 + BITS):
        told = {
            (int(homes.units[home]), int(homes.segments[home]), span): int(found[part][home, span])
            for home in range(len(homes.units))
            for span in range(SPANS)
            if found[part][home, span]
        }
        assert told == {cell: len(sets[part]) for cell, sets in expected.items() if sets[part]}


def test_more_than_can_be_numbered_is_refused() -> None:
    huge, nothing = np.array([1 << 40]), np.array([0])
    calendar = Calendar(Lists(np.array([0, 1]), np.array([0])), 1)
    with pytest.raises(TooManyToNumberError):
        DistinctEntities.of_rows(EntityRows(huge, huge, nothing, nothing.astype(np.uint64)), nothing, calendar)


def _lists(lists: list[list[int]]) -> Lists:
    return Lists(
        np.cumsum([0, *map(len, lists)]), np.array([each for found in lists for each in found], dtype=np.int64)
    )
