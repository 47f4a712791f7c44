"""Commits and what attribution derived of them, written straight into the tables that the relations publish."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from integrations.models import (
    AgentSession,
    Commit,
    CommitFile,
    CommitInRepository,
    ContextFile,
    FileAttribution,
    Repository,
)
from orgtree.identities.resolving import IdentityName, identify
from orgtree.models import Identity, IdentityKind

REPOSITORIES = ("shop", "site", "tools")
LANGUAGES = ("Python", "TypeScript", "")
TYPES = ("code", "test", "documentation")
METHODS = {"note": "line", "line_checkpoint": "line", "trailer": "commit", "overlap": "commit"}


@dataclass
class Share:
    """An agent's lines in a file."""

    agent: str
    lines: int
    method: str = "trailer"
    session: AgentSession | None = None
    model: str = ""


@dataclass
class FileFacts:
    added: int
    language: str = "Python"
    file_type: str = "code"
    path: str = "a.py"
    shares: list[Share] = field(default_factory=list)
    exclusion_reason: str = ""


@dataclass
class CommitFacts:
    person: int | None
    day: date
    repository: str
    files: list[FileFacts]
    exclusion_reason: str = ""
    sha: str = ""


def email_identity(email: str) -> Identity:
    (identity_id,) = identify([[IdentityName(IdentityKind.EMAIL, "", email)]])
    return Identity.objects.get(pk=identity_id)


def store_commit(
    by: Identity, day: date, files: Sequence[FileFacts], *, inside: str = "shop", exclusion_reason: str = ""
) -> CommitFacts:
    """A commit on the repository's default branch at noon of that day."""
    at = datetime.combine(day, time(12), UTC)
    key = uuid.uuid4()
    home, _ = Repository.objects.get_or_create(name=inside)
    counted = [file for file in files if not file.exclusion_reason]
    stored = Commit.objects.create(
        sha=f"{key.hex}{key.hex[:8]}",
        author=by,
        committer=by,
        credited=by,
        authored_at=at,
        committed_at=at,
        first_seen_at=at,
        counted_on=day,
        subject="Sell more",
        counts_key=key,
        change_key=key,
        exclusion_reason=exclusion_reason,
        file_count=len(counted),
        lines_added=sum(file.added for file in counted),
        home=home,
    )
    CommitInRepository.objects.create(commit=stored, repository=home, on_default_branch=True)
    for file in files:
        commit_file = CommitFile.objects.create(
            commit=stored,
            path=file.path,
            language=file.language,
            file_type=file.file_type,
            added=file.added,
            deleted=0,
            exclusion_reason=file.exclusion_reason,
        )
        FileAttribution.objects.bulk_create(
            FileAttribution(
                file=commit_file,
                commit=stored,
                agent=share.agent,
                model=share.model,
                session=share.session,
                method=share.method,
                level=METHODS[share.method],
                ai_lines=share.lines,
            )
            for share in file.shares
        )
    return CommitFacts(by.person_id, day, inside, list(files), exclusion_reason, stored.sha)


def store_context_file(repository: str, start: date, end: date | None = None, path: str = "AGENTS.md") -> None:
    home, _ = Repository.objects.get_or_create(name=repository)
    ContextFile.objects.create(repository=home, path=path, present_from=start, present_to=end)


def random_commits(
    rng: random.Random, days: Sequence[date], identities: Sequence[Identity], agents: Sequence[str], number: int
) -> list[CommitFacts]:
    """The first is on the first day, so that a repository is connected all the time."""
    commits = []
    for position in range(number):
        files = [_file(rng, agents, number) for number in range(rng.randrange(1, 4))]
        commits.append(
            store_commit(
                rng.choice(identities),
                rng.choice(days) if position else days[0],
                files,
                inside=rng.choice(REPOSITORIES),
                exclusion_reason=rng.choice(["", "", "", "", "", "bulk"]),
            )
        )
    return commits


def random_context_files(rng: random.Random, days: Sequence[date]) -> Mapping[str, tuple[date, date | None]]:
    """Repository → the days on which it has a context file; not every one has any."""
    days_by_repository: dict[str, tuple[date, date | None]] = {}
    for repository in REPOSITORIES[:2]:
        start, end = sorted(rng.sample(range(len(days)), 2))
        days_by_repository[repository] = days[start], rng.choice([days[end], None])
        store_context_file(repository, *days_by_repository[repository])
    return days_by_repository


def _file(rng: random.Random, agents: Sequence[str], number: int) -> FileFacts:
    added = rng.randrange(0, 200)
    file = FileFacts(
        added,
        rng.choice(LANGUAGES),
        rng.choice(TYPES),
        f"file{number}",
        exclusion_reason=rng.choice(["", "", "", "lock"]),
    )
    left = added
    for agent in rng.sample(list(agents), rng.choice([0, 0, 1, 2])):
        lines = rng.randrange(0, left + 1)
        left -= lines
        if lines and not file.exclusion_reason:
            file.shares.append(Share(agent, lines, rng.choice(list(METHODS)), model=rng.choice(["", "opus"])))
    return file
