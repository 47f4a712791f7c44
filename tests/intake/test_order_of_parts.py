"""Parts of one moment keep the provider's order, and transitions follow from each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations

import pytest

from integrations.connectors.drafts import AssignmentDraft, TransitionDraft, Who
from integrations.connectors.jira.site import Site
from integrations.intake.order_of_parts import moves_in_order, parts_in_order

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def move(way: str, minute: int = 0) -> TransitionDraft:
    before, after = way[0], way[1]
    return TransitionDraft(at=NOON + timedelta(minutes=minute), from_status=before, to_status=after)


def ways(moves: list[TransitionDraft]) -> str:
    return " ".join(f"{one.from_status}{one.to_status}" for one in moves)


@pytest.mark.parametrize("first", [True, False], ids=["at its first moment", "later"])
def test_a_chain_is_found_in_any_order(first: bool) -> None:
    chain = [move(way) for way in ("zq", "qb", "bx", "xa")]  # in no order of the alphabet
    earlier = [] if first else [move("yz", -1)]
    for shuffled in permutations(chain):
        ordered = moves_in_order([*shuffled, *earlier])
        assert ways(ordered) == ways([*earlier, *chain])
        assert all(one.to_status == other.from_status for one, other in pairwise(ordered))
        assert [one.position for one in ordered[-4:]] == [0, 1, 2, 3]


def test_there_and_back_begins_where_it_stood() -> None:
    assert ways(moves_in_order([move("ab", -1), move("ca"), move("bc")])) == "ab bc ca"
    assert ways(moves_in_order([move("ab", -1), move("cb"), move("bc")])) == "ab bc cb"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ac ab ba", "ab ba ac"),
        ("ba ab ac", "ab ba ac"),
        ("ab bd cb bc", "ab bc cb bd"),
        ("bd cb bc ab", "ab bc cb bd"),
    ],
)
def test_moves_of_one_moment_are_one_chain_where_they_can_be(given: str, expected: str) -> None:
    assert ways(moves_in_order([move("oa", -1), *map(move, given.split())])) == f"oa {expected}"


def test_what_does_not_follow_keeps_the_providers_order() -> None:
    assert ways(moves_in_order([move("ab", -1), move("yz"), move("pq"), move("bc")])) == "ab bc yz pq"


def test_assignments_of_one_moment_keep_their_order() -> None:
    people = [Who(login=login) for login in ("zoe", "ada", "max")]
    ordered = parts_in_order([AssignmentDraft(at=NOON, assignee=who) for who in people])
    assert [(one.assignee, one.position) for one in ordered] == [(who, place) for place, who in enumerate(people)]


def test_jiras_changes_are_in_order_over_an_hour_that_comes_twice() -> None:
    """In New York the clock goes back from 2 to 1 on 1 November: 01:50 in summer is before 01:10 in winter."""
    times = ("2026-11-01T01:50:00.000-0400", "2026-11-01T01:10:00.000-0500", "2026-11-01T02:30:00.000-0500")
    given = [{"id": str(number), "created": time} for number, time in enumerate(times, 1)]
    given += [{"id": "11", "created": times[0]}, {"id": "10", "created": times[0]}]
    for shuffled in permutations(given):
        listed = Site(is_cloud=False).histories(None, {"changelog": {"histories": list(shuffled)}})  # type: ignore[arg-type]
        assert [history["id"] for history in listed or ()] == ["1", "10", "11", "2", "3"]
