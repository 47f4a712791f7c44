"""Plans of a delivery history as GitLab tells them: iterations of a team's group, weights, and milestones.

Sprints and estimates are those that Jira's simulation plans; an issue is in one iteration at a time.  An epic is a
milestone, with its day.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from demo.plan.delivery import Issue
from demo.providers import gitlab_written as write
from demo.providers.jira_issues import POINTS, JiraIssues, last_sprint
from demo.providers.record_states import HistoryAt, IssueState

_PLANNED, _ACTIVE, _CLOSED = 1, 2, 3  # as STATE_ENUM_MAP of GitLab's iterations has them


class GitLabPlans:
    """The plans at an instant."""

    def __init__(self, shown: HistoryAt) -> None:
        self._shown, self._planned = shown, JiraIssues(shown, "")

    def iterations(self, name: str) -> list[dict[str, Any]]:
        repository = self._shown.repositories[name]
        return [self._iteration(sprint["id"], name) for sprint in self._planned.sprints(repository.id)]

    def _iteration(self, sprint: int, name: str) -> dict[str, Any]:
        days = self._planned.days_of(sprint, self._shown.repositories[name])
        begins, ends = days.starts_at, days.ends_at
        created = self._shown.repositories[name].created_at
        state = _PLANNED if self._shown.at < begins else _ACTIVE if self._shown.at < ends else _CLOSED
        return {
            "id": sprint,
            "iid": days.number,
            "sequence": days.number,
            "title": f"{name} sprint {days.number}",
            "state": state,
            "created_at": write.written(created),
            "updated_at": write.written({_PLANNED: created, _ACTIVE: begins, _CLOSED: ends}[state]),
            "start_date": f"{begins:%Y-%m-%d}",
            "due_date": f"{ends - timedelta(days=1):%Y-%m-%d}",
        }

    def planned(self, state: IssueState) -> dict[str, Any]:
        """The plan's fields of an issue's document: iteration, weight, milestone and last change."""
        issue = state.issue
        changes = [one for one in self._planned.changes(issue) if one.at <= self._shown.at]
        sprint = next((last_sprint(one.after) for one in reversed(changes) if one.field == "Sprint"), "")
        points = self._planned.points_of(issue)
        updated = max([state.updated_at, *(one.at for one in changes)])
        return {
            "iteration": {"id": int(sprint)} if sprint else None,
            "weight": None if points is None else int(points),
            "milestone": self._milestone(issue),
            "updated_at": write.written(updated),
        }

    def _milestone(self, issue: Issue) -> dict[str, Any] | None:
        epic = self._shown.issues[issue.repository.name].get(issue.epic) if issue.epic else None
        if epic is None:
            return None
        due = epic.issue.due_on.isoformat() if epic.issue.due_on else None
        return {"id": epic.issue.id, "iid": epic.issue.number, "title": epic.title, "due_date": due}

    def weight_events(self, issue: Issue) -> list[dict[str, Any]]:
        """An event for the weight that it was created with, and for each new one."""
        points = self._planned.points_of(issue)
        if points is None:
            return []
        changes = [one for one in self._planned.changes(issue) if one.field_id == POINTS and one.at <= self._shown.at]
        first = str(int(points)) if not changes else changes[0].shown_before
        weights = [(issue.created_at, issue.author, first), *((one.at, one.by, one.shown_after) for one in changes)]
        return [
            {
                "id": issue.id * 100 + position,
                "user": write.user(by),
                "created_at": write.written(at),
                "issue_id": issue.id,
                "weight": int(weight or 0),
            }
            for position, (at, by, weight) in enumerate(weights)
        ]

    def iteration_events(self, issue: Issue) -> list[dict[str, Any]]:
        """An event for each move; one into another iteration does not say that it left the one before."""
        moves = [one for one in self._planned.changes(issue) if one.field == "Sprint" and one.at <= self._shown.at]
        events = []
        for position, move in enumerate(moves):
            before, after = last_sprint(move.before), last_sprint(move.after)
            events.append(
                {
                    "id": issue.id * 100 + position,
                    "user": write.user(move.by),
                    "created_at": write.written(move.at),
                    "iteration": {"id": int(after or before)},
                    "action": "add" if after else "remove",
                }
            )
        return events
