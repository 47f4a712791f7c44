"""Records of a delivery history as GitLab's REST API writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from demo.plan.delivery import (
    Account,
    Commit,
    DeliveryEvent,
    EventKind,
    Repository,
    Verdict,
)
from demo.providers.record_states import ConversationState, PullRequestState

GHOST = {"id": 9_007_199_254_740_993, "username": "ghost", "name": "Ghost User"}
_STATES = {EventKind.CLOSED: "closed", EventKind.REOPENED: "reopened", EventKind.MERGED: "merged"}
_VERDICTS = {
    Verdict.APPROVED: "approved this merge request",
    Verdict.CHANGES_REQUESTED: "requested changes",
}
_ABOUT_SOMEBODY = {
    EventKind.ASSIGNED: "assigned to",
    EventKind.UNASSIGNED: "unassigned",
    EventKind.REVIEW_REQUESTED: "requested review from",
    EventKind.REVIEW_REQUEST_REMOVED: "removed review request for",
}
_SAID = {
    EventKind.MADE_READY: "marked this merge request as **ready**",
    EventKind.MADE_DRAFT: "marked this merge request as **draft**",
    EventKind.PUSHED: "added 1 commit",
    EventKind.FORCE_PUSHED: "added 1 commit",
}


def written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def user(account: Account | None) -> dict[str, Any]:
    if account is None:
        return GHOST
    login = f"project_{account.id}_bot" if account.is_bot else account.login
    return {"id": account.id, "username": login, "name": account.name, "state": "active"}


def project(repository: Repository, group: str, web: str) -> dict[str, Any]:
    path = f"{group}/{repository.name}"
    return {
        "id": repository.id,
        "name": repository.name,
        "path_with_namespace": path,
        "web_url": f"{web}/{path}",
        "http_url_to_repo": f"{web}/{path}.git",
        "default_branch": repository.default_branch,
        "archived": repository.is_archived,
        "namespace": {"id": 1, "kind": "group", "full_path": group},
        "merge_requests_enabled": True,
        "issues_enabled": True,
        "jobs_enabled": True,
    }


def commit(record: Commit, *, with_parents: bool = False) -> dict[str, Any]:
    return {
        "id": record.sha,
        "short_id": record.sha[:8],
        "title": record.subject,
        "message": record.message,
        "author_name": record.author_name,
        "author_email": record.author_email,
        "authored_date": written(record.authored_at),
        "committer_name": record.author_name,
        "committer_email": record.author_email,
        "committed_date": written(record.committed_at),
        "parent_ids": list(record.parents) if with_parents else [],
        "stats": {"additions": record.additions, "deletions": record.deletions},
    }


def merge_request(state: PullRequestState, group: str, web: str) -> dict[str, Any]:
    record, merged = state.pull_request, state.merged
    path = f"{group}/{record.repository.name}"
    return {
        "id": record.id,
        "iid": record.number,
        "project_id": record.repository.id,
        "title": f"Draft: {state.title}" if state.is_draft else state.title,
        "description": record.body,
        "state": "merged" if merged else "closed" if state.closed else "opened",
        "draft": state.is_draft,
        "created_at": written(record.created_at),
        "updated_at": written(state.updated_at),
        "merged_at": written(merged.at) if merged else None,
        "merge_user": user(merged.by) if merged else None,
        "closed_at": written(state.closed.at) if state.closed and not merged else None,
        "author": user(record.author),
        "assignees": [user(one) for one in state.assignees],
        "reviewers": [user(one) for one in state.requested],
        "labels": sorted(state.labels),
        "source_branch": record.source_branch,
        "target_branch": record.target_branch,
        "sha": state.head_sha,
        "merge_commit_sha": merged.sha if merged else None,
        "squash_commit_sha": None,
        "user_notes_count": len(state.comments) + state.line_comment_count,
        "web_url": f"{web}/{path}/-/merge_requests/{record.number}",
        "references": {"short": f"!{record.number}", "full": f"{path}!{record.number}"},
    }


def lines_and_approvers(state: PullRequestState) -> dict[str, Any]:
    """What GraphQL has of a merge request."""
    counts = {"additions": state.additions, "deletions": state.deletions, "fileCount": state.changed_files}
    approved = {
        review.by.login: None
        for review in state.reviews
        if review.verdict is Verdict.APPROVED and review.by and review.id not in state.dismissed
    }
    return {"diffStatsSummary": counts, "approvedBy": {"nodes": [{"username": login} for login in approved]}}


def state_events(state: ConversationState) -> list[dict[str, Any]]:
    return [
        {"id": event.id, "user": user(event.by), "created_at": written(event.at), "state": _STATES[event.did]}
        for event in state.seen
        if event.did in _STATES
    ]


def notes(state: ConversationState) -> list[dict[str, Any]]:
    """Comments, and what GitLab writes itself, oldest first."""
    found = [note for event in state.seen for note in _notes_of(event, state)]
    return sorted(found, key=lambda note: (note["created_at"], note["id"]))


def _notes_of(event: DeliveryEvent, state: ConversationState) -> Iterator[dict[str, Any]]:
    if event.did is EventKind.COMMENTED:
        yield _note(event, event.text, of_system=False)
    elif event.did is EventKind.REVIEWED:
        yield from _notes_of_review(event)
    elif event.did is EventKind.REVIEW_DISMISSED and isinstance(state, PullRequestState):
        for review in state.reviews:
            if review.id == event.review and review.verdict is Verdict.APPROVED:
                yield {**_note(event, "unapproved this merge request"), "author": user(review.by)}
    elif event.did in _ABOUT_SOMEBODY and event.of:
        yield _note(event, f"{_ABOUT_SOMEBODY[event.did]} @{user(event.of)['username']}")
    elif event.did in _SAID:
        yield _note(event, _SAID[event.did])


def _notes_of_review(event: DeliveryEvent) -> Iterator[dict[str, Any]]:
    for position, comment in enumerate(event.line_comments, start=1):
        yield {**_note(event, comment.body, position, of_system=False), "type": "DiffNote"}
    if verdict := _VERDICTS.get(event.verdict or Verdict.COMMENTED):
        yield _note(event, verdict)
    elif not event.line_comments:
        yield {**_note(event, event.text, of_system=False), "type": "DiscussionNote"}


def _note(event: DeliveryEvent, body: str, position: int = 0, *, of_system: bool = True) -> dict[str, Any]:
    return {
        "id": event.id * 100 + position,
        "type": None,
        "body": body,
        "author": user(event.by),
        "created_at": written(event.at),
        "updated_at": written(event.at),
        "system": of_system,
        "internal": False,
    }
