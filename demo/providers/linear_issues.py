"""Issues of a delivery history as Linear tells them: teams, workflow states by type, history and cycles.

A repository is a team, and its sprints are cycles.  Statuses, assignees, estimates and sprints are those that Jira's
simulation plans; an issue is in one cycle at a time, and moves from one to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from demo.plan.delivery import Account, EventKind, Issue, Repository
from demo.plan.repositories import project_key
from demo.providers.jira_issues import BLOCKED, DONE, IN_PROGRESS, TO_DO, Change, JiraIssues, account_id, last_sprint
from demo.providers.record_states import HistoryAt, issue_at

Json = dict[str, Any]
CANCELED = "canceled"
_STATES: Mapping[str, tuple[str, str]] = {
    TO_DO: ("Todo", "unstarted"),
    IN_PROGRESS: ("In Progress", "started"),
    BLOCKED: ("Blocked", "started"),
    DONE: ("Done", "completed"),
    CANCELED: ("Canceled", "canceled"),
}
_OF_STATUS = frozenset({"in progress", "blocked"})  # labels that Linear has statuses for


class LinearIssues:
    """The issues at an instant."""

    def __init__(self, shown: HistoryAt, web: str) -> None:
        self._shown, self._web = shown, web
        self._planned = JiraIssues(shown, web)

    @cached_property
    def teams(self) -> list[Json]:
        return [self.team(repository) for repository in self._shown.repositories.values()]

    def team(self, repository: Repository) -> Json:
        return {
            "id": team_id(repository),
            "key": project_key(repository.name),
            "name": repository.name,
            "cyclesEnabled": True,
            "archivedAt": written(repository.created_at) if repository.is_archived else None,
        }

    @cached_property
    def issues(self) -> list[Json]:
        states = (state for of in self._shown.issues.values() for state in of.values())
        return [self._issue(state.issue) for state in states]

    @cached_property
    def cycles(self) -> list[Json]:
        return [cycle for repository in self._shown.repositories.values() for cycle in self._cycles(repository)]

    def _cycles(self, repository: Repository) -> Iterator[Json]:
        for sprint in self._planned.sprints(repository.id):
            known = self._planned.days_of(sprint["id"], repository)
            is_past = known.ends_at <= self._shown.at
            yield {
                "id": cycle_id(sprint["id"]),
                "number": float(known.number),
                "name": sprint["name"],
                "startsAt": written(known.starts_at),
                "endsAt": written(known.ends_at),
                "completedAt": written(known.ends_at) if is_past else None,
                "isPast": is_past,
                "isActive": known.starts_at <= self._shown.at < known.ends_at,
                "updatedAt": written(known.ends_at if is_past else known.starts_at),
                "team": self.team(repository),
            }

    def _issue(self, issue: Issue) -> Json:
        state = issue_at(issue, self._shown.at)
        changes = [one for one in self._planned.changes(issue) if one.at <= self._shown.at]
        history = [entry for position, one in enumerate(changes) if (entry := _entry(position, one, issue))]
        status = next((_status(one, issue) for one in reversed(changes) if one.field == "status"), TO_DO)
        sprint = next((last_sprint(one.after) for one in reversed(changes) if one.field == "Sprint"), "")
        planned = self._planned.document(issue)["fields"]
        closed = written(state.closed.at) if state.closed else None
        repository = issue.repository
        return {
            "id": issue_id(issue),
            "identifier": self._planned.key(issue),
            "previousIdentifiers": [],
            "title": state.title,
            "description": issue.body or None,
            "url": f"{self._web}/issue/{self._planned.key(issue)}",
            "priority": 3.0,
            "estimate": self._planned.points_of(issue),
            "dueDate": planned["duedate"],
            "trashed": None,
            "archivedAt": None,
            "createdAt": written(issue.created_at),
            "updatedAt": written(max([issue.created_at, state.updated_at, *(one.at for one in changes)])),
            "completedAt": closed if status == DONE else None,
            "canceledAt": closed if status == CANCELED else None,
            "addedToCycleAt": None,
            "state": state_document(status),
            "team": self.team(repository),
            "assignee": user(state.assignees[0]) if state.assignees else None,
            "creator": user(issue.author),
            "cycle": {"id": cycle_id(int(sprint))} if sprint else None,
            "project": None,
            "parent": {"identifier": self._planned.key_of(repository, issue.epic)} if issue.epic else None,
            "labels": [{"name": name} for name in state.labels if name not in _OF_STATUS],
            "history": history,
        }


def _entry(position: int, change: Change, issue: Issue) -> Json | None:
    """An entry of the history; None for what Linear has no entry for."""
    entry: Json = {
        "id": f"{issue_id(issue)}-{position}",
        "createdAt": written(change.at),
        "actor": user(change.by),
        "botActor": None,
    }
    if change.field == "status":
        return {**entry, "fromState": _before(change, issue), "toState": state_document(_status(change, issue))}
    if change.field == "assignee":
        by_id = {account_id(one): one for one in _people(issue)}
        before, after = by_id.get(change.before or ""), by_id.get(change.after or "")
        people = {"fromAssignee": user(before), "toAssignee": user(after)}
        return {
            **entry,
            **people,
            **{f"{name}Id": one["id"] if one else None for name, one in people.items()},
        }
    if change.field == "Sprint":
        before_id, after_id = last_sprint(change.before), last_sprint(change.after)
        ids = {"fromCycleId": before_id, "toCycleId": after_id}
        return {**entry, **{name: cycle_id(int(sprint)) if sprint else None for name, sprint in ids.items()}}
    if change.field == "Story point estimate":
        values = {"fromEstimate": change.shown_before, "toEstimate": change.shown_after}
        return {**entry, **{name: float(value) if value else None for name, value in values.items()}}
    return None


def _people(issue: Issue) -> Iterator[Account]:
    yield from issue.assignees
    for event in issue.happenings:
        if event.of is not None:
            yield event.of


def _status(change: Change, issue: Issue) -> str:
    """The status after a change; one that was closed as not planned is canceled."""
    ended = {event.at: event.text for event in issue.happenings if event.did is EventKind.CLOSED}
    is_dropped = change.after == DONE and ended.get(change.at) == "not_planned"
    return CANCELED if is_dropped else change.after or TO_DO


def _before(change: Change, issue: Issue) -> Json:
    ended = [event for event in issue.happenings if event.did is EventKind.CLOSED and event.at < change.at]
    was_dropped = change.before == DONE and bool(ended) and ended[-1].text == "not_planned"
    return state_document(CANCELED if was_dropped else change.before or TO_DO)


def state_document(status: str) -> Json:
    name, kind = _STATES[status]
    return {"id": f"state-{status}", "name": name, "type": kind}


def user(account: Account | None) -> Json | None:
    if account is None:
        return None
    return {
        "id": f"user-{account.id}",
        "name": account.name,
        "email": account.email or f"{account.id}@linear.example.com",
        "app": account.is_bot,
    }


def team_id(repository: Repository) -> str:
    return f"team-{repository.id}"


def issue_id(issue: Issue) -> str:
    return f"issue-{issue.id}"


def cycle_id(sprint: int) -> str:
    return f"cycle-{sprint}"


def written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
