"""Trees of a thousand units: their pages, and the effects of one move."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from bench.facts import Size, generate_once
from bench.figures import Measured
from bench.organisation import numbers_by_level
from bench.organisation_rows import HAND_BUILT_TREE, MANAGER_TREE, TEAM_TREE
from bench.responses import browser, measured_responses, with_parts
from bench.timing import median_seconds_rolled_back
from orgtree.models import Membership, Unit
from orgtree.trees.units import move_person, move_unit

PAGE_MS = 80
MOVE_SECONDS = 1.0
PAGES = (
    "/orgtree/",
    *(f"/orgtree/trees/{tree}/" for tree in (HAND_BUILT_TREE, MANAGER_TREE, TEAM_TREE)),
    f"/orgtree/trees/{HAND_BUILT_TREE}/?unit=bench-3",
)


def trees(session_cookie: str, *, size: Size, rounds: int) -> list[Measured]:
    generate_once(size)
    with browser(session_cookie) as client:
        pages = measured_responses(
            "pages of trees",
            client,
            with_parts(client, PAGES),
            rounds=rounds,
            conditions=str(size),
            goal_ms=PAGE_MS,
        )
    return [*pages, *moves(size, rounds)]


def moves(size: Size, rounds: int) -> list[Measured]:
    """A person, and a unit with everybody in it, moved as of a quarter ago; each is rolled back."""
    since = timezone.localdate() - timedelta(weeks=13)
    levels = numbers_by_level(size.units)
    last = _unit(levels[-1][-1])
    member = Membership.objects.filter(unit=_unit(levels[-1][0]), during__endswith=None)[0]
    top = next(level for level, numbers in enumerate(levels) if len(numbers) > 1)
    group = _unit(levels[top + 1][0])
    elsewhere = next(
        unit
        for number in levels[top]
        if not (unit := _unit(number)).child_places.filter(unit=group, during__endswith=None).exists()
    )
    return [
        _measured(
            "placements after a person's move",
            median_seconds_rolled_back(lambda: move_person(member.person, last, since), rounds=rounds),
            MOVE_SECONDS,
            f"the move itself and what it changes in one tree, checks included; {size}",
        ),
        _measured(
            "placements after a unit's move",
            median_seconds_rolled_back(lambda: move_unit(group, elsewhere, since), rounds=rounds),
            MOVE_SECONDS,
            f"a unit of level {top + 2} with everything below it",
        ),
    ]


def _unit(number: int) -> Unit:
    return Unit.objects.get(slug=f"bench-{number}")


def _measured(name: str, seconds: float, goal: float, conditions: str) -> Measured:
    return Measured(
        name=name,
        value=seconds,
        unit="s, median",
        goal=f"≤ {goal:g} s",
        met=seconds <= goal,
        conditions=conditions,
    )
