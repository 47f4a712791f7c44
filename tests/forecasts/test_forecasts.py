"""When epics are finished: on the page, in the file and at the API, for who may see them, and as recorded."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from insights.forecasts.forecasting import as_of, forecast_of, working_days
from insights.forecasts.initiative_work import reveals_few
from insights.forecasts.listing import forecast_with_key
from insights.forecasts.records import calibration_of, movements, record_forecasts, records_of_unit
from insights.formulas.forecast_calibration import Calibration
from insights.formulas.forecast_window import Reason
from insights.formulas.working_days import WorkingDays
from insights.models import ForecastRecord
from insights.privacy.suppression import Minimum
from insights.query import windows
from integrations.delivery.records.initiatives import AgentsPeople, AgentsWork, Initiative, InitiativeKind, initiative
from integrations.models import WorkItem
from orgtree.access.access import aggregates_access
from orgtree.access.api_tokens import create_api_token
from orgtree.models import Organisation, Person, Placement, Unit
from orgtree.trees.people_filter import EVERYBODY
from tests.forecasts.work import REFUNDS, RULES, Board, working_day_after, working_days_before
from tests.personas import ADMIN, EXECUTIVE, MEMBER, OTHER_MEMBER, create_user, signed_in
from tests.teams import create_teams, join

pytestmark = pytest.mark.django_db
LIST, ONE = "/insights/planning/forecast/", "/insights/planning/initiative/"


def key_of(title: str) -> str:
    return str(WorkItem.objects.get(title=title).pk)


def found(title: str = REFUNDS, kind: InitiativeKind = InitiativeKind.EPIC, key: str = "") -> Initiative:
    made = initiative(kind, key or key_of(title), aggregates_access())
    assert made is not None
    return made


def text(client: Client, address: str, status: int = 200, /, **parameters: str) -> str:
    answer = client.get(address, {"range": "12w", **parameters})
    assert answer.status_code == status, answer.content[:500]
    return visible(answer.content.decode())


def visible(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def words(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


@pytest.mark.usefixtures("board")
def test_a_product_manager_finds_the_date_of_an_epic_with_its_odds_in_two_clicks() -> None:
    client, today = signed_in(EXECUTIVE), windows.local_today()
    home = client.get("/", {"home": "page", "range": "12w"}).content.decode()
    address = re.search(r'href="([^"]+)"[^>]*>When will it ship\?', home)
    assert address
    listed = client.get(address[1].replace("&amp;", "&")).content.decode()
    opened = re.search(rf'<a href="([^"]*initiative[^"]*)"><b>{REFUNDS}', listed)
    assert opened
    page = visible(client.get(opened[1].replace("&amp;", "&")).content.decode())
    assert f"85%, likely {words(working_day_after(today, 10))}" in page
    assert f"Planned for {words(working_day_after(today, 7))}: 0% likely. The 85% date is 3 working days later" in page
    assert "40 of 50 items done" in page


@pytest.mark.usefixtures("board")
def test_the_list_names_risks_first_and_says_why_there_is_no_date() -> None:
    page, today = text(signed_in(EXECUTIVE), LIST), windows.local_today()
    assert f"{REFUNDS} : planned for {words(working_day_after(today, 7))} with odds of 0%" in page
    assert "Too little history: 5 of 10 finished items" in page
    assert page.index("Open epics") < page.rindex(REFUNDS) < page.rindex(RULES)
    assert "No forecast of these epics can be checked yet" in page


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize(
    ("changes", "days", "moved"),
    [
        ({"scope": "-4"}, 6, "4 working days sooner"),
        ({"scope": "5"}, 15, "5 working days later"),
        ({"people": "0"}, 10, ""),
    ],
)
def test_a_changed_scope_moves_the_date(changes: dict[str, str], days: int, moved: str) -> None:
    page = text(signed_in(EXECUTIVE), ONE, of=key_of(REFUNDS), **changes)
    date_words = words(working_day_after(windows.local_today(), days))
    assert (f"85% date with these changes {date_words} {moved}" in page) == bool(moved)


@pytest.mark.usefixtures("board")
def test_when_so_many_and_how_many_by_a_day() -> None:
    today = windows.local_today()
    by = working_day_after(today, 12)
    page = text(signed_in(EXECUTIVE), ONE, of=key_of(REFUNDS), count="25", by=by.isoformat())
    assert f"25 more items are finished by {words(working_day_after(today, 25))} (50%)" in page
    assert f"By {words(by)} at least 12 items are finished with odds of 50%, 12 with 85%" in page


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"people": "many"}, 400),
        ({"scope": "10000"}, 400),
        ({"wip": "0"}, 400),
        ({"by": "2020-01-01"}, 400),
        ({"by": "someday"}, 400),
        ({"kind": "saga"}, 400),
        ({"of": "4711"}, 404),
        ({"of": ""}, 404),
        ({"of": "a\x00b"}, 400),
        ({"kind": "version"}, 404),
    ],
)
def test_a_question_without_an_answer_is_refused(parameters: dict[str, str], status: int) -> None:
    text(signed_in(EXECUTIVE), ONE, status, **{"of": key_of(REFUNDS), **parameters})


@pytest.mark.usefixtures("board")
def test_an_epic_is_visible_to_who_may_open_its_items() -> None:
    assert REFUNDS in text(signed_in(MEMBER), LIST)
    assert RULES not in text(signed_in(MEMBER), LIST)
    text(signed_in(MEMBER), ONE, 404, of=key_of(RULES))
    assert REFUNDS not in text(signed_in(OTHER_MEMBER), LIST)
    text(signed_in(OTHER_MEMBER), ONE, 404, of=key_of(REFUNDS))
    assert REFUNDS not in text(signed_in(EXECUTIVE), LIST, unit="search")
    assert RULES in text(signed_in(EXECUTIVE), LIST, unit="search")


def test_a_unit_counts_all_items_of_an_epic_or_its_own_and_those_of_nobody(board: Board) -> None:
    today = windows.local_today()
    board.items("SHOP-900", todo=5, by="grace", created=today - timedelta(days=90))
    board.items("SHOP-900", todo=2, by="", created=today - timedelta(days=90))
    client, key = signed_in(EXECUTIVE), key_of(REFUNDS)
    assert "40 of 57 items done" in text(client, ONE, of=key, unit="platform")
    assert "40 of 52 items done" in text(client, ONE, of=key, unit="platform", items="own")


def test_the_items_of_an_epic_are_counted_by_team(board: Board) -> None:
    """Forty of Ada's are done, one a working day, and ten to do; Grace has two, and nobody three."""
    today = windows.local_today()
    board.items("SHOP-900", todo=1, done=[today - timedelta(days=100)], by="grace", created=today - timedelta(days=120))
    board.items("SHOP-900", todo=3, by="", created=today - timedelta(days=90))
    board.items("SHOP-900", dropped=[today - timedelta(days=5)], created=today - timedelta(days=60))
    key = key_of(REFUNDS)
    page = text(signed_in(EXECUTIVE), ONE, of=key)
    assert "Platform Engineering 40 0 10 3.3 Search Engineering 1 0 1 0.0 Nobody yet, or in no team 0 0 3 0.0" in page
    answer = signed_in(EXECUTIVE).get("/insights/planning/initiative.csv", {"of": key})
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert [(row["unit"], row["items_done"], row["to_do"]) for row in rows] == [
        ("platform", "40", "10"),
        ("search", "1", "1"),
        ("", "0", "3"),
    ]
    document = ask("/api/v1/forecasts/one/", of=key)
    platform = {"unit": "platform", "items_done": 40, "in_progress": 0, "to_do": 10, "finished_per_week": 40 / 12}
    assert document["units"][0] == pytest.approx(platform)
    assert (document["ai_share"], document["spend"]) == (None, None)
    seen = text(signed_in(MEMBER), ONE, of=key)
    assert "Platform Engineering 40 0 10 3.3" in seen
    assert "Search Engineering" not in seen, "an item that its reader may not open"
    assert signed_in(OTHER_MEMBER).get("/insights/planning/initiative.csv", {"of": key_of(RULES)}).status_code == 200


@pytest.mark.usefixtures("board")
def test_the_file_and_the_api_say_the_same() -> None:
    today = windows.local_today()
    answer = signed_in(EXECUTIVE).get("/insights/planning/charts/forecasts.csv", {"range": "12w", "tab": "forecast"})
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    document = ask("/api/v1/forecasts/")
    likely, planned = working_day_after(today, 10), working_day_after(today, 7)
    assert [row["name"] for row in rows] == [one["name"] for one in document["forecasts"]] == [REFUNDS, RULES]
    [refunds, rules] = document["forecasts"]
    assert refunds["date_85"] == rows[0]["date_85"] == likely.isoformat()
    assert (refunds["planned"], refunds["working_days_late"]) == (planned.isoformat(), 3)
    assert (refunds["items_done"], refunds["items"], refunds["finished_per_week"]) == (40, 50, 5)
    assert (rules["date_85"], rules["reason"]) == (None, "Too little history: 5 of 10 finished items")
    assert document["calibration"] == {"held": 0, "of": 0, "verdict": "unknown"}
    one = ask("/api/v1/forecasts/one/", of=refunds["key"], scope="-4", count="3", by=planned.isoformat())
    assert one["replies"]["changed"]["date_85"] == working_day_after(today, 6).isoformat()
    assert one["replies"]["when"] == {
        "items": 3,
        **dict.fromkeys(("date_50", "date_85", "date_95"), working_day_after(today, 3).isoformat()),
    }
    assert one["replies"]["how_many"]["items_85"] == 7
    assert ask("/api/v1/forecasts/", 400, kind="saga")
    assert ask("/api/v1/forecasts/", 400, range="12w")
    assert ask("/api/v1/forecasts/one/", 404, of="4711")


def ask(address: str, expected: int = 200, /, **parameters: str) -> dict[str, Any]:
    _, secret = create_api_token(f"{address}{parameters}", expires_at=None, user=create_user(ADMIN))
    answer = Client().get(address, parameters, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == expected, answer.content
    document: dict[str, Any] = answer.json()
    return document


# What counts --------------------------------------------------------------------------------------------------------


def test_items_that_were_added_and_dropped_since_work_began(board: Board) -> None:
    days = working_days_before(windows.local_today(), 30)
    board.items("SHOP-900", todo=6, created=days[20])
    board.items("SHOP-900", dropped=[days[25], days[25]], created=days[0] - timedelta(days=60))
    made = forecast()
    assert made.added_since_start == 4
    assert made.initiative.remaining == 16
    assert made.window.history.added.sum() == 4
    assert made.initiative.items == 56  # those dropped are no part of it any more


def test_what_was_known_then_is_what_happened_until_then() -> None:
    day = date(2026, 3, 10)
    whole = Initiative(
        kind=InitiativeKind.EPIC,
        key="1",
        name="",
        reference="",
        epic_id=1,
        planned_on=None,
        remaining=2,
        in_progress=0,
        added=[date(2026, 3, 1)] * 5 + [date(2026, 3, 20)] * 2,
        done=[date(2026, 3, 9), date(2026, 3, 10), date(2026, 3, 11)],
        dropped=[date(2026, 3, 15), date(2026, 3, 8)],
        started_on=date(2026, 3, 9),
        active_days=None,
        people=[],
    )
    then = as_of(whole, day)
    assert then.remaining == 2 + 1 + 1 - 2  # to do, done later, dropped later, less added later
    assert (len(then.added), len(then.done), len(then.dropped)) == (5, 2, 1)
    assert as_of(whole, date(2026, 3, 8)).started_on is None


def test_versions_labels_and_projects_are_forecast_too(board: Board) -> None:
    days = working_days_before(windows.local_today(), 20)
    early = days[0] - timedelta(days=9)
    board.items("", done=days, todo=4, version="2026.12", labels=["refunds"], created=early)
    late = days[10]
    board.items("", todo=1, version="2026.12", labels=["refunds"], created=late)
    project = WorkItem.objects.filter(versions=["2026.12"]).values_list("project", flat=True)[0]
    for kind, key in ((InitiativeKind.VERSION, f"{project}:2026.12"), (InitiativeKind.LABEL, "refunds")):
        one = found(kind=kind, key=key)
        assert (len(one.done), one.remaining) == (20, 5)
        assert sum(day > days[0] for day in one.added) == 1
    assert len(found(kind=InitiativeKind.PROJECT, key=str(project)).done) == 40 + 5 + 20
    assert "2026.12" in text(signed_in(EXECUTIVE), LIST, kind="version")
    assert "refunds" in text(signed_in(EXECUTIVE), ONE, kind="label", of="refunds")


@pytest.mark.parametrize(("type", "children", "is_epic"), [("Epic", 1, True), ("Story", 4, False), ("Task", 5, True)])
def test_an_epic_is_called_so_or_has_five_items(board: Board, type: str, children: int, is_epic: bool) -> None:
    board.epic("SHOP-910", "A parent", type=type)
    board.items("SHOP-910", todo=children)
    assert (initiative(InitiativeKind.EPIC, key_of("A parent"), aggregates_access()) is not None) == is_epic


def test_a_team_that_grew_is_forecast_from_then_on(board: Board) -> None:
    platform, engineering = Unit.objects.get(slug="platform"), Unit.objects.get(slug="engineering")
    assert forecast().window.reason in (Reason.LONGEST, Reason.WHOLE)
    grew_on = working_days_before(windows.local_today(), 25)[0]
    join(platform, engineering, "vera", "wilma", "xenia")
    newcomers = Person.objects.filter(full_name__in=("Vera", "Wilma", "Xenia"))
    Placement.objects.filter(person__in=newcomers).update(during=(grew_on, None))
    made = forecast()
    assert made.window.reason == Reason.TEAM_CHANGED
    assert made.window.history.days == 25
    assert "because the team changed in size before that" in text(signed_in(EXECUTIVE), ONE, of=key_of(REFUNDS))


def forecast() -> Any:
    made = forecast_with_key(
        InitiativeKind.EPIC,
        key_of(REFUNDS),
        aggregates_access(),
        people=EVERYBODY,
        own_only=False,
        today=windows.local_today(),
    )
    assert made is not None
    return made[0]


# Records ------------------------------------------------------------------------------------------------------------


def test_back_tests_of_finished_epics_are_recorded_once_and_published(board: Board) -> None:
    """One item a day for 100 days, and nothing added: each 85 % date was right to the day."""
    today = windows.local_today()
    days = working_days_before(today - timedelta(days=20), 100)
    board.items(board.epic("SHOP-902", "Single sign-on"), done=days, created=days[0] - timedelta(days=2))
    assert record_forecasts() > 0
    assert record_forecasts() == 0
    key = key_of("Single sign-on")
    checks = ForecastRecord.objects.filter(key=key)
    assert {check.finished_on for check in checks} == {days[-1]}
    assert {check.likely_on for check in checks} == {days[-1]}
    calibration = calibration_of(records_of_unit("platform"))
    assert calibration.held == calibration.of > 5
    assert calibration_of(records_of_unit("search")) == Calibration(0, 0)
    assert calibration_of(records_of_unit(None)) == calibration
    page = text(signed_in(EXECUTIVE), LIST)
    assert f"{calibration.of} of {calibration.of} of the 85% dates of these epics held" in page


def test_an_epic_that_was_finished_long_ago_still_counts_for_its_team(board: Board) -> None:
    days = working_days_before(windows.local_today() - timedelta(days=150), 60)
    board.items(board.epic("SHOP-903", "Two currencies"), done=days, created=days[0] - timedelta(days=2))
    record_forecasts()
    record_forecasts()
    records = ForecastRecord.objects.filter(key=key_of("Two currencies"))
    assert {record.team for record in records} == {Unit.objects.get(slug="platform")}
    assert calibration_of(records_of_unit("platform")) == calibration_of(records)


def test_a_date_that_passed_did_not_hold_and_its_teams_forecasts_say_so(board: Board) -> None:
    """Of eleven dates, six held; four of a finished epic did not, nor did one of an open epic, three weeks ago.

    A date that lies ahead says nothing yet.
    """
    today, team = windows.local_today(), Unit.objects.get(slug="platform")
    monday = today - timedelta(days=today.weekday() + 7 * (today.isocalendar().week % 2))
    made_on = [monday - timedelta(weeks=2 * number) for number in range(3, 15)]

    def record(day: date, likely_on: date, finished_on: date | None) -> None:
        ForecastRecord.objects.create(
            **{"kind": "epic", "key": "1", "made_on": day, "even_on": day, "likely_on": likely_on, "safe_on": None},
            **{"remaining": 5, "added": 0, "weekly": 5.0, "finished_on": finished_on, "team_id": team.pk},
        )

    for number, day in enumerate(made_on[:10]):
        record(day, day + timedelta(days=9), day + timedelta(days=8 if number < 6 else 10))
    record(made_on[10], today - timedelta(days=21), None)
    record(made_on[11], today + timedelta(days=1), None)
    assert calibration_of(records_of_unit("platform")) == Calibration(6, 11)
    listed = text(signed_in(EXECUTIVE), LIST)
    assert f"{REFUNDS} SHOP-900 Not calibrated for this team: its dates come too early" in listed
    page = text(signed_in(EXECUTIVE), ONE, of=key_of(REFUNDS))
    assert "Not calibrated for this team: its dates come too early. 6 of 11 of the 85% dates of this team held" in page
    assert "Platform Not calibrated for this team: its dates come too early 6 of 11 55% Not calibrated" in listed
    held = {"unit": "platform", "held": 6, "of": 11, "verdict": "too_early"}
    assert ask("/api/v1/forecasts/")["calibration_by_team"] == [held]
    assert ask("/api/v1/forecasts/", unit="search")["calibration_by_team"] == []
    file = signed_in(EXECUTIVE).get("/insights/planning/charts/calibration.csv", {"tab": "forecast"})
    assert "platform,Platform,6,11," in file.getvalue().decode("utf-8-sig")
    assert "Calibration by team" not in text(signed_in(OTHER_MEMBER), LIST), "who may not see Platform"
    record_forecasts()
    assert not ForecastRecord.objects.filter(key="1").exists(), "there is no such epic any more"


def test_a_young_epic_has_its_part_of_the_pace_of_its_team(board: Board) -> None:
    """Platform finished 44 items in 40 days, 1.1 a day; of 8 since the epic began 4 were of it: half of the pace."""
    today = windows.local_today()
    carts = board.epic("SHOP-905", "Saved carts")
    days = working_days_before(today, 4)
    board.items(carts, done=days, todo=4, created=days[0] - timedelta(days=1))
    client, key = signed_in(EXECUTIVE), key_of("Saved carts")
    page = text(client, ONE, of=key)
    assert f"pace of Platform, of whose 8 finished items since {words(days[0])} 4 were this one’s" in page
    assert "its team’s pace" in text(client, LIST)
    found_one = forecast_with_key(
        InitiativeKind.EPIC, key, aggregates_access(), people=EVERYBODY, own_only=False, today=today
    )
    assert found_one
    made, team = found_one
    assert team
    assert made.weekly == pytest.approx(1.1 * 5 / 2)
    assert team.name == "Platform"
    assert made.dates
    assert made.dates.even
    assert working_day_after(today, 6) <= made.dates.even <= working_day_after(today, 9)


@pytest.mark.usefixtures("board")
def test_an_initiative_says_what_was_done_and_nothing_of_agents_that_nobody_used() -> None:
    page = text(signed_in(EXECUTIVE), ONE, of=key_of(REFUNDS))
    assert "Done 40 of 50 items" in page
    assert "Throughput 5.0 items a week" in page
    assert "AI spend" not in page, "nobody used one"


@pytest.mark.usefixtures("board")
@pytest.mark.parametrize(
    ("authors", "agents", "shown"),
    [
        (8, 6, ("AI share 25%", "AI spend $12.00")),
        (8, 2, ("AI share", "AI spend", "Hidden: too few people")),
        (3, 2, ()),
    ],
)
def test_agents_of_few_people_stay_hidden(
    monkeypatch: pytest.MonkeyPatch, authors: int, agents: int, shown: tuple[str, ...]
) -> None:
    """Where few people worked at all, the page is the same as without agents."""

    def page(*, by: int) -> str:
        work = AgentsWork(400, 100 if by else 0, authors, by, Decimal(12 if by else 0), by)
        monkeypatch.setattr("insights.forecasts.initiative_work.agents_work", lambda _: work)
        return text(signed_in(EXECUTIVE), ONE, of=key_of(REFUNDS))

    with_agents = page(by=agents)
    for words_shown in shown:
        assert words_shown in with_agents
    assert ("Hidden: too few people" in with_agents) is (agents == 2 and bool(shown))
    if not shown:
        assert "AI s" not in with_agents
        assert "AI s" not in page(by=0)


SIX, ONE_MORE = range(1, 7), 7


@pytest.mark.parametrize(
    ("people", "parts", "reveals"),
    [
        ({1: SIX, 2: [ONE_MORE]}, [[1]], True),
        ({1: SIX, 2: [1]}, [[1]], True),
        ({1: SIX, 2: SIX}, [[1]], False),
        ({1: SIX, 2: SIX, 3: [ONE_MORE]}, [[1], [2]], True),
        ({1: SIX, 2: SIX, 3: [ONE_MORE]}, [[1]], False),
        ({1: [1, 2], 2: SIX}, [[1]], False),
        ({1: SIX}, [[1], [5]], False),
        ({1: SIX, 2: [ONE_MORE]}, [], False),
        ({}, [[1]], False),
    ],
    ids=[
        *("one more person", "one of them did more", "six did both", "two epics leave one", "an epic leaves enough"),
        *("a hidden epic leaves enough", "the only epic", "no epics", "nobody"),
    ],
)
def test_a_project_less_its_epics_is_of_enough_people(
    people: Mapping[int, Sequence[int]], parts: Sequence[Sequence[int]], reveals: bool
) -> None:
    """The attack: the spend of a project less that of its epics.  By item, those who used an agent for it."""
    assert reveals_few(people, parts, Minimum(5)) is reveals


@pytest.mark.usefixtures("board")
def test_agents_figures_that_leave_few_people_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    work = AgentsWork(400, 100, 8, 7, Decimal(12), 7)
    by_item = {1: [*SIX], 2: [ONE_MORE]}
    monkeypatch.setattr("insights.forecasts.initiative_work.agents_work", lambda _: work)
    shown = text(signed_in(EXECUTIVE), ONE, of=key_of(REFUNDS))
    assert "AI spend $12.00" in shown
    beside = AgentsPeople(by_item, by_item, [[1]])
    monkeypatch.setattr("insights.forecasts.initiative_work.agents_people", lambda _: beside)
    hidden = text(signed_in(EXECUTIVE), ONE, of=key_of(REFUNDS))
    assert "Hidden: too few people" in hidden
    assert "$12.00" not in hidden


def test_an_epic_that_goes_on_loses_its_end(board: Board) -> None:
    days = working_days_before(windows.local_today() - timedelta(days=20), 60)
    board.items(board.epic("SHOP-902", "Single sign-on"), done=days, created=days[0] - timedelta(days=2))
    record_forecasts()
    board.items("SHOP-902", todo=1)
    record_forecasts()
    assert set(ForecastRecord.objects.values_list("finished_on", flat=True)) == {None}


def test_since_when_a_planned_day_is_missed_and_what_moved_it(board: Board) -> None:
    """Ten items were added in the middle of a week: from the next Monday on the planned day is missed."""
    today = windows.local_today()
    days = working_days_before(today, 30)
    late = board.epic("SHOP-903", "Delivery slots", due_on=working_day_after(today, 9))
    board.items(late, done=days, todo=5, created=days[0] - timedelta(days=2))
    board.items(late, todo=10, created=days[-8])
    record_forecasts()
    planned = working_day_after(today, 9)
    [movement] = movements(InitiativeKind.EPIC, {key_of("Delivery slots"): planned}, until=today).values()
    assert days[-8] <= movement.since <= today
    assert movement.added == 10
    assert "At risk since" in text(signed_in(EXECUTIVE), LIST)


# Working days -------------------------------------------------------------------------------------------------------


def test_working_days_leave_out_weekends_and_holidays() -> None:
    calendar = WorkingDays.without({5, 6}, [date(2026, 12, 25)])
    wednesday = date(2026, 12, 23)
    assert calendar.after(wednesday, 1) == date(2026, 12, 24)
    assert calendar.after(wednesday, 2) == date(2026, 12, 28)
    assert calendar.after(date(2026, 12, 26), 0) == date(2026, 12, 24)  # a Saturday after a holiday
    assert calendar.until(wednesday, date(2026, 12, 28)) == 2
    assert calendar.until(date(2026, 12, 28), wednesday) == -2
    days = [wednesday, date(2026, 12, 25), date(2026, 12, 26), date(2026, 12, 28), date(2026, 12, 29)]
    assert calendar.counts(days, first=wednesday, end=date(2026, 12, 29)).tolist() == [1, 2, 1]


def test_the_organisation_says_whose_holidays_count() -> None:
    assert working_days(date(2026, 12, 24)).after(date(2026, 12, 24), 1) == date(2026, 12, 25)
    Organisation.objects.update_or_create(pk=1, defaults={"holidays_in": "DE-BY"})
    assert working_days(date(2026, 12, 24)).after(date(2026, 12, 24), 1) == date(2026, 12, 28)


@pytest.mark.parametrize(
    ("region", "is_known"), [("DE", True), ("DE-BY", True), ("", True), ("XX", False), ("DE-XX", False)]
)
def test_only_known_regions_can_be_chosen(region: str, is_known: bool) -> None:
    organisation = Organisation(name="Acme", holidays_in=region)
    from django.core.exceptions import ValidationError

    if is_known:
        organisation.full_clean(exclude=["id"])
        return
    with pytest.raises(ValidationError, match="holidays_in"):
        organisation.full_clean(exclude=["id"])


@pytest.mark.usefixtures("board")
def test_what_has_no_end_has_the_dates_of_what_is_open_today() -> None:
    client = signed_in(EXECUTIVE)
    project = WorkItem.objects.get(title=REFUNDS).project_id
    one = found(kind=InitiativeKind.PROJECT, key=str(project))
    growing = replace(
        one, added=[*one.added, *one.done, *one.done, *one.done]
    )  # three new ones for each that was finished
    today = windows.local_today()
    calendar = working_days(today)
    steady, grown = (forecast_of(it, today=today, calendar=calendar).dates for it in (one, growing))
    assert steady == grown
    assert steady is not None
    assert steady.safe is not None
    page = text(client, LIST, kind="project")
    assert "A project has no end: the dates are those of the items that are open today" in page
    assert "When are today" in text(client, ONE, kind="project", of=str(project))


def test_without_epics_the_tab_leads_to_projects() -> None:
    create_teams()
    client = signed_in(EXECUTIVE)
    page = client.get(LIST).content.decode()
    [address] = re.findall(r'<a class="hw-btn" href="([^"]+)">Forecast projects</a>', page)
    assert "No open projects" in client.get(address.replace("&amp;", "&")).content.decode()
