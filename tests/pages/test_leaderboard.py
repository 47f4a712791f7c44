"""The leaderboard: who sees whose row under which name, how it is ranked, and that nothing else gets out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from insights.catalogue.registry import get
from insights.columns.refresh import refresh
from integrations.code.attribution.tasks import attribute_pending
from orgtree.access.api_tokens import create_api_token
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.pages.delivering import day_before
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user
from tests.stored_once import StoreOnce
from tests.teams import OTHERS_IN_PLATFORM, create_teams

BOARD, CSV = "/insights/ai/leaderboard/", "/insights/ai/leaderboard.csv"
HEADS = [
    *("Rank", "Developer", "Agent", "AI Committed Code %", "AI Lines of Code", "Sessions", "Avg Session Duration"),
    *("Tokens Used", "Total Spend", "Spend/Commit", "Spend Wastage", "Cache Hit Rate", "Error Rate", "Ship Rate"),
]
PSEUDONYM = re.compile(r"Developer [A-Z2-7]{5}-[A-Z2-7]{5}")
SignIn = Callable[[Persona], Client]
Row = Mapping[str, str]

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def teams(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    """Platform: Ada and five others; Search: Grace alone.  All with a session, some with commits from it."""
    with stored_once(lambda: org_with_sessions(Org(tmp_path_factory.mktemp))) as org:
        yield org


def org_with_sessions(org: Org) -> Org:
    create_teams(IndividualPolicy.NAMED)
    for number, name in enumerate(("ada", *OTHERS_IN_PLATFORM), start=1):
        org.session(by=name, on=day_before(6), at="09:00", tokens=1000 * number, lines=100 + 10 * number, minutes=30)
    org.session(by="ada", on=day_before(6), at="15:00", tokens=70_000, failures={"Bash": 1}, tool_calls={"Edit": 3})
    org.session(by="grace", on=day_before(6), tokens=50_000, model="homegrown")
    org.commit(by="ada", on=day_before(6), at="09:20", lines=200)  # 110 of them are an agent's
    org.commit(by="hedy", on=day_before(6), at="09:20", lines=120)  # all of them
    org.commit(by="katherine", on=day_before(6), at="09:20", lines=60)  # all of them, and too few to be ranked by
    org.commit(by="radia", on=day_before(6), at="20:00", lines=300)  # none
    org.fold()
    attribute_pending()
    return org


def rows(client: Client, **query: str) -> list[Row]:
    answer = client.get(CSV, query)
    assert answer.status_code == 200, query
    text = answer.getvalue().decode("utf-8-sig")
    heads, *lines = csv.reader(io.StringIO(text))
    names = [head.partition(" (")[0] for head in heads]
    return [dict(zip(names, line, strict=True)) for line in lines]


def names(listed: list[Row]) -> list[str]:
    return [row["Developer"] for row in listed]


def set_policy(policy: IndividualPolicy) -> None:
    Organisation.objects.update(individual_policy=policy)


def test_the_fourteen_columns(teams: Org, sign_in: SignIn) -> None:
    [*listed] = rows(sign_in(MANAGER), unit="platform")
    assert [*listed[0]] == HEADS
    page = sign_in(MANAGER).get(BOARD, {"unit": "platform"}).content.decode()
    heads = re.findall(r'<th scope="col"[^>]*><a href="[^"]*">([^<]+)<', page)
    assert heads == HEADS


def test_the_default_is_the_ai_share_with_few_lines_below(teams: Org, sign_in: SignIn) -> None:
    listed = rows(sign_in(MANAGER), unit="platform")
    assert [(row["Rank"], row["Developer"]) for row in listed[:3]] == [("1", "Hedy"), ("2", "Ada"), ("3", "Radia")]
    assert [row["Rank"] for row in listed[3:]] == [""] * 3
    assert listed[3]["Developer"] == "Katherine"  # 100 % of 60 lines
    assert [float(row["AI Committed Code %"]) for row in listed[:4]] == pytest.approx([100, 55, 0, 100])
    assert [float(row["AI Lines of Code"]) for row in listed[:4]] == [120, 110, 0, 60]
    assert {row["AI Committed Code %"] for row in listed[4:]} == {""}  # nothing committed is no share


def test_the_other_rankings(teams: Org, sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    by_spend = rows(client, unit="platform", rank_by="spend")
    spends = [float(row["Total Spend"]) for row in by_spend]
    assert spends == sorted(spends, reverse=True)
    assert [row["Rank"] for row in by_spend] == ["1", "2", "3", "4", "5", "6"]
    wasted = rows(client, unit="platform", rank_by="wasted")
    assert wasted[0]["Developer"] == "Ada"  # whose second session led to nothing
    equals = [row for row in wasted if float(row["Spend Wastage"]) == 0]
    assert len({row["Rank"] for row in equals if row["AI Lines of Code"] == "0.0"}) <= 1
    assert client.get(BOARD, {"rank_by": "height"}).status_code == 400


@pytest.mark.parametrize(
    "column", ["sessions", "tokens", "session_duration", "error_rate", "spend_per_commit", "ship_rate"]
)
def test_every_column_sorts_both_ways_with_unknown_values_last(teams: Org, sign_in: SignIn, column: str) -> None:
    label = {
        "sessions": "Sessions",
        "tokens": "Tokens Used",
        "session_duration": "Avg Session Duration",
        "error_rate": "Error Rate",
        "spend_per_commit": "Spend/Commit",
        "ship_rate": "Ship Rate",
    }[column]
    client = sign_in(MANAGER)
    for word, reverse in ((column, False), (f"-{column}", True)):
        values = [row[label] for row in rows(client, unit="platform", sort=word)]
        known = [float(value) for value in values if value]
        assert known == sorted(known, reverse=reverse)
        assert [value for value in values if value] == values[: len(known)]
        assert known


def test_sorting_by_name_and_agent(teams: Org, sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    by_name = names(rows(client, unit="platform", sort="developer"))
    assert by_name == sorted(by_name)
    assert names(rows(client, unit="platform", sort="-developer")) == by_name[::-1]
    assert {row["Agent"] for row in rows(client, unit="platform", sort="agent")} == {"Claude Code"}


def test_an_unknown_price_is_unknown_and_not_nothing(teams: Org, sign_in: SignIn) -> None:
    [grace] = rows(sign_in(OTHER_MEMBER), unit="search")
    assert (grace["Total Spend"], grace["Spend Wastage"]) == ("unknown", "0.0")
    page = sign_in(OTHER_MEMBER).get(BOARD, {"unit": "search"}).content.decode()
    assert ">unknown<" in page


@pytest.mark.parametrize("policy", IndividualPolicy)
def test_who_sees_whom(teams: Org, sign_in: SignIn, policy: IndividualPolicy) -> None:
    """The number of rows, and the names of others in them, by policy, role and unit."""
    set_policy(policy)
    team = {"Ada", *(name.capitalize() for name in OTHERS_IN_PLATFORM)}
    shows = {IndividualPolicy.SELF_ONLY: 0, IndividualPolicy.PSEUDONYMS: 5, IndividualPolicy.NAMED: 5}[policy]
    expected: dict[tuple[Persona, str], tuple[int, bool]] = {  # others' rows, and whether one's own is there
        (MEMBER, "platform"): (shows, True),
        (MANAGER, "platform"): (shows + 1 if shows else 0, False),
        (EXECUTIVE, "platform"): (0, False),
        (ADMIN, "platform"): (0, False),
        (EXECUTIVE, ""): (0, False),
        (ADMIN, ""): (0, False),
        (OTHER_MEMBER, "search"): (0, True),  # nobody else of it has anything
        (Persona("lise"), "search"): (1 if policy == IndividualPolicy.NAMED else 0, False),  # one is no group
        (MEMBER, "search"): (-1, False),
        (AUDITOR, ""): (-1, False),
    }
    for (persona, unit), (others, own) in expected.items():
        client = sign_in(persona)
        if others < 0:
            assert client.get(CSV, {"unit": unit} if unit else {}).status_code in (403, 404)
            continue
        labels = names(rows(client, **({"unit": unit} if unit else {})))
        mine = persona.name.capitalize()
        assert (mine in labels) == own, (persona, unit, labels)
        foreign = [name for name in labels if name != mine]
        assert len(foreign) == others, (persona, unit, labels)
        if policy == IndividualPolicy.NAMED:
            assert {*foreign} <= team | {"Grace"}
        else:
            assert all(PSEUDONYM.fullmatch(name) for name in foreign)
            assert len({*foreign}) == len(foreign)


def test_pages_say_what_is_hidden_and_how_large_the_group_is(teams: Org, sign_in: SignIn) -> None:
    set_policy(IndividualPolicy.SELF_ONLY)
    page = sign_in(MEMBER).get(BOARD, {"unit": "platform"}).content.decode()
    assert "individual data is visible only to the person" in page
    assert "6 developers with agent activity" in page
    set_policy(IndividualPolicy.PSEUDONYMS)
    assert "pseudonyms that only you see" in sign_in(MEMBER).get(BOARD, {"unit": "platform"}).content.decode()
    small = sign_in(Persona("lise")).get(BOARD, {"unit": "search"}).content.decode()
    assert "Fewer than 5 people contribute" in small
    assert "developers with agent activity" not in small
    assert "1 developer" not in small


def test_trial_mode_shows_everybody_to_everybody(teams: Org, sign_in: SignIn) -> None:
    Organisation.objects.update(
        individual_policy=IndividualPolicy.SELF_ONLY, protected_since=None, minimum_group_size=99
    )
    for persona in (MEMBER, OTHER_MEMBER, EXECUTIVE, ADMIN):
        assert len(rows(sign_in(persona))) == 7


def test_a_filter_that_few_people_pass_hides_them(teams: Org, sign_in: SignIn) -> None:
    """Their activity would be shown alone, under a pseudonym that is known from the whole list."""
    teams.session(by="ada", on=day_before(6), at="18:00", model="claude-opus-4-1")
    teams.session(by="hedy", on=day_before(6), at="18:00", model="claude-opus-4-1")
    teams.fold()
    set_policy(IndividualPolicy.PSEUDONYMS)
    listed = rows(sign_in(MEMBER), unit="platform", model="claude-opus-4-1")
    assert names(listed) == ["Ada"]
    assert listed[0]["Rank"] == ""  # a rank would tell of the other
    set_policy(IndividualPolicy.NAMED)
    assert {*names(rows(sign_in(MEMBER), unit="platform", model="claude-opus-4-1"))} == {"Ada", "Hedy"}


def test_no_facet_tells_where_a_pseudonym_works(teams: Org, sign_in: SignIn) -> None:
    set_policy(IndividualPolicy.PSEUDONYMS)
    client = sign_in(MEMBER)
    assert rows(client, unit="platform", repository="shop") == rows(client, unit="platform")


def test_a_search_covers_what_is_seen(teams: Org, sign_in: SignIn) -> None:
    client = sign_in(MEMBER)
    assert names(rows(client, unit="platform", q="hed")) == ["Hedy"]
    assert rows(client, unit="platform", q="hed")[0]["Rank"] == "1"  # as in the whole list
    set_policy(IndividualPolicy.PSEUDONYMS)
    for search in ("hed", "Hedy", "hedy@example.com"):
        assert rows(client, unit="platform", q=search) == []
    [other] = {name for name in names(rows(client, unit="platform", q="developer")) if name != "Ada"} and [
        names(rows(client, unit="platform", q="developer"))[0]
    ]
    assert names(rows(client, unit="platform", q=other.lower())) == [other]
    assert names(rows(client, unit="platform", q="ADA")) == ["Ada"]
    assert client.get(BOARD, {"unit": "platform", "q": "<script>" + "x" * 999}).status_code == 200


def test_pseudonyms_are_a_viewers_and_a_quarters(teams: Org, sign_in: SignIn) -> None:
    set_policy(IndividualPolicy.PSEUDONYMS)
    mine = {*names(rows(sign_in(MEMBER), unit="platform"))} - {"Ada"}
    assert mine == {*names(rows(sign_in(MEMBER), unit="platform", sort="-tokens"))} - {"Ada"}
    edith = {*names(rows(sign_in(MANAGER), unit="platform"))}
    assert not mine & edith
    window = {"from": str(day_before(33)), "to": str(day_before(5))}
    with time_machine.travel(datetime.now(UTC) + timedelta(days=100), tick=True):
        later = {*names(rows(sign_in(MEMBER), unit="platform", **window))} - {"Ada"}
    assert len(later) == len(mine)
    assert not mine & later


def test_under_pseudonyms_stands_nothing_that_commits_tell(teams: Org, sign_in: SignIn) -> None:
    exact = {row["Developer"]: row for row in rows(sign_in(MEMBER), unit="platform")}
    set_policy(IndividualPolicy.PSEUDONYMS)
    for ranked_by in ("ai_share", "spend"):
        listed = rows(sign_in(MEMBER), unit="platform", rank_by=ranked_by)
        own = next(row for row in listed if row["Developer"] == "Ada")
        assert {**own, "Rank": ""} == {**exact["Ada"], "Rank": ""}
        for row in listed:
            if row["Developer"] != "Ada":
                named_elsewhere = ("Agent", "AI Committed Code %", "AI Lines of Code", "Spend/Commit")
                assert {row[name] for name in named_elsewhere} == {""}
                assert float(row["Tokens Used"]) % 1000 == 0
        assert all(bool(row["Rank"]) == (ranked_by == "spend") for row in listed)
    page = sign_in(MEMBER).get(BOARD, {"unit": "platform"}).content.decode()
    assert "commits show the same with names" in page


def three_weeks() -> dict[str, str]:
    return {"range": "custom", "from": str(day_before(20)), "to": str(day_before(0))}


@pytest.mark.parametrize(
    ("params", "why"),
    [
        (three_weeks, "Choose a longer window"),
        (lambda: {"agent": "claude_code"}, "with a filter or a split"),
        (lambda: {"where": "role=lead"}, "with a filter or a split"),
    ],
)
def test_what_would_single_out_a_pseudonym_lists_nobody_else(
    teams: Org, sign_in: SignIn, params: Callable[[], dict[str, str]], why: str
) -> None:
    set_policy(IndividualPolicy.PSEUDONYMS)
    Organisation.objects.update(minimum_group_size=2)
    org_says_role_of_everybody(teams)
    assert {*names(rows(sign_in(MEMBER), unit="platform", **params()))} <= {"Ada"}
    assert why in sign_in(MEMBER).get(BOARD, {"unit": "platform", **params()}).content.decode()


def org_says_role_of_everybody(org: Org) -> None:
    everybody = ("ada", *OTHERS_IN_PLATFORM)
    org.people(*({"full_name": name.title(), "email": f"{name}@example.com", "role": "lead"} for name in everybody))


def test_pages_have_the_rows_of_the_csv(teams: Org, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insights.pages.ai.leaderboard.PAGE_SIZE", 4)
    client = sign_in(MANAGER)
    labels: list[str] = []
    for page in ("1", "2"):
        text = client.get(BOARD, {"unit": "platform", "page": page}).content.decode()
        labels += re.findall(r'<th scope="row" class="stick">([^<]+?)\s*<', text)
    assert labels == names(rows(client, unit="platform"))
    assert "1–4 of 6" in client.get(BOARD, {"unit": "platform"}).content.decode()
    assert client.get(BOARD, {"page": "0"}).status_code == 400


def test_ones_own_cells_lead_to_their_rows(teams: Org, sign_in: SignIn) -> None:
    client = sign_in(MEMBER)
    page = client.get(BOARD, {"unit": "platform"}).content.decode()
    links = re.findall(r'href="(/insights/metrics/[^"]+/rows/[^"]+)" data-panel="Rows of your', page)
    assert len(links) >= 8
    for link in links:
        answer = client.get(link.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert "Hedy" not in answer.content.decode()


def test_the_section_of_the_ai_page(teams: Org, sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    page = client.get("/insights/ai/developers/", {"unit": "platform"}).content.decode()
    assert 'id="leaderboard"' in page
    part = client.get("/insights/ai/parts/leaderboard/", {"unit": "platform", "rank_by": "spend"})
    assert 'href="/insights/ai/leaderboard/?' in part.content.decode()
    assert "Ada" in part.content.decode()


@pytest.mark.parametrize("address", [BOARD, "/insights/ai/parts/leaderboard/"])
def test_who_may_see_no_rows_sees_the_units_below_instead(teams: Org, sign_in: SignIn, address: str) -> None:
    client = sign_in(EXECUTIVE)
    page = client.get(address, {"rank_by": "spend"}).content.decode()
    assert "you may see aggregates here" in page
    assert "No rows to show" not in page
    [url] = re.findall(r'hx-get="(/insights/ai/units/[^"]*)"', page)
    units = client.get(url.replace("&amp;", "&")).content.decode()
    assert ">Platform<" in units
    assert 'aria-sort="descending"' in units, "as the developers would be"
    below = client.get(address, {"unit": "platform"}).content.decode()
    assert "No rows to show" in below, "no unit is below it"


def test_a_token_gets_no_row(teams: Org) -> None:
    for user in (None, create_user(MEMBER)):
        _, secret = create_api_token("asks", user=user, expires_at=None)
        for address in (BOARD, CSV):
            assert Client(headers={"Authorization": f"Bearer {secret}"}).get(address).status_code == 302


def test_a_response_asks_few_queries(teams: Org, sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    client.get(BOARD, {"unit": "platform"})
    refresh()  # the bar's tiles are read from cells then
    for address in (BOARD, CSV, "/insights/ai/parts/leaderboard/"):
        with CaptureQueriesContext(connection) as queries:
            client.get(address, {"unit": "platform"})
        assert len(queries) <= 15, "\n".join(" ".join(str(query["sql"]).split())[:90] for query in queries)


def test_says_that_few_spend_most_once_both_groups_are_large_enough(
    teams: Org, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    # six people are too few for the rule, and their spend is even
    monkeypatch.setattr("insights.ui.hints.rule_that_holds", lambda key, _figures: get(key).look_for[0])

    def part(persona: Persona) -> str:
        return sign_in(persona).get("/insights/ai/parts/leaderboard/", {"unit": "platform"}).content.decode()

    assert "developers make up" not in part(MANAGER)  # 5 of 6: the other would be alone
    Organisation.objects.update(minimum_group_size=3)
    spend = sorted((float(row["Total Spend"]) for row in rows(sign_in(MANAGER), unit="platform")), reverse=True)
    sentence = f"3 of 6 developers make up {100 * sum(spend[:3]) / sum(spend):.1f}% of the spend"
    assert sentence in part(MANAGER)
    assert sentence in part(EXECUTIVE)  # who sees nobody's row
