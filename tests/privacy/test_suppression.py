"""Suppression on invented organisations, beside an auditor of its own that knows every person's figures."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np
import pytest

from insights.engine.contributors import people_of
from insights.privacy.suppression import Atom, Cells, Minimum, few, grid, suppressed

FIVE = Minimum(5)
TEAMS, WEEKS, AGENTS = range(5), range(4), ("claude", "codex", "gemini")
WORLDS = range(60)
Base = Mapping[tuple[frozenset[int], tuple[str, ...]], frozenset[int]]  # who contributed, by place and segment


def world(seed: int, segments: Sequence[tuple[str, ...]]) -> tuple[Base, Cells]:
    """A unit 100 of two groups, 10 and 11, of teams below them; some people are directly in a group or the unit."""
    draw = random.Random(seed)
    places = [frozenset({100, 10 + team % 2, team}) for team in TEAMS]
    places += [frozenset({100}), frozenset({100, 10}), frozenset()]
    base: dict[tuple[frozenset[int], tuple[str, ...]], frozenset[int]] = {}
    for number, place in enumerate(places):
        for segment in segments:
            size = draw.choice((0, 1, 2, 4, 5, 6, 8, 9))
            people = frozenset(number * 10 + person for person in range(size) if draw.random() < 0.8)
            if people:
                base[place, segment] = people
    rows = {unit: {place for place in places if unit in place} for unit in (100, 10, 11, *TEAMS)}
    rows[-1] = {*places}
    below = [(-1, [100]), (100, [10, 11]), (10, [0, 2, 4]), (11, [1, 3])]
    return base, grid(rows, below, {atom: people_of(people) for atom, people in base.items()})


def weeks(seed: int, segments: Sequence[tuple[str, ...]]) -> tuple[Base, Cells]:
    """One team in four weeks."""
    draw = random.Random(seed)
    base = {}
    for week, segment in itertools.product(WEEKS, segments):
        people = frozenset(person for person in range(draw.choice((2, 4, 6, 9))) if draw.random() < 0.7)
        if people:
            base[frozenset({week}), segment] = people
    rows = {-1: {frozenset({week}) for week in WEEKS}, **{week: {frozenset({week})} for week in WEEKS}}
    return base, grid(rows, [(-1, [*WEEKS])], {atom: people_of(people) for atom, people in base.items()})


def learned(base: Base, cells: Cells, hidden: set[object], claimed: frozenset[int] = frozenset()) -> list[object]:
    """The cells and atoms of few people that an attacker learns from the shown cells by solving all equations.

    The contribution of each atom is unknown; a sum of them is learned if its indicator lies in the row space.
    `claimed` people are known from telemetry alone.
    """

    def is_secret(*some: frozenset[int]) -> bool:
        return 0 < len(frozenset[int]().union(*some) - claimed) < FIVE.people

    atoms = {atom: number for number, atom in enumerate(base)}

    def row(some: object) -> list[float]:
        return [float(atom in some) for atom in atoms]  # type: ignore[operator]

    shown = [row(inside) for cell, inside in cells.atoms.items() if cell not in hidden and inside]
    matrix = np.array(shown or [[0.0] * len(atoms)])
    rank = np.linalg.matrix_rank(matrix)
    minimum = Minimum(FIVE.people, people_of(claimed))
    secrets: dict[object, frozenset[object]] = {cell: frozenset(cells.atoms[cell]) for cell in few(cells, minimum)}
    secrets |= {("atom", atom): frozenset({atom}) for atom in base if is_secret(base[atom])}
    for pair in itertools.combinations(base, 2):
        if is_secret(*map(base.__getitem__, pair)):
            secrets[pair] = frozenset(pair)
    return [name for name, secret in secrets.items() if np.linalg.matrix_rank(np.vstack([matrix, row(secret)])) == rank]


SPLITS: list[list[tuple[str, ...]]] = [
    [()],
    [(agent,) for agent in AGENTS],
    [*itertools.product(AGENTS[:2], ("a", "b"))],
]


@pytest.mark.parametrize("made", [world, weeks])
@pytest.mark.parametrize("segments", SPLITS, ids=["whole", "by agent", "by two dimensions"])
def test_no_combination_of_shown_values_is_the_figure_of_few_people(
    made: Callable[[int, Sequence[tuple[str, ...]]], tuple[Base, Cells]], segments: Sequence[tuple[str, ...]]
) -> None:
    naive, shown, all_cells = 0, 0, 0
    for seed in WORLDS:
        base, cells = made(seed, segments)
        hidden: set[object] = {*suppressed(cells, FIVE)}
        assert learned(base, cells, hidden) == [], seed
        assert few(cells, FIVE) <= hidden
        naive += bool(learned(base, cells, {*few(cells, FIVE)}))
        shown += len(cells.atoms) - len(hidden)
        all_cells += len(cells.atoms)
    assert naive > len(WORLDS) / 4, "the auditor finds what primary suppression alone gives away"
    assert shown > all_cells / 5, "and not everything is hidden"


@pytest.mark.parametrize("segments", SPLITS, ids=["whole", "by agent", "by two dimensions"])
def test_whom_telemetry_alone_names_protect_nobody(segments: Sequence[tuple[str, ...]]) -> None:
    for seed, made in itertools.product(WORLDS, (world, weeks)):
        claimed = frozenset(random.Random(seed).sample(range(80), 12))
        base, cells = made(seed, segments)
        hidden: set[object] = {*suppressed(cells, Minimum(FIVE.people, people_of(claimed)))}
        assert learned(base, cells, hidden, claimed) == [], seed


def test_a_sum_is_found_whatever_the_shares_of_its_parts() -> None:
    """Here what could change of two parts is a fraction that lies on the border of what it is rounded to."""
    claimed = frozenset({1, 2, 4, 13})
    base, cells = world(36, SPLITS[1])
    hidden: set[object] = {*suppressed(cells, Minimum(5, people_of(claimed)))}
    assert learned(base, cells, hidden, claimed) == []
    without = hidden - {(2, ("claude",)), (2, ("gemini",)), (100, ("claude",))}
    assert learned(base, cells, without, claimed) != []


def test_what_is_hidden_does_not_depend_on_the_order_of_anything() -> None:
    """Two processes that hide different cells of one table would reveal both."""
    for seed, segments in itertools.product(WORLDS, SPLITS):
        _, cells = world(seed, segments)
        draw = random.Random(seed)
        atoms, people, partitions = [*cells.atoms.items()], [*cells.people.items()], [*cells.partitions]
        for some in (atoms, people, partitions):
            draw.shuffle(some)
        assert suppressed(Cells(dict(atoms), dict(people), partitions), FIVE) == suppressed(cells, FIVE)


def test_a_smaller_minimum_hides_nothing() -> None:
    for seed in WORLDS:
        _, cells = world(seed, SPLITS[1])
        assert suppressed(cells, Minimum(1)) == {}


def test_nobody_makes_figures_disappear_by_claims() -> None:
    """People whom telemetry alone names, in no unit: what is left of all less the units is theirs."""
    claimed = reduce(int.__or__, (1 << person for person in (90, 91)))
    people: dict[Atom, int] = {(frozenset({1}), ()): people_of(range(8)), (frozenset(), ()): claimed}
    cells = grid({-1: {frozenset({1}), frozenset()}, 1: {frozenset({1})}}, [(-1, [1])], people)
    assert suppressed(cells, Minimum(5, claimed)) == {}
    assert {*suppressed(cells, FIVE)} == {(1, ())}


def test_people_who_moved_are_of_both_units() -> None:
    """Sizes would say that 4 of 9 are hidden; the same three people are in both, so a fourth would be alone."""
    one, two = frozenset({100, 1}), frozenset({100, 2})
    people: dict[Atom, int] = {
        (one, ()): people_of([1, 2, 3]),
        (two, ()): people_of([1, 2, 3, 4]),
        (frozenset({100, 3}), ()): people_of(range(9)),
    }
    rows = {100: {place for place, _ in people}, 1: {one}, 2: {two}, 3: {frozenset({100, 3})}}
    assert {*suppressed(grid(rows, [(100, [1, 2, 3])], people), FIVE)} == {(1, ()), (2, ()), (3, ())}
