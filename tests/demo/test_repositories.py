"""The demo's repositories: the same objects each time, and commits that belong to its sessions."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demo.plan.commits import DemoCommit, Mark, generated_lines, plan_commits
from demo.plan.history import write_repository
from demo.plan.people import PEOPLE, TOOLING
from demo.plan.repositories import BOT_EMAIL, BOT_NAME, REPOSITORIES, DemoRepository, git_address
from demo.plan.session import DemoSession
from demo.plan.sizes import YEAR_WEEKS
from demo.plan.year import DemoYear
from integrations.code.attribution.git_ai_notes import read_note
from integrations.connectors.git.agent_signatures import is_bot
from integrations.connectors.git.context_files import context_file_periods
from integrations.connectors.git.history import ReadCommit, new_commits, read_commits
from integrations.connectors.git.repository import GitRepository
from tests.demo import flavours

END = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
LAST_WEEKS = 8  # of the year, where one repository is written
CHECKOUT_API = REPOSITORIES[0]
STOREFRONT = next(repository for repository in REPOSITORIES if repository.squash_weeks)
WAREHOUSE = next(repository for repository in REPOSITORIES if repository.bulk_import_weeks)

Planned = dict[str, list[DemoCommit]]


@pytest.fixture(scope="module", params=flavours.STORIES)
def year(request: pytest.FixtureRequest) -> DemoYear:
    return DemoYear(seed=1, flavour=request.param, anchor=END)


@pytest.fixture(scope="module")
def sessions(year: DemoYear) -> list[DemoSession]:
    return [session for week in range(year.weeks_of_telemetry) for session in year.sessions_of_week(week)]


@pytest.fixture(scope="module")
def planned(year: DemoYear, sessions: list[DemoSession]) -> Planned:
    return plan_commits(year, sessions)


@pytest.fixture(scope="module")
def checkout_api(year: DemoYear, planned: Planned, tmp_path_factory: pytest.TempPathFactory) -> GitRepository:
    return _written(tmp_path_factory.mktemp("one"), year, CHECKOUT_API, _recent(year, planned))


def test_a_year_has_some_thousand_commits_and_twelve_weeks_some_hundred(year: DemoYear, planned: Planned) -> None:
    fewest, most = (3_000, 7_500) if year.weeks == YEAR_WEEKS else (500, 900)
    assert fewest <= sum(map(len, planned.values())) <= most
    assert len(planned) == 7


def test_about_half_of_the_sessions_with_lines_are_committed(planned: Planned, sessions: list[DemoSession]) -> None:
    elsewhere = [session for session in sessions if session.setting.person.team != TOOLING]
    committed = {commit.session.session_id for commit in _all(planned) if commit.session}
    writing = [session for session in elsewhere if generated_lines(session)]
    assert 0.4 <= sum(session.session_id in committed for session in writing) / len(writing) <= 0.6


def test_a_commit_follows_its_session_and_has_no_more_of_its_lines(
    year: DemoYear, planned: Planned, sessions: list[DemoSession]
) -> None:
    known = {session.session_id: session for session in sessions}
    marks: dict[Mark, int] = defaultdict(int)
    for commit in _all(planned):
        assert commit.at <= year.anchor
        if commit.session is None:
            assert commit.mark is Mark.NOTHING
            continue
        session = known[commit.session.session_id]
        assert commit.person == session.setting.person
        assert session.setting.started_at <= commit.at <= session.ended_at + timedelta(minutes=40)
        assert 0 < commit.agent_lines <= generated_lines(session)
        marks[commit.mark] += 1
    assert min(marks[mark] for mark in Mark) > 0.2 * sum(marks.values())


def test_without_an_agent_nobody_commits_near_a_session(planned: Planned, sessions: list[DemoSession]) -> None:
    by_person: dict[str, list[DemoSession]] = defaultdict(list)
    for session in sessions:
        by_person[session.setting.person.email].append(session)
    for commit in _all(planned):
        if commit.session is None:
            for session in by_person[commit.person.email]:
                assert not session.setting.started_at <= commit.at <= session.ended_at + timedelta(hours=1)


def test_the_same_year_has_the_same_object_ids(
    year: DemoYear, planned: Planned, checkout_api: GitRepository, tmp_path: Path
) -> None:
    again = _written(tmp_path, year, CHECKOUT_API, _recent(year, planned))
    assert again.branches == checkout_api.branches
    assert again.notes() == checkout_api.notes()
    _git(again, "fsck", "--strict")


def test_git_counts_the_lines_that_were_planned(year: DemoYear, planned: Planned, checkout_api: GitRepository) -> None:
    set_apart = {CHECKOUT_API.lock_file, CHECKOUT_API.generated_file}
    counted = {
        (read.author.email, read.author.at): sum(file.added or 0 for file in read.files if file.path not in set_apart)
        for read in _commits(checkout_api)
        if len(read.parents) == 1 and not is_bot(read.author.name, read.author.email)
    }
    commits = _recent(year, planned)[CHECKOUT_API.name]
    assert len(commits) > len(planned[CHECKOUT_API.name]) / 8
    for commit in commits:
        assert counted[git_address(commit.person), commit.at] == commit.agent_lines + commit.own_lines


def test_notes_name_sessions_and_lines_of_the_commit(planned: Planned, checkout_api: GitRepository) -> None:
    commits = {(git_address(entry.person), entry.at): entry for entry in planned[CHECKOUT_API.name]}
    read = {entry.sha: entry for entry in _commits(checkout_api)}
    (tip,) = checkout_api.notes().values()
    notes = dict(checkout_api.read_notes(tip))
    assert notes
    for sha, text in notes.items():
        commit = commits[read[sha].author.email, read[sha].author.at]
        assert commit.mark is Mark.NOTE
        assert commit.session is not None
        (noted,) = read_note(text)
        assert (noted.agent, noted.external_session) == (commit.session.setting.agent, commit.session.session_id)
        assert noted.model == commit.session.setting.model
        assert sum(noted.lines_by_path.values()) == commit.agent_lines
        added = {file.path: file.added or 0 for file in read[sha].files}
        assert all(lines <= added[path] for path, lines in noted.lines_by_path.items())
        _assert_lines_are_new(checkout_api, sha, text.decode())


def test_trailers_stand_on_the_commits_that_were_planned(
    year: DemoYear, planned: Planned, checkout_api: GitRepository
) -> None:
    signed = {
        (read.author.email, read.author.at)
        for read in _commits(checkout_api)
        if any(trailer.key.lower() == "co-authored-by" for trailer in read.trailers)
    }
    commits = _recent(year, planned)[CHECKOUT_API.name]
    assert signed == {(git_address(commit.person), commit.at) for commit in commits if commit.mark is Mark.TRAILER}


def test_every_repository_but_one_tells_agents_about_itself(year: DemoYear, tmp_path: Path) -> None:
    without = []
    for repository in REPOSITORIES:
        git = _written(tmp_path, year, repository, {repository.name: []})
        periods = context_file_periods(git.git_dir, git.branches["refs/heads/main"])
        assert [(period.path, period.until) for period in periods] == sorted(
            (path, None) for path, _ in repository.context_files
        )
        if not periods:
            without.append(repository.team)
    assert without == [TOOLING]


def test_there_are_branches_merges_bots_and_a_bulk_import(year: DemoYear, planned: Planned, tmp_path: Path) -> None:
    git = _written(tmp_path, year, WAREHOUSE, {WAREHOUSE.name: planned[WAREHOUSE.name]})
    read = list(_commits(git))
    assert len(git.branches) > 1
    assert sum(len(commit.parents) == 2 for commit in read) > 3
    assert sum(commit.author.name == BOT_NAME for commit in read) >= year.weeks // 2  # every other week
    assert is_bot(BOT_NAME, BOT_EMAIL)
    assert sum(len(commit.files) > 300 for commit in read) == 1


def test_a_squashed_branch_stays_beside_its_squash(year: DemoYear, planned: Planned, tmp_path: Path) -> None:
    git = _written(tmp_path, year, STOREFRONT, {STOREFRONT.name: planned[STOREFRONT.name]})
    [squash] = [commit for commit in _commits(git) if commit.subject.startswith("Squash branch")]
    name = squash.subject.split("'")[1]
    unmerged = git.unmerged([git.branches[f"refs/heads/{name}"]], git.branches["refs/heads/main"])
    assert len(unmerged) > 1
    start = next(parent for parents in unmerged.values() for parent in parents if parent not in unmerged)
    assert git.patch_id(start, git.branches[f"refs/heads/{name}"]) == git.patch_id(f"{squash.sha}^", squash.sha)


def test_a_picked_commit_is_there_twice(year: DemoYear, planned: Planned, tmp_path: Path) -> None:
    git = _written(tmp_path, year, CHECKOUT_API, {CHECKOUT_API.name: planned[CHECKOUT_API.name]})
    authored = defaultdict(list)
    for commit in _commits(git):
        authored[commit.author.email, commit.author.at].append(commit)
    [(one, other)] = [lines for lines in authored.values() if len(lines) > 1]
    assert one.files == other.files
    assert one.committer.at != other.committer.at


def test_three_people_sign_with_another_address() -> None:
    assert sum(git_address(person) != person.email for person in PEOPLE) == 3


def test_a_repository_that_was_not_finished_is_written_anew(year: DemoYear, tmp_path: Path) -> None:
    draft = tmp_path / f".{CHECKOUT_API.name}.draft"
    draft.mkdir()
    (draft / "HEAD").write_text("half")
    _written(tmp_path, year, CHECKOUT_API, {CHECKOUT_API.name: []})
    assert not draft.exists()


def _all(planned: Planned) -> Iterator[DemoCommit]:
    for commits in planned.values():
        yield from commits


def _recent(year: DemoYear, planned: Planned) -> Planned:
    since = year.first_day_of(LAST_WEEKS)
    return {name: [commit for commit in commits if commit.at.date() >= since] for name, commits in planned.items()}


def _written(folder: Path, year: DemoYear, repository: DemoRepository, planned: Planned) -> GitRepository:
    path = folder / repository.name
    write_repository(path, year, repository, planned[repository.name])
    return GitRepository.open(path)


def _commits(git: GitRepository) -> Iterator[ReadCommit]:
    return read_commits(git.git_dir, new_commits(git.git_dir, set(git.branches.values()), ()))


def _assert_lines_are_new(git: GitRepository, sha: str, note: str) -> None:
    """The lines that a note gives to an agent stand in the commit and not in its parent."""
    attested = note.partition("---\n")[0].splitlines()
    for path, entry in zip(attested[::2], attested[1::2], strict=True):
        first, last = (int(number) for number in entry.split()[1].split("-"))
        before = _git(git, "show", f"{sha}^:{path}") if _git(git, "ls-tree", f"{sha}^", path) else ""
        after = _git(git, "show", f"{sha}:{path}").splitlines()
        assert len(after) >= last
        assert not set(after[first - 1 : last]) & set(before.splitlines())


def _git(git: GitRepository, *words: str) -> str:
    command = ["git", f"--git-dir={git.git_dir}", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
