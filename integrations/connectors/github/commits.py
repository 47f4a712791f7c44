"""Commits of the default branch."""

from __future__ import annotations

from datetime import UTC, datetime

from integrations.connectors.base import Json
from integrations.connectors.drafts import CommitDraft, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.github.accounts import author_of_commit
from integrations.connectors.reader import Reader

NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""What a clone makes of an author's time that cannot be (git/history.py): outside of what counts as one."""


def normalise_commit(payload: Json) -> list[CommitDraft]:
    """`commit` as a list has it, and `repository` (its id).  Lists do not count lines: a mirror does."""
    reader = Reader(payload)
    commit = Reader(payload.get("commit"), "commit")
    return [
        CommitDraft(
            external_id=commit.text("sha"),
            repository=reader.identifier("repository.id"),
            parents=tuple(parent.text("sha") for parent in commit.objects("parents")),
            author=_signed(commit, "author"),
            authored_at=commit.part_time("commit.author.date", required=True) or NO_TIME,
            committer=_signed(commit, "committer"),
            committed_at=commit.time("commit.committer.date"),
            message=commit.text("commit.message"),
            impossible_times=tuple(commit.impossible_times),
        )
    ]


def _signed(commit: Reader, role: str) -> Who:
    who = author_of_commit(commit.object(f"commit.{role}"), commit.object(role))
    if who is None:
        raise SchemaError(f"commit.commit.{role}", "names nobody")
    return who
