"""A pull request's own commits: those that the default branch did not have before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from integrations.connectors.drafts import CommitDraft, Who
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import Kind
from integrations.intake.deleted_records import mark_deleted
from integrations.intake.store_drafts import store_drafts
from integrations.models import Connection, FactChange, FactFamily, PullRequest, Repository
from tests.delivery.pull_requests.conftest import TellOf, figures
from tests.delivery.pull_requests.histories import Commit, History, draft_of, sha_of
from tests.intake.conftest import SHOP, Tell

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def at(hours: float) -> datetime:
    return MONDAY + timedelta(hours=hours)


def commit(name: str, hours: float, *parents: str) -> Commit:
    return Commit(name, at(hours), at(hours), "ada", parents)


def merged(number: int, opened: float, closed: float, *commits: Commit, merge_commit: str = "") -> History:
    return History(
        number,
        "ada",
        at(opened),
        commits=list(commits),
        merged_at=at(closed),
        merged_by="ben",
        merge_commit=merge_commit,
    )


def coding_hours(number: int) -> float | None:
    seconds = figures()[number].coding_seconds
    return None if seconds is None else seconds / 3600


STACKED = (
    merged(1, 10, 20, commit("tea", 0)),
    merged(2, 30, 40, commit("tea", 0), commit("milk", 25)),
)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as merged", "newest first"])
def test_a_commit_that_came_by_an_earlier_merge_is_not_its_own(order: tuple[int, int], tell_of: TellOf) -> None:
    for position in order:
        tell_of(STACKED[position])
    assert coding_hours(1) == 10
    assert coding_hours(2) == 5


def test_without_the_earlier_one_the_commit_is_the_later_ones(tell_of: TellOf) -> None:
    """The day on which that one was merged has other figures, then."""
    tell_of(merged(1, 10, 20, commit("tea", 0)), merged(2, 530, 540, commit("tea", 0), commit("milk", 525)))
    FactChange.objects.all().delete()
    earlier = PullRequest.objects.get(number=1)
    with transaction.atomic():
        mark_deleted(earlier.connection, Kind.PULL_REQUEST, [earlier.external_id])
    assert coding_hours(2) == 530
    day = figures()[2].merged_on
    assert FactChange.objects.filter(family=FactFamily.PULL_REQUEST, day_from__lte=day, day_to__gt=day).exists()


def test_what_was_merged_into_another_branch_first_is_still_its_own(tell_of: TellOf) -> None:
    """A pull request into a pull request: the commits reach the default branch by the outer one."""
    inner = merged(1, 10, 20, commit("tea", 0))
    inner.target = "feature"
    tell_of(inner, merged(2, 30, 40, commit("tea", 0), commit("milk", 25)))
    assert (coding_hours(1), coding_hours(2)) == (10, 30)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as merged", "newest first"])
def test_nor_is_what_an_earlier_pull_request_was_merged_as(order: tuple[int, int], tell_of: TellOf) -> None:
    """A release lists the squashes of its features, which the default branch has had since."""
    feature = merged(1, 10, 20, commit("tea", 0), merge_commit="squash")
    release = merged(2, 30, 40, commit("squash", 20), commit("notes", 25), merge_commit="release")
    release.target = "production"
    for position in order:
        tell_of((feature, release)[position])
    assert coding_hours(1) == 10
    assert coding_hours(2) == 5


def test_what_was_not_merged_has_brought_nothing(tell_of: TellOf) -> None:
    closed = merged(1, 10, 20, commit("tea", 0))
    closed.merged_at, closed.closed_at = None, at(20)
    tell_of(closed, merged(2, 30, 40, commit("tea", 0), commit("milk", 25)))
    assert coding_hours(2) == 30


def test_a_pull_request_taken_away_has_brought_nothing_any_more(tell: Tell, tell_of: TellOf) -> None:
    tell_of(*STACKED)
    gone = draft_of(STACKED[0])
    tell(type(gone)(external_id=gone.external_id, repository=SHOP, number=1, deleted=True))
    assert coding_hours(2) == 30


@pytest.fixture
def history_of_main(github: Connection) -> None:
    """old ─ base ─ fix ─ (merges), as a clone or a provider tells of the default branch."""
    Repository.objects.update(default_branch="main")
    commits = [("old", ()), ("base", ("old",)), ("fix", ("base",))]
    _tell_of_main(github, commits)


def _tell_of_main(connection: Connection, commits: list[tuple[str, tuple[str, ...]]]) -> None:
    with transaction.atomic():
        store_drafts(
            connection,
            [
                CommitDraft(
                    external_id=sha_of(name),
                    repository=SHOP,
                    parents=tuple(map(sha_of, parents)),
                    author=Who(login="ben", email="ben@example.com"),
                    authored_at=at(-500 + number),
                    committer=Who(login="ben", email="ben@example.com"),
                    committed_at=at(-500 + number),
                    message=name,
                    branch="main",
                )
                for number, (name, parents) in enumerate(commits)
            ],
        )
    recompute_waiting_pull_requests()


@pytest.mark.usefixtures("history_of_main")
def test_commits_merged_in_from_the_default_branch_do_not_prolong_it(github: Connection, tell_of: TellOf) -> None:
    """The provider lists what came in by `git merge main`, too: base and fix were there before the merge."""
    listed = (commit("base", -499), commit("tea", 0, "base"), commit("fix", -498), commit("sync", 5, "tea", "fix"))
    tell_of(merged(1, 10, 20, *listed, merge_commit="merge"))
    _tell_of_main(github, [("old", ()), ("base", ("old",)), ("fix", ("base",)), ("merge", ("fix", "sync"))])
    assert coding_hours(1) == 10


@pytest.mark.usefixtures("history_of_main")
def test_nor_do_they_where_the_branch_is_squashed(github: Connection, tell_of: TellOf) -> None:
    _tell_of_main(github, [("squash", ("fix",))])
    listed = (commit("base", -499), commit("tea", 0, "base"), commit("fix", -498), commit("sync", 5, "tea", "fix"))
    tell_of(merged(1, 10, 20, *listed, merge_commit="squash"))
    assert coding_hours(1) == 10


@pytest.mark.usefixtures("history_of_main")
def test_a_branch_that_main_was_moved_forward_to_keeps_its_own(github: Connection, tell_of: TellOf) -> None:
    """A fast-forward puts the branch's own commits on the default branch: those without a gap before the merge."""
    _tell_of_main(github, [("tea", ("fix",)), ("milk", ("tea",)), ("sugar", ("milk",))])
    listed = (commit("base", -499), commit("tea", 0, "fix"), commit("milk", 2, "tea"), commit("sugar", 4, "milk"))
    tell_of(merged(1, 10, 20, *listed, merge_commit="sugar"))
    assert coding_hours(1) == 10


def test_a_rebase_from_the_default_branch_keeps_the_author_time(tell_of: TellOf) -> None:
    rebased = Commit("tea2", authored_at=at(0), committed_at=at(9), by="ada")
    tell_of(merged(1, 10, 20, rebased))
    assert coding_hours(1) == 10
