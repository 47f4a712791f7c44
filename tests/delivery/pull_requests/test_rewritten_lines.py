"""Lines of a pull request that were rewritten within 21 days, if a clone is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from insights.columns.refresh import refresh
from insights.engine.read import read_totals
from insights.query.query import Query, Window
from integrations.code.attribution.tasks import attribute_pending
from integrations.code.git.line_history import sync_line_histories
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import LineHistory, RewrittenLines
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from orgtree.models import Organisation
from tests.code.git.repositories import Repo, lines
from tests.columns.forgotten import forgotten_by_refresh
from tests.delivery.pull_requests.conftest import TellOf, figures
from tests.delivery.pull_requests.histories import Commit, History
from tests.intake.conftest import SHOP_RESOURCE

FIRST = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MARCH = Window(FIRST.date(), FIRST.date() + 30 * DAY)

pytestmark = pytest.mark.django_db


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo.create(tmp_path / "shop")
    repo.git("remote", "add", "origin", f"https://{SHOP_RESOURCE.remote}.git")
    repo.commit({"README.md": lines(3)}, at=FIRST)
    return repo


def other_lines(number: int, of: int, rewritten: int) -> str:
    """A file of `of` lines, of which the first `rewritten` are like no others."""
    return "".join(f"new {number} {n}\n" for n in range(rewritten)) + "".join(f"{n}\n" for n in range(rewritten, of))


def ten(rewritten: int = 0, number: int = 0) -> str:
    return other_lines(number, 10, rewritten)


def pull_request(number: int, *commits: str, merge: str = "", at: datetime) -> History:
    history = History(number, "ada", at - 10 * MINUTE, merged_at=at)
    history.commits = [Commit(sha, at - 20 * MINUTE, at - 20 * MINUTE, "ada") for sha in commits]
    history.merge_commit = merge
    return history


def read(repo: Repo) -> None:
    sync_source(connect_git(repo.path))
    attribute_pending()
    sync_line_histories()
    recompute_waiting_pull_requests()


def known(number: int) -> tuple[int | None, int | None]:
    """Lines that it left, and how many of them were rewritten."""
    stored = figures()[number]
    return stored.written_line_count, stored.rewritten_line_count


def on_branch(repo: Repo, name: str, content: str, at: datetime) -> str:
    repo.branch(name, "main")
    sha = repo.commit({f"{name}.py": content}, at=at)
    repo.switch("main")
    return sha


def squashed(repo: Repo, branch: str, at: datetime) -> str:
    repo.git("merge", "--quiet", "--squash", branch)
    return repo.commit({}, f"Squash {branch}", at=at)


def test_without_a_clone_it_is_unknown(tell_of: TellOf) -> None:
    tell_of(pull_request(1, "a" * 40, merge="b" * 40, at=FIRST))
    assert known(1) == (None, None)
    rate, left_out = read_totals([Query(f"pr.rewritten_{name}", MARCH) for name in ("rate", "left_out")])
    assert (rate.total[0].value, left_out.total[0].value) == (None, 100)


def test_a_fast_forward_does_not_rewrite_its_own_lines(repo: Repo, tell_of: TellOf) -> None:
    """Both commits are of the pull request and on the default branch; a day later three of the lines give way."""
    first = repo.commit({"a.py": ten()}, at=FIRST + MINUTE)
    second = repo.commit({"a.py": ten(4)}, at=FIRST + 2 * MINUTE)
    tell_of(pull_request(1, first, second, merge=second, at=FIRST + 3 * MINUTE))
    repo.commit({"a.py": ten(4, number=1)}, at=FIRST + DAY)
    read(repo)
    assert known(1) == (14, 4), "four lines of the second commit gave way"


def test_copies_of_one_second_are_of_the_same_pull_request(repo: Repo, tell_of: TellOf) -> None:
    """A rebase leaves two commits in one second, which stand for those of the branch."""
    repo.branch("work")
    listed = [repo.commit({name: ten()}, at=FIRST + MINUTE * n) for n, name in enumerate(("a.py", "b.py"), 1)]
    repo.switch("main")
    moved = FIRST + timedelta(hours=1)
    repo.commit({"c.py": lines(2)}, at=FIRST + 5 * MINUTE)
    for sha in listed:
        repo.git("cherry-pick", sha, signed=repo.signed(at=moved))
    tell_of(pull_request(1, *listed, merge=repo.head, at=moved))
    repo.commit({"a.py": ten(2), "b.py": ten(3)}, at=moved + DAY)
    read(repo)
    assert known(1) == (20, 5)


def test_what_a_pull_request_was_merged_as_is_no_others(repo: Repo, tell_of: TellOf) -> None:
    """#2 was merged into the branch of #1, which was squashed: the squash's lines are #1's."""
    tea = on_branch(repo, "tea", ten(), FIRST + MINUTE)
    merge = squashed(repo, "tea", FIRST + timedelta(hours=1))
    tell_of(
        pull_request(1, tea, merge=merge, at=FIRST + timedelta(hours=1)),
        pull_request(2, tea, merge="e" * 40, at=FIRST + 30 * MINUTE),
    )
    repo.commit({"tea.py": ten(2)}, at=FIRST + DAY)
    read(repo)
    assert (known(1), known(2)) == ((10, 2), (None, None))


def test_bulk_changes_neither_count_nor_rewrite(repo: Repo, tell_of: TellOf) -> None:
    tea = on_branch(repo, "tea", ten(), FIRST + MINUTE)
    merge = squashed(repo, "tea", FIRST + timedelta(hours=1))
    tell_of(pull_request(1, tea, merge=merge, at=FIRST + timedelta(hours=1)))
    repo.commit({"tea.py": ten(9), "reformatted.py": lines(60)}, at=FIRST + DAY)
    Organisation.current()
    Organisation.objects.update(bulk_commit_lines=50)
    read(repo)
    assert known(1) == (10, 0)


def test_columns_follow_what_is_rewritten_later_and_a_rewritten_branch(repo: Repo, tell_of: TellOf) -> None:
    tea = on_branch(repo, "tea", ten(), FIRST + MINUTE)
    merge = squashed(repo, "tea", FIRST + timedelta(hours=1))
    tell_of(pull_request(1, tea, merge=merge, at=FIRST + timedelta(hours=1)))
    read(repo)
    refresh()
    assert known(1) == (10, 0)
    repo.commit({"tea.py": ten(4)}, at=FIRST + 5 * DAY)
    read(repo)
    assert known(1) == (10, 4)
    assert forgotten_by_refresh() == []
    [rate] = read_totals([Query("pr.rewritten_rate", MARCH)])
    assert (rate.total[0].numerator, rate.total[0].denominator, rate.total[0].sample_size) == (4, 10, 1)
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.commit({"tea.py": ten(1)}, at=FIRST + 6 * DAY)
    read(repo)
    assert known(1) == (10, 1)
    assert forgotten_by_refresh() == []
    LineHistory.objects.update(tip="")
    read(repo)
    assert known(1) == (10, 1)
    assert RewrittenLines.objects.count() == 1
