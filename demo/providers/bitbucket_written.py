"""Records of a delivery history as Bitbucket's REST API writes them."""

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
    Job,
    Outcome,
    PipelineRun,
    Repository,
    Verdict,
)
from demo.providers.record_states import PullRequestState

_SHORT = 12  # characters of a hash in pull requests
_VERDICTS = {Verdict.APPROVED: "approval", Verdict.CHANGES_REQUESTED: "changes_requested"}
_RESULTS = {
    Outcome.SUCCESS: "SUCCESSFUL",
    Outcome.FAILURE: "FAILED",
    Outcome.TIMED_OUT: "ERROR",
    Outcome.CANCELLED: "STOPPED",
    Outcome.SKIPPED: "NOT_RUN",
}
_ENDED = {
    DeploymentState.SUCCESS: "SUCCESSFUL",
    DeploymentState.FAILURE: "FAILED",
    DeploymentState.ERROR: "FAILED",
}
_TYPES = {"production": "Production", "staging": "Staging"}
_STATES = {EventKind.CLOSED: "DECLINED", EventKind.REOPENED: "OPEN", EventKind.MERGED: "MERGED"}
_UPDATES = (
    *(*_STATES, EventKind.PUSHED, EventKind.FORCE_PUSHED, EventKind.MADE_READY, EventKind.MADE_DRAFT),
    *(EventKind.REVIEW_REQUESTED, EventKind.REVIEW_REQUEST_REMOVED, EventKind.RETITLED),
)
WORKSPACE = 1_000_000  # the number that its id is made of


def written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}+00:00"


def nanoseconds(at: datetime) -> str:
    """The time as pipelines write it: https://github.com/apache/devlake, raw tables of its plugin."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z"


def uuid(kind: int, number: int) -> str:
    return f"{{{kind:08x}-0000-4000-8000-{number:012x}}}"


def user(account: Account | None) -> dict[str, Any]:
    """An account; a deleted one keeps its UUID and has no id."""
    if account is None:
        return {"type": "user", "uuid": uuid(1, 0), "account_id": None, "display_name": "Former user"}
    kind = "app_user" if account.is_bot else "user"
    nickname = account.name.partition(" ")[0]
    ids = {"uuid": uuid(1, account.id), "account_id": account_id(account)}
    return {"type": kind, **ids, "display_name": account.name, "nickname": nickname}


def account_id(account: Account) -> str:
    return f"557058:{account.id:08x}"


def repository(record: Repository, workspace: str, web: str) -> dict[str, Any]:
    path = f"{workspace}/{record.name}"
    return {
        "type": "repository",
        "uuid": uuid(2, record.id),
        "slug": record.name,
        "name": record.name,
        "full_name": path,
        "is_private": True,
        "mainbranch": {"type": "branch", "name": record.default_branch},
        "workspace": {"type": "workspace", "uuid": uuid(3, WORKSPACE), "slug": workspace},
        "created_on": written(record.created_at),
        "links": {"html": {"href": f"{web}/{path}"}},
    }


def commit(record: Commit) -> dict[str, Any]:
    """The account of an author is there only if the address belongs to one."""
    author: dict[str, Any] = {"type": "author", "raw": f"{record.author_name} <{record.author_email}>"}
    if record.author is not None:
        author["user"] = user(record.author)
    return {
        "type": "commit",
        "hash": record.sha,
        "date": f"{record.committed_at:%Y-%m-%dT%H:%M:%S}+00:00",
        "message": record.message,
        "author": author,
        "parents": [{"type": "commit", "hash": sha} for sha in record.parents],
    }


# Pull requests ----------------------------------------------------------------------------------------------------


def pull_request(state: PullRequestState, workspace: str, web: str, api: str) -> dict[str, Any]:
    record, merged, path = state.pull_request, state.merged, f"{workspace}/{state.pull_request.repository.name}"
    link = f"{api}/repositories/{path}"
    return {
        "type": "pullrequest",
        "id": record.number,
        "title": state.title,
        "description": record.body,
        "state": "MERGED" if merged else "DECLINED" if state.closed else "OPEN",
        "draft": state.is_draft,
        "author": user(record.author),
        "closed_by": user(state.closed.by) if state.closed else None,
        "created_on": written(record.created_at),
        "updated_on": written(state.updated_at),
        "comment_count": len(state.comments) + state.line_comment_count,
        "merge_commit": {"type": "commit", "hash": merged.sha[:_SHORT]} if merged else None,
        "source": {"branch": {"name": record.source_branch}, "commit": {"hash": state.head_sha[:_SHORT]}},
        "destination": {"branch": {"name": record.target_branch}, "commit": {"hash": record.base_sha[:_SHORT]}},
        "participants": _participants(state),
        "links": {
            "html": {"href": f"{web}/{path}/pull-requests/{record.number}"},
            "diffstat": {
                "href": f"{link}/diffstat/{path}:{state.head_sha[:_SHORT]}?from_pullrequest_id={record.number}"
            },
        },
    }


def _participants(state: PullRequestState) -> list[dict[str, Any]]:
    """Everybody who reviews, with their last verdict that counts."""
    people = {account.id: account for account in state.requested}
    verdicts: dict[int, Verdict] = {}
    for review in state.reviews:
        if review.by is not None:
            people[review.by.id] = review.by
            if review.verdict in _VERDICTS and review.id not in state.dismissed:
                verdicts[review.by.id] = review.verdict
    return [
        {
            "type": "participant",
            "role": "REVIEWER",
            "user": user(account),
            "approved": verdicts.get(number) is Verdict.APPROVED,
            "state": "approved" if verdicts.get(number) is Verdict.APPROVED else None,
        }
        for number, account in sorted(people.items())
    ]


def activity(state: PullRequestState) -> list[dict[str, Any]]:
    """The activity of a pull request, newest first, with its creation as an update."""
    record = state.pull_request
    named = {"id": record.number, "type": "pullrequest", "title": state.title}
    created = {
        "update": {
            "state": "OPEN",
            "title": record.title,
            "reviewers": [],
            "changes": {},
            "author": user(record.author),
            "date": written(record.created_at),
            "source": {"commit": {"hash": record.commits[-1].sha[:_SHORT]}},
        }
    }
    entries = [created, *(entry for event in state.seen for entry in _entries(event, state))]
    return [{"pull_request": named, **entry} for entry in reversed(entries)]


def _entries(event: DeliveryEvent, state: PullRequestState) -> Iterator[dict[str, Any]]:
    if event.did is EventKind.COMMENTED:
        yield {"comment": _comment(event, 0)}
    elif event.did is EventKind.REVIEWED:
        for position, _ in enumerate(event.line_comments, start=1):
            yield {"comment": {**_comment(event, position), "inline": {"path": "shop.py", "to": 1, "from": None}}}
        if kind := _VERDICTS.get(event.verdict or Verdict.COMMENTED):
            yield {kind: {"date": written(event.at), "user": user(event.by)}}
        elif not event.line_comments:
            yield {"comment": {**_comment(event, 0), "inline": {"path": "shop.py", "to": 1, "from": None}}}
    elif event.did in _UPDATES:
        yield {"update": _update(event, state)}


def _comment(event: DeliveryEvent, position: int) -> dict[str, Any]:
    return {
        "type": "pullrequest_comment",
        "id": event.id * 100 + position,
        "created_on": written(event.at),
        "updated_on": written(event.at),
        "content": {"raw": event.text or "Why?"},
        "user": user(event.by),
        "deleted": False,
    }


def _update(event: DeliveryEvent, state: PullRequestState) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    of = [user(event.of)] if event.of else []
    if event.did is EventKind.REVIEW_REQUESTED:
        changes["reviewers"] = {"added": of, "removed": []}
    elif event.did is EventKind.REVIEW_REQUEST_REMOVED:
        changes["reviewers"] = {"added": [], "removed": of}
    elif event.did in (EventKind.MADE_READY, EventKind.MADE_DRAFT):
        is_draft = event.did is EventKind.MADE_DRAFT
        changes["draft"] = {"old": not is_draft, "new": is_draft}
    return {
        "state": _state_at(event, state),
        "title": state.title,
        "reviewers": [],
        "changes": changes,
        "author": user(event.by),
        "date": written(event.at),
        "source": {"commit": {"hash": _head_at(event, state)[:_SHORT]}},
    }


def _state_at(event: DeliveryEvent, state: PullRequestState) -> str:
    """The state of the pull request after an event."""
    known = [_STATES[seen.did] for seen in state.seen if seen.at <= event.at and seen.did in _STATES]
    return known[-1] if known else "OPEN"


def _head_at(event: DeliveryEvent, state: PullRequestState) -> str:
    pushed = [seen.commits[-1].sha for seen in state.seen if seen.at <= event.at and seen.commits]
    return pushed[-1] if pushed else state.pull_request.commits[-1].sha


def diffstat(state: PullRequestState) -> list[dict[str, Any]]:
    """One entry for each file; the lines of a commit are those of its first file."""
    files: dict[str, list[int]] = {}
    for record in state.commits:
        for position, path in enumerate(record.paths):
            lines = files.setdefault(path, [0, 0])
            lines[0] += 0 if position else record.additions
            lines[1] += 0 if position else record.deletions
    return [
        {
            "type": "diffstat",
            "status": "modified",
            "new": {"path": path},
            "lines_added": added,
            "lines_removed": removed,
        }
        for path, (added, removed) in files.items()
    ]


# Pipelines and deployments ----------------------------------------------------------------------------------------


def attempts_until(run: PipelineRun, at: datetime) -> list[Attempt]:
    return [attempt for attempt in run.attempts if attempt.started_at <= at] or [run.attempts[0]]


def pipeline(run: PipelineRun, at: datetime) -> dict[str, Any]:
    """The pipeline as of its last attempt."""
    attempt = attempts_until(run, at)[-1]
    is_over, is_waiting = attempt.finished_at <= at, attempt.started_at > at
    state: dict[str, Any] = {"name": "PENDING", "stage": {"name": "PENDING"}}
    if is_over:
        state = {"name": "COMPLETED", "result": {"name": _RESULTS[attempt.outcome]}}
    elif not is_waiting:
        state = {"name": "IN_PROGRESS", "stage": {"name": "RUNNING"}}
    return {
        "type": "pipeline",
        "uuid": uuid(4, run.id),
        "build_number": run.number,
        "state": state,
        "created_on": nanoseconds(run.created_at),
        "completed_on": nanoseconds(attempt.finished_at) if is_over else None,
        "trigger": {"type": f"pipeline_trigger_{run.trigger}", "name": run.trigger.upper()},
        "creator": user(run.by),
        "target": {
            "type": "pipeline_ref_target",
            "ref_type": "branch",
            "ref_name": run.branch,
            "commit": {"type": "commit", "hash": run.commit.sha},
            "selector": {"type": "custom", "pattern": run.workflow.name},
        },
    }


def steps(run: PipelineRun, at: datetime) -> list[dict[str, Any]]:
    return [
        _step(job, attempt.number, at)
        for attempt in attempts_until(run, at)
        for job in attempt.jobs
        if job.queued_at <= at
    ]


def _step(job: Job, attempt: int, at: datetime) -> dict[str, Any]:
    has_started, is_over = job.started_at <= at and job.outcome is not Outcome.SKIPPED, job.finished_at <= at
    state: dict[str, Any] = {"name": "COMPLETED", "result": {"name": _RESULTS[job.outcome]}}
    if not is_over:
        state = {"name": "IN_PROGRESS"} if has_started else {"name": "PENDING"}
    return {
        "type": "pipeline_step",
        "uuid": uuid(5, job.id),
        "name": job.name,
        "state": state,
        "started_on": nanoseconds(job.started_at) if has_started else None,
        "completed_on": nanoseconds(job.finished_at) if is_over else None,
        "run_number": attempt,
    }


def deployment(record: Deployment, at: datetime, path: str, web: str) -> dict[str, Any]:
    """A deployment; one that has not begun is UNDEPLOYED.  Bitbucket does not say that a later one replaced it."""
    statuses = [status for status in record.statuses if status.at <= at]
    began = [status.at for status in statuses if status.state is DeploymentState.IN_PROGRESS]
    ended = [status for status in statuses if status.state in _ENDED]
    state: dict[str, Any] = {"name": "UNDEPLOYED"}
    if ended:
        name = _ENDED[ended[-1].state]
        times = {
            "started_on": nanoseconds(began[0] if began else ended[0].at),
            "completed_on": nanoseconds(ended[-1].at),
        }
        state = {"name": "COMPLETED", "status": {"name": name}, **times}
    elif began:
        state = {"name": "IN_PROGRESS", "started_on": nanoseconds(began[0])}
    number = record.id * 10
    return {
        "type": "deployment",
        "uuid": uuid(6, record.id),
        "environment": {"type": "deployment_environment", "uuid": environment_id(record.environment)},
        "step": {"uuid": uuid(5, number)},
        "state": state,
        "last_update_time": nanoseconds(statuses[-1].at if statuses else record.created_at),
        "release": {
            "pipeline": {"uuid": uuid(4, number)},
            "name": f"#{number}",
            "url": f"{web}/{path}/addon/pipelines/home#!/results/{number}",
            "commit": {"hash": record.sha, "message": "Not to be kept"},
            "created_on": nanoseconds(record.created_at),
        },
    }


def environment_id(name: str) -> str:
    return uuid(7, sum(map(ord, name)))


def environment(name: str, kind: str) -> dict[str, Any]:
    guessed = next((type_ for known, type_ in _TYPES.items() if name.startswith(known[:4])), "Test")
    return {"uuid": environment_id(name), "name": name, "environment_type": {"name": kind or guessed}}
