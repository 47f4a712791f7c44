"""Pull requests: lists name them; details come from GraphQL in batches, or over REST one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.drafts import (
    MISSING,
    Missing,
    ProvidedParts,
    PullRequestDraft,
    Who,
    WorkItemReference,
    shown_title,
)
from integrations.connectors.errors import GoneError, PermanentError
from integrations.connectors.github.accounts import account
from integrations.connectors.github.graphql import details_of
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.newest_first import NewestFirst
from integrations.connectors.github.pull_request_parts import EVENTS_OF_INTEREST, Parts, graphql_parts, rest_parts
from integrations.connectors.github.queries import PULL_REQUESTS
from integrations.connectors.github.stream_repository import Place, record_of
from integrations.connectors.reader import Reader
from integrations.connectors.references import host_of, pull_request_references
from integrations.connectors.unchecked import text_of
from integrations.enums import PullRequestState

CODING_AGENTS = frozenset({"copilot", "copilot[bot]", "copilot-swe-agent[bot]"})
"""Agents that GitHub runs itself: a pull request is assigned to its requester, too."""


def normalise_pull_request(payload: Json) -> list[PullRequestDraft]:
    """`pull_request` as REST or a webhook has it; its parts in `details` (GraphQL), or in `commits`, `reviews` and
    `timeline` (REST), or missing.  SchemaError names the field that was not as documented.
    """
    reader = Reader(payload)
    pull_request = Reader(payload.get("pull_request"), "pull_request")
    details = reader.object("details")
    parts = graphql_parts(details) if details is not None else rest_parts(reader) if reader.has("timeline") else Parts()
    merged_at = pull_request.time("merged_at", default=None)
    closed_at = pull_request.time("closed_at", default=None)
    author = account(pull_request.object("user"))
    return [
        PullRequestDraft(
            external_id=pull_request.identifier("id"),
            updated_at=pull_request.time("updated_at"),
            repository=pull_request.identifier("base.repo.id"),
            number=pull_request.integer("number"),
            title=shown_title(pull_request.text("title")),
            url=pull_request.text("html_url"),
            author=author,
            requested_by=_requested_by(author, pull_request),
            state=_state(pull_request.text("state"), merged=merged_at is not None, closed=closed_at is not None),
            native_state=pull_request.text("state"),
            is_draft=pull_request.boolean("draft", default=MISSING),
            created_at=pull_request.time("created_at"),
            merged_at=merged_at,
            closed_at=closed_at,
            merged_by=_merged_by(payload["pull_request"], pull_request, details),
            # While it is open, GitHub names the commit with which it tries whether it could be merged.
            merge_sha=pull_request.text("merge_commit_sha", default=MISSING) if merged_at else "",
            head_sha=pull_request.text("head.sha"),
            source_branch=pull_request.text("head.ref"),
            target_branch=pull_request.text("base.ref"),
            additions=_count(pull_request, "additions", details, "additions"),
            deletions=_count(pull_request, "deletions", details, "deletions"),
            changed_files=_count(pull_request, "changed_files", details, "changedFiles"),
            commit_count=_count(pull_request, "commits", details, "commits.totalCount"),
            comment_count=_count(pull_request, "comments", details, "comments.totalCount"),
            review_comment_count=_review_comment_count(pull_request, details),
            labels=tuple(label.text("name") for label in pull_request.objects("labels")),
            commits=parts.commits,
            reviews=parts.reviews,
            events=parts.events,
            references=_references(pull_request, parts),
            impossible_times=tuple(reader.impossible_times),
        )
    ]


def _state(native: str, *, merged: bool, closed: bool) -> PullRequestState:
    """REST calls a merged pull request closed; a state that we do not know goes by its times."""
    if merged:
        return PullRequestState.MERGED
    return PullRequestState.CLOSED if native == "closed" or closed else PullRequestState.OPEN


def _merged_by(payload: Json, pull_request: Reader, details: Reader | None) -> Who | Missing | None:
    """Lists leave it out."""
    if details is not None:
        return account(details.object("mergedBy"))
    return account(pull_request.object("merged_by")) if "merged_by" in payload else MISSING


def _requested_by(author: Who | None, pull_request: Reader) -> Who | None:
    """Who requested it from a coding agent."""
    if author is None or author.login.lower() not in CODING_AGENTS:
        return None
    assigned = (account(user) for user in pull_request.objects("assignees"))
    return next((who for who in assigned if who is not None and not who.bot), None)


def _count(pull_request: Reader, field: str, details: Reader | None, detail: str) -> int | Missing:
    """Lists leave counts out."""
    if details is not None:
        return details.integer(detail)
    return pull_request.integer(field, default=MISSING)


def _review_comment_count(pull_request: Reader, details: Reader | None) -> int | Missing:
    """GraphQL counts comments on lines by review; those of a review that is not submitted are nobody's business."""
    if details is None:
        return pull_request.integer("review_comments", default=MISSING)
    submitted = (review for review in details.objects("reviews.nodes") if review.text("state") != "PENDING")
    return sum(review.integer("comments.totalCount") for review in submitted)


def _references(pull_request: Reader, parts: Parts) -> ProvidedParts[WorkItemReference]:
    """Complete only if the commits are known, because they name work items too."""
    commits = () if isinstance(parts.commits, Missing) else parts.commits.parts
    linked = pull_request_references(
        repository=pull_request.text("base.repo.full_name"),
        host=host_of(pull_request.text("html_url")),
        branch=pull_request.text("head.ref"),
        title=pull_request.text("title"),
        body=pull_request.text("body", default=""),
        commits=(commit.subject for commit in commits),
    )
    return ProvidedParts(linked, whole=not isinstance(parts.commits, Missing))


BATCH_OVER_GRAPHQL = 25  # of up to 300 entries each: well below its limits of nodes and of ten seconds
BATCH_OVER_REST = 10  # of four requests each
_record = partial(record_of, "pull_request", normalise_pull_request)


def fetch_pull_requests(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Over REST a changed pull request costs four requests, over GraphQL 25 of them cost one."""

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
        return _record(entry)  # gone since it was listed, and not yet missed


def _commits(http: Http, place: Place, pull_request: Any) -> list[Any]:
    """All of the pull request's, the oldest first.

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
