"""Webhook deliveries: events between two instants, as GitHub would send them.

deliveries = deliveries_between(history, payloads, since, until)
send(deliveries, hook.address, hook.secret)             in order; shuffle them or send them twice as you like
"""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import TypeVar

import httpx

from demo.plan.delivery import (
    Account,
    Attempt,
    Commit,
    DeliveryEvent,
    DeliveryHistory,
    Deployment,
    EventKind,
    Issue,
    PipelineRun,
    PullRequest,
    Repository,
)
from demo.providers import github_conversations as conversations
from demo.providers import github_delivery as delivery
from demo.providers.github_events import comment, title_before
from demo.providers.github_payloads import Json, Payloads, tree_sha
from demo.providers.record_states import IssueState, PullRequestState, issue_at, pull_request_at

_ACTIONS = {
    EventKind.PUSHED: "synchronize",
    EventKind.FORCE_PUSHED: "synchronize",
    EventKind.REVIEW_REQUESTED: "review_requested",
    EventKind.REVIEW_REQUEST_REMOVED: "review_request_removed",
    EventKind.MADE_READY: "ready_for_review",
    EventKind.MADE_DRAFT: "converted_to_draft",
    EventKind.LABELLED: "labeled",
    EventKind.UNLABELLED: "unlabeled",
    EventKind.ASSIGNED: "assigned",
    EventKind.UNASSIGNED: "unassigned",
    EventKind.RETITLED: "edited",
    EventKind.CLOSED: "closed",
    EventKind.REOPENED: "reopened",
    EventKind.MERGED: "closed",
    EventKind.DELETED: "deleted",
}
_Conversation = TypeVar("_Conversation", PullRequest, Issue)
_INSTANT = timedelta(microseconds=1)
_PATIENCE_SECONDS = 10.0  # GitHub's own


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event, as it is sent; the same event has the same id each time."""

    at: datetime
    repository: Repository
    event: str
    body: bytes

    @property
    def id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.event}/{hashlib.sha256(self.body).hexdigest()}"))

    def headers(self, secret: str) -> dict[str, str]:
        """The headers of a delivery, signed with the hook's secret."""
        signed = {
            f"X-Hub-Signature{ending}": f"{name}={hmac.new(secret.encode(), self.body, name).hexdigest()}"
            for ending, name in (("", "sha1"), ("-256", "sha256"))
        }
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/0123abc",
            "X-GitHub-Delivery": self.id,
            "X-GitHub-Event": self.event,
            "X-GitHub-Hook-Installation-Target-ID": str(self.repository.id),
            "X-GitHub-Hook-Installation-Target-Type": "repository",
            **(signed if secret else {}),
        }


@dataclass(frozen=True, slots=True)
class _Event:
    at: datetime
    repository: Repository
    event: str
    sender: Account | None
    payload: Json


def deliveries_between(
    history: DeliveryHistory, payloads: Payloads, since: datetime, until: datetime
) -> list[Delivery]:
    """The deliveries after `since` and until `until`, oldest first."""
    events = chain(
        chain.from_iterable(
            _of_pull_request(payloads, pull_request) for pull_request in _touched(history.pull_requests, since)
        ),
        chain.from_iterable(_of_issue(payloads, issue) for issue in _touched(history.issues, since)),
        chain.from_iterable(_of_run(payloads, run) for run in history.runs),
        chain.from_iterable(_of_deployment(payloads, deployment) for deployment in history.deployments),
        _of_releases(history, payloads),
        _of_pushes(history, payloads),
    )
    due = [event for event in events if since < event.at <= until]
    due.sort(key=lambda event: event.at)
    return [_delivery(payloads, event) for event in due]


def send(deliveries: Sequence[Delivery], address: str, secret: str) -> list[int]:
    """Post them one after another; the status of each answer.  Raises httpx.TransportError where nobody answers."""
    with httpx.Client(timeout=_PATIENCE_SECONDS, trust_env=False) as client:
        return [client.post(address, content=one.body, headers=one.headers(secret)).status_code for one in deliveries]


def _touched(records: Sequence[_Conversation], since: datetime) -> list[_Conversation]:
    """Records with an event after `since`: a year of payloads takes long to write."""
    return [record for record in records if _last_change(record) > since]


def _last_change(record: PullRequest | Issue) -> datetime:
    return record.happenings[-1].at if record.happenings else record.created_at


def _delivery(payloads: Payloads, event: _Event) -> Delivery:
    repository = payloads.repository(event.repository)
    if event.event == "push":
        repository |= _in_pushes(payloads, event)
    document = {
        **event.payload,
        "repository": repository,
        "organization": _organisation(payloads),
        "sender": payloads.user(event.sender or payloads.owner),
    }
    return Delivery(event.at, event.repository, event.event, json.dumps(document, ensure_ascii=False).encode())


def _in_pushes(payloads: Payloads, event: _Event) -> Json:
    """The repository's fields in push events, which have times in seconds, unlike all newer events."""
    owner, branch = payloads.owner, event.repository.default_branch
    return {
        "owner": {"name": owner.login, "email": owner.email or None, **payloads.user(owner)},
        "url": f"{payloads.web}/{payloads.full_name(event.repository)}",
        "created_at": int(event.repository.created_at.timestamp()),
        "pushed_at": int(event.at.timestamp()),
        "stargazers": 0,
        "master_branch": branch,
        "organization": owner.login,
    }


def _organisation(payloads: Payloads) -> Json:
    address = f"{payloads.api}/orgs/{payloads.owner.login}"
    names = ("repos", "events", "hooks", "issues")
    return {
        "login": payloads.owner.login,
        "id": payloads.owner.id,
        "node_id": f"O_{payloads.owner.id}",
        "url": address,
        **{f"{name}_url": f"{address}/{name}" for name in names},
        "members_url": f"{address}/members{{/member}}",
        "public_members_url": f"{address}/public_members{{/member}}",
        "avatar_url": f"{payloads.web}/avatars/u/{payloads.owner.id}?v=4",
        "description": "",
    }


# Pull requests and issues ----------------------------------------------------------------------------------------


def _of_pull_request(payloads: Payloads, record: PullRequest) -> Iterator[_Event]:
    before = record.created_at - _INSTANT  # nothing had happened yet
    opened = conversations.pull_request(payloads, pull_request_at(record, before))
    payload = {"action": "opened", "number": record.number, "pull_request": opened}
    yield _Event(record.created_at, record.repository, "pull_request", record.author, payload)
    state = pull_request_at(record, before)
    for happening in record.happenings:
        head = state.head_sha
        state.take(happening)
        yield from (
            _Event(happening.at, record.repository, event, happening.by, payload)
            for event, payload in _about_pull_request(payloads, state, happening, head_before=head)
        )


def _about_pull_request(
    payloads: Payloads, state: PullRequestState, happening: DeliveryEvent, *, head_before: str
) -> Iterator[tuple[str, Json]]:
    about = {"pull_request": conversations.listed_pull_request(payloads, state)}
    if happening.did is EventKind.REVIEWED:
        yield "pull_request_review", {"action": "submitted", "review": _review(payloads, state, happening), **about}
        for line_comment in happening.line_comments:
            remark = conversations.line_comment(payloads, state, happening, line_comment)
            yield "pull_request_review_comment", {"action": "created", "comment": remark, **about}
    elif happening.did is EventKind.REVIEW_DISMISSED:
        for review in state.reviews:
            if review.id == happening.review:
                document = _review(payloads, state, review)
                yield "pull_request_review", {"action": "dismissed", "review": document, **about}
    elif happening.did is EventKind.COMMENTED:
        yield "issue_comment", _comment(payloads, state, happening)
    elif action := _ACTIONS.get(happening.did):
        whole = conversations.pull_request(payloads, state)
        number = state.pull_request.number
        particulars = _particulars(payloads, state, happening)
        if action == "synchronize":
            particulars = {"before": head_before, "after": state.head_sha}
        yield "pull_request", {"action": action, "number": number, "pull_request": whole, **particulars}


def _of_issue(payloads: Payloads, record: Issue) -> Iterator[_Event]:
    state = issue_at(record, record.created_at - _INSTANT)
    opened = {"action": "opened", "issue": conversations.issue(payloads, state)}
    yield _Event(record.created_at, record.repository, "issues", record.author, opened)
    for happening in record.happenings:
        state.take(happening)
        if happening.did is EventKind.COMMENTED:
            remark = _comment(payloads, state, happening)
            yield _Event(happening.at, record.repository, "issue_comment", happening.by, remark)
        elif action := _ACTIONS.get(happening.did):
            payload = {
                "action": action,
                "issue": conversations.issue(payloads, state),
                **_particulars(payloads, state, happening),
            }
            yield _Event(happening.at, record.repository, "issues", happening.by, payload)


def _review(payloads: Payloads, state: PullRequestState, review: DeliveryEvent) -> Json:
    """Webhooks write a review's state in small letters, and no words as null."""
    document = conversations.review(payloads, state, review)
    return {**document, "state": document["state"].lower(), "body": document["body"] or None}


def _comment(payloads: Payloads, state: PullRequestState | IssueState, happening: DeliveryEvent) -> Json:
    return {
        "action": "created",
        "issue": conversations.issue(payloads, state),
        "comment": comment(payloads, state, happening),
    }


def _particulars(payloads: Payloads, state: PullRequestState | IssueState, happening: DeliveryEvent) -> Json:
    match happening.did:
        case EventKind.REVIEW_REQUESTED | EventKind.REVIEW_REQUEST_REMOVED if happening.team:
            return {"requested_team": payloads.team(happening.team)}
        case EventKind.REVIEW_REQUESTED | EventKind.REVIEW_REQUEST_REMOVED:
            return {"requested_reviewer": payloads.user_or_none(happening.of)}
        case EventKind.LABELLED | EventKind.UNLABELLED:
            return {"label": payloads.label(state.record.repository, happening.text)}
        case EventKind.ASSIGNED | EventKind.UNASSIGNED:
            return {"assignee": payloads.user_or_none(happening.of)}
        case EventKind.RETITLED:
            return {"changes": {"title": {"from": title_before(state, happening)}}}
        case _:
            return {}


# Runs, deployments, releases, pushes -----------------------------------------------------------------------------


def _of_run(payloads: Payloads, run: PipelineRun) -> Iterator[_Event]:
    for attempt in run.attempts:
        started_at = run.created_at if attempt.number == 1 else attempt.started_at
        for at, action in ((started_at, "requested"), (attempt.finished_at, "completed")):
            payload = {
                "action": action,
                "workflow_run": delivery.workflow_run(payloads, run, attempt, at),
                "workflow": delivery.workflow(payloads, run),
            }
            yield _Event(at, run.repository, "workflow_run", attempt.by, payload)
        yield from _of_jobs(payloads, run, attempt)


def _of_jobs(payloads: Payloads, run: PipelineRun, attempt: Attempt) -> Iterator[_Event]:
    for job in attempt.jobs:
        moments = [(job.queued_at, "queued"), (job.started_at, "in_progress"), (job.finished_at, "completed")]
        for at, action in moments:
            payload = {"action": action, "workflow_job": delivery.workflow_job(payloads, run, attempt, job, at)}
            yield _Event(at, run.repository, "workflow_job", attempt.by, payload)


def _of_deployment(payloads: Payloads, record: Deployment) -> Iterator[_Event]:
    created = {
        "action": "created",
        "deployment": delivery.deployment(payloads, record, record.created_at),
        "workflow": None,
        "workflow_run": None,
    }
    yield _Event(record.created_at, record.repository, "deployment", record.by, created)
    for status in record.statuses:
        payload = {
            "action": "created",
            "deployment_status": delivery.deployment_status(payloads, record, status),
            "deployment": delivery.deployment(payloads, record, status.at),
            "check_run": None,
            "workflow": None,
            "workflow_run": None,
        }
        yield _Event(status.at, record.repository, "deployment_status", status.by, payload)


def _of_releases(history: DeliveryHistory, payloads: Payloads) -> Iterator[_Event]:
    for record in history.releases:
        payload = {"action": "published", "release": delivery.release(payloads, record)}
        yield _Event(record.published_at, record.repository, "release", record.by, payload)


def _of_pushes(history: DeliveryHistory, payloads: Payloads) -> Iterator[_Event]:
    """Pushes of commits to default branches and to branches of pull requests."""
    for name, commits in history.commits.items():
        repository = history.repository(name)
        for commit in commits:
            before = commit.parents[0] if commit.parents else "0" * 40
            push = _push(payloads, repository, repository.default_branch, before, [commit])
            yield _Event(commit.committed_at, repository, "push", commit.author, push)
    for record in history.pull_requests:
        head = record.commits[-1].sha
        for happening in record.happenings:
            if happening.did in (EventKind.PUSHED, EventKind.FORCE_PUSHED):
                push = _push(payloads, record.repository, record.source_branch, head, happening.commits)
                push["forced"] = happening.did is EventKind.FORCE_PUSHED
                head = happening.commits[-1].sha
                yield _Event(happening.at, record.repository, "push", happening.by, push)


def _push(payloads: Payloads, repository: Repository, branch: str, before: str, commits: Iterable[Commit]) -> Json:
    page = f"{payloads.web}/{payloads.full_name(repository)}"
    pushed = [_pushed_commit(payloads, page, commit) for commit in commits]
    after = pushed[-1]["id"]
    pusher = pushed[-1]["committer"]
    return {
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": after,
        "created": before == "0" * 40,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"{page}/compare/{before[:12]}...{after[:12]}",
        "commits": pushed,
        "head_commit": pushed[-1],
        "pusher": {"name": pusher["name"], "email": pusher["email"]},
    }


def _pushed_commit(payloads: Payloads, page: str, commit: Commit) -> Json:
    signed = {"name": commit.author_name, "email": commit.author_email}
    by = {**signed, "username": payloads.login(commit.author)} if commit.author else signed
    return {
        "id": commit.sha,
        "tree_id": tree_sha(commit),
        "distinct": True,
        "message": commit.message.rstrip("\n"),
        "timestamp": commit.committed_at.isoformat(),
        "url": f"{page}/commit/{commit.sha}",
        "author": by,
        "committer": by,
        "added": [],
        "removed": [],
        "modified": list(commit.paths),
    }
