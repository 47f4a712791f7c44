"""Issues of a delivery history as Jira tells them: projects, statuses with categories, changelogs, sprints and points.

A repository is a project.  What GitHub's issues say with labels, Jira says with statuses; estimates and sprints,
which the history does not have, follow from its issues: points from their ids, sprints of two weeks from when work
began and from how its team plans.  A project releases a version every fifteen weeks, for which its epics are planned.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from demo.plan.delivery import Account, DeliveryEvent, EventKind, Issue, Repository
from demo.plan.repositories import project_key
from demo.providers.record_states import HistoryAt, issue_at

POINTS, SPRINTS, EPIC_LINK = "customfield_10016", "customfield_10020", "customfield_10014"
TEAM, OLD_POINTS = "customfield_10001", "customfield_10031"
FIELDS = (
    {"id": "summary", "name": "Summary", "custom": False, "schema": {"type": "string", "system": "summary"}},
    {
        "id": POINTS,
        "name": "Story Points",
        "custom": True,
        "schema": {"type": "number", "custom": "com.atlassian.jira.plugin.system.customfieldtypes:float"},
    },
    {
        "id": OLD_POINTS,
        "name": "Story point estimate",
        "custom": True,
        "schema": {"type": "number", "custom": "com.pyxis.greenhopper.jira:jsw-story-points"},
    },
    {
        "id": TEAM,
        "name": "Team",
        "custom": True,
        "schema": {"type": "team", "custom": "com.atlassian.jira.plugin.system.customfieldtypes:atlassian-team"},
    },
    {
        "id": SPRINTS,
        "name": "Sprint",
        "custom": True,
        "schema": {"type": "array", "items": "json", "custom": "com.pyxis.greenhopper.jira:gh-sprint"},
    },
    {
        "id": EPIC_LINK,
        "name": "Epic Link",
        "custom": True,
        "schema": {"type": "any", "custom": "com.pyxis.greenhopper.jira:gh-epic-link"},
    },
)
TO_DO, IN_PROGRESS, BLOCKED, DONE = "10000", "3", "10002", "10001"
STATUSES = {
    TO_DO: ("To Do", "new"),
    IN_PROGRESS: ("In Progress", "indeterminate"),
    BLOCKED: ("Blocked", "indeterminate"),
    DONE: ("Done", "done"),
}
_BY_LABEL = {"in progress": IN_PROGRESS, "blocked": BLOCKED}
_TYPES = {"bug": "Bug", "feature": "Story"}
_EPIC = "Epic"
_RESOLUTIONS = {"completed": "Done", "not_planned": "Won't Do"}
_CARDS = (1, 2, 3, 5, 8)
SPRINT_LENGTH = timedelta(days=14)
VERSION_LENGTH = timedelta(weeks=15)
PLANNED_BEFORE = timedelta(days=2)  # the start of a sprint
REMOVED, RE_ESTIMATED = 0.06, 0.12  # chances
FIX_VERSION = "Fix Version"


@dataclass(frozen=True, slots=True)
class PlanningHabit:
    """The habits of a team: chances that work is planned a sprint too early, that known work enters late, and that
    work which comes up in a sprint enters it.
    """

    too_early: float = 0.05
    late: float = 0.05
    urgent: float = 0.2


REPORTED = (
    *("completedIssues", "issuesNotCompletedInCurrentSprint", "puntedIssues"),
    "issuesCompletedInAnotherSprint",
)
HABITS = {
    "search-service": PlanningHabit(too_early=0.8),  # commits to more than it delivers
    "checkout-api": PlanningHabit(late=0.35, urgent=0.9),  # its scope creeps
}


@dataclass(frozen=True, slots=True)
class Sprint:
    id: int
    board: int
    number: int
    starts_at: datetime

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + SPRINT_LENGTH

    def document(self, at: datetime, board_name: str) -> dict[str, Any]:
        """The sprint at an instant; a future one has no days yet."""
        state = "future" if at < self.starts_at else "active" if at < self.ends_at else "closed"
        document: dict[str, Any] = {
            "id": self.id,
            "state": state,
            "name": f"{board_name} sprint {self.number}",
            "originBoardId": self.board,
            "goal": "",
        }
        if state != "future":
            document |= {"startDate": written(self.starts_at), "endDate": written(self.ends_at)}
        if state == "closed":
            document["completeDate"] = written(self.ends_at)
        return document


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a changelog."""

    at: datetime
    by: Account | None
    field: str
    field_id: str
    before: str | None
    after: str | None
    shown_before: str | None
    shown_after: str | None


@dataclass(frozen=True, slots=True)
class JiraIssues:
    """The issues at an instant; those of a project are written once."""

    shown: HistoryAt
    url: str
    _of_projects: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def repositories(self) -> Sequence[Repository]:
        return list(self.shown.repositories.values())

    def of_project(self, project: int) -> list[dict[str, Any]]:
        """The project's issues with changelogs, last changed first."""
        if project not in self._of_projects:
            self._of_projects[project] = self._written(project)
        return self._of_projects[project]

    def _written(self, project: int) -> list[dict[str, Any]]:
        repository = next((one for one in self.repositories if one.id == project), None)
        if repository is None:
            return []
        states = self.shown.issues.get(repository.name, {}).values()
        documents = [self.document(state.issue) for state in states]
        return sorted(documents, key=lambda issue: (issue["fields"]["updated"], int(issue["id"])), reverse=True)

    def document(self, issue: Issue) -> dict[str, Any]:
        state = issue_at(issue, self.shown.at)
        changes = [one for one in self.changes(issue) if one.at <= self.shown.at]
        status = next((one.after for one in reversed(changes) if one.field == "status"), TO_DO) or TO_DO
        sprints = next((one.after for one in reversed(changes) if one.field == "Sprint"), "") or ""
        name, category = STATUSES[status]
        closed = state.closed
        label = issue.labels[0] if issue.labels else ""
        epic = self.key_of(issue.repository, issue.epic) if issue.epic else None
        version = next((one.after for one in reversed(changes) if one.field == FIX_VERSION), None)
        updated = max([issue.created_at, state.updated_at, *(one.at for one in changes)])
        return {
            "id": str(issue.id),
            "key": self.key(issue),
            "self": f"{self.url}/rest/api/3/issue/{issue.id}",
            "fields": {
                "project": self.project(issue.repository),
                "summary": state.title,
                "description": {"type": "doc", "version": 1, "content": []} if issue.body else None,
                "issuetype": {
                    "id": "1",
                    "name": "Epic" if issue.is_epic else _TYPES.get(label, "Task"),
                    "subtask": False,
                },
                "status": {"id": status, "name": name, "statusCategory": {"id": 2, "key": category}},
                "priority": {"id": "3", "name": "Medium"},
                "resolution": {"name": _RESOLUTIONS.get(closed.text, "Done")} if closed else None,
                "resolutiondate": written(closed.at) if closed else None,
                "labels": [name for name in state.labels if name not in _BY_LABEL],
                "created": written(issue.created_at),
                "updated": written(updated),
                "creator": account(issue.author),
                "reporter": account(issue.author),
                "assignee": account(state.assignees[0]) if state.assignees else None,
                "fixVersions": [self._version(int(version), issue.repository)] if version else [],
                "duedate": issue.due_on.isoformat() if issue.due_on else None,
                **({"parent": {"key": epic}} if epic else {}),
                POINTS: self.points_of(issue),
                SPRINTS: [self._sprint(int(sprint), issue.repository) for sprint in sprints.split(", ") if sprint]
                or None,
                EPIC_LINK: epic,
                OLD_POINTS: 13.0 if issue.number == 1 else None,
                TEAM: {"id": f"team-{issue.repository.id}", "name": issue.repository.name.capitalize()},
            },
            "changelog": [_history(position, one) for position, one in enumerate(changes, start=1)],
        }

    def project(self, repository: Repository) -> dict[str, Any]:
        key = project_key(repository.name)
        return {"id": str(repository.id), "key": key, "name": repository.name, "archived": repository.is_archived}

    def key(self, issue: Issue) -> str:
        return self.key_of(issue.repository, issue.number)

    def key_of(self, repository: Repository, number: int) -> str:
        return f"{project_key(repository.name)}-{number}"

    def sprints(self, board: int) -> list[dict[str, Any]]:
        """List the sprints of a board, which has its project's id: those that began, and the next one."""
        repository = next((one for one in self.repositories if one.id == board), None)
        if repository is None:
            return []
        begins = _first_monday(repository)
        count = max(int((self.shown.at - begins) / SPRINT_LENGTH) + 2, 1)
        return [self._sprint(board * 1000 + number, repository) for number in range(1, count + 1)]

    def _sprint(self, sprint: int, repository: Repository) -> dict[str, Any]:
        return self.days_of(sprint, repository).document(self.shown.at, repository.name)

    def days_of(self, sprint: int, repository: Repository) -> Sprint:
        """The sprint with its days, also of one that lies ahead."""
        number = sprint % 1000
        begins = _first_monday(repository) + (number - 1) * SPRINT_LENGTH
        return Sprint(sprint, repository.id, number, begins)

    def points_of(self, issue: Issue) -> float | None:
        """The estimate of an issue; an epic has none."""
        return None if issue.is_epic else float(_CARDS[issue.id % len(_CARDS)])

    def _version(self, version: int, repository: Repository) -> dict[str, Any]:
        number = version % 1000
        release = _first_monday(repository) + number * VERSION_LENGTH
        return {
            "id": str(version),
            "name": _version_name(number),
            "released": release <= self.shown.at,
            "releaseDate": f"{release:%Y-%m-%d}",
        }

    def sprint_report(self, board: int, sprint: int) -> dict[str, Any]:
        """Jira's report of a closed sprint: items by what became of them, with their estimates at the start and now.

        It has no grace; an item that was done before the start is completed elsewhere.
        """
        repository = next(one for one in self.repositories if one.id == board)
        start = _first_monday(repository) + (sprint % 1000 - 1) * SPRINT_LENGTH
        end = start + SPRINT_LENGTH
        lists: dict[str, list[dict[str, Any]]] = {name: [] for name in REPORTED}
        added = {}
        for state in self.shown.issues.get(repository.name, {}).values():
            changes = [one for one in self.changes(state.issue) if one.at < end]
            stays = [(one.at, str(sprint) in (one.after or "").split(", ")) for one in changes if one.field == "Sprint"]
            was_in = [
                at for position, (at, is_in) in enumerate(stays) if is_in and _until(stays, position, end) > start
            ]
            if not was_in:
                continue
            statuses = [one for one in changes if one.field == "status"]
            is_done = bool(statuses) and statuses[-1].after == DONE
            if not stays[-1][1]:
                name = "puntedIssues"
            elif is_done:
                name = "issuesCompletedInAnotherSprint" if statuses[-1].at < start else "completedIssues"
            else:
                name = "issuesNotCompletedInCurrentSprint"
            if was_in[0] > start:
                added[self.key(state.issue)] = True
            lists[name].append(
                {
                    "key": self.key(state.issue),
                    "summary": state.title,
                    "done": is_done,
                    "estimateStatistic": _statistic(_points_at(changes, state.issue, max(start, was_in[0]))),
                    "currentEstimateStatistic": _statistic(_points_at(changes, state.issue, end)),
                }
            )
        contents = {**lists, "issueKeysAddedDuringSprint": added}
        return {"contents": contents, "sprint": {"id": sprint, "state": "CLOSED"}}

    def changes(self, issue: Issue) -> list[Change]:
        """The issue's changes, oldest first."""
        of_fields = (_statuses, _assignees, _sprint_changes, _estimate_changes, _versions)
        changes = [change for changes_of in of_fields[: 2 if issue.is_epic else None] for change in changes_of(issue)]
        return sorted(changes, key=lambda one: one.at)


def _statuses(issue: Issue) -> Iterator[Change]:
    labels: list[str] = []
    status, closed = TO_DO, False
    for happening in issue.happenings:
        match happening.did:
            case EventKind.LABELLED if happening.text in _BY_LABEL:
                labels.append(happening.text)
            case EventKind.UNLABELLED if happening.text in labels:
                labels.remove(happening.text)
            case EventKind.CLOSED:
                closed = True
            case EventKind.REOPENED:
                closed = False
            case _:
                continue
        waiting = [name for name in labels if name == "blocked"]
        working = [name for name in labels if name == "in progress"]
        after = DONE if closed else _BY_LABEL[(waiting or working)[-1]] if working else TO_DO
        if after != status:
            names = STATUSES[status][0], STATUSES[after][0]
            yield Change(happening.at, happening.by, "status", "status", status, after, *names)
            status = after


def _assignees(issue: Issue) -> Iterator[Change]:
    assigned = list(issue.assignees)
    for happening in issue.happenings:
        if happening.of is None or happening.did not in (EventKind.ASSIGNED, EventKind.UNASSIGNED):
            continue
        before = assigned[0] if assigned else None
        _assign(assigned, happening)
        after = assigned[0] if assigned else None
        if before != after:
            ids = account_id(before), account_id(after)
            names = before.name if before else None, after.name if after else None
            yield Change(happening.at, happening.by, "assignee", "assignee", *ids, *names)


def _assign(assigned: list[Account], happening: DeliveryEvent) -> None:
    if happening.of is None:
        return
    if happening.did is EventKind.ASSIGNED and happening.of not in assigned:
        assigned.append(happening.of)
    elif happening.did is EventKind.UNASSIGNED and happening.of in assigned:
        assigned.remove(happening.of)


def _sprint_changes(issue: Issue) -> Iterator[Change]:
    """Yield the moves into the sprint that it is planned for, and into each later one until it is done.

    Most of what is known when a sprint starts is planned, and a part of the rest enters when work on it begins; other
    urgent work waits for the next sprint.
    """
    began = next((one.at for one in _statuses(issue) if one.after == IN_PROGRESS), None)
    if began is None or (first := _sprint_number(issue.repository, began)) < 1:
        return
    habit = HABITS.get(issue.repository.name, PlanningHabit())
    ended = next((one.at for one in _statuses(issue) if one.after == DONE and one.at > began), None)
    last = min(first + 5 if ended is None else _sprint_number(issue.repository, ended), first + 5)
    if first > 1 and _chance(issue, 1) < habit.too_early and issue.created_at < _start(issue, first - 1):
        first -= 1
    is_planned = issue.created_at < _start(issue, first) and _chance(issue, 2) >= habit.late
    if not is_planned and _chance(issue, 3) >= habit.urgent:
        first += 1
    listed = ""
    for number in range(first, last + 1):
        enters_late = number == first and not is_planned and number == _sprint_number(issue.repository, began)
        at = began if enters_late else max(issue.created_at, _start(issue, number) - PLANNED_BEFORE * (number == first))
        sprint = str(issue.repository.id * 1000 + number)
        after = f"{listed}, {sprint}" if listed else sprint
        yield Change(at, issue.author, "Sprint", SPRINTS, listed, after, listed, f"sprint {number}")
        listed = after
        if number < last and _chance(issue, 10 + number) < REMOVED:
            left = _start(issue, number) + SPRINT_LENGTH / 2
            yield Change(left, issue.author, "Sprint", SPRINTS, listed, "", f"sprint {number}", "")
            listed = ""


def _estimate_changes(issue: Issue) -> Iterator[Change]:
    """Yield the re-estimate of a few items, two days after work on them began."""
    began = next((one for one in _statuses(issue) if one.after == IN_PROGRESS), None)
    place = issue.id % len(_CARDS)
    if began is not None and place and _chance(issue, 4) < RE_ESTIMATED:
        before, after = str(_CARDS[place - 1]), str(_CARDS[place])
        at = began.at + timedelta(days=2)
        yield Change(at, began.by, "Story point estimate", POINTS, None, None, before, after)


def _until(stays: Sequence[tuple[datetime, bool]], position: int, end: datetime) -> datetime:
    return next((at for at, is_in in stays[position + 1 :] if not is_in), end)


def _points_at(changes: Sequence[Change], issue: Issue, at: datetime) -> float:
    """The estimate at that time: the value that the next re-estimate replaced, or the present one."""
    later = [one for one in changes if one.field_id == POINTS and one.at > at]
    return float(later[0].shown_before or 0) if later else float(_CARDS[issue.id % len(_CARDS)])


def _statistic(points: float) -> dict[str, Any]:
    return {"statFieldId": POINTS, "statFieldValue": {"value": points}}


def _chance(issue: Issue, of: int) -> float:
    """A number from 0 to 1 that is the same each time."""
    return zlib.crc32(f"{issue.id} {of}".encode()) / 2**32


def _versions(issue: Issue) -> Iterator[Change]:
    """Yield the changes of the fix version of an epic's work: the next one when it is written down, and a later one if
    it misses that.
    """
    if issue.epic is None:
        return
    first = max(0, (issue.created_at - _first_monday(issue.repository)) // VERSION_LENGTH) + 1
    ends = next((event.at for event in issue.happenings if event.did is EventKind.CLOSED), None)
    last = first + 4 if ends is None else (ends - _first_monday(issue.repository)) // VERSION_LENGTH + 1
    before: int | None = None
    for number in range(first, max(first, last) + 1):
        at = issue.created_at if before is None else _first_monday(issue.repository) + before * VERSION_LENGTH
        ids = [None if one is None else str(issue.repository.id * 1000 + one) for one in (before, number)]
        names = [None if one is None else _version_name(one) for one in (before, number)]
        yield Change(at, issue.author, FIX_VERSION, "fixVersions", *ids, *names)
        before = number


def _version_name(number: int) -> str:
    return f"1.{number}"


def _start(issue: Issue, number: int) -> datetime:
    """The start of a sprint of the issue's board."""
    return _first_monday(issue.repository) + (number - 1) * SPRINT_LENGTH


def _sprint_number(repository: Repository, at: datetime) -> int:
    return int((at - _first_monday(repository)) / SPRINT_LENGTH) + 1 if at >= _first_monday(repository) else 0


def _first_monday(repository: Repository) -> datetime:
    created = repository.created_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return created + timedelta(days=7 - created.weekday())


def _history(position: int, changes: Change) -> dict[str, Any]:
    item = {
        "field": changes.field,
        "fieldtype": "custom" if changes.field == "Sprint" else "jira",
        "fieldId": changes.field_id,
        "from": changes.before,
        "fromString": changes.shown_before,
        "to": changes.after,
        "toString": changes.shown_after,
    }
    return {"id": str(position), "author": account(changes.by), "created": written(changes.at), "items": [item]}


def last_sprint(listed: str | None) -> str:
    """The id of the last sprint of a list, for trackers whose issues are in one at a time; empty where none is."""
    return (listed or "").rpartition(", ")[2]


def account(of: Account | None) -> Mapping[str, Any] | None:
    """Cloud leaves the address out where its person hides it."""
    if of is None:
        return None
    kind = "app" if of.is_bot else "atlassian"
    document = {"accountId": account_id(of), "accountType": kind, "displayName": of.name or of.login, "active": True}
    return {**document, "emailAddress": of.email} if of.email else document


def account_id(of: Account | None) -> str | None:
    return f"5b10ac8d82e05b22cc7d{of.id:04d}" if of else None


def written(at: datetime) -> str:
    """The time as Jira writes it: 2026-03-02T09:00:00.000+0000."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.000%z")
