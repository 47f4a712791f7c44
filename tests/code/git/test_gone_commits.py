"""Squashes whose branch is gone: its notes and trailers count all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from integrations.code.attribution.named_commits import request_reading_of_named
from integrations.code.attribution.tasks import attribute_pending
from integrations.facts.left_out import unused_notes
from integrations.models import (
    AgentSession,
    Commit,
    CommitEvidence,
    FileAttribution,
    Repository,
    RepositorySource,
    SessionPlace,
    TelemetryPlace,
    UnusedNote,
)
from integrations.sync.git.read_source import sync_source
from orgtree.models import Identity
from tests.code.git.repositories import BEN, Repo, lines
from tests.code.git.tables import counted, sync
from tests.code.git.test_sources_with_notes import note
from tests.org import Org

pytestmark = pytest.mark.django_db
CLAUDE = "Co-Authored-By: Claude <noreply@anthropic.com>"


def branch(repo: Repo, trailer: str = "") -> tuple[str, str]:
    """A branch `topic` off main: an agent's commit of three lines and a person's of two; their object ids."""
    repo.commit({"base.py": lines(1)}, "Base")
    repo.branch("topic")
    agents = repo.commit({"ai.py": lines(3)}, f"Agent\n\n{trailer}" if trailer else "Agent")
    persons = repo.commit({"hand.py": lines(2)}, "Person")
    repo.switch("main")
    return agents, persons


def squash(repo: Repo, message: str = "Both (#1)") -> str:
    """The squash on main by the host, which deletes the branch."""
    sha = repo.squash("topic", message, by=BEN)
    repo.git("branch", "--quiet", "-D", "topic")
    return sha


def ai_lines(sha: str) -> int:
    return sum(FileAttribution.objects.filter(commit__sha=sha).values_list("ai_lines", flat=True))


def push_pull_request(
    org: Org, shas: tuple[str, str], merge_sha: str, *, authored: str = "2026-03-02T12:10:00Z"
) -> None:
    """A merged pull request of these commits, as a host's job pushes it; the last one was written at `authored`."""
    parents: tuple[list[str], list[str]] = ([], [shas[0]])
    moments = ("2026-03-02T12:00:00Z", authored)
    commits = [
        {
            "sha": sha,
            "author_email": "ada@example.com",
            "authored_at": at,
            "committed_at": at,
            "message": "Part",
            "parents": of,
        }
        for sha, at, of in zip(shas, moments, parents, strict=True)
    ]
    org.push(
        "pull-requests",
        {
            **{"id": "shop-1", "repository": "shop", "number": 1, "author": "ada@example.com", "state": "merged"},
            **{"created_at": "2026-03-02T12:30:00Z", "merged_at": "2026-03-02T13:00:00Z"},
            **{"merge_sha": merge_sha, "commits": commits},
        },
    )


def test_notes_of_a_branch_that_was_read_before_count_in_its_squash(repo: Repo) -> None:
    agents, _ = branch(repo)
    note(repo, "ai", agents, "ai.py", "1")
    sync(repo)
    sha = squash(repo)
    sync(repo)
    assert counted() == {"Base": 1, "Both (#1)": 5}
    assert ai_lines(sha) == 3


def test_trailers_of_a_branch_that_was_read_before_bound_its_squash(repo: Repo) -> None:
    branch(repo, CLAUDE)
    sync(repo)
    sha = squash(repo, f"Both (#1)\n\n{CLAUDE}")
    sync(repo)
    assert ai_lines(sha) == 3  # of five, which the host's copy of the trailer would claim


def test_notes_on_commits_that_only_the_repositorys_objects_hold_count(repo: Repo) -> None:
    agents, persons = branch(repo)
    note(repo, "ai", agents, "ai.py", "1")
    note(repo, "ai", persons, "elsewhere.py", "2")
    sha = squash(repo)
    for full in (False, True):
        sync(repo, full=full)
        assert ai_lines(sha) == 3
    assert not UnusedNote.objects.exists()


def name_by_agent(sha: str, repository: Repository | None) -> None:
    """A session of Ada's names the commit with the tool call that made it, in this repository."""
    clock = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    made = AgentSession.objects.create(
        agent="claude_code",
        external_id="s",
        identity=Identity.objects.get(value="ada@example.com"),
        started_at=clock,
        ended_at=clock + timedelta(hours=8),
        started_on=clock.date(),
    )
    place = TelemetryPlace.objects.create(key=uuid4(), named="shop", revision=sha, repository=repository)
    now = timezone.now()  # what was named months ago is looked for by a full reading alone
    SessionPlace.objects.create(session=made, place=place, first_at=now, last_at=now, called_at=now)


@pytest.mark.parametrize("digits", [7, 11, 40])
def test_commits_that_an_agent_named_count_in_the_squash_of_their_deleted_branch(repo: Repo, digits: int) -> None:
    """The repository must still have them, as it must have commits with notes; the last one tells of the others."""
    repo.commit({"base.py": lines(1)}, "Base")
    sync(repo)
    repo.branch("topic")
    repo.commit({"hand.py": lines(2)}, "Person")
    agents = repo.commit({"ai.py": lines(3)}, "Agent")
    repo.switch("main")
    name_by_agent(agents[:digits], Repository.objects.get())
    sha = squash(repo)
    for full in (False, True):
        sync(repo, full=full)
        assert ai_lines(sha) == 3
    evidence = CommitEvidence.objects.get(withdrawn_at=None, method="named")
    assert (evidence.commit.sha, evidence.session.external_id if evidence.session else "") == (agents, "s")


@pytest.mark.parametrize(("digits", "later"), [(7, "pull request"), (40, "pull request"), (40, "session")])
def test_a_commit_that_an_agent_named_and_only_a_pull_request_lists_is_a_part_of_its_squash(
    repo: Repo, tmp_path: Path, org: Org, digits: int, later: str
) -> None:
    """Each of two commits takes half of the five lines at most: nobody knows how many each one added."""
    agents, persons = branch(repo)
    sha = squash(repo)
    mirror = repo.clone(tmp_path / "mirror.git", "--mirror")
    sync(mirror.path, name="shop")
    source = RepositorySource.objects.get()
    if later == "session":
        push_pull_request(org, (agents, persons), sha)
    name_by_agent(agents[:digits], Repository.objects.get() if digits < 40 else None)
    if later == "pull request":
        push_pull_request(org, (agents, persons), sha)
    else:
        request_reading_of_named(list(AgentSession.objects.values_list("pk", flat=True)))
    source.refresh_from_db()
    assert source.requested_at is not None
    sync_source(source, full=digits == 7)  # abbreviations are looked for in what was merged lately
    attribute_pending()
    assert ai_lines(sha) == 3
    assert counted() == {"Base": 1, "Both (#1)": 5}


def test_a_commit_that_an_agent_named_elsewhere_is_not_looked_for(repo: Repo) -> None:
    repo.commit({"base.py": lines(1)}, "Start")
    sync(repo)
    agents, _ = branch(repo)
    name_by_agent(agents, Repository.objects.create(name="another"))
    squash(repo)
    sync(repo)
    assert not Commit.objects.filter(sha=agents).exists()


def test_a_squash_that_is_taken_back_has_no_parts_any_more(repo: Repo) -> None:
    agents, _ = branch(repo)
    note(repo, "ai", agents, "ai.py", "1")
    sync(repo)
    squash(repo)
    sync(repo)
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    sync(repo)
    assert counted() == {"Base": 1}
    assert set(Commit.objects.exclude(exclusion_reason="").values_list("exclusion_reason", flat=True)) == {"gone"}


def test_where_the_parts_are_unknown_the_parts_of_the_message_bound_the_share(repo: Repo) -> None:
    branch(repo, CLAUDE)
    sha = squash(repo, f"Both (#1)\n\n* Agent\n\n{CLAUDE}\n\n* Person\n\n---------\n\n{CLAUDE}")
    sync(repo)
    assert ai_lines(sha) == 3  # one of two parts; half of five lines, rounded up


def test_notes_of_commits_that_a_pull_request_names_count_in_its_squash(repo: Repo, tmp_path: Path, org: Org) -> None:
    agents, persons = branch(repo)
    note(repo, "ai", agents, "ai.py", "1")
    sha = squash(repo)
    mirror = repo.clone(tmp_path / "mirror.git", "--mirror")
    sync(mirror.path, name="shop")
    assert ai_lines(sha) == 0
    assert set(UnusedNote.objects.values_list("sha", flat=True)) == {agents}
    assert unused_notes() == 1
    RepositorySource.objects.update(requested_at=None)
    push_pull_request(org, (agents, persons), sha)
    source = RepositorySource.objects.get()
    assert source.requested_at is not None
    sync_source(source)
    attribute_pending()
    assert ai_lines(sha) == 3
    assert counted() == {"Base": 1, "Both (#1)": 5}
    assert unused_notes() == 0


def test_a_pull_request_that_was_rebased_makes_no_squash_of_its_last_commit(
    repo: Repo, tmp_path: Path, org: Org
) -> None:
    agents, persons = branch(repo)
    note(repo, "ai", agents, "ai.py", "1")
    repo.commit({"other.py": lines(1)}, "Other")
    repo.switch("topic")
    last = repo.rebase("main")
    repo.switch("main")
    repo.git("merge", "--quiet", "--ff-only", "topic")
    repo.git("branch", "--quiet", "-D", "topic")
    mirror = repo.clone(tmp_path / "mirror.git", "--mirror")
    sync(mirror.path, name="shop")
    push_pull_request(org, (agents, persons), last, authored=repo.git("log", "-1", "--format=%aI", persons))
    sync_source(RepositorySource.objects.get())
    attribute_pending()
    assert ai_lines(last) == 0


def test_a_repository_that_was_pushed_first_is_the_one_that_is_connected(repo: Repo, org: Org) -> None:
    """The connection's name finds it."""
    agents, persons = branch(repo)
    sha = squash(repo)
    push_pull_request(org, (agents, persons), sha)
    name_by_agent(agents, None)
    sync(repo, name="shop")
    assert Repository.objects.count() == 1
    assert ai_lines(sha) == 3
