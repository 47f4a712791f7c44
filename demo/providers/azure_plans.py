"""Plans of a delivery history as Azure Boards tells them: iterations of a team's project, and story points over time.

Sprints and estimates are those that Jira's simulation plans; a work item is in one iteration at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from demo.plan.delivery import Issue, Repository
from demo.providers import azure_written as write
from demo.providers.jira_issues import POINTS, JiraIssues, last_sprint
from demo.providers.record_states import HistoryAt

ITERATION, STORY_POINTS = "System.IterationId", "Microsoft.VSTS.Scheduling.StoryPoints"
_NO_ITERATION = 1  # the project's own node


class AzurePlans:
    """The plans at an instant."""

    def __init__(self, shown: HistoryAt) -> None:
        self._shown, self._planned = shown, JiraIssues(shown, "")

    def iterations(self, repository: Repository) -> Iterator[dict[str, Any]]:
        """The nodes of a repository's iterations."""
        for sprint in self._planned.sprints(repository.id):
            days = self._planned.days_of(sprint["id"], repository)
            last_day = days.ends_at - timedelta(days=1)
            dates = {"startDate": write.written(days.starts_at), "finishDate": write.written(last_day)}
            yield {"id": sprint["id"], "name": f"{repository.name} sprint {days.number}", "attributes": dates}

    def planned(
        self, issue: Issue, item: dict[str, Any], updates: list[dict[str, Any]]
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The work item and its updates, with what its plan adds."""
        changes = [one for one in self._planned.changes(issue) if one.at <= self._shown.at]
        first: dict[str, Any] = {}
        added = []
        points = self._planned.points_of(issue)
        for change in changes:
            if change.field == "Sprint":
                before, after = (int(last_sprint(value) or _NO_ITERATION) for value in (change.before, change.after))
                added.append(_update(change.at, ITERATION, before, after))
            elif change.field_id == POINTS:
                values = [float(value or 0) for value in (change.shown_before, change.shown_after)]
                first.setdefault(STORY_POINTS, values[0])
                added.append(_update(change.at, STORY_POINTS, *values))
        if points is not None:
            first.setdefault(STORY_POINTS, points)
        iteration = next((last_sprint(one.after) for one in reversed(changes) if one.field == "Sprint"), "")
        changed = max([item["fields"]["System.ChangedDate"], *(one["revisedDate"] for one in added)])
        fields = {**item["fields"], ITERATION: int(iteration or _NO_ITERATION), "System.ChangedDate": changed}
        if points is not None:
            fields[STORY_POINTS] = points
        created = {**updates[0], "fields": {**updates[0]["fields"], **_values(first)}}
        return {**item, "fields": fields}, [created, *updates[1:], *added]


def _values(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: {"newValue": value} for name, value in fields.items()}


def _update(at: datetime, field: str, before: float, after: float) -> dict[str, Any]:
    moment = write.written(at)
    changed = {field: {"oldValue": before, "newValue": after}, "System.ChangedDate": {"newValue": moment}}
    return {"revisedDate": moment, "fields": changed}
