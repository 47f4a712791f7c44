"""Commits that an agent signed, and for which nobody asked: work of whoever owns their home on their day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.models import QuerySet

from insights.engine.contributions import AUTONOMOUS_AGENTS, read_rows
from insights.engine.read import read_totals
from insights.query import windows
from insights.query.query import MetricValue, Query, Scope, Window
from integrations.code.commits.listing import commits_of, visible_commits
from integrations.code.git.line_history import sync_line_histories
from integrations.models import Commit
from orgtree.access.access import access_of
from orgtree.identities.activity import activity_of_everybody
from orgtree.models import IndividualPolicy, Unit
from orgtree.trees.people_filter import PeopleFilter
from tests.code.git.repositories import ADA, Repo, lines
from tests.code.git.tables import sync
from tests.columns.forgotten import forgotten_by_refresh
from tests.org import Org
from tests.personas import EXECUTIVE, create_user

AGENT = "copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>"
LONG_AGO = 41  # days

pytestmark = pytest.mark.django_db


def noon(days_ago: int) -> datetime:
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=days_ago)


@pytest.fixture
def teams(org: Org) -> Org:
    """Teams ─┬─ Red; and Blue: ada."""
    org.tree("Teams")
    for unit in ("Red", "Blue"):
        org.unit(unit, below="teams")
    org.join("ada", "blue")
    return org


@pytest.fixture
def shop(teams: Org, repo: Repo) -> Repo:
    """Red's: ada and an agent wrote in it by themselves."""
    repo.commit({"a.py": lines(5)}, "By hand", by=ADA, at=noon(LONG_AGO), committed_at=noon(LONG_AGO))
    repo.commit({"b.py": lines(3)}, "Alone", by=AGENT, at=noon(1), committed_at=noon(1))
    repo.commit({"c.py": lines(2)}, "Asked", by=AGENT, committed_by=ADA, at=noon(1), committed_at=noon(1))
    sync(repo)
    teams.own("shop", "red")
    return repo


def total(key: str, unit: str | None) -> MetricValue:
    window = Window(noon(LONG_AGO).date(), windows.local_today() + timedelta(days=1))
    [answer] = read_totals([Query(key, window, scope=Scope(unit))])
    return answer.total[0]


@pytest.mark.parametrize(
    ("key", "of_red", "of_blue", "of_teams"),
    [
        ("commit.count", 1, 2, 3),
        ("commit.lines", 3, 7, 10),
        ("ai.lines_committed", 3, 2, 5),
        ("ai.committed_code_share", 100, pytest.approx(200 / 7), 50),
        ("ai.enabled_repositories", 0, 0, 0),
    ],
)
def test_its_lines_are_ai_lines_of_the_owner(
    key: str, of_red: float, of_blue: float, of_teams: float, shop: Repo
) -> None:
    assert [total(key, unit).value for unit in ("red", "blue", "teams")] == [of_red, of_blue, of_teams]
    assert total(key, None).value == of_teams


def test_it_is_of_no_person_and_of_no_identity_that_waits(shop: Repo) -> None:
    assert [total("commit.count", unit).people for unit in ("red", "blue", "teams", None)] == [0, 1, 1, 1]
    [answer] = read_totals([Query("commit.count", windows.trailing(12))])
    assert answer.unmatched == 0
    assert activity_of_everybody()[1].commits == 0
    rows = read_rows(Query("commit.count", windows.trailing(12), scope=Scope("red"))).rows
    assert [(row["person_id"], row["subject"]) for row in rows] == [(AUTONOMOUS_AGENTS, "Alone")]


def test_the_list_of_a_units_commits_has_it(shop: Repo) -> None:
    def subjects(commits: QuerySet[Commit]) -> set[str]:
        return set(commits.values_list("subject", flat=True))

    everybodys = Commit.objects.all()
    assert subjects(commits_of(everybodys, PeopleFilter(unit="red"))) == {"Alone"}
    assert subjects(commits_of(everybodys, PeopleFilter(unit="teams"))) == {"By hand", "Alone", "Asked"}
    assert subjects(commits_of(everybodys, PeopleFilter(unassigned="teams"))) == set()
    access = access_of(create_user(EXECUTIVE))
    of_red = replace(access.visibility, individuals_in=frozenset({Unit.objects.get(slug="red").pk}))
    assert subjects(visible_commits(replace(access, policy=IndividualPolicy.NAMED, visibility=of_red))) == {"Alone"}


def test_lines_that_it_changes_are_the_owners(shop: Repo) -> None:
    shop.commit({"c.py": "other\n" + lines(1)}, "Mend", by=AGENT, at=noon(1), committed_at=noon(1))
    sync(shop)
    sync_line_histories()
    assert total("code.rework_rate", "red").numerator == 1
    assert total("code.rework_rate", "blue").numerator == 0


def test_columns_follow_the_home_and_its_owner(teams: Org, shop: Repo, tmp_path: Path) -> None:
    """A fork that has the topic on its default branch takes it along; a merge brings it back."""
    shop.branch("topic")
    shop.commit({"d.py": lines(4)}, "Topic", by=AGENT, at=noon(1), committed_at=noon(1))
    shop.switch("main")
    fork = shop.clone(tmp_path / "fork")
    fork.git("remote", "set-url", "origin", "https://git.example.com/fork.git")
    fork.git("remote", "set-head", "origin", "--delete")
    fork.git("merge", "--quiet", "--ff-only", "origin/topic")
    fork.git("update-ref", "-d", "refs/remotes/origin/main")

    def merge() -> None:
        shop.git("merge", "--quiet", "--ff-only", "topic")
        sync(shop)

    def rewrite() -> None:
        shop.git("reset", "--quiet", "--hard", "HEAD^")
        shop.git("branch", "--quiet", "--delete", "--force", "topic")
        sync(shop)

    sync(shop)
    assert forgotten_by_refresh() == []
    for change, red, blue in (
        (lambda: sync(fork), 3, 7),
        (lambda: teams.own("fork", "blue"), 3, 11),
        (merge, 7, 7),
        (rewrite, 3, 11),
        (lambda: teams.own("shop", "blue", from_=noon(1).date()), 0, 14),
    ):
        change()
        sync_line_histories()
        assert forgotten_by_refresh() == []
        assert [total("commit.lines", unit).value for unit in ("red", "blue")] == [red, blue]
