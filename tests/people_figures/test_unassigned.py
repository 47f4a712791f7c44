"""What is kept of whoever is in no unit comes to what the facts say, and pages alone take it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
import time_machine
from django.db import connection
from django.test import Client

from insights import windows
from insights.metrics.outcomes import Facts
from insights.metrics.plan import Clock, plan, plan_total
from insights.metrics.query import Dimension, MetricQuery, Scope, SeriesAnswer, Statistic
from insights.metrics.read import Freshness, read_totals
from insights.metrics.registry import get
from insights.models import KeptPeopleFigures
from insights.people_figures import store
from insights.people_figures.store import bring_up_to_date
from insights.people_figures.unassigned import KEYS, UNASSIGNED, begun_with_kept
from insights.snapshots.refresh import refresh
from orgtree.models import OrgTree
from tests.metrics.comparable import comparable
from tests.metrics.facts import create_world
from tests.metrics.moving_deliveries import deliver
from tests.metrics.organisations import TREE, add_organisation
from tests.org import Org
from tests.seeds import seeds

NOW = datetime(2026, 4, 15, 15, 30, tzinfo=UTC)
DAYS = [NOW.date() - timedelta(days=n) for n in range(59, -1, -1)]
DELIVERY_TREE = "teams"

FACETS = ({Dimension.AGENT: ("codex",)}, {Dimension.MODEL: ("opus", "sonnet")}, {Dimension.SIZE_CLASS: ("S",)})

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    monkeypatch.setattr(store, "WORTH_KEEPING_SECONDS", 0.0)
    with time_machine.travel(NOW, tick=False) as travelling:
        yield travelling


def queries(tree: str, weeks: int, statistic: Statistic | None = None) -> list[MetricQuery]:
    found = [MetricQuery(key, windows.trailing(weeks), scope=Scope(unassigned=tree)) for key in KEYS]
    durations = ("dora.lead_time", "pr.cycle_time", "pr.pickup_time")
    return [replace(each, statistic=statistic if each.key in durations else None) for each in found]


def answered(asked: Sequence[MetricQuery], freshness: Freshness) -> list[SeriesAnswer]:
    return read_totals(asked, freshness=freshness)


def told(answers: Sequence[SeriesAnswer]) -> list[object]:
    return list(map(comparable, answers))


def hold_kept_against_facts(tree: str) -> int:
    """How many figures there are; of those with a filter what heeds none is kept, and the rest read from facts."""
    found = 0
    for facets in (
        {Dimension.AGENT: ("codex",)},
        {Dimension.MODEL: ("opus", "sonnet")},
        {Dimension.SIZE_CLASS: ("S",)},
    ):
        narrowed = [each for each in queries(tree, 12) if {*facets} <= {*get(each.key).facets}]
        asked = [replace(each, facets=facets) for each in narrowed]
        assert told(answered(asked, Freshness.OF_PAGES)) == told(answered(asked, Freshness.AT_ONCE)), facets
    for weeks in windows.TRAILING_WEEKS:
        for statistic in (None, Statistic.MEAN, Statistic.P90):
            asked = queries(tree, weeks, statistic)
            expected = answered(asked, Freshness.AT_ONCE)
            with mock.patch.object(Facts, "read", wraps=Facts.read) as read:
                kept = answered(asked, Freshness.OF_PAGES)
            assert not read.called
            assert told(kept) == told(expected), (tree, weeks, statistic)
            found += sum(each.total[0].value is not None for each in kept)
    return found


@pytest.mark.parametrize("seed", seeds())
@pytest.mark.parametrize("tree", [TREE, DELIVERY_TREE])
def test_it_comes_to_what_the_facts_say(seed: int, tree: str, org: Org) -> None:
    """Also after people went out of all units."""
    if tree == TREE:
        add_organisation(create_world(seed, days=DAYS), seed, DAYS)
    else:
        deliver(org, seed)
    refresh()
    bring_up_to_date([UNASSIGNED])
    assert hold_kept_against_facts(tree) >= 30
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM orgtree_placement WHERE person_id % 2 = 0")
    KeptPeopleFigures.objects.all().delete()
    bring_up_to_date([UNASSIGNED])
    assert hold_kept_against_facts(tree) >= 30


def test_anything_else_is_read_from_facts() -> None:
    add_organisation(create_world(1, days=DAYS), 1, DAYS)
    bring_up_to_date([UNASSIGNED])
    clock = Clock.read()
    window = windows.trailing(8)
    whole = MetricQuery("ai.sessions_per_developer", window, scope=Scope(unassigned=TREE))
    others = [
        replace(whole, key="pr.merged_per_developer"),
        replace(whole, scope=Scope(unassigned=TREE, where={"site": ("Pune",)})),
        replace(whole, facets={Dimension.AGENT: ("codex",)}),
        replace(whole, key="ai.sessions", segments=(Dimension.AGENT,)),
        replace(whole, window=window._replace(end=window.end - timedelta(days=1))),
        replace(whole, scope=Scope("a")),
        replace(whole, scope=Scope()),
    ]
    assert [*begun_with_kept([plan_total(whole, clock)])] == [0]
    assert not begun_with_kept([*(plan_total(query, clock) for query in others), plan(whole, clock)])
    OrgTree.objects.create(slug="new", name="New")
    assert not begun_with_kept([plan_total(replace(whole, scope=Scope(unassigned="new")), clock)])


def test_the_row_says_as_of_when_it_is(admin: Client, clock: time_machine.Traveller) -> None:
    add_organisation(create_world(1, days=DAYS), 1, DAYS)
    refresh()
    row = f"/insights/ai/units/unassigned/?tree={TREE}"
    assert "as of" not in admin.get(row).content.decode()
    bring_up_to_date([UNASSIGNED])
    clock.shift(timedelta(seconds=50))
    store.look_again()
    assert "as of 15:30:00" in admin.get(row).content.decode()
