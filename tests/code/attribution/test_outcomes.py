"""Outcomes of sessions, and their relations."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from integrations.facts.ai import AGENT_SESSION_DAYS, AGENT_SESSIONS
from integrations.facts.outcomes import AGENT_SPEND_SHARES
from integrations.models import AgentSession, FactChange
from tests.code.attribution.world import attribute, commit, day_of, identity, note, rows_of, session, trailer
from tests.orgtree.identity_world import assign_identities

pytestmark = pytest.mark.django_db


def outcomes() -> dict[str, tuple[bool, bool]]:
    """Session → (committed, covered)."""
    return {run.external_id: (run.committed, run.covered) for run in AgentSession.objects.all()}


def changes() -> set[tuple[str, Any]]:
    days = {(change.family, change.day_from) for change in FactChange.objects.all()}
    FactChange.objects.all().delete()
    return days


def test_a_session_with_a_commit_is_committed_and_its_neighbour_is_not() -> None:
    session("with", "10:00", "11:00")
    session("without", "10:00", "11:00", day=5)
    session("of ben, who never commits", "10:00", "11:00", by="ben@example.com")
    commit("c", "10:30", {"a.py": 10})
    attribute()
    assert outcomes() == {
        "with": (True, True),
        "without": (False, True),
        "of ben, who never commits": (False, False),
    }


@pytest.mark.parametrize(("day", "covered"), [(365, True), (-365, True), (367, False), (-367, False)])
def test_a_commit_covers_the_sessions_within_a_year(day: int, covered: bool) -> None:
    session("s", "10:00", "11:00")
    commit("c", "10:30", {"a.py": 10}, day=day)
    attribute()
    assert outcomes() == {"s": (False, covered)}


def test_connecting_a_repository_covers_the_sessions_of_its_authors_and_announces_their_days() -> None:
    session("s", "10:00", "11:00", day=3)
    attribute()
    changes()
    commit("c", "10:30", {"a.py": 10}, day=10)
    attribute()
    assert outcomes() == {"s": (False, True)}
    assert changes() == {("ai", day_of(3)), ("code", day_of(10))}


def test_what_is_derived_again_without_a_change_announces_nothing_of_sessions() -> None:
    session("s", "10:00", "11:00")
    commit("c", "10:30", {"a.py": 10})
    attribute()
    changes()
    session("s", "10:00", "11:00")
    attribute()
    assert changes() == set()


def test_a_commit_that_is_gone_neither_commits_nor_covers() -> None:
    session("s", "10:00", "11:00")
    commit("c", "10:30", {"a.py": 10})
    attribute()
    commit("c", "10:30", {"a.py": 10}, exclusion_reason="gone")
    attribute()
    assert outcomes() == {"s": (False, False)}


def test_an_identity_that_moves_takes_its_commits_and_sessions_along() -> None:
    session("s", "10:00", "11:00", by="ada@example.com")
    commit("c", "10:30", {"a.py": 10}, by="ada@home.example.com")
    attribute()
    assert outcomes() == {"s": (False, False)}
    ada = identity("ada@example.com").person
    assign_identities([identity("ada@home.example.com")], ada)
    attribute()
    assert outcomes() == {"s": (True, True)}
    assign_identities([identity("ada@home.example.com")], None)
    attribute()
    assert outcomes() == {"s": (False, False)}


def test_the_relations_of_sessions_say_it() -> None:
    session("s", "10:00", "11:00")
    commit("c", "10:30", {"a.py": 10})
    attribute()
    for relation in (AGENT_SESSIONS, AGENT_SESSION_DAYS, AGENT_SPEND_SHARES):
        assert {(row["committed"], row["covered"]) for row in rows_of(relation)} == {(True, True)}


def test_spend_is_split_by_lines_over_repositories() -> None:
    """20 lines in shop and 10 in site of a session that cost 1 for 1,000 tokens: two thirds and the rest."""
    session("s", "10:00", "11:00", spend="1")
    session("elsewhere", "10:00", "11:00", day=9, spend="0.5")
    commit("one", "10:10", {"a.py": 10}, inside="shop")
    commit("two", "10:20", {"b.py": 10}, inside="shop")
    commit("three", "10:30", {"c.py": 10}, inside="site")
    attribute()
    spend = {row["repository"]: (row["spend"], row["tokens"]) for row in rows_of(AGENT_SPEND_SHARES)}
    assert spend == {
        "shop": (Decimal("0.6666666667"), 666),
        "site": (Decimal("0.3333333333"), 334),
        "": (Decimal("0.5"), 1000),
    }


@pytest.mark.parametrize("spend", ["0.0000000001", "1", "3.1415926535", "9999999999"])
def test_the_split_sums_to_the_spend(spend: str) -> None:
    session("s", "10:00", "11:00", spend=spend)
    for number, name in enumerate(["shop", "site", "tools"]):
        commit(name, f"10:1{number}", {"a.py": 3 + number}, inside=name)
    attribute()
    rows = rows_of(AGENT_SPEND_SHARES)
    sums: dict[int, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row["session_id"]] += row["spend"]
    assert list(sums.values()) == [Decimal(spend)]
    assert sum(row["tokens"] for row in rows) == 1000


def test_generated_beside_committed_lines() -> None:
    """known: 40 of 100 committed; wasted 30; Codex reports no lines but signed; Ben's commits nobody knows."""
    session("known", "10:00", "11:00", lines=100)
    note(commit("one", "10:10", {"a.py": 90}), {"a.py": 40}, session="known")
    session("wasted", "10:00", "11:00", day=4, lines=30)
    session("codex", "10:00", "11:00", day=6, lines=0, agent="codex")
    trailer(commit("two", "10:10", {"b.py": 7}, day=6), "codex")
    session("unknown", "10:00", "11:00", lines=50, by="ben@example.com")
    attribute()
    names = dict(AgentSession.objects.values_list("pk", "external_id"))
    lines = {
        names[row["session_id"]]: (row["lines_generated"], row["lines_shipped"]) for row in rows_of(AGENT_SESSIONS)
    }
    assert lines == {"known": (100, 40), "wasted": (30, 0), "codex": (0, 0), "unknown": (50, 0)}
    committed = dict(AgentSession.objects.values_list("external_id", "lines_committed"))
    assert committed == {"known": 40, "wasted": 0, "codex": 7, "unknown": 0}
