"""Whole pages with a filter that was not used before, and one metric for all units next to each other."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from urllib.parse import urlencode

from django.db import connection
from django.utils import timezone

from bench.figures import Limit, Measured
from bench.organisation_rows import HAND_BUILT_TREE
from bench.responses import browser, visit
from bench.timing import median_seconds
from insights.engine.read import UnitQueries, read_together
from insights.engine.scan import answers
from insights.query.query import Query, Window
from orgtree.models import Unit

WEEKS = 26
PAGE_SECONDS = 2.0
FILTERS = {
    "AI page": ("/insights/ai/", ("model=claude-opus-4-1", "agent=codex", "where=role=Staff engineer")),
    "delivery page": (
        "/insights/delivery/",
        ("work_type=feature&size_class=M", "agent=claude_code", "where=role=Staff engineer"),
    ),
}
UNITS_SECONDS = 0.2
METRICS = ("ai.spend", "pr.cycle_time")


def filters(session_cookie: str, *, rounds: int, conditions: str) -> list[Measured]:
    measured = []
    with browser(session_cookie) as client:
        for name, (page, choices) in FILTERS.items():
            for choice in choices:
                parameters = [("range", f"{WEEKS}w"), *(pair.partition("=")[::2] for pair in choice.split("&"))]
                seconds = visit(client, f"{page}?{urlencode(parameters)}")
                whole = sum(seconds.values())
                slowest = max(seconds, key=lambda address: seconds[address])
                measured.append(
                    Measured(
                        name=f"{name} with a filter",
                        value=whole,
                        unit="s",
                        goal=f"≤ {PAGE_SECONDS:g} s",
                        met=whole <= PAGE_SECONDS,
                        conditions=f"{choice}, {WEEKS} weeks, first look, {len(seconds)} responses one after the "
                        f"other; slowest {slowest} {seconds[slowest]:.2f} s; {conditions}",
                    )
                )
    return [*measured, *units_side_by_side(conditions, rounds)]


def units_side_by_side(conditions: str, rounds: int) -> list[Measured]:
    """One metric for each unit of the hand-built tree, without the cache."""
    units = list(Unit.objects.filter(tree__slug=HAND_BUILT_TREE).values_list("pk", flat=True))
    tomorrow = timezone.localdate() + timedelta(days=1)
    window = Window(tomorrow - timedelta(weeks=WEEKS), tomorrow)
    by_hand = median_seconds(lambda: _sums(window), rounds=rounds)
    measured = []
    for metric in METRICS:
        seconds = median_seconds(partial(_read, Query(metric, window), units), rounds=rounds)
        measured.append(
            Measured(
                name=f"{metric} of all units",
                value=seconds,
                unit="s, median",
                goal=f"≤ {UNITS_SECONDS:g} s",
                met=seconds <= UNITS_SECONDS,
                limit=Limit("s: ai.spend by unit in one hand-written statement of PostgreSQL", by_hand),
                conditions=f"{len(units):,} units over {WEEKS} weeks in one call, not from the cache; {conditions}",
            )
        )
    return measured


def _read(query: Query, units: list[int]) -> None:
    answers.clear()
    read_together(units=[UnitQueries([query], units)])


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
            WHERE figures.day >= %s AND figures.day < %s AND figures.counted
            GROUP BY 1
            """,
            [HAND_BUILT_TREE, window.start, window.end],
        )
        cursor.fetchall()
