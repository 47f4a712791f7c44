"""Findings of a night: what is stored of them, who reads and decides, and what stays away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.test import Client

from insights.findings import data_quality, night
from insights.findings.checks import WEEK, WEEKS, Check, Weeks, teams_of
from insights.findings.data_quality import Effect
from insights.findings.detectors import BY_KEY, DETECTORS, OF_DATA, OF_LEAVERS, UNMATCHED
from insights.findings.marks import with_findings
from insights.findings.night import Night, look, store
from insights.findings.words import worded
from insights.models import Finding
from insights.models.findings import FindingState
from insights.query.query import Dimension, MetricValue, Query, Scope, Window
from insights.ui.charts import ChartData
from orgtree.models import Organisation, Unit
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, signed_in
from tests.programs.tickets import as_
from tests.servers import PROJECT_DIR
from tests.teams import Teams, add_teams, create_teams

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 28)
MONDAY = date(2026, 11, 23)
PAGE, API = "/insights/findings/", "/api/v1/findings/"
PICKUP = BY_KEY["pr.pickup_time.change"]
HOUR = 3600.0


@pytest.fixture
def teams() -> Teams:
    return create_teams()


def slower(unit: Unit | None, since: date = date(2026, 8, 3), after: float = 20 * HOUR) -> Check:
    return Check(
        detector=PICKUP,
        unit=unit.pk if unit else None,
        chance=1e-5,
        since=since,
        before=10 * HOUR,
        after=after,
        low=5 * HOUR,
        high=14 * HOUR,
        sample=160,
        is_large=True,
    )


def stored(*checks: Check, today: date = TODAY) -> list[Finding]:
    store(Night(100, checks), today=today)
    return [*Finding.objects.order_by("pk")]


def test_a_finding_is_read_by_those_who_may_see_its_team(teams: Teams) -> None:
    search, platform = stored(slower(teams.search), slower(teams.platform))
    executive = signed_in(EXECUTIVE).get(PAGE).content.decode()
    title = "The wait for a first review in {} rose from 10.0 h to 20.0 h"
    assert title.format("search").lower() in executive.lower()
    assert title.format("platform").lower() in executive.lower()
    # 160 pull requests in 16 weeks, of 10 hours each: 435 a month.
    assert "435 hours of waiting a month" in executive
    own = signed_in(MEMBER).get(API).json()
    assert [one["unit"] for one in own["findings"]] == ["platform"]
    assert signed_in(MEMBER).get(f"{API}{search.pk}/").status_code == 404
    assert signed_in(MEMBER).get(f"{API}{platform.pk}/").json()["after"] == 20 * HOUR


def test_a_stricter_rule_for_small_groups_hides_findings_at_once(teams: Teams) -> None:
    """That of a team was found while figures of five people were shown; a night by the new rule finds it again."""
    whole, of_team = slower(None), slower(teams.platform)
    stored(whole, of_team)

    def listed() -> list[str | None]:
        return [one["unit"] for one in signed_in(EXECUTIVE).get(API).json()["findings"]]

    assert sorted(map(str, listed())) == ["None", "platform"]
    Organisation.objects.update(minimum_group_size=6)
    assert listed() == [None]
    title = "The wait for a first review in Platform rose"
    for address in (PAGE, "/insights/report/", "/"):
        assert title not in signed_in(EXECUTIVE).get(address).content.decode(), address
    stored(whole, of_team)
    assert sorted(map(str, listed())) == ["None", "platform"]
    Organisation.objects.update(minimum_group_size=5)
    assert sorted(map(str, listed())) == ["None", "platform"], "a milder rule hides nothing"


def test_a_finding_of_the_organisation_is_for_those_who_see_all_of_it(teams: Teams) -> None:
    stored(slower(None))
    assert signed_in(EXECUTIVE).get(API).json()["total"] == 1
    assert signed_in(MEMBER).get(API).json()["total"] == 0
    assert "in the organisation" in signed_in(ADMIN).get(PAGE).content.decode()


def test_a_finding_lives_until_it_is_no_longer_there(teams: Teams) -> None:
    [first] = stored(slower(teams.search))
    [again] = stored(slower(teams.search, after=24 * HOUR), today=TODAY + timedelta(days=1))
    assert (again.pk, again.found_on, again.after) == (first.pk, TODAY, 24 * HOUR)
    [ended] = stored(today=TODAY + timedelta(days=2))
    assert (ended.state, ended.ended_on) == (FindingState.RESOLVED, TODAY + timedelta(days=2))
    assert len(stored(slower(teams.search), today=TODAY + timedelta(days=3))) == 2  # it is there again


def act(client: Client, finding: Finding, name: str, reason: str = "") -> Finding:
    response = client.post(f"{PAGE}{finding.pk}/", {"act": name, "reason": reason})
    assert response.status_code == 302
    finding.refresh_from_db()
    return finding


def test_a_dismissed_finding_stays_away_until_its_change_is_another(teams: Teams) -> None:
    [finding] = stored(slower(teams.search))
    executive = signed_in(EXECUTIVE)
    assert act(executive, finding, "acknowledge").state == FindingState.ACKNOWLEDGED
    assert act(executive, finding, "dismiss").state == FindingState.ACKNOWLEDGED  # no reason is given
    dismissed = act(executive, finding, "dismiss", "Two people left.")
    assert (dismissed.state, dismissed.reason) == (FindingState.DISMISSED, "Two people left.")
    assert len(stored(slower(teams.search, since=date(2026, 8, 10)))) == 1
    assert len(stored(slower(teams.search, since=date(2026, 10, 5)))) == 2
    assert "Two people left." in executive.get(f"{PAGE}?state=closed").content.decode()


@pytest.mark.parametrize(("name", "state"), [("useful", "acknowledged"), ("known", "dismissed")])
def test_readers_say_what_a_finding_was_worth(teams: Teams, name: str, state: str) -> None:
    [finding] = stored(slower(teams.platform))
    decided = act(signed_in(MANAGER), finding, name)
    assert (decided.verdict, decided.state) == (name, state)


def test_only_those_who_lead_the_unit_decide(teams: Teams) -> None:
    [finding] = stored(slower(teams.platform))
    page = signed_in(MEMBER).get(PAGE).content.decode()
    assert "Another reading" in page
    assert "Dismiss" not in page
    assert signed_in(MEMBER).post(f"{PAGE}{finding.pk}/", {"act": "acknowledge"}).status_code == 403
    refused = signed_in(EXECUTIVE).post(
        f"{API}{finding.pk}/decide/", {"act": "dismiss"}, content_type="application/json"
    )
    assert refused.status_code == 400
    assert refused.json()["error"]["parameter"] == "reason"


def test_without_data_nothing_is_found(teams: Teams) -> None:
    assert look(TODAY) == Night(0, [])
    assert "No team has changed" in signed_in(EXECUTIVE).get(PAGE).content.decode()
    assert "None of the units that you may see has changed" in signed_in(MEMBER).get(PAGE).content.decode()


def weekly(values: list[float | None], facts: int = 6) -> list[MetricValue]:
    first = MONDAY - WEEKS * WEEK
    return [
        MetricValue(
            Window(first + week * WEEK, first + (week + 1) * WEEK),
            {},
            value=value,
            sample_size=facts if value is not None else 0,
        )
        for week, value in enumerate(values)
    ]


def test_a_change_of_half_of_the_teams_is_one_of_the_organisation(
    teams: Teams, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_teams(teams, {f"team-{n}": [f"person-{n}-{m}" for m in range(5)] for n in range(4)})
    known = teams_of(TODAY)
    assert {Unit.objects.get(pk=pk).slug for pk in known} >= {"team-0", "team-1", "team-2", "team-3"}

    def series(slow: set[int | None]) -> None:
        values = {
            (metric, unit): weekly(
                [
                    (10 + (week * 7 + position * 3) % 5) * (3 if unit in slow and week >= 40 else 1) * HOUR
                    for week in range(52)
                ]
                if metric == "pr.pickup_time"
                else [None] * 52
            )
            for position, unit in enumerate((None, *known))
            for detector in DETECTORS
            for metric in (detector.metric, *detector.part_of)
        }
        monkeypatch.setattr(Weeks, "read", classmethod(lambda cls, teams, window: cls(values, teams)))

    everybody = {None, *known}
    series(everybody)
    assert [(one.detector.key, one.unit) for one in look(TODAY).findings] == [("pr.pickup_time.change", None)]
    one_team = next(iter(known))
    series({one_team})
    assert [(one.detector.key, one.unit) for one in look(TODAY).findings] == [("pr.pickup_time.change", one_team)]
    series(set())
    assert look(TODAY).findings == []


def test_the_docs_name_the_metric_of_every_detector() -> None:
    text = (PROJECT_DIR / "docs" / "findings.md").read_text(encoding="utf-8")
    rows = {line.split(":")[0].removeprefix("| "): line for line in text.splitlines() if line.startswith("| **")}
    names = {"change": "**Changed**", "gap": "**Apart**", "trend": "**Trend**", "move": "**Reorganised**"}
    for detector in DETECTORS:
        assert f"`{detector.metric}`" in rows[names[detector.kind]], detector.key
    for detector in OF_LEAVERS:
        assert f"`{detector.metric}`" in rows["**Left**"], detector.key
    for detector in OF_DATA:
        assert f"`{detector.metric}`" in rows["**Data**"], detector.key


def test_a_change_is_marked_on_the_charts_of_its_metric_and_unit(teams: Teams) -> None:
    search, _ = stored(slower(teams.search), slower(None))
    days = [MONDAY - week * WEEK for week in range(26, 0, -1)]
    window = Window(days[0], MONDAY)
    chart = ChartData(
        "line", "seconds", [""] * 26, [], days, query=Query("pr.pickup_time", window, scope=Scope("search"))
    )
    seen, hidden = as_(EXECUTIVE), as_(MEMBER)
    [mark] = with_findings(chart, seen).marks
    assert (mark.text, mark.start, days[mark.index]) == ("Change found", search.since, search.since)
    assert mark.url == f"{PAGE}?finding={search.pk}"
    assert with_findings(chart, hidden).marks == ()
    assert chart.query is not None
    for query in (
        replace(chart.query, key="pr.size"),
        replace(chart.query, facets={Dimension.REPOSITORY: ("api",)}),
        replace(chart.query, scope=Scope("platform")),
    ):
        assert with_findings(replace(chart, query=query), seen).marks == ()


def test_a_stage_that_changed_with_the_whole_is_part_of_its_finding(teams: Teams) -> None:
    whole = replace(slower(teams.search), detector=BY_KEY["dora.lead_time.change"], before=30 * HOUR, after=41 * HOUR)
    [one] = night._with_stages([slower(teams.search), whole])
    assert [stage["metric"] for stage in one.details["stages"]] == ["pr.pickup_time"]
    stored(one)
    page = signed_in(EXECUTIVE).get(PAGE).content.decode()
    assert "changed at the same time: pickup time went from 10.0 h to 20.0 h" in page.lower()
    assert night._with_stages([slower(teams.platform), whole])[0].details == {}


def test_a_move_explains_the_change_on_its_day(teams: Teams) -> None:
    change = slower(teams.search)
    moved = replace(change, detector=BY_KEY["pr.pickup_time.move"])
    steady = replace(change, detector=BY_KEY["pr.pickup_time.trend"])
    assert night._distinct([change, moved, steady], []) == [moved]
    assert night._distinct([replace(change, since=date(2026, 6, 1)), moved], [])[1:] == [moved]
    stored(moved)
    assert "when the team was reorganised on 3 Aug 2026" in signed_in(EXECUTIVE).get(PAGE).content.decode()


def test_every_detector_words_its_findings(teams: Teams) -> None:
    """No placeholder is left, no sentence is empty, and another reading is given."""
    for detector in BY_KEY.values():
        for before, after in ((10.0, 20.0), (20.0, 10.0)):
            if not (detector.higher if after > before else detector.lower):
                continue
            check = replace(slower(teams.search), detector=detector, before=before, after=after)
            if detector.of_repositories:
                check = replace(check, repository="api", unit=None)
            Finding.objects.all().delete()
            [finding] = stored(check)
            words = worded(finding, {})
            assert words is not None
            for text in (words.title, words.detail, words.reading, words.to_try, words.sure):
                assert text
                assert "{" not in text
                assert text[0].isupper() or text[0].isdigit()


def test_missing_data_has_its_effect_in_numbers(teams: Teams) -> None:
    effects = [Effect("pr.throughput", 80.0, 80.0, 100.0), Effect("pr.coding_time", 20 * HOUR, 18 * HOUR, 26 * HOUR)]
    check = data_quality._check(UNMATCHED, Window(MONDAY - 13 * WEEK, MONDAY), 0.2, 100, effects)
    assert check.is_large
    stored(check)
    page = signed_in(EXECUTIVE).get(PAGE).content.decode()
    assert "Nobody is known as the author of 20.0% of the last quarter’s pull requests" in page
    assert "80, and up to 100 with nothing missing" in page
    assert "20.0 h, but it could be anything between 18.0 h and 26.0 h" in page
    assert signed_in(MEMBER).get(API).json()["total"] == 0
    unmoved = [Effect("pr.throughput", 80.0, 80.0, 82.0)]
    assert not data_quality._check(UNMATCHED, Window(MONDAY, MONDAY), 0.2, 100, unmoved).is_large


def test_teams_of_the_same_name_are_named_with_the_unit_above(teams: Teams) -> None:
    """On the page, and to readers of the comparison."""
    Unit.objects.filter(pk__in=[teams.search.pk, teams.platform.pk]).update(name="Berlin")
    stored(slower(teams.search))
    page = signed_in(EXECUTIVE).get(PAGE).content.decode()
    assert "in Berlin (Engineering) rose" in page
    Unit.objects.filter(pk=teams.platform.pk).update(name="Lisbon")
    assert "in Berlin rose" in signed_in(EXECUTIVE).get(PAGE).content.decode()
