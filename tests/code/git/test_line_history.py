"""Rework and refactoring: how old the lines are that a change of the default branch touches."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from insights.columns.refresh import refresh
from insights.engine.read import read_totals
from insights.query import windows
from insights.query.query import Query, Window
from integrations.code.attribution.evidence import Evidence, append_evidence
from integrations.code.attribution.tasks import attribute_pending
from integrations.code.git.line_history import COMMITS_AT_ONCE, sync_line_histories, sync_line_history
from integrations.connectors.git.line_ages import RECENT_SECONDS, LineAges
from integrations.connectors.git.line_changes import read_chain
from integrations.models import (
    ChangedLines,
    Commit,
    EvidenceLevel,
    FileAttribution,
    LineHistory,
    Method,
    Repository,
    UnmergedBranch,
)
from integrations.outbox.attribution_queue import enqueue_commits
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from integrations.sync.git.tasks import apply_thresholds
from orgtree.identities.decision_log import undo_change
from orgtree.identities.decisions import assign, mark_bots
from orgtree.models import Identity, Organisation, Person
from tests.code.git.repositories import ADA, BEN, FIRST, Repo
from tests.columns.forgotten import forgotten_by_refresh
from tests.org import Org
from tests.seeds import seeds

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


CaptureCallbacks = Callable[..., AbstractContextManager[object]]


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that are woken."""
    nudges: list[str] = []
    monkeypatch.setattr("core.nudges._nudge", lambda task, _: nudges.append(task.name))
    return nudges


def text(*words: object) -> str:
    return "".join(f"{word}\n" for word in words)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.create(tmp_path / "shop")


def follow(repo: Repo) -> Repository:
    sync_source(connect_git(str(repo.path)))
    sync_line_histories()
    return Repository.objects.get()


def changes() -> list[tuple[str, int, int, int]]:
    """Subject, added, reworked and refactored of each change, the oldest first."""
    rows = ChangedLines.objects.order_by("commit__committed_at", "commit_id")
    return list(rows.values_list("commit__subject", "added", "reworked", "refactored"))


def rate(key: str) -> tuple[float | None, float | None, float | None]:
    [answer] = read_totals([Query(key, Window(FIRST.date(), FIRST.date() + 365 * DAY))])
    return answer.total[0].value, answer.total[0].numerator, answer.total[0].denominator


Files = Mapping[str | bytes, str | bytes | None]
# A file of four lines is there.  What is written when, and what that comes to: new lines, lines of at most three weeks
# changed, older lines changed.
EXAMPLES: dict[str, tuple[Files, timedelta, tuple[int, int, int]]] = {
    "a new file of three lines": ({"new.py": text(1, 2, 3)}, 2 * DAY, (3, 0, 0)),
    "two lines changed after 21 days to the second": ({"a.py": text("a", "B", "C", "d")}, 21 * DAY, (0, 2, 0)),
    "two lines changed a second later": ({"a.py": text("a", "B", "C", "d")}, 21 * DAY + SECOND, (0, 0, 2)),
    "a line gives way to three": ({"a.py": text("a", "b1", "b2", "b3", "c", "d")}, DAY, (2, 1, 0)),
    "the file is deleted": ({"a.py": None}, 30 * DAY, (0, 0, 4)),
    "the file is renamed": ({"a.py": None, "b.py": text("a", "b", "c", "d")}, DAY, (0, 0, 0)),
    "a lock file counts nowhere": ({"package-lock.json": text(*range(50))}, DAY, (0, 0, 0)),
    "a clock that goes back": ({"a.py": text("A", "b", "c", "d")}, -DAY, (0, 1, 0)),
}


@pytest.mark.django_db
@pytest.mark.parametrize("example", EXAMPLES)
def test_worked_examples(repo: Repo, example: str) -> None:
    files, after, expected = EXAMPLES[example]
    repo.commit({"a.py": text("a", "b", "c", "d")}, "Begin", at=FIRST)
    repo.commit(files, "Look", at=FIRST + after)
    follow(repo)
    assert {subject: counts for subject, *counts in changes()}["Look"] == list(expected)


@pytest.mark.django_db
def test_without_a_clone_there_is_no_data() -> None:
    assert rate("code.rework_rate")[0] is None


@pytest.mark.django_db
@pytest.mark.parametrize("bring", ["merge", "squash"])
def test_a_merge_and_a_squash_of_a_branch_are_the_same_change(repo: Repo, bring: str) -> None:
    """Lines that a branch rewrites before it is merged are no rework: nobody else had them."""
    repo.commit({"a.py": text("a", "b", "c")}, "Begin", by=ADA, at=FIRST)
    repo.branch("work")
    repo.commit({"a.py": text("a", "B", "c", "d")}, "First try", by=BEN)
    repo.commit({"a.py": text("a", "BB", "c", "d", "e")}, "Second try", by=BEN)
    repo.switch("main")
    repo.merge("work", "Bring") if bring == "merge" else repo.squash("work", "Bring", by=BEN)
    follow(repo)
    assert changes()[-1] == ("Bring", 2, 1, 0)
    assert ChangedLines.objects.get(commit__subject="Bring").author.author.value == "ben@example.com"


def test_columns_follow_whose_changed_lines_are_and_what_attribution_says(repo: Repo, org: Org) -> None:
    """Ada merges Ben's branch ten days later: the day of the merge changes with whatever becomes of Ben's commit."""
    org.tree("Teams")
    for name in ("ada", "ben", "cleo"):
        org.unit(f"Team of {name}", below="teams")
        org.join(name, f"team-of-{name}", on="2026-01-01")
    repo.commit({"a.py": text("a", "b", "c")}, "Begin", by=ADA, at=FIRST - 12 * DAY)
    repo.branch("work")
    repo.commit({"a.py": text("a", "B", "c", "d")}, "Work", by=BEN, at=FIRST - 10 * DAY)
    repo.switch("main")
    repo.merge("work", "Bring")
    follow(repo)
    attribute_pending()
    refresh()
    assert forgotten_by_refresh() == []
    ben = Identity.objects.get(value="ben@example.com")
    [marked] = mark_bots([ben], by=None)
    attribute_pending()
    assert forgotten_by_refresh() == [], "Ben is a bot"
    undo_change(marked, by=None)
    attribute_pending()
    assert forgotten_by_refresh() == [], "Ben is none"
    assign([ben], Person.objects.get(email="cleo@example.com"), by=None)
    attribute_pending()
    assert forgotten_by_refresh() == [], "what Ben did was Cleo's"
    work = Commit.objects.get(subject="Work")
    append_evidence([(work.pk, Evidence(Method.TRAILER, EvidenceLevel.COMMIT, "claude_code", 0.9))])
    enqueue_commits([work.pk])
    attribute_pending()
    assert FileAttribution.objects.filter(commit=work).exists()
    assert forgotten_by_refresh() == [], "an agent wrote it"


def test_columns_follow_the_thresholds_of_bulk_commits(
    repo: Repo, org: Org, nudged: list[str], django_capture_on_commit_callbacks: CaptureCallbacks
) -> None:
    """A merge brings four new lines, and a commit of the default branch three, ten days later."""
    org.tree("Teams")
    org.unit("All", below="teams")
    org.join("ada", "all", on="2026-01-01")
    repo.commit({"a.py": text("a")}, "Begin", by=ADA, at=FIRST - 22 * DAY)
    repo.branch("work")
    repo.commit({"b.py": text(1, 2, 3, 4)}, "Work", by=ADA, at=FIRST - 20 * DAY)
    repo.switch("main")
    repo.merge("work", "Bring")
    repo.commit({"c.py": text(1, 2, 3)}, "Straight", by=ADA, at=FIRST + 10 * DAY)
    follow(repo)
    attribute_pending()
    apply_thresholds()
    refresh()
    assert rate("code.rework_rate")[2] == 4 + 3, "Begin lies before the window"
    organisation = Organisation.current()
    for most, counted in ((3, 3), (4, 4 + 3), (2, 0)):
        organisation.bulk_commit_lines = most
        with django_capture_on_commit_callbacks(execute=True):
            organisation.save()
        assert "integrations.sync.git.tasks.apply_thresholds" in nudged
        apply_thresholds()
        attribute_pending()
        assert rate("code.rework_rate")[2] == counted
        assert forgotten_by_refresh() == [], f"at most {most} lines"


@pytest.mark.django_db
def test_following_goes_on_where_it_stopped(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.code.git.line_history.COMMITS_AT_ONCE", 2)
    for number in range(5):
        repo.commit({"a.py": text(*range(number, number + 4))}, f"Step {number}", at=FIRST + number * DAY)
    source = connect_git(str(repo.path))
    sync_source(source)

    def die() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        stored = iter([lambda: None, lambda: None, die])  # nothing is forgotten, two changes are stored

        def second_dies(*_: object) -> None:
            next(stored)()

        killed.setattr("integrations.code.git.line_history.append_days", second_dies)
        with pytest.raises(KeyboardInterrupt):
            sync_line_histories()
    assert ChangedLines.objects.count() == 2
    sync_line_histories()
    whole = changes()
    assert len(whole) == 5
    LineHistory.objects.update(tip="")
    sync_line_history(Repository.objects.get())
    assert changes() == whole
    assert COMMITS_AT_ONCE > 2


@pytest.mark.django_db
def test_a_rewritten_branch_is_read_again(repo: Repo) -> None:
    repo.commit({"a.py": text("a", "b")}, "Begin", at=FIRST)
    repo.commit({"a.py": text("a", "B")}, "Gone soon", at=FIRST + DAY)
    follow(repo)
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    repo.commit({"a.py": text("A", "B", "c")}, "Instead", at=FIRST + 2 * DAY)
    follow(repo)
    assert [subject for subject, *_ in changes()] == ["Begin", "Instead"]
    assert changes()[-1] == ("Instead", 1, 2, 0)


@pytest.mark.django_db
def test_lines_of_a_shallow_clone_are_older_than_it_tells(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a.py": text("a", "b", "c")}, "Long ago", at=FIRST)
    repo.commit({"a.py": text("a", "b", "c", "d")}, "Before", at=FIRST + DAY)
    repo.commit({"a.py": text("A", "b", "c", "d")}, "After", at=FIRST + 2 * DAY)
    follow(repo.clone(tmp_path / "shallow", "--depth=2"))
    assert changes() == [("After", 0, 0, 1)]


@pytest.mark.django_db
def test_a_commit_with_a_missing_file_is_unknown_and_the_rest_is_followed(repo: Repo) -> None:
    """The ages of all lines of the changed file are unknown; later lines are known, wherever they are."""
    repo.commit({"a.py": text(*"abcd"), "b.py": text(*"abcd")}, "Begin", at=FIRST)
    repo.commit({"a.py": text(*"abXcd")}, "Gap", at=FIRST + DAY)
    repo.commit({"a.py": text(*"abcdefg"), "b.py": text(*"aBcd")}, "After", at=FIRST + 40 * DAY)
    repo.commit({"a.py": text(*"abcdeFg")}, "Unknown", at=FIRST + 41 * DAY)
    repo.commit({"a.py": text(*"AbcdeGg")}, "Known again", at=FIRST + 42 * DAY)
    repo.remove_object("HEAD~3:a.py")
    repository = follow(repo)
    assert LineHistory.objects.get().problem == ""
    assert changes() == [("Begin", 8, 0, 0), ("Unknown", 0, 0, 0), ("Known again", 0, 1, 0)]
    repo.commit({"b.py": text(*"aBcD")}, "Goes on", at=FIRST + 43 * DAY)
    sync_source(repository.sources.get())
    sync_line_history(repository)
    assert changes()[3:] == [("Goes on", 0, 0, 0)]


@pytest.mark.django_db
def test_a_clone_that_is_gone_says_so_and_keeps_what_was_stored(repo: Repo) -> None:
    repo.commit({"a.py": text("a")}, at=FIRST)
    repository = follow(repo)
    repo.path.rename(repo.path.with_name("elsewhere"))
    sync_line_history(repository)
    assert "There is no folder" in LineHistory.objects.get().problem
    assert ChangedLines.objects.count() == 1


ENDS = ["", " \r", " é", "\t"]
NAMES = ["a.py", "with space.py", "umlaut-ü.py", 'quo"te.py', "tab\tname.py", "dir/deep.py"]


def random_history(repo: Repo, seed: int) -> Iterator[None]:
    """Commits that add, change, delete, rename and merge files of which no two lines are ever the same."""
    chance = random.Random(seed)
    files: dict[str, list[str]] = {}
    fresh = (f"line {number}{chance.choice(ENDS)}" for number in range(10**6))
    at = FIRST
    for step in range(40):
        at += timedelta(hours=chance.choice([1, 30, 200, 600]))
        before = {name: list(lines) for name, lines in files.items()}
        for _ in range(chance.randint(1, 3)):
            name = chance.choice(NAMES)
            lines = files.setdefault(name, [])
            match chance.randint(0, 5):
                case 0 if lines:
                    del lines[: chance.randint(1, len(lines))]
                case 1 if lines:
                    position = chance.randrange(len(lines))
                    lines[position : position + 2] = [next(fresh) for _ in range(chance.randint(0, 4))]
                case 2 if lines and len(files) < len(NAMES):
                    files[chance.choice([candidate for candidate in NAMES if candidate not in files])] = files.pop(name)
                case 3 if chance.random() < 0.3:
                    files.pop(name)
                case _:
                    position = chance.randint(0, len(lines))
                    lines[position:position] = [next(fresh) for _ in range(chance.randint(1, 9))]
        contents: Files = {name: "".join(f"{line}\n" for line in lines) for name, lines in files.items()}
        committed: Files = {**dict.fromkeys(before.keys() - files.keys()), **contents}
        if step % 7 == 3:
            repo.branch(f"work-{step}")
            repo.commit(committed, f"Step {step}", at=at)
            repo.switch("main")
            repo.git(
                *("merge", "--quiet", "--no-ff", "--no-verify", "--message=Merge", f"work-{step}"),
                signed=repo.signed(at=at + timedelta(minutes=5)),
            )
        else:
            repo.commit(committed, f"Step {step}", at=at)
        yield


def moments(repo: Repo, revision: str, path: bytes) -> list[int]:
    """The time of each line's last change by git blame."""
    output = repo.git("blame", "--first-parent", "--line-porcelain", revision, "--", path.decode())
    return [int(line.split()[1]) for line in output.split("\n") if line.startswith("committer-time ")]


@pytest.mark.parametrize("seed", seeds(0))
def test_ages_and_counts_are_those_of_git_blame(repo: Repo, seed: int) -> None:
    """git blame is the slow second opinion: of every line, and of every line that a change deletes."""
    for _ in random_history(repo, seed):
        pass
    ages = LineAges()
    for commit in read_chain(repo.path / ".git", repo.head):
        expected = [0, 0]
        for file in commit.files:
            before = moments(repo, commit.parents[0], file.old_path) if file.old_path else []
            for hunk in file.hunks:
                for moment in before[hunk.start - 1 : hunk.start - 1 + hunk.deleted] if hunk.deleted else ():
                    expected[commit.committed_at - moment > RECENT_SECONDS] += 1
        counts = ages.follow(commit, lambda _path: True)
        assert [counts.reworked, counts.refactored] == expected
    for path, runs in LineAges.unpacked(ages.packed()).files.items():
        ours = [moment for index in range(0, len(runs), 2) for moment in [runs[index + 1]] * runs[index]]
        assert ours == moments(repo, "HEAD", path), path


def test_what_git_says_of_odd_files_is_understood(repo: Repo) -> None:
    repo.commit({"binary": b"\0\1\2", "empty": "", "no newline": "a"}, at=FIRST)
    repo.commit({"binary": "now text\n", "no newline": "b", "empty": "x\n"}, at=FIRST + DAY)
    repo.commit({"binary": "now text\nmore\n", "no newline": "b\nc"}, at=FIRST + 2 * DAY)
    ages = LineAges()
    counts = [ages.follow(commit, lambda _path: True) for commit in read_chain(repo.path / ".git", repo.head)]
    assert [(count.added, count.reworked, count.refactored) for count in counts] == [(1, 0, 0), (1, 1, 0), (2, 1, 0)]


def stale(days: int) -> float | None:
    """Stale branches at the end of the day so many days after the first commit."""
    day = FIRST.date() + days * DAY
    [answer] = read_totals([Query("branch.stale_count", Window(day, day + DAY))])
    return answer.total[0].value


@pytest.mark.django_db
def test_branches_nobody_goes_on_with_are_stale_after_thirty_days(repo: Repo) -> None:
    repo.commit({"a.py": text("a")}, at=FIRST)
    for name, days in (("left-behind", 1), ("alive", 25), ("merged", 2), ("squashed", 3)):
        repo.branch(name, "main")
        repo.commit({f"{name}.py": text(name)}, f"On {name}", at=FIRST + days * DAY)
    repo.switch("main")
    repo.merge("merged")
    repo.squash("squashed")
    follow(repo)
    assert [stale(on) for on in (31, 32, 55, 56)] == [0, 1, 1, 2]
    repo.git("branch", "--quiet", "-D", "left-behind")
    follow(repo)
    assert stale((windows.local_today() - FIRST.date()).days) == 1
    assert stale(56) == 2


@pytest.mark.django_db
def test_branches_whose_names_are_longer_than_a_column_are_counted_separately(repo: Repo) -> None:
    repo.commit({"a.py": "a\n"}, "Begin")
    long = "/".join(["x" * 100] * 4)
    for name in ("one", "two"):
        repo.switch("main")
        repo.branch(f"{long}/{name}")
        repo.commit({f"{name}.py": "b\n"}, name)
    repo.switch("main")
    assert sync_source(connect_git(str(repo.path))).problem == ""
    assert {len(name) for name in UnmergedBranch.objects.values_list("name", flat=True)} == {300}
    assert UnmergedBranch.objects.filter(gone_on=None).count() == 2
    sync_source(connect_git(str(repo.path)))
    assert UnmergedBranch.objects.filter(gone_on=None).count() == 2


@pytest.mark.django_db
def test_without_a_clone_there_are_no_branches_to_count() -> None:
    assert stale(0) is None
