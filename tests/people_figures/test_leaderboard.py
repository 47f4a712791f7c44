"""What is kept of everybody's figures is what is read from facts, for the organisation and for each unit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from insights import windows
from insights.columns.refresh import refresh
from insights.leaderboard.columns import METRICS, RANKINGS, SESSIONS
from insights.leaderboard.figures import FactFigures, Figures, FilteredFigures, PseudonymousFigures, UnitFigures
from insights.leaderboard.keeping import LEADERBOARD, kept_figures
from insights.leaderboard.kept import figures_of
from insights.leaderboard.ranking import Ranking
from insights.metrics.query import Dimension, MetricQuery, Scope, Window
from insights.models import KeptPeopleFigures, SnapshotState
from insights.people_figures import store
from insights.people_figures.store import Kind, bring_up_to_date
from integrations.models import AgentSession, AgentSessionDay, FactChange
from orgtree.models import Identity
from tests.metrics.facts import announce, create_world
from tests.metrics.organisations import TREE, add_organisation, move_somebody
from tests.seeds import seeds

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
DAYS = [TODAY - timedelta(days=n) for n in range(59, -1, -1)]
FACETS: tuple[dict[Dimension, tuple[str, ...]], ...] = (
    {Dimension.MODEL: ("opus",)},
    {Dimension.AGENT: ("claude_code", "codex"), Dimension.MODEL: ("homegrown", "sonnet")},
)
UNITS = (TREE, "a", "b", "a1", "a2", "b1", "b2", "red")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    monkeypatch.setattr(store, "WORTH_KEEPING_SECONDS", 0.0)
    with time_machine.travel(NOW, tick=False) as travelling:
        yield travelling


def compared(kept: Figures, facts: Figures, told: object) -> int:
    """How many values there are; every one is the same in both, and so are orders and agents."""
    assert list(kept.people) == list(facts.people), told
    values = 0
    for person in facts.people:
        assert list(kept.agents(person)) == list(facts.agents(person)), (told, person)
        for key in METRICS:
            expected, found = facts.value(key, person), kept.value(key, person)
            assert (found.reason, found.missing) == (expected.reason, expected.missing), (told, person, key)
            assert found.value == (None if expected.value is None else pytest.approx(expected.value)), (told, key)
            values += expected.value is not None
    for key in METRICS:
        numbers = [kept.value(key, person).value for person in kept.people]
        assert [None if math.isnan(number) else number for number in kept.numbers(key)] == numbers, (told, key)
    for column in RANKINGS:
        assert Ranking(kept).ranks(column) == Ranking(facts).ranks(column), (told, column)
    return values


def test_under_pseudonyms_people_stand_in_another_order_for_each_question() -> None:
    create_world(1, days=DAYS, sessions=60)
    figures = FactFigures(MetricQuery("ai.spend", windows.trailing(4)))
    one, other = (PseudonymousFigures(figures, None, question) for question in ("a", "b"))
    assert list(one.people) != list(other.people)
    assert sorted(one.people) == sorted(other.people) == sorted(figures.people)
    for seen in (one, other):
        assert list(seen.numbers(SESSIONS)) == [seen.value(SESSIONS, person).value for person in seen.people]


@pytest.mark.parametrize("seed", seeds())
def test_kept_figures_are_those_of_the_facts_for_each_unit(seed: int) -> None:
    """People move between units and units between units, identities change hands, facts go and come late."""
    world = create_world(seed, days=DAYS, sessions=60)
    add_organisation(world, seed, DAYS)
    refresh()
    bring_up_to_date([LEADERBOARD])
    values = moved = 0
    for change in range(3):
        for weeks in (4, 12):
            window = windows.trailing(weeks)
            whole = kept_figures(window)
            assert whole is not None
            asked = MetricQuery("ai.spend", window)
            values += compared(whole, FactFigures(asked), (weeks, change))
            for facets in FACETS:
                filtered = replace(asked, facets=facets)
                some = figures_of(filtered)
                assert isinstance(some, FilteredFigures)
                values += compared(some, FactFigures(filtered), (weeks, change, facets))
            for slug in UNITS:
                of_unit = MetricQuery("ai.spend", window, scope=Scope(slug))
                found = figures_of(of_unit)
                assert isinstance(found, UnitFigures)
                moved += len(found.people) - len({*found.people} & {*whole.people} - found.movers)
                values += compared(found, FactFigures(of_unit), (weeks, slug, change))
        if change == 0:
            first, second = Identity.objects.exclude(person=None).order_by("pk")[:2]
            Identity.objects.filter(pk=first.pk).update(person=second.person_id)
            move_somebody(world, seed, DAYS)
        if change == 1:
            AgentSessionDay.objects.filter(session__in=AgentSession.objects.order_by("pk")[:9]).delete()
            AgentSession.objects.order_by("pk")[0].delete()
            for late in AgentSession.objects.order_by("-pk")[:5]:
                AgentSessionDay.objects.filter(session=late).update(output_tokens=7)
        announce(world, tomorrow=TODAY + timedelta(days=1))
        refresh()
        KeptPeopleFigures.objects.update(read_at=NOW - timedelta(days=1))
        bring_up_to_date([LEADERBOARD])
    assert values > 1000
    assert moved > 0


def test_what_nothing_changed_is_not_read_again(clock: time_machine.Traveller) -> None:
    world = create_world(5, days=DAYS, sessions=20)
    refresh()
    assert bring_up_to_date([LEADERBOARD]) == len(windows.TRAILING_WEEKS)
    clock.shift(timedelta(minutes=5))
    refresh()  # some sessions may have settled with the hour; not within minutes
    assert bring_up_to_date([LEADERBOARD]) == 0
    assert kept_figures(windows.trailing(12)) is not None  # still as true as five minutes ago
    announce(world, tomorrow=TODAY + timedelta(days=1))
    assert bring_up_to_date([LEADERBOARD]) == len(windows.TRAILING_WEEKS)  # what waits is news as well
    assert bring_up_to_date([LEADERBOARD]) == 0  # and not before a pause


def test_what_was_not_followed_for_long_is_read_from_facts(clock: time_machine.Traveller) -> None:
    create_world(5, days=DAYS, sessions=20)
    bring_up_to_date([LEADERBOARD])
    asked = MetricQuery("ai.spend", windows.trailing(12))
    assert not isinstance(figures_of(asked), FactFigures)
    FactChange.objects.all().delete()
    clock.shift(store.PAUSES_SHOWN * store.SHORTEST_PAUSE + timedelta(seconds=1))
    assert isinstance(figures_of(asked), FactFigures)


def test_what_is_of_other_days_or_of_some_people_is_read_from_facts() -> None:
    world = create_world(5, days=DAYS, sessions=20)
    add_organisation(world, 5, DAYS)
    bring_up_to_date([LEADERBOARD])
    trailing = windows.trailing(12)
    for asked in (
        MetricQuery("ai.spend", windows.quarter_of(TODAY), facets={Dimension.AGENT: ("codex",)}),
        MetricQuery("ai.spend", trailing, scope=Scope(where={"site": ("Pune",)})),
        MetricQuery("ai.spend", trailing, scope=Scope(unassigned=TREE)),
        MetricQuery("ai.spend", windows.quarter_of(TODAY)),
    ):
        assert isinstance(figures_of(asked), FactFigures), asked


def test_an_organisation_that_is_read_quickly_is_always_read(monkeypatch: pytest.MonkeyPatch) -> None:
    create_world(5, days=DAYS, sessions=20)
    monkeypatch.setattr(store, "WORTH_KEEPING_SECONDS", 60.0)
    bring_up_to_date([LEADERBOARD])
    assert {bytes(row.content) for row in KeptPeopleFigures.objects.all()} == {b""}
    asked = MetricQuery("ai.spend", windows.trailing(12))
    assert isinstance(figures_of(asked), FactFigures)
    with CaptureQueriesContext(connection) as queries:
        assert kept_figures(windows.trailing(12)) is None
    assert not queries  # nobody asks again at once


def test_what_another_version_read_quickly_is_read_from_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window is kept where it has figures, whatever this version would have kept."""
    create_world(5, days=DAYS, sessions=20)
    monkeypatch.setattr(store, "WORTH_KEEPING_SECONDS", 60.0)
    bring_up_to_date([LEADERBOARD])
    monkeypatch.setattr(store, "WORTH_KEEPING_SECONDS", 0.0)
    assert kept_figures(windows.trailing(12)) is None


def test_an_organisation_that_was_read_quickly_may_have_grown_with_a_fill(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Years of facts are imported at once, and nobody should wait for the pause of a small organisation then."""
    world = create_world(5, days=DAYS, sessions=20)
    monkeypatch.setattr(store, "WORTH_KEEPING_SECONDS", 60.0)
    bring_up_to_date([LEADERBOARD])
    announce(world, tomorrow=TODAY + timedelta(days=1))
    clock.shift(2 * store.SHORTEST_PAUSE)
    assert bring_up_to_date([LEADERBOARD]) == 0
    SnapshotState.note(filled_at=timezone.now())
    assert bring_up_to_date([LEADERBOARD]) == len(windows.TRAILING_WEEKS)
    assert bring_up_to_date([LEADERBOARD]) == 0


def test_days_chosen_by_hand_are_not_looked_for() -> None:
    """There are millions of these: to ask for each of them, or to note that it has nothing, would be in vain."""
    with CaptureQueriesContext(connection) as queries:
        for start in DAYS[:20]:
            assert kept_figures(Window(start, TODAY)) is None
    assert not queries
    assert not store._not_kept


def test_figures_are_shown_until_they_are_read_again(clock: time_machine.Traveller) -> None:
    """The longer all of them take, the longer they are left alone."""
    world = create_world(5, days=DAYS, sessions=20)
    bring_up_to_date([LEADERBOARD])
    KeptPeopleFigures.objects.update(seconds=30.0)
    announce(world, tomorrow=TODAY + timedelta(days=1))
    clock.shift(timedelta(minutes=20))
    assert bring_up_to_date([LEADERBOARD]) == 0  # 150 seconds of work every 25 minutes
    assert kept_figures(windows.trailing(12)) is not None
    clock.shift(timedelta(minutes=6))
    assert bring_up_to_date([LEADERBOARD]) == len(windows.TRAILING_WEEKS)


def test_what_is_read_is_shown_while_the_others_are_read() -> None:
    """Reading all of them takes minutes; pages would read facts meanwhile."""
    create_world(5, days=DAYS, sessions=20)
    shown: list[bool] = []

    def read_after_it(_: Window) -> bytes:
        store.look_again()
        shown.append(kept_figures(windows.trailing(12)) is not None)
        return b"later"

    bring_up_to_date([LEADERBOARD, Kind("later", 1, METRICS, read_after_it)])
    assert shown == [True] * len(windows.TRAILING_WEEKS)
