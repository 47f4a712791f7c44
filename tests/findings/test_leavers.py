"""People who left a team beside its load before: the back-test, the control, and what readers see."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import combinations

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from insights.findings import leavers
from insights.findings.checks import teams_of
from insights.findings.leavers import LAST, QUARTER, QUARTERS, leaver_checks
from insights.findings.night import Night, store
from insights.findings.words import worded
from insights.formulas.leaving import TeamQuarter, chance_of_leaving, difference_of_shares, leaving_after_load
from insights.models import Finding
from orgtree.models import Employment, Membership, Person, Placement, Unit
from tests.personas import EXECUTIVE, OTHER_MEMBER, signed_in
from tests.teams import Teams, add_teams, create_teams

MONDAY = date(2026, 11, 23)
TEAMS = [f"team-{number:02}" for number in range(12)]


def past(seed: int, times: float, *, teams: int = 12, people: int = 10) -> Iterator[TeamQuarter]:
    """Seven quarters of teams whose load differs all the time; `times` as many leave after a high one."""
    draw = random.Random(seed)
    usual = [draw.gauss(0, 1) for _ in range(teams)]
    for quarter in range(7):
        loads = [one + draw.gauss(0, 0.7) for one in usual]
        highest = sorted(loads)[-(teams // 3)]
        for team, load in enumerate(loads):
            share = 0.04 * (times if load >= highest else 1)
            yield TeamQuarter(team, quarter, load, people, sum(draw.random() < share for _ in range(people)))


def test_load_that_precedes_leaving_counts_and_one_that_does_not_counts_not() -> None:
    planted = [leaving_after_load([*past(seed, 4)]) for seed in range(100)]
    assert sum(one is not None and one.precedes for one in planted) >= 90
    none = [leaving_after_load([*past(seed, 1)]) for seed in range(300)]
    assert sum(one is not None and one.precedes for one in none) <= 20  # 2.5 % are expected


def test_all_signals_together_are_as_sure_as_one() -> None:
    alone, of_four = (leaving_after_load([*past(3, 4)], signals=signals) for signals in (1, 4))
    assert alone is not None
    assert of_four is not None
    assert of_four.low < alone.low < alone.after_high - alone.after_other < alone.high < of_four.high


@pytest.mark.parametrize(
    "few",
    [
        [one for one in past(1, 4) if one.quarter < 3],
        [one for one in past(1, 4) if one.team < 5],
        [TeamQuarter(one.team, one.quarter, one.load, one.people, 0) for one in past(1, 4)],
        [TeamQuarter(one.team, one.quarter, 1.0, one.people, 1) for one in past(1, 4)],
        [],
    ],
)
def test_a_short_past_says_nothing(few: Sequence[TeamQuarter]) -> None:
    """Few quarters, few teams, nobody who left, or teams of the same load."""
    assert leaving_after_load(few) is None


def test_leaving_is_as_rare_as_among_all_choices() -> None:
    """Three of four people, and one of six others."""
    choices = [sum(person < 4 for person in gone) for gone in combinations(range(10), 4)]
    assert chance_of_leaving(3, 4, 1, 6) == pytest.approx(sum(own >= 3 for own in choices) / len(choices))
    assert chance_of_leaving(0, 4, 4, 6) == pytest.approx(1)


def test_the_interval_of_the_difference_is_the_published_one() -> None:
    """Newcombe, 1998, example (a) of method 10: 56 of 70 beside 48 of 80."""
    assert difference_of_shares((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.fixture
def teams(db: None) -> Teams:
    """Twelve teams of ten; the four with the highest load lose people in each quarter, the first five in the last."""
    teams = create_teams()
    add_teams(teams, {name: [f"{name}-{person}" for person in range(10)] for name in TEAMS})
    Placement.objects.filter(unit__slug__in=TEAMS).update(during=DateRange(date(2022, 1, 1), None))
    for number, name in enumerate(TEAMS[:4]):
        for quarter in range(1, QUARTERS - LAST):
            leave(
                f"{name}-{quarter % 5}-then",
                name,
                MONDAY - (QUARTERS - quarter) * QUARTER + timedelta(days=30 + number),
            )
    for person in range(5):
        leave(f"{TEAMS[0]}-{person}-now", TEAMS[0], MONDAY - timedelta(weeks=3 + 3 * person))
    return teams


def leave(name: str, team: str, day: date) -> None:
    """One more person of the team, who came in 2022 and leaves on that day."""
    unit = Membership.objects.filter(unit__slug=team).select_related("unit__tree")[0].unit
    person = Person.objects.create(email=f"{name}-{day}@example.com", full_name=name)
    during = DateRange(date(2022, 1, 1), day)
    Employment.objects.create(person=person, during=during)
    places = [unit.pk, Unit.objects.get(slug="engineering").pk]
    Placement.objects.bulk_create(
        Placement(tree=unit.tree, person=person, unit=unit, ancestor_id=ancestor, during=during) for ancestor in places
    )


def with_loads(monkeypatch: pytest.MonkeyPatch, high: Sequence[str]) -> None:
    """After-hours shares of 30 % in these teams and 10 % in others; nothing is known of other load."""

    def loads(known: Mapping[int, int], quarters: Sequence[object]) -> Mapping[str, Sequence[Mapping[int, float]]]:
        slugs = dict(Placement.objects.filter(ancestor__in=known).values_list("ancestor", "ancestor__slug"))
        by_team = {team: 30.0 + team / 1e6 if slugs[team] in high else 10.0 + team / 1e6 for team in known}
        nothing: Sequence[Mapping[int, float]] = [{} for _ in quarters]
        return {
            "capacity.after_hours_share": [by_team for _ in quarters],
            **dict.fromkeys(("capacity.weekend_share", "capacity.review_load", "capacity.wip_per_person"), nothing),
        }

    monkeypatch.setattr(leavers, "_loads", loads)


def test_a_team_that_people_left_after_a_high_load_is_a_finding(teams: Teams, monkeypatch: pytest.MonkeyPatch) -> None:
    with_loads(monkeypatch, TEAMS[:4])
    checks = [*leaver_checks(teams_of(MONDAY), MONDAY)]
    large = [check for check in checks if check.is_large]
    assert len(checks) == 4, "the teams of the highest third"
    [check] = large
    assert check.after == pytest.approx(100 * 5 / 15)
    assert check.before == 0
    assert check.chance < 1e-4
    assert check.sample == 15
    store(Night(4, large), today=MONDAY)
    [finding] = Finding.objects.select_related("unit")
    words = worded(finding, {})
    assert words is not None
    assert words.title == (
        "33.3% of the people in Team-00 left the organisation within six months; in other teams 0.0% did"
    )
    assert "the after-hours share there was 30.0%; in a typical other team it was 10.0%" in words.detail
    assert "nobody is scored" in words.sure
    page = signed_in(EXECUTIVE).get("/insights/findings/").content.decode()
    assert words.title in page
    assert "-now" not in page, "nobody who left is named"
    assert words.title not in signed_in(OTHER_MEMBER).get("/insights/findings/").content.decode()


def test_nothing_is_said_where_load_did_not_precede_leaving(teams: Teams, monkeypatch: pytest.MonkeyPatch) -> None:
    with_loads(monkeypatch, [TEAMS[0], *TEAMS[5:8]])
    assert [*leaver_checks(teams_of(MONDAY), MONDAY)] == []


def test_who_is_back_within_a_quarter_or_changes_teams_did_not_leave(
    teams: Teams, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_loads(monkeypatch, TEAMS[:4])
    for job in Employment.objects.filter(person__full_name__endswith="-now"):
        Employment.objects.create(person=job.person, during=DateRange(job.during.upper + timedelta(days=60), None))
    assert not any(check.is_large for check in leaver_checks(teams_of(MONDAY), MONDAY))


def test_teams_below_the_minimum_group_are_left_out(teams: Teams, monkeypatch: pytest.MonkeyPatch) -> None:
    with_loads(monkeypatch, TEAMS[:4])
    Placement.objects.filter(ancestor__slug=TEAMS[0], person__email__endswith="@example.com").exclude(
        person__full_name__endswith="-now"
    ).exclude(person__full_name__endswith="-then").filter(person__full_name__regex=r"-[0-5]$").update(
        during=DateRange(date(2022, 1, 1), MONDAY - timedelta(days=1))
    )
    assert teams.platform.pk in teams_of(MONDAY)
    assert not any(check.is_large for check in leaver_checks(teams_of(MONDAY), MONDAY))
