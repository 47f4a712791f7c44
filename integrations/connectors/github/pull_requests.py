"""Pull requests: lists name them; details come from GraphQL in batches, or over REST one by one."""

from __future__ import annotations

from integrations.connectors.base import Json
from integrations.connectors.drafts import (
    MISSING,
    Missing,
    ProvidedParts,
    PullRequestDraft,
    Who,
    WorkItemReference,
    shown_title,
)
from integrations.connectors.github.accounts import account
from integrations.connectors.github.pull_request_parts import Parts, graphql_parts, rest_parts
from integrations.connectors.issue_keys import host_of, pull_request_references
from integrations.connectors.reader import Reader
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
