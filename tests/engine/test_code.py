"""Committed code and what agents wrote of it: figures that can be checked by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from insights.columns.refresh import refresh
from insights.engine.contributions import read_rows
from insights.engine.read import read_series
from insights.privacy.visible import visible_rows
from insights.query.query import Answer, Dimension, Granularity, MetricValue, Query, Window
from integrations.code.attribution.evidence import Evidence, append_evidence, withdraw_evidence
from integrations.models import (
    AgentSession,
    AgentSessionDay,
    Commit,
    CommitEvidence,
    Enrolment,
    EvidenceLevel,
    Method,
    Repository,
    SessionShare,
)
from orgtree.access.access import access_of
from orgtree.models import Identity, IndividualPolicy, Organisation, Person
from tests.engine.code_facts import FileFacts, Share, email_identity, store_commit, store_context_file

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
WEEK = Window(date(2026, 3, 2), date(2026, 3, 9))
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as travelling:
        yield travelling


@pytest.fixture
def ada() -> Identity:
    return _person("ada")


@pytest.fixture
def _two_commits(ada: Identity) -> None:
    """300 lines, of which claude_code wrote 60 by its lines and at most 90 by its trailer, codex at most 30."""
    store_commit(
        ada,
        MONDAY,
        [
            FileFacts(100, "Python", "code", "a.py", [Share("claude_code", 60, "note", model="opus")]),
            FileFacts(500, "JSON", "other", "lock.json", exclusion_reason="lock"),
        ],
    )
    store_commit(
        ada,
        TUESDAY,
        [
            FileFacts(120, "Python", "test", "b.py", [Share("claude_code", 90), Share("codex", 30)]),
            FileFacts(80, "Markdown", "documentation", "c.md"),
        ],
        inside="site",
    )


def _person(name: str) -> Identity:
    person = Person.objects.create(full_name=name.title(), email=f"{name}@example.com")
    identity = email_identity(f"{name}@example.com")
    Identity.objects.filter(pk=identity.pk).update(person=person)
    identity.refresh_from_db()
    return identity


def _series(key: str, *segments: Dimension, window: Window = WEEK, facets: Mapping[str, str] | None = None) -> Answer:
    picked = {Dimension(name): (value,) for name, value in (facets or {}).items()}
    return read_series([Query(key, window, segments=segments, facets=picked)])[0]


def _figure(key: str, **facets: str) -> MetricValue:
    [figure] = _series(key, facets=facets).total
    return figure


def _by(key: str, dimension: Dimension, **facets: str) -> dict[str, float | None]:
    return {figure.segment[dimension.value]: figure.value for figure in _series(key, dimension, facets=facets).total}


def _session(
    by: Identity, day: date, spend: str, lines: int, *, shipped: dict[str, int] | None = None, covered: bool = True
) -> AgentSession:
    at = datetime.combine(day, datetime.min.time(), UTC).replace(hour=10)
    Enrolment.objects.get_or_create(identity=by, defaults={"first_at": at})
    session = AgentSession.objects.create(
        agent="claude_code",
        external_id=f"s{AgentSession.objects.count()}",
        identity=by,
        started_at=at,
        ended_at=at,
        started_on=day,
        has_work=True,
        lines_added=lines,
        committed=bool(shipped),
        lines_committed=sum((shipped or {}).values()),
        covered=covered,
    )
    AgentSessionDay.objects.create(
        session=session,
        identity=by,
        agent="claude_code",
        source=AgentSessionDay.Source.EVENTS,
        counted=True,
        day=day,
        model="opus",
        input_tokens=1000,
        spend=Decimal(spend),
        lines_added=lines,
    )
    before = 0
    for name, share in (shipped or {}).items():
        home, _ = Repository.objects.get_or_create(name=name)
        SessionShare.objects.create(
            session=session,
            repository=home,
            lines=share,
            lines_before=before,
            lines_of_session=sum((shipped or {}).values()),
        )
        before += share
    return session


@pytest.mark.usefixtures("_two_commits")
def test_the_share_is_ai_lines_over_all_lines_without_lock_files() -> None:
    share = _figure("ai.committed_code_share")
    assert (share.value, share.numerator, share.denominator) == (60.0, 180, 300)
    assert (share.sample_size, share.people) == (2, 1)
    assert _figure("commit.count").value == 2
    assert _figure("commit.lines").value == 300
    assert _figure("ai.lines_committed").value == 180


@pytest.mark.usefixtures("_two_commits")
def test_a_figure_on_attribution_has_its_range_and_its_mix() -> None:
    share = _figure("ai.committed_code_share")
    assert (share.low, share.high) == (20.0, 60.0)
    assert share.mix == {"note": pytest.approx(1 / 3), "trailer": pytest.approx(2 / 3)}
    certain = _figure("ai.lines_committed", method="note")
    assert (certain.value, certain.low, certain.high, certain.mix) == (60, 60, 60, {"note": 1.0})
    assert _figure("commit.lines").low is None
    refresh()
    assert _figure("ai.committed_code_share") == share


@pytest.mark.usefixtures("_two_commits")
def test_agents_and_what_is_of_none_sum_to_a_hundred() -> None:
    assert _by("ai.committed_code_share", Dimension.AGENT) == {"claude_code": 50.0, "codex": 10.0}
    nobodys = 300 - (_figure("ai.lines_committed").value or 0)
    assert 50.0 + 10.0 + nobodys / 300 * 100 == 100
    assert _figure("ai.committed_code_share", agent="codex").value == 10.0
    assert _by("ai.lines_committed", Dimension.AGENT) == {"claude_code": 150, "codex": 30}


@pytest.mark.usefixtures("_two_commits")
def test_commits_are_split_by_whether_an_agent_had_a_part(ada: Identity) -> None:
    store_commit(ada, TUESDAY, [FileFacts(10, "Python", "code", "d.py")])
    store_commit(_person("ben"), TUESDAY, [FileFacts(10, "Python", "code", "e.py")])
    assert _by("commit.count", Dimension.ASSISTANCE) == {"AI": 2, "Non-AI": 2}
    assert _by("commit.frequency", Dimension.ASSISTANCE) == {"AI": 1, "Non-AI": 1}  # of two developers, in one week
    assert _figure("commit.frequency", assistance="AI").value == 1


def test_a_commit_without_known_lines_is_of_an_agent_while_evidence_of_it_stands(ada: Identity) -> None:
    unread = store_commit(ada, MONDAY, [])
    Commit.objects.filter(sha=unread.sha).update(lines_known=False)
    assert _by("commit.count", Dimension.ASSISTANCE) == {"Non-AI": 1}
    trailer = Evidence(Method.TRAILER, EvidenceLevel.COMMIT, "claude_code", 0.9)
    append_evidence([(Commit.objects.get(sha=unread.sha).pk, trailer)])
    assert _by("commit.count", Dimension.ASSISTANCE) == {"AI": 1}
    withdraw_evidence(CommitEvidence.objects.values_list("pk", flat=True))
    assert _by("commit.count", Dimension.ASSISTANCE) == {"Non-AI": 1}


@pytest.mark.usefixtures("_two_commits")
def test_repositories_and_languages_split_both_sides() -> None:
    assert _by("ai.committed_code_share", Dimension.REPOSITORY) == {"shop": 60.0, "site": 60.0}
    assert _by("ai.committed_code_share", Dimension.LANGUAGE) == {"Markdown": 0.0, "Python": pytest.approx(18000 / 220)}
    assert _by("commit.count", Dimension.REPOSITORY) == {"shop": 1, "site": 1}
    assert _figure("ai.committed_code_share", file_type="test").value == 100.0
    assert _figure("ai.committed_code_share", language="Python", agent="codex").value == pytest.approx(3000 / 220)


@pytest.mark.usefixtures("_two_commits")
@pytest.mark.parametrize("dimension", [Dimension.LANGUAGE, Dimension.FILE_TYPE, Dimension.AGENT, Dimension.REPOSITORY])
def test_a_breakdown_sums_to_a_hundred(dimension: Dimension) -> None:
    parts = _by("ai.committed_breakdown", dimension)
    assert sum(value or 0 for value in parts.values()) == pytest.approx(100)
    of_codex = _by("ai.committed_breakdown", dimension, agent="codex")
    assert sum(value or 0 for value in of_codex.values()) == pytest.approx(100)


@pytest.mark.usefixtures("_two_commits")
def test_a_breakdown_is_by_language_by_default() -> None:
    assert [(figure.segment, figure.value) for figure in _series("ai.committed_breakdown").total] == [
        ({"language": "Python"}, 100.0)
    ]
    assert _by("ai.committed_breakdown", Dimension.FILE_TYPE) == {
        "code": pytest.approx(100 / 3),
        "test": pytest.approx(200 / 3),
    }


def test_weeks_sum_to_the_window(ada: Identity) -> None:
    for day, added in ((MONDAY, 10), (date(2026, 3, 8), 20), (date(2026, 3, 9), 40)):
        store_commit(ada, day, [FileFacts(added, shares=[Share("codex", added // 2)])])
    two_weeks = Window(MONDAY, date(2026, 3, 16))
    answer = _series("ai.lines_committed", window=two_weeks)
    assert [figure.value for figure in answer.series] == [15, 20]
    assert answer.total[0].value == 35
    assert [figure.value for figure in _series("ai.committed_code_share", window=two_weeks).series] == [50, 50]


def test_without_a_repository_there_is_no_data_and_with_one_nothing_is_zero(ada: Identity) -> None:
    lines = _figure("ai.lines_committed")
    assert lines.value is None
    assert "No repository is connected yet" in (lines.reason or "")
    store_commit(ada, TUESDAY, [FileFacts(10)])
    assert _figure("ai.lines_committed").value == 0
    assert _figure("ai.committed_code_share").value == 0
    before = Window(date(2026, 2, 23), MONDAY)
    [figure] = _series("commit.count", window=before).total
    assert (figure.value, figure.reason) == (None, "The connected repositories have no commits from this time.")


def test_spend_has_four_states_and_follows_the_lines_into_repositories(ada: Identity) -> None:
    store_commit(ada, MONDAY, [FileFacts(40, shares=[Share("claude_code", 40)])])
    _session(ada, MONDAY, "8", 100, shipped={"shop": 30, "site": 10})
    _session(ada, MONDAY, "4", 50)
    _session(ada, MONDAY, "2", 10, covered=False)
    window = Window(MONDAY, date(2026, 3, 19))
    _session(ada, date(2026, 3, 17), "1", 20)
    [spend] = _series("ai.spend", window=window).total
    assert spend.value == 15
    outcomes = _series("ai.spend", Dimension.OUTCOME, window=window).total
    assert {figure.segment["outcome"]: figure.value for figure in outcomes} == {
        "committed": 8,
        "wasted": 4,
        "pending": 1,
        "unknown": 2,
    }
    assert _series("ai.spend_committed", window=window).total[0].value == 8
    assert _series("ai.spend_wasted", window=window).total[0].value == 4
    assert _by("ai.spend", Dimension.REPOSITORY) == {"shop": 6, "site": 2, "unknown": 6}
    assert _figure("ai.spend_committed", repository="site").value == 2
    per_commit = _figure("ai.spend_per_commit")
    assert (per_commit.value, per_commit.numerator, per_commit.denominator) == (14, 14, 1)
    ship = _series("ai.ship_rate", window=window).total[0]
    assert (ship.numerator, ship.denominator) == (40, 150)
    left_out = _series("ai.ship_rate_left_out", window=window).total[0]
    assert (left_out.numerator, left_out.denominator) == (30, 180)


def test_a_ship_rate_is_never_clipped(ada: Identity) -> None:
    _session(ada, MONDAY, "1", 10, shipped={"shop": 25})
    _session(ada, MONDAY, "1", 0, shipped={"shop": 100})  # its agent reports no lines
    assert _figure("ai.ship_rate").value == 250.0


def test_pending_spend_is_judged_without_a_recompute(ada: Identity, clock: time_machine.Traveller) -> None:
    day = date(2026, 3, 16)
    store_commit(ada, day, [FileFacts(1)])
    _session(ada, day, "4", 50)  # ended at 10:00: settles on the 19th
    query = Query("ai.spend_wasted", Window(day, date(2026, 3, 17)), Granularity.DAY)
    refresh()
    assert read_series([query])[0].total[0].value == 0
    clock.move_to(datetime(2026, 3, 19, 10, 30, tzinfo=UTC))
    assert read_series([query])[0].total[0].value == 4
    refresh()
    assert read_series([query])[0].total[0].value == 4


def test_repositories_are_enabled_by_a_context_file_at_the_end(ada: Identity) -> None:
    for name in ("shop", "site", "tools"):
        store_commit(ada, MONDAY, [FileFacts(5, shares=[Share("codex", 5)])], inside=name)
    store_commit(_person("bob"), TUESDAY, [FileFacts(5, shares=[Share("codex", 5)])], inside="shop")
    store_commit(ada, MONDAY, [FileFacts(5)], inside="idle")  # no agent
    store_context_file("shop", date(2026, 3, 8))
    store_context_file("shop", date(2026, 3, 1), date(2026, 3, 5), path="CLAUDE.md")
    store_context_file("site", date(2026, 3, 1), date(2026, 3, 8))  # removed before the end
    store_context_file("idle", date(2026, 3, 1))
    enabled = _figure("ai.enabled_repositories")
    assert enabled.value == pytest.approx(100 / 3)
    assert (enabled.numerator, enabled.denominator) == (1, 3)
    assert (enabled.sample_size, enabled.people) == (3, 2)
    rows = read_rows(Query("ai.enabled_repositories", WEEK)).rows
    assert [(row["repository"], row["contribution"]) for row in rows] == [("site", 0), ("tools", 0), ("shop", 1)]
    refresh()
    assert _figure("ai.enabled_repositories") == enabled


@pytest.mark.usefixtures("_two_commits")
def test_rows_are_files_of_commits_with_what_agents_wrote_in_them() -> None:
    page = read_rows(Query("ai.committed_code_share", WEEK))
    rows = {row["path"]: (row["contribution"], row["denominator"], row["agent"], row["method"]) for row in page.rows}
    assert rows == {
        "a.py": (60, 100, "claude_code", "note"),
        "b.py": (120, 120, "claude_code, codex", "trailer"),
        "c.md": (0, 80, None, None),
    }
    assert {row["repository"] for row in page.rows} == {"shop", "site"}
    lines = read_rows(Query("ai.lines_committed", WEEK)).rows
    assert sorted((row["path"], row["agent"], row["lines_added"], row["contribution"]) for row in lines) == [
        ("a.py", "claude_code", 100, 60),
        ("b.py", "claude_code", 120, 90),
        ("b.py", "codex", 120, 30),
    ]
    assert not read_rows(Query("ai.spend_per_commit", WEEK)).rows, "no telemetry says what they cost"


@pytest.mark.usefixtures("_two_commits")
def test_commits_are_shown_as_their_tools_do_and_attribution_as_the_policy_allows() -> None:
    Organisation.objects.update_or_create(
        pk=1,
        defaults={
            "individual_policy": IndividualPolicy.PSEUDONYMS,
            "minimum_group_size": 1,
            "protected_since": NOW,
        },
    )
    stranger = User.objects.create_user("stranger")
    for row in visible_rows(Query("commit.count", WEEK), access_of(stranger)).rows:
        assert row["person"] == "Ada"
        assert row["sha"]
        assert row["subject"] == "Sell more"
    for key in ("ai.lines_committed", "ai.committed_code_share", "ai.committed_breakdown", "ai.spend_per_commit"):
        for row in visible_rows(Query(key, WEEK), access_of(stranger)).rows:
            assert row["person"] != "Ada"
            assert not any(row.get(name) for name in ("fact_id", "sha", "subject", "path", "repository")), key
    own = User.objects.create_user("me", "ada@example.com")
    assert all(row["path"] for row in visible_rows(Query("ai.lines_committed", WEEK), access_of(own)).rows)


@pytest.mark.usefixtures("_two_commits")
def test_the_api_adds_range_and_evidence_only_where_they_exist() -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("reader"))
    address = "/api/v1/metrics/{}/series/?from=2026-03-02&to=2026-03-09"
    [share] = browser.get(address.format("ai.committed_code_share")).json()["total"]
    assert share["range"] == {"low": 20.0, "high": 60.0}
    assert share["evidence"] == {"note": pytest.approx(1 / 3), "trailer": pytest.approx(2 / 3)}
    [count] = browser.get(address.format("commit.count")).json()["total"]
    assert "range" not in count
    assert "evidence" not in count
