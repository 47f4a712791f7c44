"""Novelty of a pull request to its reviewers, and its complexity, if a clone has the files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from insights.engine.read import read_series
from insights.query.query import Dimension, Query, Window
from integrations.code.attribution.tasks import attribute_pending
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import ReviewState
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from orgtree.identities.decisions import assign
from orgtree.models import Identity, Person
from tests.code.git.repositories import Repo, lines
from tests.delivery.pull_requests.conftest import TellOf, figures
from tests.delivery.pull_requests.histories import Commit, History, Review

MARCH = Window(date(2026, 3, 1), date(2026, 4, 1))
OPENED = datetime(2026, 3, 3, 12, tzinfo=UTC)
LONG_AGO = datetime(2025, 6, 1, tzinfo=UTC)
BEN = "Ben <ben@example.com>"
CY = "Cy <cy@example.com>"
A, B, C, LOCK = "src/a.py", "src/b.py", "docs/c.md", "package-lock.json"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Ben wrote A long ago, and C after the pull request was opened; Cy wrote B, and the lock file."""
    repo = Repo.create(tmp_path / "shop")
    repo.commit({A: lines(3)}, by=BEN, at=LONG_AGO)
    repo.commit({B: lines(3), LOCK: lines(50)}, by=CY, at=LONG_AGO)
    repo.commit({C: lines(3)}, by=BEN, at=OPENED.replace(hour=13))
    repo.branch("tea")
    return repo


def review_of(repo: Repo, tell_of: TellOf, *reviewers: str) -> tuple[int | None, int | None]:
    """The number of paths that a pull request of A, B, C and the lock file changes, and of those new to its
    reviewers.
    """
    commit = repo.commit({A: lines(9), B: lines(9), C: lines(9), LOCK: lines(90)}, at=OPENED.replace(hour=10))
    repo.switch("main")
    repo.squash("tea")
    history = History(1, "ada", OPENED, merged_at=OPENED.replace(hour=18), additions=58, deletions=0)
    history.commits = [Commit(commit, OPENED, OPENED, "ada")]
    history.merge_commit = repo.head
    history.reviews = [Review(OPENED.replace(hour=14), name, ReviewState.APPROVED) for name in reviewers]
    tell_of(history)
    sync_source(connect_git(repo.path))
    attribute_pending()
    for login in ("ben", "cy"):
        person, _ = Person.objects.get_or_create(email=f"{login}@example.com", defaults={"full_name": login.title()})
        assign(Identity.objects.filter(value__in=(login, f"{login}@example.com")), person, by=None)
    recompute_waiting_pull_requests()
    return figures()[1].reviewed_path_count, figures()[1].new_path_count


# Who reviewed, and how many of A, B and C nobody of them had changed before.
REVIEWERS: Sequence[tuple[tuple[str, ...], tuple[int | None, int | None]]] = [
    (("ben",), (3, 2)),  # knows A; C he wrote too late
    (("cy",), (3, 2)),  # knows B; lock files count nowhere
    (("ben", "cy"), (3, 1)),
    (("dot",), (3, 3)),
    ((), (None, None)),  # nobody to whom it could be new
]


@pytest.mark.parametrize(("reviewers", "counted"), REVIEWERS)
def test_what_no_reviewer_had_changed_before_it_was_opened_is_new(
    repo: Repo, tell_of: TellOf, reviewers: tuple[str, ...], counted: tuple[int | None, int | None]
) -> None:
    assert review_of(repo, tell_of, *reviewers) == counted


def test_the_rate_is_of_all_paths_and_without_a_clone_there_is_none(repo: Repo, tell_of: TellOf) -> None:
    review_of(repo, tell_of, "ben")
    elsewhere = History(2, "ada", OPENED, merged_at=OPENED.replace(hour=18), additions=10, deletions=0)
    elsewhere.reviews = [Review(OPENED.replace(hour=14), "ben", ReviewState.APPROVED)]
    tell_of(elsewhere)
    [answer] = read_series([Query("pr.new_paths_rate", MARCH)])
    assert (answer.total[0].numerator, answer.total[0].denominator) == (2, 3)
    assert answer.total[0].value == pytest.approx(200 / 3)
    [by_class] = read_series([Query("pr.throughput", MARCH, segments=(Dimension.COMPLEXITY_CLASS,))])
    # Three files in two directories and two languages; of the other nobody knows.
    assert {figure.segment["complexity_class"]: figure.value for figure in by_class.total} == {
        "moderate": 1,
        "unknown": 1,
    }
