"""Records of a delivery history as Azure DevOps' REST API writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
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
    Issue,
    Outcome,
    PipelineRun,
    Repository,
    Urgency,
    Verdict,
)
from demo.providers.record_states import IssueState, PullRequestState, issue_at

_VOTES = {Verdict.APPROVED: 10, Verdict.CHANGES_REQUESTED: -5, Verdict.COMMENTED: 0}
_STATUS = {EventKind.CLOSED: "Abandoned", EventKind.REOPENED: "Active", EventKind.MERGED: "Completed"}
_LONGEST_LISTED = 400
_MENTION = re.compile(r"#(\d+)")
_OF_SYSTEM = "Microsoft.VisualStudio.Services.TFS"


def written(at: datetime) -> str:
    """Times have seven digits after the second."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06}0Z"


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def identity(account: Account | None) -> dict[str, Any] | None:
    """People are named by their address, services by their kind."""
    if account is None:
        return None
    name = f"Build\\{guid(account.id)}" if account.is_bot else account.email or f"{account.login}@example.com"
    kind = "svc" if account.is_bot else "aad"
    return {
        "id": guid(account.id),
        "displayName": account.name,
        "uniqueName": name,
        "descriptor": f"{kind}.{account.login}",
    }


def project(login: str, number: int) -> dict[str, Any]:
    return {"id": guid(number), "name": login, "state": "wellFormed", "visibility": "private"}


def repository(record: Repository, of: Mapping[str, Any], web: str) -> dict[str, Any]:
    page = f"{web}/{of['name']}/_git/{record.name}"
    return {
        "id": guid(record.id),
        "name": record.name,
        "project": dict(of),
        "defaultBranch": f"refs/heads/{record.default_branch}",
        "remoteUrl": page,
        "webUrl": page,
        "isDisabled": record.is_archived,
    }


def commit(record: Commit, issues: Mapping[int, int] = MappingProxyType({})) -> dict[str, Any]:
    """Lists name no parents; `issues` as of pull_request."""
    who = {"name": record.author_name, "email": record.author_email}
    return {
        "commitId": record.sha,
        "author": {**who, "date": written(record.authored_at)},
        "committer": {**who, "date": written(record.committed_at)},
        "comment": _naming_ids(record.message, issues),
    }


def pull_request(
    state: PullRequestState, of: Mapping[str, Any], web: str, issues: Mapping[int, int], *, is_listed: bool
) -> dict[str, Any]:
    """`issues` are the ids of the repository's work items by their numbers in the history, which its texts name."""
    record, merged = state.pull_request, state.merged
    named = [issues[int(number)] for number in _MENTION.findall(record.body) if int(number) in issues]
    body = _naming_ids(record.body, issues)
    document: dict[str, Any] = {
        "repository": repository(record.repository, of, web),
        "pullRequestId": record.id,
        "status": "completed" if merged else "abandoned" if state.closed else "active",
        "createdBy": identity(record.author),
        "creationDate": written(record.created_at),
        "title": _naming_ids(state.title, issues),
        "description": body[:_LONGEST_LISTED] if is_listed else body,
        "sourceRefName": f"refs/heads/{record.source_branch}",
        "targetRefName": f"refs/heads/{record.target_branch}",
        "isDraft": state.is_draft,
        "mergeStatus": "succeeded",
        "lastMergeSourceCommit": {"commitId": state.head_sha},
        "lastMergeCommit": {"commitId": merged.sha if merged else record.base_sha},
        "reviewers": reviewers(state),
        "labels": [{"id": guid(len(label)), "name": label, "active": True} for label in sorted(state.labels)],
    }
    if state.closed:
        document |= {"closedDate": written(state.closed.at), "closedBy": identity(state.closed.by)}
    if not is_listed:
        document["workItemRefs"] = [{"id": str(number)} for number in named]
    return document


def _naming_ids(text: str, issues: Mapping[int, int]) -> str:
    """The text with the ids of work items where the history has their numbers."""
    return _MENTION.sub(lambda found: f"#{issues.get(int(found[1]), found[1])}", text)


def reviewers(state: PullRequestState) -> list[dict[str, Any]]:
    """Reviewers, each with the last vote that counts."""
    votes: dict[Account, int] = dict.fromkeys(state.requested, 0)
    for review in state.reviews:
        if review.by is not None and review.id not in state.dismissed:
            votes[review.by] = _VOTES[review.verdict or Verdict.COMMENTED] or votes.get(review.by, 0)
    return [{**(identity(one) or {}), "vote": vote, "hasDeclined": False} for one, vote in votes.items()]


def iterations(state: PullRequestState) -> list[dict[str, Any]]:
    record = state.pull_request
    pushes = [(record.created_at, record.author, record.commits[-1].sha, "create")]
    for event in state.seen:
        if event.did in (EventKind.PUSHED, EventKind.FORCE_PUSHED):
            reason = "push" if event.did is EventKind.PUSHED else "forcePush"
            pushes.append((event.at, event.by, event.commits[-1].sha, reason))
    return [
        {
            "id": number,
            "createdDate": written(at),
            "author": identity(by),
            "reason": reason,
            "sourceRefCommit": {"commitId": sha},
        }
        for number, (at, by, sha, reason) in enumerate(pushes, start=1)
    ]


# Threads ------------------------------------------------------------------------------------------------------------


def threads(state: PullRequestState) -> list[dict[str, Any]]:
    return [thread for event in state.seen for thread in _threads(event, state)]


def _threads(event: DeliveryEvent, state: PullRequestState) -> Iterator[dict[str, Any]]:
    match event.did:
        case EventKind.COMMENTED:
            yield _said(event, event.text)
        case EventKind.REVIEWED:
            yield from _review(event)
        case EventKind.REVIEW_DISMISSED:
            for review in state.reviews:
                if review.id == event.review and review.by is not None:
                    yield _vote(event, review.by, 0)
        case EventKind.REVIEW_REQUESTED | EventKind.REVIEW_REQUEST_REMOVED:
            yield _reviewers_update(event)
        case EventKind.MADE_DRAFT | EventKind.MADE_READY:
            value = "1" if event.did is EventKind.MADE_DRAFT else "0"
            properties = {"CodeReviewIsDraftNowSet": value, "CodeReviewIsDraftUpdatedByIdentity": "1"}
            yield _noted(event, "IsDraftUpdate", properties, event.by)
        case EventKind.CLOSED | EventKind.REOPENED | EventKind.MERGED:
            properties = {"CodeReviewStatus": _STATUS[event.did], "CodeReviewStatusUpdatedByIdentity": "1"}
            yield _noted(event, "StatusUpdate", properties, event.by)
        case EventKind.PUSHED | EventKind.FORCE_PUSHED:
            properties = {"CodeReviewRefNewHeadCommit": event.commits[-1].sha, "CodeReviewRefUpdatedByIdentity": "1"}
            yield _noted(event, "RefUpdate", properties, event.by)
        case _:
            pass


def _review(event: DeliveryEvent) -> Iterator[dict[str, Any]]:
    """Comments on lines, and a vote; words without either stand on a file."""
    verdict = event.verdict or Verdict.COMMENTED
    for position, comment in enumerate(event.line_comments, start=1):
        yield _said(event, comment.body, position, path=f"/{comment.path}")
    if verdict is not Verdict.COMMENTED and event.by is not None:
        yield _vote(event, event.by, _VOTES[verdict])
    elif not event.line_comments:
        yield _said(event, event.text, path="/README.md")


def _vote(event: DeliveryEvent, by: Account, vote: int) -> dict[str, Any]:
    properties = {"CodeReviewVoteResult": str(vote), "CodeReviewVotedByIdentity": "1"}
    return _noted(event, "VoteUpdate", properties, by)


def _reviewers_update(event: DeliveryEvent) -> dict[str, Any]:
    added = event.did is EventKind.REVIEW_REQUESTED
    name = f"CodeReviewReviewersUpdated{'Added' if added else 'Removed'}Identity"
    properties = {
        "CodeReviewReviewersUpdatedNumAdded": int(added),
        "CodeReviewReviewersUpdatedNumRemoved": int(not added),
        "CodeReviewReviewersUpdatedByIdentity": "1",
        name: "2",
    }
    thread = _noted(event, "ReviewersUpdate", properties, event.by)
    team = {"id": guid(len(event.team)), "displayName": event.team, "isContainer": True}
    thread["identities"]["2"] = identity(event.of) if event.of else team
    return thread


def _noted(event: DeliveryEvent, kind: str, properties: Mapping[str, Any], by: Account | None) -> dict[str, Any]:
    """A thread that Azure DevOps writes itself."""
    named = {"CodeReviewThreadType": kind, **properties}
    values = {
        name: {"$type": "System.Int32" if isinstance(value, int) else "System.String", "$value": value}
        for name, value in named.items()
    }
    author = {"id": guid(0), "displayName": _OF_SYSTEM, "uniqueName": "", "isContainer": False}
    thread = _thread(event, 0, {"author": author, "content": f"{kind} happened", "commentType": "system"})
    return {**thread, "properties": values, "identities": {"1": identity(by)}}


def _said(event: DeliveryEvent, words: str, position: int = 0, *, path: str = "") -> dict[str, Any]:
    comment = {"author": identity(event.by), "content": words, "commentType": "text"}
    context = {"filePath": path, "rightFileStart": {"line": 1, "offset": 1}} if path else None
    return {**_thread(event, position, comment), "threadContext": context, "status": "active"}


def _thread(event: DeliveryEvent, position: int, comment: Mapping[str, Any]) -> dict[str, Any]:
    at = written(event.at)
    dates = {"publishedDate": at, "lastUpdatedDate": at}
    return {
        "id": event.id * 100 + position,
        **dates,
        "comments": [{"id": 1, "parentCommentId": 0, **dates, "lastContentUpdatedDate": at, **comment}],
        "threadContext": None,
        "properties": {},
        "identities": None,
        "isDeleted": False,
    }


# Work items -----------------------------------------------------------------------------------------------------------

STATES = {
    "New": "Proposed",
    "Blocked": "InProgress",
    "Active": "InProgress",
    "Resolved": "Resolved",
    "Closed": "Completed",
    "Removed": "Removed",
}
TYPES = ("Bug", "User Story", "Task", "Epic")
_BY_KIND = {"bug": "Bug", "feature": "User Story"}
_BY_LABEL = {"in progress": "Active", "blocked": "Blocked"}
_SEVERITIES = {Urgency.CRITICAL: "1 - Critical", Urgency.HIGH: "2 - High", Urgency.LOW: "4 - Low"}
INCIDENT_TAG = "incident"


def work_item_types() -> list[dict[str, Any]]:
    states = [{"name": name, "color": "007acc", "category": category} for name, category in STATES.items()]
    return [{"name": name, "referenceName": f"Microsoft.VSTS.WorkItemTypes.{name}", "states": states} for name in TYPES]


def work_item(state: IssueState, project_name: str, epics: Mapping[int, int]) -> dict[str, Any]:
    """`epics` are the ids of the repository's work items by number, for parents."""
    record = state.issue
    fields = {
        **_fields(state, project_name),
        "System.CreatedBy": identity(record.author),
        "System.CreatedDate": written(record.created_at),
        "System.ChangedDate": written(state.updated_at),
        "System.CommentCount": len(state.comments),
        "System.Description": f"<div>{record.body}</div>" if record.body else "",
    }
    if state.closed:
        fields["Microsoft.VSTS.Common.ClosedDate"] = written(state.closed.at)
    if record.epic is not None and record.epic in epics:
        fields["System.Parent"] = epics[record.epic]
    if record.due_on:
        fields["Microsoft.VSTS.Scheduling.DueDate"] = f"{record.due_on}T00:00:00Z"
    return {"id": record.id, "rev": len(updates(state, project_name)), "fields": _present(fields)}


def _fields(state: IssueState, project_name: str) -> dict[str, Any]:
    """The fields whose changes are updates."""
    working = [label for label in state.labels if label in _BY_LABEL]
    status = _BY_LABEL[working[-1]] if working else "New"
    if state.closed:
        status = "Removed" if state.closed.text == "not_planned" else "Closed"
    record = state.issue
    return {
        "System.AreaPath": f"{project_name}\\{record.repository.name}",
        "System.TeamProject": project_name,
        "System.IterationId": 1,
        "System.WorkItemType": _type(record),
        "System.State": status,
        "System.Reason": f"Moved to {status}",
        "System.AssignedTo": identity(state.assignees[0]) if state.assignees else None,
        "System.Title": state.title,
        "System.Tags": "; ".join(sorted(state.labels)),
    }


def _type(record: Issue) -> str:
    return "Epic" if record.is_epic else next((_BY_KIND[one] for one in record.labels if one in _BY_KIND), "Task")


def updates(state: IssueState, project_name: str) -> list[dict[str, Any]]:
    """The creation, and one for each event; one that changed links alone comes second."""
    issue: Issue = state.issue
    moments = sorted({event.at for event in state.seen})
    found = [_update(1, issue.created_at, issue.author, {}, _fields(issue_at(issue, issue.created_at), project_name))]
    found.append({"id": 2, "rev": 1, "revisedDate": "9999-01-01T00:00:00Z", "relations": {"added": []}})
    changed_at = issue.created_at
    previous = _fields(issue_at(issue, issue.created_at), project_name)
    for number, at in enumerate(moments, start=3):
        following = _fields(issue_at(issue, at), project_name)
        by = next(event.by for event in state.seen if event.at == at)
        found.append(_update(number, at, by, {**previous, "System.ChangedDate": written(changed_at)}, following))
        previous, changed_at = following, at
    return found


def _update(
    number: int, at: datetime, by: Account | None, before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Any]:
    after = {**after, "System.ChangedDate": written(at)}
    changed = {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}
    fields = {name: _present({"oldValue": old, "newValue": new}) for name, (old, new) in changed.items()}
    return {"id": number, "rev": number, "revisedBy": identity(by), "revisedDate": written(at), "fields": fields}


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def incident(record: Incident, project_name: str, at: datetime) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A bug with a severity and a tag, and its updates."""
    steps = [(record.started_at, "New"), (record.acknowledged_at, "Active"), (record.resolved_at, "Closed")]
    seen = [(moment, status) for moment, status in steps if moment is not None and moment <= at]
    fields: dict[str, Any] = {
        "System.AreaPath": f"{project_name}\\{record.repository.name}",
        "System.TeamProject": project_name,
        "System.WorkItemType": "Bug",
        "System.Title": record.title,
        "System.Tags": INCIDENT_TAG,
        "Microsoft.VSTS.Common.Severity": _SEVERITIES[record.urgency],
    }
    found, before = [], dict[str, Any]()
    for number, (moment, status) in enumerate(seen, start=1):
        after = {**fields, "System.State": status}
        found.append(_update(number, moment, None, before, after))
        before = {**after, "System.ChangedDate": written(moment)}
    dates = {"System.CreatedDate": written(record.started_at), "System.ChangedDate": written(seen[-1][0])}
    return {"id": incident_id(record), "rev": len(seen), "fields": {**before, **dates}}, found


def incident_id(record: Incident) -> int:
    return 5_000_000 + record.id


# Builds and environments ----------------------------------------------------------------------------------------------

_RESULTS = {
    Outcome.SUCCESS: "succeeded",
    Outcome.FAILURE: "failed",
    Outcome.TIMED_OUT: "failed",
    Outcome.CANCELLED: "canceled",
    Outcome.SKIPPED: "skipped",
}
_DEPLOYED = {
    DeploymentState.SUCCESS: "succeeded",
    DeploymentState.FAILURE: "failed",
    DeploymentState.ERROR: "failed",
}
_FIRST_BUILD_OF_DEPLOYMENTS = 7_000_000


def finished_attempts(run: PipelineRun, at: datetime) -> list[Attempt]:
    return [attempt for attempt in run.attempts if attempt.finished_at <= at]


def build(run: PipelineRun, at: datetime, of: Mapping[str, Any], web: str) -> dict[str, Any]:
    """The run as of its last finished attempt; one that has none is in progress."""
    finished = finished_attempts(run, at)
    document = {
        "id": run.id,
        "buildNumber": str(run.number),
        "definition": {"id": run.workflow.id, "name": run.workflow.name},
        "repository": {**repository(run.repository, of, web), "type": "TfsGit"},
        "queueTime": written(run.created_at),
        "startTime": written(run.attempts[0].started_at),
        "sourceBranch": f"refs/heads/{run.branch}",
        "sourceVersion": run.commit.sha,
        "reason": "pullRequest" if run.trigger == "pull_request" else "individualCI",
        "requestedFor": identity(run.by),
        "status": "completed" if finished else "inProgress",
    }
    if run.pull_request:
        document["triggerInfo"] = {"pr.sourceSha": run.commit.sha, "pr.sourceBranch": f"refs/heads/{run.branch}"}
        document["sourceBranch"] = f"refs/pull/{run.pull_request}/merge"
    if finished:
        document |= {"result": _RESULTS[finished[-1].outcome], "finishTime": written(finished[-1].finished_at)}
    return document


def timeline(run: PipelineRun, number: int, at: datetime) -> dict[str, Any]:
    """The stage and its jobs in one of the attempts, which names the timelines of those before."""
    attempt = finished_attempts(run, at)[number - 1]
    earlier = [{"attempt": one, "timelineId": guid(one), "recordId": guid(run.id)} for one in range(1, number)]
    stage = {"id": guid(run.id), "type": "Stage", "name": "Build", "attempt": number, "previousAttempts": earlier}
    jobs = [
        {
            "id": guid(job.id),
            "type": "Job",
            "name": job.name,
            "attempt": number,
            "state": "completed",
            "result": _RESULTS[job.outcome],
            "startTime": None if job.outcome is Outcome.SKIPPED else written(job.started_at),
            "finishTime": written(job.finished_at),
        }
        for job in attempt.jobs
    ]
    return {"id": guid(number), "records": [stage, *jobs]}


def build_of_deployment(record: Deployment, at: datetime, of: Mapping[str, Any], web: str) -> dict[str, Any]:
    job = deployment_record(record, at)
    document = {
        "id": build_id(record),
        "definition": {"id": 1, "name": "Deploy"},
        "repository": {**repository(record.repository, of, web), "type": "TfsGit"},
        "queueTime": job["queueTime"],
        "startTime": job["startTime"],
        "sourceBranch": f"refs/heads/{record.ref}",
        "sourceVersion": record.sha,
        "reason": "individualCI",
        "requestedFor": identity(record.by),
        "status": "completed" if job["result"] else "inProgress",
    }
    if job["result"]:
        document |= {"result": job["result"], "finishTime": job["finishTime"]}
    return document


def deployment_record(record: Deployment, at: datetime) -> dict[str, Any]:
    """The record of the job that deploys; unlike GitHub, Azure DevOps does not say that a later one replaced it."""
    statuses = [status for status in record.statuses if status.at <= at]
    began = next((status.at for status in statuses if status.state is DeploymentState.IN_PROGRESS), None)
    ended = next((status for status in statuses if status.state in _DEPLOYED), None)
    return {
        "id": record.id,
        "environmentId": environment_id(record.environment),
        "owner": {"id": build_id(record), "name": str(record.id)},
        "definition": {"id": 1, "name": "Deploy"},
        "planType": "Build",
        "stageName": "Deploy",
        "stageAttempt": 1,
        "jobName": "Deploy",
        "jobAttempt": 1,
        "result": _DEPLOYED[ended.state] if ended else None,
        "queueTime": written(record.created_at),
        "startTime": written(began) if began else None,
        "finishTime": written(ended.at) if ended else None,
    }


def build_id(record: Deployment) -> int:
    return _FIRST_BUILD_OF_DEPLOYMENTS + record.id


def environment_id(name: str) -> int:
    return sum(map(ord, name))


def environment(name: str) -> dict[str, Any]:
    return {"id": environment_id(name), "name": name}
