"""Histories of pull requests, and their drafts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from integrations.connectors.drafts import (
    ProvidedParts,
    PullRequestCommitDraft,
    PullRequestDraft,
    PullRequestEventDraft,
    ReviewDraft,
    Who,
)
from integrations.connectors.git.agent_signatures import agents_of_message
from integrations.enums import PullRequestEventKind, PullRequestState, ReviewState
from tests.intake.conftest import SHOP

SHA_LENGTH = 40


@dataclass
class Review:
    at: datetime
    by: str
    state: ReviewState


@dataclass
class Commit:
    name: str
    authored_at: datetime
    committed_at: datetime
    by: str = ""
    parents: tuple[str, ...] = ()
    message: str = ""


@dataclass
class History:
    """A pull request: people by login, commits by short names."""

    number: int
    author: str
    created_at: datetime
    draft: bool = False
    marks: list[tuple[datetime, PullRequestEventKind]] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    merged_at: datetime | None = None
    merged_by: str = ""
    closed_at: datetime | None = None
    merge_commit: str = ""
    requested_by: str = ""
    title: str = "Sell tea"
    branch: str = ""
    target: str = "main"
    additions: int | None = None
    deletions: int | None = None
    comments: int | None = None
    labels: tuple[str, ...] = ()

    @property
    def ended_at(self) -> datetime | None:
        return self.merged_at or self.closed_at


def sha_of(name: str) -> str:
    """An object id for a short name that can be recognised in it; one that is given stays as it is."""
    if len(name) == SHA_LENGTH:
        return name
    return name.encode().hex().ljust(SHA_LENGTH, "0")[:SHA_LENGTH] if name else ""


def who(login: str) -> Who | None:
    return Who(login=login, bot=login.endswith("[bot]")) if login else None


def draft_of(history: History) -> PullRequestDraft:
    """The whole of it, as it stands at the end."""
    state = PullRequestState.OPEN
    if history.ended_at:
        state = PullRequestState.MERGED if history.merged_at else PullRequestState.CLOSED
    return PullRequestDraft(
        external_id=f"PR{history.number}",
        repository=SHOP,
        number=history.number,
        title=history.title,
        url=f"https://github.example/acme/shop/pull/{history.number}",
        author=who(history.author),
        requested_by=who(history.requested_by),
        state=state,
        is_draft=_is_draft(history),
        created_at=history.created_at,
        merged_at=history.merged_at,
        closed_at=history.ended_at,
        merged_by=who(history.merged_by),
        merge_sha=sha_of(history.merge_commit),
        source_branch=history.branch,
        target_branch=history.target,
        additions=history.additions,
        deletions=history.deletions,
        comment_count=history.comments,
        labels=history.labels,
        commits=ProvidedParts([_commit(commit, position) for position, commit in enumerate(history.commits)]),
        reviews=ProvidedParts([_review(review, number) for number, review in enumerate(history.reviews)]),
        events=ProvidedParts([PullRequestEventDraft(kind=kind, at=at) for at, kind in history.marks]),
        references=ProvidedParts(),
    )


def parts_of(history: History) -> Sequence[PullRequestDraft]:
    """The same in pieces: as a list of pull requests tells it, then its reviews, its commits, its events."""
    return pieces_of(draft_of(history))


def pieces_of(whole: PullRequestDraft) -> Sequence[PullRequestDraft]:
    provided = {name: getattr(whole, name) for name in whole.provided()}
    always = {name: provided.pop(name) for name in ("external_id", "repository", "number", "updated_at", "deleted")}
    pieces = [{name: provided.pop(name)} for name in ("reviews", "commits", "events")]
    return [PullRequestDraft(**always, **piece) for piece in (provided, *pieces)]


def drafts_of(histories: Iterable[History]) -> list[PullRequestDraft]:
    return [draft_of(history) for history in histories]


def _is_draft(history: History) -> bool:
    marks = [
        kind for _, kind in sorted(history.marks) if kind in (PullRequestEventKind.READY, PullRequestEventKind.DRAFT)
    ]
    return marks[-1] is PullRequestEventKind.DRAFT if marks else history.draft


def _commit(commit: Commit, position: int) -> PullRequestCommitDraft:
    return PullRequestCommitDraft(
        sha=sha_of(commit.name),
        position=position,
        author=who(commit.by),
        authored_at=commit.authored_at,
        committed_at=commit.committed_at,
        parents=tuple(sha_of(parent) for parent in commit.parents),
        agents=agents_of_message(commit.message),
    )


def _review(review: Review, number: int) -> ReviewDraft:
    return ReviewDraft(
        external_id=str(number),
        author=who(review.by),
        state=review.state,
        native_state=review.state.upper(),
        submitted_at=review.at,
    )
