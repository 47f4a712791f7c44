"""The search finds what its reader may open, and says nothing of anything else."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.search import LONGEST_TEXT
from insights.pages.found import MOST_VALUES
from integrations.models import PullRequest
from orgtree.access.search_sources import Hit, SearchSource, rank, search_sources
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.programs.objectives import objective
from tests.programs.tickets import ticket
from tests.teams import OTHERS_IN_PLATFORM, create_teams

SEARCH = "/search/"
MOST_STATEMENTS = 11
EVERYBODY = (ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, AUDITOR)

SignIn = Callable[[Persona], Client]


@pytest.fixture(autouse=True)
def _things(org: Org) -> None:
    """Create one thing of Platform and one of Search, of each kind."""
    create_teams()
    for number, author in ((1188, "ada"), (1189, "grace")):
        org.push(
            "pull-requests",
            merged(number, day_before(9), author=author, reviewed=False, title=f"Keep carts of {author}"),
        )
    ticket(MANAGER, title="Flaky checks keep platform waiting")
    ticket(EXECUTIVE, title="Flaky checks keep search waiting", unit="search", owner="grace@example.com")
    objective(MANAGER, title="Checks of platform fail half as often")
    objective(EXECUTIVE, title="Checks of search fail half as often", unit="search")


def found(client: Client, text: str, **context: str) -> dict[str, list[Hit]]:
    """Hits by group, as the palette shows them."""
    answer = client.get(SEARCH, {"q": text, **context}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return {group.name: [shown.hit for shown in group.hits] for group in answer.context["groups"]}


def titles(client: Client, text: str) -> dict[str, list[str]]:
    return {name: [hit.title for hit in hits] for name, hits in found(client, text).items()}


@pytest.mark.parametrize(
    ("text", "group", "title"),
    [
        ("delivery", "Pages", "Delivery"),
        ("dora lead", "Pages", "Delivery"),
        ("who sees", "Pages", "Who sees what"),
        ("lead time", "Pages", "Delivery: Lead time"),
        ("sprints", "Pages", "Planning"),
        ("flow", "Pages", "Planning: Flow"),
        ("wasted", "Metrics", "Spend wasted"),
        ("pr.cycle_time", "Metrics", "Cycle time"),
        ("platf", "Units", "Platform"),
        ("checks platform", "Tickets", "Flaky checks keep platform waiting"),
        ("CHECKS half", "Objectives", "Checks of platform fail half as often"),
        ("1188", "Pull requests", "Keep carts of ada"),
        ("#1188", "Pull requests", "Keep carts of ada"),
        ("katherine", "People", "Katherine"),
        ("minimum group size", "Docs", "Minimum group size"),
    ],
)
def test_words_of_its_title_find_what_is_searched(sign_in: SignIn, text: str, group: str, title: str) -> None:
    assert title in titles(sign_in(MANAGER), text)[group]


def test_the_group_with_the_closest_hit_comes_first(sign_in: SignIn) -> None:
    client = sign_in(EXECUTIVE)
    assert next(iter(titles(client, "platform"))) == "Units"
    assert next(iter(titles(client, "objectives"))) == "Pages"
    assert next(iter(titles(client, "flaky checks"))) == "Tickets"
    assert next(iter(titles(client, "1188"))) == "Pull requests"


def test_a_pull_request_is_found_by_its_repository_and_number(sign_in: SignIn) -> None:
    client, repository = sign_in(EXECUTIVE), PullRequest.objects.get(number=1188).repository.name
    for text in (f"{repository} 1188", f"{repository}#1188", f"1188 {repository[:3]}"):
        assert titles(client, text)["Pull requests"] == ["Keep carts of ada"], text
    for text in ("1187", "118", "elsewhere 1188", "1188 1189", "99999999999999999999", "2147483648"):
        assert "Pull requests" not in titles(client, text), text


@pytest.mark.parametrize("persona", EVERYBODY, ids=lambda persona: persona.name)
def test_everybody_may_open_what_they_find(sign_in: SignIn, persona: Persona) -> None:
    client = sign_in(persona)
    closed = {}
    for text in ("a", "e", "checks", "platform", "search", "1188", "1189", "example.com", ""):
        answer = client.get(SEARCH, {"q": text}, headers={"HX-Request": "true"})
        for group in answer.context["groups"]:
            for shown in group.hits:
                status = client.get(shown.url).status_code
                # A page without any figure of its reader says so: the auditor's.
                if status != 200 and not (status == 403 and group.name in ("Pages", "Recent units", "Metrics")):
                    closed[shown.url] = status
    assert closed == {}


@pytest.mark.parametrize(
    ("persona", "text", "group"),
    [
        (MEMBER, "grace", "People"),  # of another team
        (MEMBER, "hedy", "People"),  # of the same team: who manages it may open her page
        (MEMBER, "grace@example.com", "People"),
        (MANAGER, "grace", "People"),
        (EXECUTIVE, "ada", "People"),  # sees aggregates only
        (AUDITOR, "ada", "People"),
        (MEMBER, "search", "Units"),
        (MANAGER, "search", "Units"),
        (AUDITOR, "platform", "Units"),
        (MANAGER, "checks search", "Tickets"),
        (MEMBER, "checks search", "Tickets"),
        (MANAGER, "checks search", "Objectives"),
        (OTHER_MEMBER, "checks platform", "Tickets"),
        (OTHER_MEMBER, "checks platform", "Objectives"),
        (MANAGER, "1189", "Pull requests"),
        (MEMBER, "1189", "Pull requests"),
        (OTHER_MEMBER, "1188", "Pull requests"),
    ],
)
def test_nothing_is_found_that_its_page_would_not_show(
    sign_in: SignIn, persona: Persona, text: str, group: str
) -> None:
    assert group not in titles(sign_in(persona), text)


def test_a_hidden_person_reads_like_nobody(sign_in: SignIn) -> None:
    """Not even by the owner of a ticket, or of a pull request, that the reader may see."""
    ticket(MANAGER, title="Reviews wait for days", owner="hedy@example.com")
    client = sign_in(MEMBER)
    known, unknown = (
        client.get(SEARCH, {"q": text}, headers={"HX-Request": "true"}).content.decode().replace(text, "…")
        for text in ("hedy", "xqzw")
    )
    assert known == unknown


def test_one_finds_oneself_and_a_manager_the_team(sign_in: SignIn) -> None:
    assert titles(sign_in(MEMBER), "ada")["People"] == ["Ada"]
    assert titles(sign_in(MANAGER), "hedy@")["People"] == ["Hedy"]
    assert set(titles(sign_in(ADMIN), "grace")["People"]) == {"Grace"}


@pytest.mark.parametrize("persona", [ADMIN, EXECUTIVE, MANAGER, MEMBER], ids=lambda persona: persona.name)
@pytest.mark.parametrize("text", ["", "a", "checks 1188", "one two three four five six seven eight nine ten"])
def test_few_statements_whatever_is_searched(sign_in: SignIn, persona: Persona, text: str) -> None:
    client = sign_in(persona)
    found(client, "warm")
    with CaptureQueriesContext(connection) as statements:
        found(client, text)
    assert len(statements) <= MOST_STATEMENTS, [statement["sql"][:90] for statement in statements]


@pytest.mark.parametrize(
    "text",
    [
        *("%", "_", "%%%", "a%", "\\", "'", '"', "`", "(", "[a-z", "*", "?", "#", "##", "#0", "-1", "…"),
        *("🙂", "👩‍👩‍👧", "مرحبا", "\u202eevil", "ß", "İ", "ﬁ", "０１２", "٣", "½", "\t\n", "  "),
        "x" * 199,
        "x" * 5_000,
        "word " * 500,
    ],
)
def test_any_text_is_answered(sign_in: SignIn, text: str) -> None:
    client = sign_in(MANAGER)
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.get(SEARCH, {"q": text}, headers=headers)
        assert answer.status_code == 200
        assert len(answer.context["text"]) <= LONGEST_TEXT
    for wildcard in ("Tickets", "Objectives", "Units", "People"):
        if text in ("%", "_", "%%%", "a%"):
            assert wildcard not in titles(client, text)


def test_a_nul_is_refused_by_name(sign_in: SignIn) -> None:
    answer = sign_in(MANAGER).get(SEARCH, {"q": "a\0b"})
    assert answer.status_code == 400
    assert "NUL" in answer.content.decode()


def test_what_is_found_is_marked_and_never_runs(sign_in: SignIn) -> None:
    ticket(MANAGER, title="<script>alert(1)</script> checks & balances")
    client = sign_in(MANAGER)
    for text in ("balances", "<script>", "&", "script amp"):
        page = client.get(SEARCH, {"q": text}, headers={"HX-Request": "true"}).content.decode()
        assert "<script" not in page, text
    assert "<mark>balances</mark>" in client.get(SEARCH, {"q": "BALANCES"[:8].lower()}).content.decode()


def test_links_carry_the_context_of_the_page(sign_in: SignIn) -> None:
    client = sign_in(EXECUTIVE)

    def link(text: str, group: str) -> dict[str, list[str]]:
        context = {"unit": "search", "range": "26w", "agent": "cursor", "page": "3"}
        answer = client.get(SEARCH, {"q": text, **context}, headers={"HX-Request": "true"})
        (chosen,) = [shown for of in answer.context["groups"] if of.name == group for shown in of.hits[:1]]
        return parse_qs(urlsplit(chosen.url).query)

    whole = {"unit": ["search"], "range": ["26w"], "agent": ["cursor"]}
    assert link("pr.cycle_time", "Metrics") == whole
    assert link("delivery", "Pages") == whole
    assert link("platform", "Units") == {**whole, "unit": ["platform"]}
    assert link("roadmap", "Pages") == {"unit": ["search"]}
    assert link("flaky", "Tickets") == link("fail half", "Objectives") == link("1188", "Pull requests") == whole


def values(client: Client, text: str, **context: str) -> dict[str, str]:
    """What the elements of the list say when the values have come, by key; and whose they are, as `scope`."""
    answer = client.get(SEARCH, {"q": text, **context}, headers={"HX-Request": "true"})
    places = set(re.findall(r'id="value-of-([^"]+)"></span>', answer.content.decode()))
    later = answer.context["values_url"]
    if not later:
        assert not places
        return {}
    page = client.get(later, headers={"HX-Request": "true"}).content.decode()
    found = dict(re.findall(r'<span data-for="value-of-([^"]+)"[^>]*>([^<]+)', page))
    assert found.keys() <= places
    assert len(found) <= MOST_VALUES
    return {**found, **dict(re.findall(r'data-for="search-(scope)"[^>]*>([^<]+)', page))}


def test_metrics_say_their_value_in_the_readers_unit_and_window(sign_in: SignIn, org: Org) -> None:
    """Platform has six people with a session each in the last weeks, and Ada one before; Search has one."""
    for name in ("ada", *OTHERS_IN_PLATFORM):
        org.session(by=name, on=day_before(6), at="09:00", tokens=1000, minutes=30)
    org.session(by="grace", on=day_before(6), at="09:00", tokens=5000, minutes=30)
    org.session(by="ada", on=day_before(50), at="09:00", tokens=8000, minutes=30)
    org.fold()
    executive, manager, member = sign_in(EXECUTIVE), sign_in(MANAGER), sign_in(MEMBER)
    assert values(manager, "ai.sessions", range="4w")["ai.sessions"] == "6"
    assert values(manager, "ai.sessions", range="12w")["ai.sessions"] == "7"
    assert values(manager, "ai.sessions", range="4w")["scope"].startswith("Platform, ")
    assert values(member, "ai.sessions", unit="platform", range="4w")["ai.sessions"] == "6"
    assert values(executive, "ai.sessions", unit="search", range="4w")["ai.sessions"] == "Hidden"
    hidden = executive.get("/insights/metrics/values/", {"of": "ai.sessions", "unit": "search", "range": "4w"}).content
    assert b"fewer than 5 people contribute" in hidden
    assert values(executive, "dora.lead_time", unit="platform", range="4w")["dora.lead_time"] == "No value"
    assert "ai.sessions" not in values(sign_in(AUDITOR), "ai.sessions"), "who has no figures"
    assert values(manager, "platf") == {}
    assert member.get("/insights/metrics/values/", {"of": "ai.sessions", "unit": "search"}).status_code == 404
    keys = ["ai.spend", "ai.tokens", "nonsense", "pr.size"] * 3
    answer = manager.get("/insights/metrics/values/", {"of": keys})
    assert answer.content.decode().count("value-of-") <= MOST_VALUES


def test_the_values_of_a_handful_are_one_plan(sign_in: SignIn, org: Org) -> None:
    client = sign_in(EXECUTIVE)
    url = "/insights/metrics/values/?of=ai.sessions"
    assert client.get(url).status_code == 200
    counts = []
    for keys in ("", "&of=ai.spend&of=ai.tokens&of=ai.error_rate&of=ai.cache_hit_rate"):
        with CaptureQueriesContext(connection) as statements:
            assert client.get(url + keys).status_code == 200
        counts.append(len(statements))
    assert counts[1] <= counts[0] + 2, counts


def test_without_words_recent_units_and_pages(sign_in: SignIn) -> None:
    client = sign_in(EXECUTIVE)
    assert list(found(client, "")) == ["Pages"]
    assert client.get("/insights/ai/?unit=search&range=4w").status_code == 200
    assert titles(client, "")["Recent units"] == ["Search"]


def test_it_is_a_page_without_a_script(sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    page = client.get("/insights/delivery/?unit=platform&range=26w").content.decode()
    assert 'href="/search/?unit=platform&amp;range=26w" data-palette' in page
    answer = client.get(SEARCH, {"q": "platf", "unit": "platform", "range": "26w"}).content.decode()
    assert 'name="range" value="26w"' in answer
    assert "/insights/ai/?unit=platform&amp;range=26w" in answer
    assert "Nothing matches “xqzw”." in client.get(SEARCH, {"q": "xqzw"}).content.decode()


def test_a_room_adds_a_source_with_one_line(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    source = SearchSource("Findings", 0, "bulb", lambda _access, words, _limit: [Hit(f"Of {words[0]}", "/")])
    monkeypatch.setattr(search_sources, "_registered", [*search_sources, source])
    assert titles(sign_in(MEMBER), "anything")["Findings"] == ["Of anything"]


@pytest.mark.parametrize(
    ("title", "text", "closeness"),
    [
        ("Checkout", "checkout", 0),
        ("Checkout", "check", 1),
        ("The check", "check", 2),
        ("Recheck", "check", 3),
        ("Check of the unit", "unit check", 3),
        ("Unit", "check", 4),
    ],
)
def test_rank(title: str, text: str, closeness: int) -> None:
    assert rank(Hit(title, "/"), text.split()) == closeness
