"""The effect of a ticket on its metric: four weeks before its start and four weeks after its completion, by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from insights.benchmarks.changes import placebos
from insights.query.windows import local_today
from programs.models import Ticket, TicketEffect, TicketState
from programs.tasks import measure_tickets
from programs.tickets.pages.labels import effect_words
from programs.tickets.services.effects import EffectState, measure_effects, state_of, why_no_effect, windows_of
from programs.tickets.services.writing import change_ticket, move_ticket
from tests.org import Org
from tests.pages.delivering import OPENED, REVIEWED, day_before, merged
from tests.personas import EXECUTIVE, MANAGER
from tests.programs.tickets import as_, draft, ticket
from tests.teams import OTHERS_IN_PLATFORM, create_teams

BEGAN, DONE = 80, 40  # days ago
PLATFORM = ("ada", *OTHERS_IN_PLATFORM)
HOUR = 3600


@pytest.fixture
def done(org: Org) -> Ticket:
    """Platform's reviews came 10 hours later before, 2 hours later after, and 50 hours later in between."""
    create_teams()
    records = []
    for number, name in enumerate(PLATFORM):
        for days, waits in ((85, 10.0), (60, 50.0), (30, 2.0)):
            day = day_before(days + number % 3)
            records.append(merged(number * 100 + days, day, author=name, waits=waits))
    records.append(merged(999, day_before(30), author="lise", waits=90.0))  # of another team
    org.push("pull-requests", *records)
    written = ticket(metric="pr.pickup_time", starts_on=day_before(BEGAN), due_on=day_before(BEGAN - 30))
    return move_ticket(as_(MANAGER), written, TicketState.DONE, completed_on=day_before(DONE))


def test_the_weeks_before_and_after_are_equally_long_and_of_the_unit(done: Ticket) -> None:
    weeks = windows_of(done)
    assert weeks is not None
    assert (weeks.before.end, weeks.after.start) == (day_before(BEGAN), day_before(DONE - 1))
    assert weeks.before.days == weeks.after.days == 28
    assert measure_effects() == 1
    effect = TicketEffect.objects.get()
    assert effect.before == pytest.approx((REVIEWED - OPENED + 10) * HOUR)
    assert effect.after == pytest.approx((REVIEWED - OPENED + 2) * HOUR)
    assert (effect.sample_before, effect.sample_after) == (6, 6)
    assert (effect.people_before, effect.people_after) == (6, 6)
    assert measure_effects() == 0, "once"
    words = effect_words(Ticket.objects.select_related("effect", "unit").get(), as_(EXECUTIVE))
    assert words is not None
    assert words.change is not None
    assert (words.change.arrow, words.change.judgement) == ("down", "better")


def test_it_is_measured_again_when_the_ticket_says_something_else(done: Ticket) -> None:
    measure_tickets()
    new_draft = draft(metric="pr.size", starts_on=day_before(BEGAN), due_on=day_before(BEGAN - 30))
    change_ticket(as_(MANAGER), done, new_draft, of_version=done.version)
    assert effect_words(Ticket.objects.select_related("effect").get(), as_(EXECUTIVE)) is None, "of what it said before"
    assert measure_effects() == 1
    assert TicketEffect.objects.get().before == 50, "lines"


def test_it_is_too_early_until_the_weeks_are_over(done: Ticket) -> None:
    move_ticket(as_(MANAGER), done, TicketState.DONE, completed_on=day_before(28))
    assert measure_effects() == 0
    assert "Too early to tell" in why_no_effect(Ticket.objects.get(), local_today())
    assert measure_effects(today=local_today() + timedelta(days=1)) == 1


def test_a_metric_that_is_gone_is_left_alone(done: Ticket) -> None:
    Ticket.objects.update(metric="dora.luck")
    assert measure_effects() == 0
    assert effect_words(Ticket.objects.get(), as_(EXECUTIVE)) is None


def test_a_group_of_too_few_is_not_shown(done: Ticket) -> None:
    measure_effects()
    TicketEffect.objects.update(people_after=3)
    assert effect_words(Ticket.objects.select_related("effect").get(), as_(EXECUTIVE)) is None
    assert effect_words(Ticket.objects.select_related("effect").get(), as_(MANAGER)) is not None, (
        "how one's own delivers"
    )


def test_the_year_before_is_compared_by_the_same_weeks(done: Ticket) -> None:
    weeks = windows_of(done)
    assert weeks is not None
    apart = (weeks.after.start - weeks.before.start).days  # 69 days: 10 weeks, rounded
    pairs = placebos(weeks)
    assert apart == 69
    assert len(pairs) == 53 - 10
    for pair in pairs:
        assert pair.before.days == pair.after.days == 28
        assert (pair.after.start - pair.before.start).days == 70
        assert pair.before.start >= weeks.before.start - timedelta(days=364)
        assert pair.after.end <= day_before(BEGAN), "nobody worked on the ticket yet"
    measure_effects()
    effect = TicketEffect.objects.get()
    assert effect.placebos == 0, "the organisation has been measured for too short a time"
    assert (effect.change_low, effect.change_high) == (None, None)
    words = effect_words(Ticket.objects.select_related("effect", "unit").get(), as_(EXECUTIVE))
    assert words is not None
    assert words.surely.startswith("Too few weeks in the year before")
    assert words.state == EffectState.UNCLEAR


def test_a_change_is_held_against_what_is_usual(done: Ticket, org: Org) -> None:
    """In the year before, a review was picked up after 8, 9, 10 or 11 hours, week by week: one change is far beyond."""
    records = []
    for week in range(1, 56):
        for number, name in enumerate(PLATFORM):
            day = day_before(BEGAN + 7 * week + number % 3)
            records.append(merged(week * 10 + number + 2000, day, author=name, waits=8.0 + week % 4))
    org.push("pull-requests", *records)
    measure_effects()
    effect = TicketEffect.objects.get()
    assert effect.placebos == 43
    assert effect.change_low is not None
    assert effect.change_high is not None
    assert effect.change_low < effect.change_high < 0
    words = effect_words(Ticket.objects.select_related("effect", "unit").get(), as_(EXECUTIVE))
    assert words is not None
    assert words.surely == "beyond normal variation"
    assert words.state == EffectState.BETTER
    assert words.interval.startswith("−")


def test_a_ticket_that_took_long_has_no_interval(done: Ticket) -> None:
    done.starts_on -= timedelta(weeks=20)
    weeks = windows_of(done)
    assert weeks is not None
    assert placebos(weeks) == []


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
