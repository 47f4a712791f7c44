"""The effect of a ticket on its metric: the weeks before it began and those after it was done, by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from insights.benchmarks.before_after import read_change, weeks_around
from insights.query.query import Scope
from insights.query.windows import local_today
from insights.ui import wording
from orgtree.access.access import Access
from programs.models import Ticket, TicketEffect, TicketState
from programs.tasks import measure_tickets
from programs.tickets.pages.labels import EffectText, effect_words
from programs.tickets.services.effects import (
    EffectState,
    last_measured_on,
    measure_effects,
    state_of,
    weeks_after,
    why_no_effect,
    windows_of,
)
from programs.tickets.services.writing import change_ticket, move_ticket
from tests.org import Org
from tests.pages.delivering import OPENED, REVIEWED, day_before, merged
from tests.personas import EXECUTIVE, MANAGER
from tests.programs.tickets import as_, draft, ticket
from tests.teams import OTHERS_IN_PLATFORM, create_teams

BEGAN, DONE = 80, 40  # days ago
PLATFORM = ("ada", *OTHERS_IN_PLATFORM)
HOUR = 3600


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


@pytest.fixture
def done(org: Org) -> Ticket:
    """Platform's reviews came 10 hours later before, 2 hours later after, and 50 hours later in between."""
    create_teams()
    records = []
    for number, name in enumerate(PLATFORM):
        for days, waits in ((90, 10.0), (60, 50.0), (30, 2.0)):
            day = day_before(days + number % 3)
            records.append(merged(number * 100 + days, day, author=name, waits=waits))
    records.append(merged(999, day_before(30), author="lise", waits=90.0))  # of another team
    org.push("pull-requests", *records)
    written = ticket(metric="pr.pickup_time", starts_on=day_before(BEGAN), due_on=day_before(BEGAN - 30))
    return move_ticket(as_(MANAGER), written, TicketState.DONE, completed_on=day_before(DONE))


def words_of(access: Access) -> EffectText | None:
    return effect_words(Ticket.objects.select_related("effect", "unit").get(), access)


def test_the_weeks_before_and_after_are_whole_and_of_the_unit(done: Ticket) -> None:
    weeks = weeks_after(day_before(DONE), local_today())
    pair = windows_of(done, weeks)
    assert pair is not None
    assert pair.before.end == monday(day_before(BEGAN)), "the week in which it began is in neither"
    assert pair.after.start == monday(day_before(DONE)) + timedelta(weeks=1)
    assert (pair.before.days, pair.after.days) == (12 * 7, weeks * 7)
    assert pair.after.end == monday(local_today())
    assert measure_effects() == 1
    effect = TicketEffect.objects.get()
    assert effect.before == pytest.approx((REVIEWED - OPENED + 10) * HOUR)
    assert effect.after == pytest.approx((REVIEWED - OPENED + 2) * HOUR)
    assert (effect.sample_before, effect.sample_after) == (6, 6)
    assert (effect.people_before, effect.people_after) == (6, 6)
    assert measure_effects() == 0, "once a week"
    words = words_of(as_(EXECUTIVE))
    assert words is not None
    assert words.change is not None
    assert (words.change.arrow, words.change.judgement) == ("down", "better")
    assert (words.state, words.interval) == (EffectState.UNCLEAR, ""), "six facts in one week"
    assert words.surely.startswith("Too few weeks or facts in 12 weeks before and ")


def test_an_effect_is_measured_weekly_until_twelve_weeks_are_over(done: Ticket) -> None:
    measure_effects()
    first = TicketEffect.objects.get()
    assert measure_effects(today=local_today() + timedelta(weeks=1)) == 1
    assert TicketEffect.objects.get().weeks_after == first.weeks_after + 1
    last = last_measured_on(day_before(DONE))
    words = words_of(as_(EXECUTIVE))
    assert words is not None
    assert words.surely.endswith(f"Measured again each week until {wording.day(last)}.")
    assert measure_effects(today=last - timedelta(days=1)) == 1
    assert measure_effects(today=last + timedelta(weeks=3)) == 1, "for the last time"
    assert TicketEffect.objects.get().weeks_after == 12
    assert measure_effects(today=last + timedelta(weeks=9)) == 0
    words = words_of(as_(EXECUTIVE))
    assert words is not None
    assert "again" not in words.surely


def test_it_is_measured_again_when_the_ticket_says_something_else(done: Ticket) -> None:
    measure_tickets()
    new_draft = draft(metric="pr.size", starts_on=day_before(BEGAN), due_on=day_before(BEGAN - 30))
    change_ticket(as_(MANAGER), done, new_draft, of_version=done.version)
    assert words_of(as_(EXECUTIVE)) is None, "of what it said before"
    assert measure_effects() == 1
    assert TicketEffect.objects.get().before == 50, "lines"


def test_it_is_too_early_until_four_weeks_are_over(done: Ticket) -> None:
    lately = monday(local_today()) - timedelta(days=28)
    move_ticket(as_(MANAGER), done, TicketState.DONE, completed_on=lately)
    assert measure_effects() == 0
    assert "Too early to tell" in why_no_effect(Ticket.objects.get(), local_today())
    assert measure_effects(today=monday(local_today()) + timedelta(days=7)) == 1
    move_ticket(as_(MANAGER), done, TicketState.DONE, completed_on=lately - timedelta(days=1))
    assert measure_effects() == 1


def test_a_metric_that_is_gone_is_left_alone(done: Ticket) -> None:
    Ticket.objects.update(metric="dora.luck")
    assert measure_effects() == 0
    assert effect_words(Ticket.objects.get(), as_(EXECUTIVE)) is None


def test_a_group_of_too_few_is_not_shown(done: Ticket) -> None:
    measure_effects()
    TicketEffect.objects.update(people_after=3)
    assert words_of(as_(EXECUTIVE)) is None
    assert words_of(as_(MANAGER)) is not None, "how one's own delivers"


def _weekly(*, before: float, after: float) -> list[dict[str, object]]:
    """Two pull requests of each in Platform a week: their reviews came so many hours later, ± 2 by week and author."""
    records = []
    for week in range(1, 26):
        waits = before if week * 7 > BEGAN else after
        for number, name in enumerate(PLATFORM):
            day = monday(local_today()) - timedelta(weeks=week) + timedelta(days=number % 3)
            varied = waits + (week % 3 - 1) * 0.7 + (number % 4 - 1.5) * 0.8
            records.append(merged(week * 10 + number + 2000, day, author=name, waits=varied))
    return records


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [(10.0, 3.0, EffectState.BETTER), (3.0, 10.0, EffectState.WORSE), (8.0, 8.1, EffectState.UNCLEAR)],
)
def test_a_change_is_held_against_how_much_weeks_differ(
    org: Org, before: float, after: float, state: EffectState
) -> None:
    create_teams()
    org.push("pull-requests", *_weekly(before=before, after=after))
    written = ticket(metric="pr.pickup_time", starts_on=day_before(BEGAN), due_on=day_before(BEGAN - 30))
    move_ticket(as_(MANAGER), written, TicketState.DONE, completed_on=day_before(DONE))
    measure_effects()
    effect = TicketEffect.objects.get()
    assert effect.change_low is not None
    assert effect.change_high is not None
    assert effect.change_low < (after - before) * HOUR < effect.change_high
    words = words_of(as_(EXECUTIVE))
    assert words is not None
    assert words.state == state
    assert words.interval
    assert words.surely.startswith("from all facts in 12 weeks before and ")


@pytest.mark.parametrize(
    ("key", "has_interval"),
    [("pr.throughput", True), ("pr.size", True), ("pr.reopened_rate", True), ("pr.review_depth", False),
     ("wip.count", False), ("dora.deployment_frequency", False)],
)  # fmt: skip
def test_metrics_of_every_kind_are_compared(org: Org, key: str, has_interval: bool) -> None:
    """Counts by the mean of their weeks, six; without a first fact in a side, or on one day, there is no interval."""
    create_teams()
    org.push("pull-requests", *_weekly(before=3, after=3))
    pair = weeks_around(day_before(BEGAN), day_before(DONE), 4)
    change = read_change(key, Scope("platform"), pair)
    assert (change.interval is not None) == has_interval, change
    if key == "pr.throughput":
        assert (change.before.value, change.after.value) == (6.0, 6.0)


@pytest.mark.parametrize(
    ("better", "low", "high", "state"),
    [
        ("lower", -3.0, -1.0, EffectState.BETTER),
        ("lower", 1.0, 3.0, EffectState.WORSE),
        ("higher", 1.0, 3.0, EffectState.BETTER),
        ("higher", -3.0, -1.0, EffectState.WORSE),
        ("higher", -1.0, 3.0, EffectState.UNCLEAR),
        ("higher", None, None, EffectState.UNCLEAR),
        ("neither", 1.0, 3.0, EffectState.UNCLEAR),
    ],
)
def test_an_effect_has_three_states(better: str, low: float | None, high: float | None, state: EffectState) -> None:
    assert state_of(better, low, high) == state
