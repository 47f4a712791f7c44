"""Which units of different trees are compared: pure functions over sets of people."""

from __future__ import annotations

from insights.engine.contributors import people_of
from insights.privacy.families import Unit, nearly_equal
from insights.privacy.suppression import Atom, Minimum, Rule, grid, suppressed

TREE_OF: dict[Unit, int] = {1: 1, 2: 1, 11: 2, 12: 2, 13: 2}
FIVE = Minimum(5)


def test_units_of_two_trees_are_compared_where_few_people_are_in_one_alone() -> None:
    members: dict[Unit, set[int]] = {
        1: {*range(10)},
        2: {*range(7)},
        11: {*range(3, 12)},
        12: {*range(3, 13)},
        13: {*range(4)},
    }
    assert nearly_equal(members, TREE_OF, 6) == {1: [11], 11: [1]}
    assert nearly_equal(members, TREE_OF, 7) == {1: [11, 12], 11: [1], 12: [1]}


def test_of_two_nearly_equal_units_the_smaller_one_is_hidden() -> None:
    """The one of another tree has all of the other's people, and one more."""
    both, one_more = frozenset({1, 11}), frozenset({11})
    people: dict[Atom, int] = {(both, ()): people_of(range(6)), (one_more, ()): people_of([9])}
    rows = {1: {both}, 11: {both, one_more}}
    for alike in ([(1, [11]), (11, [1])], [(11, [1]), (1, [11])]):
        assert suppressed(grid(rows, alike, people), FIVE) == {(1, ()): Rule.COMPLEMENTARY}


def test_a_unit_that_is_hidden_for_another_tree_does_not_follow_from_its_own() -> None:
    """Beside its only sibling, and the unit above both, it would."""
    both, one_more, sibling = frozenset({1, 11}), frozenset({11}), frozenset({2})
    people: dict[Atom, int] = {
        (both, ()): people_of(range(6)),
        (one_more, ()): people_of([9]),
        (sibling, ()): people_of(range(20, 28)),
    }
    rows = {1: {both}, 11: {both, one_more}, 2: {sibling}, 3: {both, sibling}}
    hidden = suppressed(grid(rows, [(3, [1, 2]), (11, [1])], people), FIVE)
    assert hidden == dict.fromkeys([(1, ()), (2, ())], Rule.COMPLEMENTARY)
