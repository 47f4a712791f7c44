"""Pull requests: lists name them; details come from GraphQL in batches, or over REST one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.drafts import (
    MISSING,
    Missing,
    ProvidedParts,
    PullRequestCommitDraft,
    PullRequestDraft,
    PullRequestEventDraft,
    ReviewDraft,
    Who,
    WorkItemReference,
    shown_title,
)
from integrations.connectors.errors import GoneError, PermanentError
from integrations.connectors.git.agent_signatures import agents_of_message
from integrations.connectors.git.history import written_at
from integrations.connectors.github.accounts import account, author_of_commit, name_of_event, time_of_event
from integrations.connectors.github.graphql import details_of
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.newest_first import NewestFirst
from integrations.connectors.github.queries import PULL_REQUESTS
from integrations.connectors.github.stream_repository import Place, record_of
from integrations.connectors.reader import Reader
from integrations.connectors.references import host_of, pull_request_references
from integrations.connectors.unchecked import text_of
from integrations.enums import PullRequestEventKind, PullRequestState, ReviewState

BATCH_OVER_GRAPHQL = 25  # up to 300 entries each: well below the limits on nodes and of ten seconds
BATCH_OVER_REST = 10  # four requests each
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


def _parts(reader: Reader, details: Reader | None) -> dict[str, Any]:
    """Commits, reviews and events, in the form of either API; empty if the answer lacks some of them."""
    position = count()
    known: dict[str, list[Any] | None] = {}
    if details is not None:
        known["commits"] = details.parts("commits.nodes", lambda node: _graphql_commit(node, next(position)))
        known["reviews"] = details.parts("reviews.nodes", _graphql_review)
        known["events"] = details.parts("timelineItems.nodes", _event)
    elif reader.has("timeline"):
        known["commits"] = reader.parts("commits", lambda commit: _rest_commit(commit, next(position)))
        known["reviews"] = reader.parts("reviews", rest_review)
        known["events"] = reader.parts("timeline", _event)
    return {name: ProvidedParts(parts) for name, parts in known.items() if parts is not None}


def rest_review(review: Reader) -> ReviewDraft | None:
    """A review, also from a webhook; None until it is submitted, or if its time is impossible."""
    return _review(review, "id", at="submitted_at", author="user", commit="commit_id")


def _graphql_review(review: Reader) -> ReviewDraft | None:
    return _review(review, "fullDatabaseId", at="submittedAt", author="author", commit="commit.oid")


def _review(review: Reader, identifier: str, *, at: str, author: str, commit: str) -> ReviewDraft | None:
    state = review.text("state", default="").lower()
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
    message = commit.text("commit.message", default="")
    committed_at = commit.part_time("commit.committer.date")
    return PullRequestCommitDraft(
        sha=commit.text("sha"),
        position=position,
        author=author_of_commit(commit.object("commit.author"), commit.object("author")),
        authored_at=written_at(message, authored_at=commit.part_time("commit.author.date"), committed_at=committed_at),
        committed_at=committed_at,
        subject=subject_of(message),
        parents=commit.all_texts("parents", "sha", default=()),
        agents=agents_of_message(message),
    )


def _graphql_commit(node: Reader, position: int) -> PullRequestCommitDraft:
    message = node.text("commit.message", default="")
    committed_at = node.part_time("commit.committedDate")
    return PullRequestCommitDraft(
        sha=node.text("commit.oid"),
        position=position,
        author=author_of_commit(node.object("commit.author"), node.object("commit.author.user")),
        authored_at=written_at(message, authored_at=node.part_time("commit.authoredDate"), committed_at=committed_at),
        committed_at=committed_at,
        subject=subject_of(message),
        parents=node.all_texts("commit.parents.nodes", "oid", default=()),
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


CODING_AGENTS = frozenset({"copilot", "copilot[bot]", "copilot-swe-agent[bot]"})
"""Agents that GitHub runs itself: a pull request is assigned to its requester, too."""


def normalise_pull_request(payload: Json) -> list[PullRequestDraft]:
    """`pull_request` from REST or a webhook; its parts in `details` (GraphQL), or in `commits`, `reviews` and
    `timeline` (REST), or missing.  SchemaError names the field that was not as documented.
    """
    reader = Reader(payload)
    pull_request = Reader(payload.get("pull_request"), "pull_request", parent=reader)
    details = reader.object("details")
    parts = _parts(reader, details)
    merged_at = pull_request.time("merged_at", default=None)
    closed_at = pull_request.part_time("closed_at")
    state = pull_request.text("state", default="")
    author = account(pull_request.object("user"))
    return [
        PullRequestDraft(
            external_id=pull_request.identifier("id"),
            updated_at=pull_request.part_time("updated_at"),
            repository=pull_request.identifier("base.repo.id"),
            number=pull_request.integer("number"),
            title=shown_title(pull_request.text("title", default="")),
            url=pull_request.text("html_url", default=MISSING),
            author=author,
            requested_by=_requested_by(author, pull_request),
            state=_state(state, merged=merged_at is not None, closed=closed_at is not None),
            native_state=state or MISSING,
            is_draft=pull_request.boolean("draft", default=MISSING),
            created_at=pull_request.time("created_at"),
            merged_at=merged_at,
            closed_at=closed_at,
            merged_by=_merged_by(payload["pull_request"], pull_request, details),
            # While it is open, GitHub names the commit of its trial merge.
            merge_sha=pull_request.text("merge_commit_sha", default=MISSING) if merged_at else "",
            head_sha=pull_request.text("head.sha", default=MISSING),
            source_branch=pull_request.text("head.ref", default=MISSING),
            target_branch=pull_request.text("base.ref", default=MISSING),
            additions=_count(pull_request, "additions", details, "additions"),
            deletions=_count(pull_request, "deletions", details, "deletions"),
            changed_files=_count(pull_request, "changed_files", details, "changedFiles"),
            commit_count=_count(pull_request, "commits", details, "commits.totalCount"),
            comment_count=_count(pull_request, "comments", details, "comments.totalCount"),
            review_comment_count=_review_comment_count(pull_request, details),
            labels=pull_request.names("labels"),
            references=_references(pull_request, parts.get("commits")),
            left_out=tuple(reader.left_out),
            **parts,
        )
    ]


def _state(native: str, *, merged: bool, closed: bool) -> PullRequestState:
    """The state; REST calls a merged pull request closed, and the times decide an unknown state."""
    if merged:
        return PullRequestState.MERGED
    return PullRequestState.CLOSED if native == "closed" or closed else PullRequestState.OPEN


def _merged_by(payload: Json, pull_request: Reader, details: Reader | None) -> Who | Missing | None:
    """The person who merged it; lists leave that out."""
    if details is not None:
        return account(details.object("mergedBy"))
    return account(pull_request.object("merged_by")) if "merged_by" in payload else MISSING


def _requested_by(author: Who | None, pull_request: Reader) -> Who | None:
    """The person who requested the pull request from a coding agent."""
    if author is None or author.login.lower() not in CODING_AGENTS:
        return None
    assigned = (account(user) for user in pull_request.objects("assignees"))
    return next((who for who in assigned if who is not None and not who.bot), None)


def _count(pull_request: Reader, field: str, details: Reader | None, detail: str) -> int | Missing:
    """A count, which lists leave out."""
    if details is not None:
        return details.integer(detail, default=MISSING)
    return pull_request.integer(field, default=MISSING)


def _review_comment_count(pull_request: Reader, details: Reader | None) -> int | Missing:
    """The number of comments on lines; GraphQL counts them by review, and unsubmitted reviews are private."""
    if details is None:
        return pull_request.integer("review_comments", default=MISSING)
    reviews = details.objects("reviews.nodes")
    submitted = (review for review in reviews if review.text("state", default="") != "PENDING")
    return sum(review.integer("comments.totalCount", default=0) for review in submitted)


def _references(
    pull_request: Reader, commits: ProvidedParts[PullRequestCommitDraft] | None
) -> ProvidedParts[WorkItemReference]:
    """Complete only if the commits are known, because they name work items too."""
    linked = pull_request_references(
        repository=pull_request.text("base.repo.full_name", default=""),
        host=host_of(pull_request.text("html_url", default="")),
        branch=pull_request.text("head.ref", default=""),
        title=pull_request.text("title", default=""),
        body=pull_request.text("body", default=""),
        commits=(commit.subject for commit in (commits.parts if commits else ())),
    )
    return ProvidedParts(linked, whole=commits is not None)


_record = partial(record_of, "pull_request", normalise_pull_request)


def fetch_pull_requests(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read pull requests: over REST a changed one costs four requests, over GraphQL 25 of them cost one."""

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        if place.graphql:
            details = details_of(http, place.graphql, PULL_REQUESTS, [text_of(entry, "node_id") for entry in entries])
            return [_record(entry, details=details.get(text_of(entry, "node_id"))) for entry in entries]
        return [_read_over_rest(http, place, entry) for entry in entries]

    pull_requests = NewestFirst(
        path=place.path("pulls"),
        params={"state": "all", "sort": "updated", "direction": "desc"},
        sorted_by="updated_at",
        read=read,
        batch=BATCH_OVER_GRAPHQL if place.graphql else BATCH_OVER_REST,
    )
    yield from pull_requests.pages(http, cursor, now=now)


def _read_over_rest(http: Http, place: Place, entry: Json) -> RawRecord:
    number = text_of(entry, "number")
    if not number:
        return _record(entry)
    pulls = place.path("pulls", number)
    try:
        pull_request = http.get(pulls).json()
        return _record(
            pull_request,
            commits=_commits(http, place, pull_request),
            reviews=list(list_all(http, f"{pulls}/reviews")),
            timeline=[
                event
                for event in list_all(http, place.path("issues", number, "timeline"))
                if text_of(event, "event") in EVENTS_OF_INTEREST
            ],
        )
    except GoneError:
        return _record(entry)  # deleted since it was listed, and not yet noticed


def _commits(http: Http, place: Place, pull_request: Any) -> list[Any]:
    """All commits of the pull request, oldest first.

    Its own list ends after 250; the comparison of its branches has the others, as long as GitHub knows both ends.
    """
    commits = list(list_all(http, place.path("pulls", text_of(pull_request, "number"), "commits")))
    count = text_of(pull_request, "commits")
    base, head = (text_of(pull_request.get(side), "sha") for side in ("base", "head"))
    if not count.isdecimal() or len(commits) >= int(count) or not base or not head:
        return commits
    try:
        compared = list(list_all(http, place.path("compare", f"{base}...{head}"), within="commits"))
    except PermanentError:
        return commits
    return compared if len(compared) == int(count) else commits
