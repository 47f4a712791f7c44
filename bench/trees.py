"""Trees of a thousand units: their pages, one metric over all units, and the effects of one move."""

from __future__ import annotations

from datetime import timedelta

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from bench.facts import Size, generate_once
from bench.figures import Limit, Measured
from bench.organisation import numbers_by_level
from bench.organisation_rows import HAND_BUILT_TREE, MANAGER_TREE, TEAM_TREE
from bench.responses import browser, measured_responses, with_parts
from bench.timing import median_seconds, median_seconds_rolled_back
from insights.engine.read import UnitQueries, read_together
from insights.query.query import Dimension, Query, Window
from orgtree.models import Membership, Unit
from orgtree.trees.units import move_person, move_unit

METRIC = "ai.spend"
KEPT_WEEKS, AD_HOC_WEEKS = 12, 26
UNITS_SECONDS = 1.0
MOVE_SECONDS = 1.0
PAGES = (
    "/orgtree/",
    *(f"/orgtree/trees/{tree}/" for tree in (HAND_BUILT_TREE, MANAGER_TREE, TEAM_TREE)),
    f"/orgtree/trees/{HAND_BUILT_TREE}/?unit=bench-3",
)


def trees(session_cookie: str, *, size: Size, rounds: int) -> list[Measured]:
    generate_once(size)
    call_command("recompute", "--metric", METRIC, "--wait", verbosity=0)
    conditions = str(size)
    with browser(session_cookie) as client:
        pages = measured_responses(
            "pages of trees", client, with_parts(client, PAGES), rounds=rounds, conditions=conditions
        )
    return [*pages, *units_side_by_side(conditions, rounds), *moves(size, rounds)]


def units_side_by_side(conditions: str, rounds: int) -> list[Measured]:
    """One metric for each unit of the hand-built tree, from cached figures and from facts."""
    units = list(Unit.objects.filter(tree__slug=HAND_BUILT_TREE).values_list("pk", flat=True))
    tomorrow = timezone.localdate() + timedelta(days=1)
    query = Query(METRIC, Window(tomorrow - timedelta(weeks=KEPT_WEEKS), tomorrow))
    ad_hoc = Query(
        METRIC,
        Window(tomorrow - timedelta(weeks=AD_HOC_WEEKS), tomorrow),
        facets={Dimension.MODEL: ("claude-opus-4-1",)},
    )
    by_hand = median_seconds(lambda: _sums(ad_hoc.window), rounds=rounds)
    return [
        _measured(
            "one metric, all units, kept",
            median_seconds(lambda: read_together(units=[UnitQueries([query], units)]), rounds=rounds),
            UNITS_SECONDS,
            f"{METRIC} of {len(units):,} units over {KEPT_WEEKS} weeks in one call; {conditions}",
        ),
        _measured(
            "one metric, all units, from facts",
            median_seconds(lambda: read_together(units=[UnitQueries([ad_hoc], units)]), rounds=rounds),
            UNITS_SECONDS,
            f"the same over {AD_HOC_WEEKS} weeks for one model, which is not kept",
            Limit("s: the same sums by unit in one hand-written statement", by_hand),
        ),
    ]


def _sums(window: Window) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT placement.ancestor_id, sum(figures.spend)
            FROM integrations_agentsessionday figures
            JOIN orgtree_identity identity ON identity.id = figures.identity_id
            JOIN orgtree_placement placement
              ON placement.person_id = identity.person_id AND placement.during @> figures.day
            JOIN orgtree_orgtree tree ON tree.id = placement.tree_id AND tree.slug = %s
            WHERE figures.day >= %s AND figures.day < %s AND figures.counted AND figures.model = 'claude-opus-4-1'
            GROUP BY 1
            """,
            [HAND_BUILT_TREE, window.start, window.end],
        )
        cursor.fetchall()


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


def _measured(name: str, seconds: float, goal: float, conditions: str, limit: Limit | None = None) -> Measured:
    return Measured(
        name=name,
        value=seconds,
        unit="s, median",
        goal=f"≤ {goal:g} s",
        met=seconds <= goal,
        conditions=conditions,
        limit=limit,
    )
