"""Suggested benchmarks, by hand: the unit's own past, similar units, ready-made targets, published sets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from insights.catalogue.registry import get
from insights.query import windows
from insights.query.query import Granularity
from orgtree.models import Unit
from programs.benchmarks.services.suggestions import Question, Suggestion, Suggestions, suggestions_for
from programs.models import Direction, Period
from tests.org import Org
from tests.pages.delivering import deployed, merged
from tests.personas import EXECUTIVE, MANAGER, Persona
from tests.programs.agreements import AT_ONCE, HOUR, PICKUP, PLATFORM, changes_of, weeks_ago
from tests.programs.tickets import as_
from tests.teams import Teams, add_teams, create_teams


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams()


def suggested(unit: str, persona: Persona = EXECUTIVE, key: str = PICKUP, period: Period = Period.NONE) -> Suggestions:
    metric = get(key)
    direction = Direction(metric.better.value)
    question = Question(metric, Unit.objects.get(slug=unit), direction, period)
    [suggestions] = suggestions_for([question], as_(persona), today=windows.local_today())
    return suggestions


def of_kind(suggestions: Suggestions, kind: str) -> Suggestion | None:
    return next((suggestion for suggestion in suggestions.found if suggestion.kind == kind), None)


def hours(*values: float | None) -> list[float | None]:
    return [None if value is None else value / HOUR for value in values]


def other_units(teams: Teams, org: Org, waits: Sequence[float], *, people: int = 6) -> None:
    """Units beside Platform with a change of each of their people, whose review comes so many hours later."""
    names = [[f"person{number}x{place}" for place in range(people)] for number in range(len(waits))]
    add_teams(teams, {f"unit{number}": of_unit for number, of_unit in enumerate(names)})
    for number, (of_unit, wait) in enumerate(zip(names, waits, strict=True), start=1):
        changes_of(org, of_unit, weeks=[2], waits={2: wait}.__getitem__, first=10_000 * number)


def values_of(days: Sequence[date]) -> list[dict[str, object]]:
    """A change of each of Platform's people, one a day."""
    return [merged(n, day, author=name) for n, (name, day) in enumerate(zip(PLATFORM, days, strict=True), start=1)]


def test_the_best_quarter_of_its_own(org: Org, teams: Teams) -> None:
    quarter = windows.whole_bucket(windows.local_today(), Granularity.QUARTER)
    best, worse = quarter.start - timedelta(days=120), quarter.start - timedelta(days=30)
    for number, (day, waits) in enumerate(((best, 2.0), (worse, 6.0))):
        org.push(
            "pull-requests",
            *[merged(number * 10 + place, day, author=name, waits=waits) for place, name in enumerate(PLATFORM)],
        )
    suggestion = of_kind(suggested("platform", MANAGER), "history")
    assert suggestion is not None
    assert hours(suggestion.threshold, suggestion.target) == [AT_ONCE + 2, None]
    assert windows.quarter_name(windows.whole_bucket(best, Granularity.QUARTER).start) in suggestion.why
    assert "(6 PRs)" in suggestion.why
    assert "last 2 full quarters" in suggestion.why
    counted = of_kind(suggested("platform", MANAGER, "pr.throughput", Period.MONTH), "history")
    assert counted is not None
    assert counted.threshold == pytest.approx(6), "in its one month since there are data; later six in three"
    assert counted.target is None


def test_units_like_it_are_summarised_and_never_named(org: Org, teams: Teams) -> None:
    other_units(teams, org, [4.0, 6.0, 16.0])
    changes_of(org, PLATFORM, weeks=[2], waits=lambda _week: 40.0, first=1)
    suggestion = of_kind(suggested("platform"), "peers")
    assert suggestion is not None
    assert hours(suggestion.threshold, suggestion.target) == [10, 9], "median of 8, 10 and 20; half way from 8 to 10"
    assert "3 units at the same level with 6 to 6 people" in suggestion.why
    assert "Unit" not in suggestion.why, "Search with its two people is a third of its size"
    of_manager = suggested("platform", MANAGER)
    assert of_kind(of_manager, "peers") is None
    assert any("3 found, 5 needed" in words for words in of_manager.missing), (
        "Edith may not look at them, so that it takes as many as people make a group"
    )


def test_units_of_too_few_people_do_not_enter(org: Org, teams: Teams) -> None:
    other_units(teams, org, [4.0, 6.0, 16.0, 20.0], people=4)
    suggestions = suggested("platform")
    assert of_kind(suggestions, "peers") is None
    assert any("0 found" in words for words in suggestions.missing), "each is of four people, who would be told of"


def test_ready_made_targets_and_published_sets(org: Org, teams: Teams) -> None:
    days = [weeks_ago(week) for week in (1, 2, 3, 4, 5, 6)]
    org.push(
        "pull-requests",
        *values_of(days),
    )
    org.push("deployments", *[deployed(n, day) for n, day in enumerate(days, start=1)])
    pickup = of_kind(suggested("platform"), "ready-made")
    assert pickup is not None
    assert (pickup.threshold, pickup.target) == (48 * HOUR, None)
    assert of_kind(suggested("platform"), "published") is None, "they published means of it, and this is a median"
    linked = of_kind(suggested("platform", key="pr.linked_rate"), "ready-made")
    assert linked is not None
    assert (linked.threshold, linked.target) == (None, 100)
    published = of_kind(suggested("platform", key="dora.lead_time"), "published")
    assert published is not None
    assert published.title == "DORA 2023", "the organisation's"
    assert hours(published.threshold, published.target) == [None, 24], "10.5 h is in the best band, which begins there"
    assert "10.5 h, in Elite" in published.why
    assert "not a norm" in published.why


def test_the_next_band_is_the_threshold(org: Org, teams: Teams) -> None:
    days = [weeks_ago(week) for week in (7, 6, 5, 4, 3, 2)]
    org.push(
        "pull-requests",
        *values_of(days),
    )
    org.push("deployments", deployed(1, weeks_ago(1)))
    suggestion = of_kind(suggested("platform", key="dora.lead_time"), "published")
    assert suggestion is not None
    assert hours(suggestion.threshold, suggestion.target) == [168, 24], "24 days and a half: High begins at a week"
    of_few = of_kind(suggested("search", key="dora.lead_time"), "published")
    assert of_few is not None
    assert hours(of_few.threshold, of_few.target) == [168, 24], "of a figure that is not known the one before the best"


def test_many_questions_are_answered_as_one_by_one(org: Org, teams: Teams) -> None:
    other_units(teams, org, [4.0, 6.0, 16.0])
    changes_of(org, PLATFORM, weeks=[2, 15, 30], waits=lambda week: 10.0 + week, first=1)
    keys = [(PICKUP, Period.NONE), ("pr.throughput", Period.MONTH), ("pr.throughput", Period.WEEK), ("pr.size", "")]
    questions = [
        Question(get(key), Unit.objects.get(slug=unit), Direction.LOWER, Period(period))
        for key, period in keys
        for unit in ("platform", "unit1", "search")
    ] + [Question(get(PICKUP), None, Direction.LOWER, Period.NONE)]
    for persona in (EXECUTIVE, MANAGER):
        allowed = [question for question in questions if persona is EXECUTIVE or question.scope.unit == "platform"]
        together = suggestions_for(allowed, as_(persona), today=windows.local_today())
        assert together == [suggestions_for([unit], as_(persona), today=windows.local_today())[0] for unit in allowed]
        assert {kind for suggestion in together for kind in ("history", "peers") if of_kind(suggestion, kind)}


@pytest.mark.parametrize("wait", [1.0, 4.0, 10.0, 90.0])
def test_the_next_step_is_a_fifth_to_a_quarter(org: Org, teams: Teams, wait: float) -> None:
    changes_of(org, PLATFORM, weeks=[2], waits=lambda _week: wait, first=1)
    step = of_kind(suggested("platform"), "step")
    here = suggested("platform").here.value
    assert step is not None
    assert step.target is not None
    assert here is not None
    assert 0.75 * here <= step.target <= 0.8 * here
    assert step.threshold is None


def test_a_quarter_without_failures_is_no_level_to_hold(org: Org, teams: Teams) -> None:
    quarter = windows.whole_bucket(windows.local_today(), Granularity.QUARTER)
    for number, before in enumerate((30, 120)):
        day = quarter.start - timedelta(days=before)
        org.push("pull-requests", merged(number + 1, day, author="ada"))
        org.push("deployments", deployed(number + 1, day))
    suggestions = suggested("platform", key="dora.change_failure_rate")
    assert of_kind(suggestions, "history") is None, "0 % of a few deployments"
    assert of_kind(suggestions, "step") is None
