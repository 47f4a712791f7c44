"""The page of a session and the list of them: what adds up, what is told of it, and who may look."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from insights.engine.plan import Clock
from insights.engine.read import read_totals
from insights.pages.ai.sessions.listing import outcome_of
from insights.query import windows
from insights.query.query import Dimension, Query
from integrations.code.attribution.tasks import attribute_pending
from integrations.models import AgentRequest, AgentSession, AgentToolCall
from integrations.telemetry.sessions.summaries import summaries_of
from integrations.telemetry.sessions.timeline import SessionTimeline
from orgtree.models import IndividualPolicy, MembersSee, Organisation
from tests.org import Org
from tests.pages.delivering import day_before
from tests.pages.recomputed import plain
from tests.pages.test_costs import without_tokens
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.stored_once import StoreOnce
from tests.teams import OTHERS_IN_PLATFORM, create_teams

LIST, LIST_CSV = "/insights/ai/sessions/", "/insights/ai/sessions.csv"
SignIn = Callable[[Persona], Client]

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def teams(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: tell_of_teams(Org(tmp_path_factory.mktemp))) as made:
        yield made


def tell_of_teams(org: Org) -> Org:
    create_teams(IndividualPolicy.NAMED)
    for name in ("ada", *OTHERS_IN_PLATFORM):
        org.session(
            by=name, on=day_before(6), at="09:00", tokens=900, cache_read=300, cache_write=77, output=210, requests=3,
            lines=80, minutes=30, tool_calls={"Edit": 2}, failures={"Bash": 1}, reported_cost=0.5,
        )  # fmt: skip
    org.session(by="grace", on=day_before(6), tokens=50_000, model="homegrown")
    org.session(by="hedy", on=day_before(1), tokens=1)
    org.commit(by="ada", on=day_before(6), at="09:20", lines=30)
    org.commit(by="hedy", on=day_before(6), at="20:00", lines=5)
    org.fold()
    attribute_pending()
    return org


def session_of(name: str) -> AgentSession:
    return AgentSession.objects.filter(identity__person__email=f"{name}@example.com").order_by("started_at")[0]


def address(session: AgentSession) -> str:
    return f"{LIST}{session.pk}/"


def test_what_a_session_came_to(teams: Org, sign_in: SignIn) -> None:
    session = session_of("ada")
    page = plain(sign_in(MEMBER).get(address(session)).content.decode())
    assert "Requests 3" in page
    assert "Tokens 1,487" in page  # 900 + 300 + 77 + 210
    assert "All 3 900 300 77 210 1,487" in page
    assert "Reported by the agent $0.5000" in page
    assert "Tool calls 3, of which 1 failed" in page
    assert "Lines generated 80" in page
    assert "AI lines committed 30" in page
    assert "Bash 0 1 0" in page
    assert "Edit 2 0 0" in page
    assert "Committed 30 lines of it are in 1 counted commit." in page
    assert "prompts and code are never stored" in page


def test_the_timeline_adds_up_to_the_sessions_row(teams: Org) -> None:
    session = session_of("ada")
    happened = SessionTimeline(session).events(first=0, count=1000)
    whole = summaries_of([session.pk])[session.pk].whole
    assert [happening.at for happening in happened] == sorted(happening.at for happening in happened)
    assert sum(sum(happening.tokens) for happening in happened) == whole.tokens == 1487
    assert sum(happening.spend or 0 for happening in happened) == pytest.approx(whole.spend)
    assert sum(happening.what == "request" for happening in happened) == whole.requests == 3
    assert sum(happening.outcome == "failed" for happening in happened) == whole.tool_failures == 1
    assert sum(happening.what == "commit" for happening in happened) == 1
    hours = SessionTimeline(session).hours()
    assert sum(hour.tokens for hour in hours) == whole.tokens
    assert sum(hour.tool_calls for hour in hours) == whole.tool_calls
    [period] = SessionTimeline(session).active_periods()
    assert period.seconds == pytest.approx(session.active_seconds)


def test_what_became_of_a_session_is_what_the_engine_parts_spend_by(teams: Org) -> None:
    query = Query("ai.spend", windows.trailing(12), segments=(Dimension.OUTCOME,))
    settled_before = Clock.read().settled_before
    parted: dict[str, float] = {}
    for session in AgentSession.objects.all():
        spend = summaries_of([session.pk])[session.pk].whole.spend
        if spend:
            key = outcome_of(session, settled_before)
            parted[key] = parted.get(key, 0.0) + spend
    [answer] = read_totals([query])
    by_outcome = {figure.segment["outcome"]: figure.value for figure in answer.total if figure.value}
    assert parted == pytest.approx(by_outcome)
    assert {*parted} == {"committed", "pending", "unknown", "wasted"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hedy", "Wasted No counted commit contains its lines 72 hours after it ended"),
        ("radia", "Unknown No commit contains its lines, and no connected repository has a commit"),
    ],
)
def test_why_a_session_is_waste_or_unknown(teams: Org, sign_in: SignIn, name: str, reason: str) -> None:
    assert reason in plain(sign_in(Persona(name)).get(address(session_of(name))).content.decode())


def test_a_pending_session_says_when_it_is_judged(teams: Org, sign_in: SignIn) -> None:
    session = AgentSession.objects.filter(identity__person__email="hedy@example.com").latest("started_at")
    page = plain(sign_in(Persona("hedy")).get(address(session)).content.decode())
    assert "Pending It ended less than 72 hours ago" in page


def test_an_unknown_price_is_said(teams: Org, sign_in: SignIn) -> None:
    page = plain(sign_in(OTHER_MEMBER).get(address(session_of("grace"))).content.decode())
    assert "unknown: its models have no price" in page
    assert "price unknown" in page


@pytest.mark.parametrize("policy", IndividualPolicy)
def test_who_may_open_a_session(teams: Org, sign_in: SignIn, policy: IndividualPolicy) -> None:
    """One's own always; others' where the policy names people, to members and managers of a unit that they were in."""
    Organisation.objects.update(individual_policy=policy)
    named = policy == IndividualPolicy.NAMED
    adas, graces = session_of("ada"), session_of("grace")
    expected = {
        (MEMBER, adas): True,
        (Persona("hedy"), adas): named,
        (MANAGER, adas): named,
        (OTHER_MEMBER, adas): False,
        (EXECUTIVE, adas): False,
        (AUDITOR, adas): False,
        (ADMIN, adas): False,
        (OTHER_MEMBER, graces): True,
        (Persona("lise"), graces): named,
        (MANAGER, graces): False,
    }
    for (persona, session), allowed in expected.items():
        assert sign_in(persona).get(address(session)).status_code == (200 if allowed else 404), (persona, policy)
    assert Client().get(address(adas)).status_code == 302


@pytest.mark.parametrize("policy", IndividualPolicy)
def test_whoever_sees_every_unit_opens_others_sessions_where_the_policy_names_people(
    teams: Org, sign_in: SignIn, policy: IndividualPolicy
) -> None:
    Organisation.objects.update(individual_policy=policy, members_see=MembersSee.EVERYTHING)
    expected = 200 if policy == IndividualPolicy.NAMED else 404
    assert sign_in(OTHER_MEMBER).get(address(session_of("ada"))).status_code == expected


def test_in_trial_mode_everybody_opens_everything(teams: Org, sign_in: SignIn) -> None:
    Organisation.objects.update(
        individual_policy=IndividualPolicy.SELF_ONLY, protected_since=None, minimum_group_size=99
    )
    assert sign_in(OTHER_MEMBER).get(address(session_of("ada"))).status_code == 200


def test_what_is_not_there_and_what_may_not_be_seen_are_one_answer(teams: Org, sign_in: SignIn) -> None:
    client = sign_in(OTHER_MEMBER)
    hidden = client.get(address(session_of("ada")))
    assert hidden.status_code == 404
    for number in (4711, 2**63, 10**30):
        assert without_tokens(client.get(f"{LIST}{number}/").content) == without_tokens(hidden.content)


def rows(client: Client, **query: str) -> list[dict[str, str]]:
    text = client.get(LIST_CSV, query).getvalue().decode("utf-8-sig")
    return [*csv.DictReader(io.StringIO(text))]


def test_the_list_is_ones_own_and_others_as_the_policy_shows_them(teams: Org, sign_in: SignIn) -> None:
    named = rows(sign_in(MEMBER), unit="platform")
    assert len(named) == 7
    assert {row["Developer"] for row in named} >= {"Ada", "Hedy"}
    Organisation.objects.update(individual_policy=IndividualPolicy.PSEUDONYMS)
    assert {row["Developer"] for row in rows(sign_in(MEMBER), unit="platform")} == {"Ada"}
    assert "when somebody behind a pseudonym was at work" in (
        sign_in(MANAGER).get(LIST, {"unit": "platform"}).content.decode()
    )
    page = sign_in(MEMBER).get(LIST, {"unit": "platform"}).content.decode()
    assert re.findall(r'<a href="/insights/ai/sessions/(\d+)/"', page) == [str(session_of("ada").pk)]
    Organisation.objects.update(individual_policy=IndividualPolicy.SELF_ONLY)
    assert {row["Developer"] for row in rows(sign_in(MEMBER), unit="platform")} == {"Ada"}
    assert rows(sign_in(EXECUTIVE)) == rows(sign_in(ADMIN)) == []
    Organisation.objects.update(individual_policy=IndividualPolicy.PSEUDONYMS)
    assert rows(sign_in(Persona("lise")), unit="search") == []  # one is no group


def test_the_list_adds_up_to_the_figures(teams: Org, sign_in: SignIn) -> None:
    listed = rows(sign_in(MANAGER), unit="platform")
    queries = [Query(key, windows.trailing(12)) for key in ("ai.tokens", "ai.tool_failures")]
    graces = summaries_of([session_of("grace").pk])[session_of("grace").pk].whole
    tokens, failures = (answer.total[0].value for answer in read_totals(queries))
    assert sum(int(row["Tokens"]) for row in listed) + graces.tokens == tokens
    assert sum(int(row["Failed"]) for row in listed) == failures


def test_rows_of_sessions_lead_to_their_pages(teams: Org, sign_in: SignIn) -> None:
    client = sign_in(MEMBER)
    for headers in ({}, {"HX-Request": "true"}):
        page = client.get("/insights/metrics/ai.spend/rows/", {"unit": "platform"}, headers=headers).content.decode()
        assert f'<a href="{address(session_of("ada"))}">' in page
    Organisation.objects.update(individual_policy=IndividualPolicy.PSEUDONYMS)
    page = client.get("/insights/metrics/ai.spend/rows/", {"unit": "platform"}).content.decode()
    assert "/insights/ai/sessions/" not in page
    own = client.get("/insights/metrics/ai.spend/rows/", {"unit": "platform", "person": "me"}).content.decode()
    assert f'<a href="{address(session_of("ada"))}">' in own


def test_a_huge_session_is_shown_by_the_hour(teams: Org, sign_in: SignIn) -> None:
    """A hundred thousand requests in three hours, and a tool call beside: nothing is listed whole."""
    session = session_of("ada")
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_agentrequest
                (session_id, key, at, model, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens)
            SELECT %s, 'huge-' || number, %s + number * interval '0.1 seconds', 'claude-opus-4-1', 1, 2, 3, 4
            FROM generate_series(0, 99999) AS number
            """,
            [session.pk, start],
        )
    AgentToolCall.objects.create(
        session=session, key="huge", at=start, tool="Bash", outcome="failed", error_type="exit 1"
    )
    client = sign_in(MEMBER)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address(session))
    page = answer.content.decode()
    assert len(page) < 60_000
    assert len(queries) <= 15
    assert "100,008 events, too many for one list" in page  # with three requests, three calls and a commit of hers
    hours = [url.replace("&amp;", "&") for url in re.findall(r'href="([^"]+hour=[^"]+)#timeline"', page)]
    assert len(hours) == 4
    first = plain(client.get(hours[0]).content.decode())
    assert "1–200 of 36,001" in first
    assert "Bash failed: exit 1" in first
    second = plain(client.get(f"{hours[0]}&page=2").content.decode())
    assert "201–400 of 36,001" in second
    assert AgentRequest.objects.filter(session=session).count() == 100_003


@pytest.mark.parametrize(
    "query", ["hour=noon", "hour=2026-01-05T09:00:00", "hour=0001-01-01T00:00:00%2B00:00", "page=0"]
)
def test_an_address_that_cannot_be_read_is_explained(teams: Org, sign_in: SignIn, query: str) -> None:
    answer = sign_in(MEMBER).get(f"{address(session_of('ada'))}?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.content.decode()
