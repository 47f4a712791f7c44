"""Records of a delivery history as GitLab's REST API writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from demo.plan.delivery import (
    Account,
    Attempt,
    Commit,
    DeliveryEvent,
    Deployment,
    DeploymentState,
    EventKind,
    Incident,
    Job,
    Outcome,
    PipelineRun,
    Repository,
    Verdict,
)
from demo.providers.record_states import ConversationState, IssueState, PullRequestState

GHOST = {"id": 9_007_199_254_740_993, "username": "ghost", "name": "Ghost User"}
_STATES = {EventKind.CLOSED: "closed", EventKind.REOPENED: "reopened", EventKind.MERGED: "merged"}
_VERDICTS = {
    Verdict.APPROVED: "approved this merge request",
    Verdict.CHANGES_REQUESTED: "requested changes",
}
_OUTCOMES = {
    Outcome.SUCCESS: "success",
    Outcome.FAILURE: "failed",
    Outcome.TIMED_OUT: "failed",
    Outcome.CANCELLED: "canceled",
    Outcome.SKIPPED: "skipped",
}
_DEPLOYED = {
    DeploymentState.QUEUED: "created",
    DeploymentState.IN_PROGRESS: "running",
    DeploymentState.SUCCESS: "success",
    DeploymentState.FAILURE: "failed",
    DeploymentState.ERROR: "failed",
}
_TIERS = ("production", "staging", "testing", "development")
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
    """The fields of a merge request that GraphQL alone has."""
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
    if isinstance(state, IssueState):
        first = DeliveryEvent(state.issue.id, EventKind.ASSIGNED, state.issue.created_at, state.issue.author)
        found += [_note(first, f"assigned to @{user(one)['username']}", 99) for one in state.issue.assignees]
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


# Issues -----------------------------------------------------------------------------------------------------------


def issue(state: IssueState, group: str, web: str) -> dict[str, Any]:
    """The issue; one that was not planned duplicates another, since GitLab knows no such reason."""
    record, path = state.issue, f"{group}/{state.issue.repository.name}"
    project = f"{web}/api/v4/projects/{record.repository.id}"
    is_dropped = state.closed is not None and state.closed.text == "not_planned"
    return {
        "id": record.id,
        "iid": record.number,
        "project_id": record.repository.id,
        "title": state.title,
        "description": record.body,
        "state": "closed" if state.closed else "opened",
        "issue_type": "issue",
        "severity": "UNKNOWN",
        "created_at": written(record.created_at),
        "updated_at": written(state.updated_at),
        "closed_at": written(state.closed.at) if state.closed else None,
        "author": user(record.author),
        "assignees": [user(one) for one in state.assignees],
        "labels": sorted(state.labels),
        "milestone": None,
        "due_date": record.due_on.isoformat() if record.due_on else None,
        "user_notes_count": len(state.comments),
        "web_url": f"{web}/{path}/-/issues/{record.number}",
        "references": {"short": f"#{record.number}", "full": f"{path}#{record.number}"},
        "_links": {
            "self": f"{project}/issues/{record.number}",
            "closed_as_duplicate_of": f"{project}/issues/1" if is_dropped else None,
        },
        "moved_to_id": None,
    }


def label_events(state: IssueState) -> list[dict[str, Any]]:
    record = state.issue
    begin = (
        DeliveryEvent(0, EventKind.LABELLED, record.created_at, record.author, text=name) for name in record.labels
    )
    return [
        {
            "id": event.id,
            "user": user(event.by),
            "created_at": written(event.at),
            "label": {"id": 1, "name": event.text},
            "action": "add" if event.did is EventKind.LABELLED else "remove",
        }
        for event in (*begin, *state.seen)
        if event.did in (EventKind.LABELLED, EventKind.UNLABELLED)
    ]


def incident(record: Incident, at: datetime, group: str, web: str) -> dict[str, Any]:
    """An incident is an issue of another type, with a number of its own."""
    path, number = f"{group}/{record.repository.name}", incident_number(record)
    is_over = record.resolved_at is not None and record.resolved_at <= at
    known = [moment for moment in (record.started_at, record.acknowledged_at, record.resolved_at) if moment]
    return {
        "id": 5_000_000 + record.id,
        "iid": number,
        "project_id": record.repository.id,
        "title": record.title,
        "description": "",
        "state": "closed" if is_over else "opened",
        "issue_type": "incident",
        "severity": record.urgency.value.upper(),
        "created_at": written(record.started_at),
        "updated_at": written(max(moment for moment in known if moment <= at)),
        "closed_at": written(record.resolved_at) if is_over and record.resolved_at else None,
        "author": GHOST,
        "assignees": [],
        "labels": [],
        "web_url": f"{web}/{path}/-/issues/incident/{number}",
        "references": {"full": f"{path}#{number}"},
    }


def incident_number(record: Incident) -> int:
    return 500_000 + record.id


def notes_of_incident(record: Incident, at: datetime) -> list[dict[str, Any]]:
    acknowledged = record.acknowledged_at
    if acknowledged is None or acknowledged > at:
        return []
    event = DeliveryEvent(record.id, EventKind.COMMENTED, acknowledged, None)
    return [_note(event, "changed the incident status to **Acknowledged**")]


# Pipelines and deployments ----------------------------------------------------------------------------------------


def attempts_until(run: PipelineRun, at: datetime) -> list[Attempt]:
    return [attempt for attempt in run.attempts if attempt.started_at <= at] or [run.attempts[0]]


def pipeline(run: PipelineRun, at: datetime, path: str, web: str, *, is_listed: bool) -> dict[str, Any]:
    """The pipeline as of its last attempt; lists have fewer fields."""
    attempt = attempts_until(run, at)[-1]
    is_over, is_waiting = attempt.finished_at <= at, attempt.started_at > at
    changed_at = attempt.finished_at if is_over else run.created_at if is_waiting else attempt.started_at
    document = {
        "id": run.id,
        "iid": run.number,
        "project_id": run.repository.id,
        "name": run.workflow.name,
        "status": _OUTCOMES[attempt.outcome] if is_over else "pending" if is_waiting else "running",
        "source": "merge_request_event" if run.trigger == "pull_request" else run.trigger,
        "ref": run.branch,
        "sha": run.commit.sha,
        "web_url": f"{web}/{path}/-/pipelines/{run.id}",
        "created_at": written(run.created_at),
        "updated_at": written(changed_at),
    }
    if is_listed:
        return document
    times = {
        "started_at": None if is_waiting else written(run.attempts[0].started_at),
        "finished_at": written(attempt.finished_at) if is_over else None,
    }
    return {**document, **times, "user": user(run.by), "tag": False}


def jobs(run: PipelineRun, at: datetime) -> list[dict[str, Any]]:
    """All jobs, with those that were retried, the newest first."""
    found = [_job(run, one, at) for attempt in attempts_until(run, at) for one in attempt.jobs if one.queued_at <= at]
    return found[::-1]


def _job(run: PipelineRun, job: Job, at: datetime) -> dict[str, Any]:
    has_started, is_over = job.started_at <= at and job.outcome is not Outcome.SKIPPED, job.finished_at <= at
    return {
        "id": job.id,
        "name": job.name,
        "stage": "test",
        "status": _OUTCOMES[job.outcome] if is_over else "running" if has_started else "pending",
        "allow_failure": False,
        "created_at": written(job.queued_at),
        "started_at": written(job.started_at) if has_started else None,
        "finished_at": written(job.finished_at) if is_over else None,
        "queued_duration": (job.started_at - job.queued_at).total_seconds() if has_started else None,
        "pipeline": {"id": run.id, "project_id": run.repository.id},
    }


def deployment(record: Deployment, at: datetime, path: str, web: str) -> dict[str, Any]:
    """A deployment by a job; unlike GitHub, GitLab does not say that a later one replaced it."""
    statuses = [status for status in record.statuses if status.at <= at and status.state in _DEPLOYED]
    began = [status.at for status in statuses if status.state is DeploymentState.IN_PROGRESS]
    state = _DEPLOYED[statuses[-1].state] if statuses else "created"
    ended = written(statuses[-1].at) if state in ("success", "failed") else None
    number = record.id * 10
    return {
        "id": record.id,
        "iid": record.id,
        "ref": record.ref,
        "sha": record.sha,
        "status": state,
        "created_at": written(record.created_at),
        "updated_at": written(statuses[-1].at if statuses else record.created_at),
        "user": user(record.by),
        "environment": {"id": environment_id(record.environment), "name": record.environment},
        "deployable": {
            "id": number,
            "name": "deploy",
            "status": state,
            "started_at": written(began[0]) if began else None,
            "finished_at": ended,
            "pipeline": {"id": number, "web_url": f"{web}/{path}/-/pipelines/{number}"},
            "commit": {"id": record.sha, "message": "Not to be kept"},
        },
    }


def environment_id(name: str) -> int:
    return sum(map(ord, name))


def environment(name: str, tier: str) -> dict[str, Any]:
    guessed = next((known for known in _TIERS if name.startswith(known[:4])), "other")
    return {"id": environment_id(name), "name": name, "tier": tier or guessed, "state": "available"}
