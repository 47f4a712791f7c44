"""Objectives are listed below those that they serve."""

from __future__ import annotations

from itertools import pairwise

from programs.alignment.offers import branches, with_those_above


def test_objectives_stand_below_those_that_they_serve() -> None:
    tree = branches([(1, None), (2, 1), (3, None), (4, 2), (5, 1), (6, 99)])
    assert [(branch.pk, branch.depth) for branch in tree] == [(1, 0), (2, 1), (4, 2), (5, 1), (3, 0), (6, 0)]


def test_a_ring_of_objectives_is_listed_whole() -> None:
    ring = branches([(1, 3), (2, 1), (3, 2), (4, 3)])
    assert sorted(branch.pk for branch in ring) == [1, 2, 3, 4]
    assert len(ring) == 4


def test_a_page_that_begins_in_the_middle_says_below_what() -> None:
    tree = branches([(1, None), (2, 1), (3, 2), (4, 2), (5, None)])
    assert [branch.pk for branch in with_those_above(tree, 3, 5)] == [1, 2, 4, 5]
    assert with_those_above([], 0, 0) == []
    for first in range(len(tree)):
        branches_shown = with_those_above(tree, first, len(tree))
        assert branches_shown[0].depth == 0
        assert all(after.depth - before.depth <= 1 for before, after in pairwise(branches_shown))
