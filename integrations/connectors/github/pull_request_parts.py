"""A pull request's commits, reviews and events: two API formats, one set of drafts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from integrations.connectors.drafts import (
    MISSING,
    Missing,
    ProvidedParts,
    PullRequestCommitDraft,
    PullRequestEventDraft,
    ReviewDraft,
    shown_title,
)
from integrations.connectors.git.agent_signatures import agents_of_message
from integrations.connectors.git.history import written_at
from integrations.connectors.github.accounts import account, author_of_commit, name_of_event, time_of_event
from integrations.connectors.reader import Reader
from integrations.enums import PullRequestEventKind, ReviewState

Part = TypeVar("Part")

_REVIEW_STATES = {
    "approved": ReviewState.APPROVED,
    "changes_requested": ReviewState.CHANGES_REQUESTED,
    "commented": ReviewState.COMMENTED,
    "dismissed": ReviewState.DISMISSED,
}
_EVENTS = {
    "ready_for_review": PullRequestEventKind.READY,
    "convert_to_draft": PullRequestEventKind.DRAFT,
    "closed": PullRequestEventKind.CLOSED,
    "reopened": PullRequestEventKind.REOPENED,
    "review_requested": PullRequestEventKind.REVIEW_REQUESTED,
    "review_request_removed": PullRequestEventKind.REVIEW_REQUEST_REMOVED,
    "head_ref_force_pushed": PullRequestEventKind.FORCE_PUSHED,
}
EVENTS_OF_INTEREST = frozenset(_EVENTS)
"""Names in REST's timeline; its other entries (comments, labels …) are dropped as soon as they are read."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a pull request that an answer provides; MISSING if it is not complete."""

    commits: ProvidedParts[PullRequestCommitDraft] | Missing = MISSING
    reviews: ProvidedParts[ReviewDraft] | Missing = MISSING
    events: ProvidedParts[PullRequestEventDraft] | Missing = MISSING


def graphql_parts(details: Reader) -> Parts:
    commits = details.objects("commits.nodes")
    return Parts(
        commits=ProvidedParts([_graphql_commit(commit, position) for position, commit in enumerate(commits)]),
        reviews=ProvidedParts(_known(_graphql_review(review) for review in details.objects("reviews.nodes"))),
        events=ProvidedParts(_known(_event(event) for event in details.objects("timelineItems.nodes"))),
    )


def rest_parts(reader: Reader) -> Parts:
    commits = reader.objects("commits")
    return Parts(
        commits=ProvidedParts([_rest_commit(commit, position) for position, commit in enumerate(commits)]),
        reviews=ProvidedParts(_known(rest_review(review) for review in reader.objects("reviews"))),
        events=ProvidedParts(_known(_event(event) for event in reader.objects("timeline"))),
    )


def rest_review(review: Reader) -> ReviewDraft | None:
    """A review, of a webhook too; None while it is not submitted, or where its time cannot be."""
    return _review(review, "id", at="submitted_at", author="user", commit="commit_id")


def _graphql_review(review: Reader) -> ReviewDraft | None:
    return _review(review, "fullDatabaseId", at="submittedAt", author="author", commit="commit.oid")


def _review(review: Reader, identifier: str, *, at: str, author: str, commit: str) -> ReviewDraft | None:
    state = review.text("state").lower()
    submitted_at = None if state == "pending" else review.part_time(at, required=True)
    if submitted_at is None:
        return None
    return ReviewDraft(
        external_id=review.identifier(identifier),
        author=account(review.object(author)),
        state=_REVIEW_STATES.get(state, ReviewState.COMMENTED),
        native_state=state,
        submitted_at=submitted_at,
        commit_sha=review.text(commit, default=""),
    )


def _rest_commit(commit: Reader, position: int) -> PullRequestCommitDraft:
    message = commit.text("commit.message")
    committed_at = commit.part_time("commit.committer.date")
    return PullRequestCommitDraft(
        sha=commit.text("sha"),
        position=position,
        author=author_of_commit(commit.object("commit.author"), commit.object("author")),
        authored_at=written_at(message, authored_at=commit.part_time("commit.author.date"), committed_at=committed_at),
        committed_at=committed_at,
        subject=subject_of(message),
        parents=tuple(parent.text("sha") for parent in commit.objects("parents")),
        agents=agents_of_message(message),
    )


def _graphql_commit(node: Reader, position: int) -> PullRequestCommitDraft:
    message = node.text("commit.message")
    committed_at = node.part_time("commit.committedDate")
    return PullRequestCommitDraft(
        sha=node.text("commit.oid"),
        position=position,
        author=author_of_commit(node.object("commit.author"), node.object("commit.author.user")),
        authored_at=written_at(message, authored_at=node.part_time("commit.authoredDate"), committed_at=committed_at),
        committed_at=committed_at,
        subject=subject_of(message),
        parents=tuple(parent.text("oid") for parent in node.objects("commit.parents.nodes")),
        agents=agents_of_message(message),
    )


def subject_of(message: str) -> str:
    """The first line of a commit's message."""
    return shown_title(message.strip().partition("\n")[0].rstrip())


def _event(event: Reader) -> PullRequestEventDraft | None:
    kind = _EVENTS.get(name_of_event(event))
    at = None if kind is None else time_of_event(event)
    if kind is None or at is None:
        return None
    reviewer = event.object("requestedReviewer") or event.object("requested_reviewer")
    # A team is a field of its own in REST; in GraphQL it is a reviewer with a slug, and without a login.
    team = event.text("requested_team.slug", default="") or (reviewer.text("slug", default="") if reviewer else "")
    return PullRequestEventDraft(kind=kind, at=at, by=account(event.object("actor")), of=account(reviewer), team=team)


def _known(parts: Iterable[Part | None]) -> list[Part]:
    return [part for part in parts if part is not None]
