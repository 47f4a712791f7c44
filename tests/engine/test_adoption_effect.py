"""The same people before and after they took up an agent, and developers by how much they use agents: by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from insights.engine.adoption.developer_facts import read_developer_facts
from insights.engine.adoption.effect import Cohort, Effect, before_and_after, cohorts_of, effect_of
from insights.privacy.adoption import visible_adoption
from insights.privacy.visible import visible_comparisons
from insights.query import windows
from insights.query.errors import ScopeNeededError
from insights.query.query import Query
from integrations.models import PullRequestFigures
from orgtree.access.access import access_of
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.personas import EXECUTIVE, MEMBER, create_user
from tests.teams import create_teams

WEEKS = 8


def read_effect(query: Query) -> Effect:
    return effect_of(before_and_after(read_developer_facts(query)), query)


def read_cohorts(query: Query) -> list[Cohort]:
    return cohorts_of(read_developer_facts(query))


@pytest.fixture
def query() -> Query:
    return Query("pr.cycle_time", windows.trailing(WEEKS))


def tell(org: Org, courses: dict[str, tuple[tuple[int, ...], int | None]]) -> None:
    """Store merges by person, each a number of days ago, and the first of weekly sessions."""
    records, number = [], 0
    for name, (days, first_session) in courses.items():
        org.people({"full_name": name, "email": f"{name}@example.com"})
        for ago in days:
            number += 1
            waits = 10.0 if first_session is not None and ago <= first_session else 0.0
            records.append(merged(number, day_before(ago), author=name, waits=waits))
        for ago in range(first_session or 0, 0, -7):
            org.session(by=name, on=day_before(ago), at="05:00")
    org.push("pull-requests", *records)
    org.fold()


@pytest.mark.usefixtures("db")
def test_takers_change_less_what_the_others_change(org: Org, query: Query) -> None:
    """Half-way through, takers go from 1 a week to 2; the others from 1 to 1.5.  That leaves half a pull request."""
    before = (53, 46, 39, 32)
    takers = {f"taker{n}": ((*before, 27, 26, 20, 19, 13, 12, 6, 5), 28) for n in range(9)}
    others = {f"other{n}": ((*before, 27, 20, 19, 13, 6, 5), None) for n in range(10)}
    tell(org, {**takers, **others})
    result = read_effect(query)
    assert list(result.group_sizes) == [9, 10]
    start = query.window.start
    weeks_before = (day_before(28) - start).days / 7
    weeks_after = (windows.local_today() + timedelta(days=1) - day_before(28)).days / 7
    assert result.took_up.merged_before == pytest.approx(4 / weeks_before)
    assert result.took_up.merged_after == pytest.approx(8 / weeks_after)
    assert result.did_not.merged_after == pytest.approx(6 / weeks_after)
    assert result.merged == pytest.approx(2 / weeks_after)
    assert result.merged_interval
    assert result.merged_interval.low == pytest.approx(result.merged), "all changed alike"
    assert result.cycle == pytest.approx(10 * 3600)


@pytest.mark.usefixtures("db")
def test_nobody_who_used_an_agent_before_or_merged_on_one_side_alone_is_compared(org: Org, query: Query) -> None:
    tell(
        org,
        {
            "long": ((50, 40, 20, 10), 70),  # used one before the window
            "late": ((50, 40, 20, 10), 5),  # too few days after
            "new": ((20, 10), 28),  # nothing before
            "taker": ((50, 40, 20, 10), 28),
            "other": ((50, 40, 20, 10), None),
        },
    )
    assert list(read_effect(query).group_sizes) == [1, 1]


@pytest.mark.usefixtures("db")
def test_cohorts_by_days_with_a_session_in_weeks_with_work(org: Org, query: Query) -> None:
    """Whoever has one session in each of their weeks is moderate; one in many weeks is light."""
    tell(org, {"without": ((50, 43, 36, 29), None), "weekly": ((22, 15, 8, 1), 22)})
    org.session(by="once", on=day_before(29), at="05:00")
    tell_more = [merged(100 + ago, day_before(ago), author="once") for ago in (43, 36, 22)]
    org.people({"full_name": "once", "email": "once@example.com"})
    org.push("pull-requests", *tell_more)
    org.fold()
    result = {cohort.name: cohort for cohort in read_cohorts(query)}
    assert {name: cohort.developers for name, cohort in result.items() if name != "none"} == {
        "light": 1,
        "moderate": 1,
        "heavy": 0,
    }
    assert result["light"].merged == 3
    assert result["moderate"].merged_per_week == pytest.approx(1.0)
    assert result["none"].merged == 4


MERGED_WEEKLY = (50, 43, 36, 27, 20, 13, 6)
TOO_FEW = "fewer than 5 people"


def protect(policy: IndividualPolicy) -> None:
    Organisation.current()
    Organisation.objects.update(individual_policy=policy, protected_since=timezone.now())


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("takers", [4, 5])
def test_no_comparison_shows_a_group_of_too_few(org: Org, query: Query, takers: int) -> None:
    """Four took up an agent and six did not: whoever sees the difference and the six knows what four people do."""
    tell(
        org,
        {
            **{f"taker{number}": (MERGED_WEEKLY, 28) for number in range(takers)},
            **{f"other{number}": (MERGED_WEEKLY, None) for number in range(6)},
        },
    )
    protect(IndividualPolicy.PSEUDONYMS)
    access = access_of(create_user(EXECUTIVE))
    result = visible_adoption(query, access)
    [between] = visible_comparisons([replace(query, key="pr.merged_per_developer")], "claude_code", access)
    if takers < 5:
        assert (result.effect, result.cohorts) == (None, [])
        assert TOO_FEW in result.why_no_effect
        assert TOO_FEW in result.why_no_cohorts
        assert between.withheld
        assert (between.first.value, between.second.value, between.interval, between.difference) == (None,) * 4
        assert (between.first.developers, between.second.developers, between.unmatched) == (0, 0, 0)
    else:
        assert result.effect is not None
        assert list(result.effect.group_sizes) == [5, 6]
        shown = {cohort.name: cohort.developers for cohort in result.cohorts}
        assert shown == {"none": 6 + 1, "light": 5, "moderate": 0, "heavy": 0}, "six, and who reviews"
        assert between.first.developers == 5
    protect(IndividualPolicy.NAMED)
    named = access_of(create_user(EXECUTIVE))
    assert visible_adoption(query, named).effect is not None
    assert visible_adoption(query, named).cohorts


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(("merging", "timed"), [(6, 6), (4, 4), (6, 4)], ids=["enough", "few merged", "few times"])
def test_cohorts_in_which_few_merged_or_few_times_are_known_are_hidden(
    org: Org, query: Query, merging: int, timed: int
) -> None:
    """Six use agents; the median of their cycle times would be that of the four who have any."""
    users = [f"user{number}" for number in range(6)]
    facts = {name: (MERGED_WEEKLY if number < merging else (), 28) for number, name in enumerate(users)}
    tell(org, {**facts, **{f"other{number}": (MERGED_WEEKLY, None) for number in range(6)}})
    of_unknown_time = PullRequestFigures.objects.filter(credited__person__full_name__in=users[timed:])
    assert of_unknown_time.update(cycle_seconds=None) == len(MERGED_WEEKLY) * (merging - timed)
    protect(IndividualPolicy.PSEUDONYMS)
    access = access_of(create_user(EXECUTIVE))
    result = visible_adoption(query, access)
    assert [cohort.developers for cohort in result.cohorts] == ([6 + 1, 6, 0, 0] if timed == 6 else [])
    assert (TOO_FEW in result.why_no_cohorts) == (timed == 4)


@pytest.mark.usefixtures("db")
def test_whoever_sees_no_whole_organisation_sees_no_comparison_of_it(org: Org, query: Query) -> None:
    create_teams()
    protect(IndividualPolicy.NAMED)
    member = access_of(create_user(MEMBER))
    with pytest.raises(ScopeNeededError):
        visible_adoption(query, member)
    with pytest.raises(ScopeNeededError):
        visible_comparisons([query], "claude_code", member)
