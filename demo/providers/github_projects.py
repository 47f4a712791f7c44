"""Projects of the simulated GitHub: iterations, and for each issue when its fields were changed.

As at GitHub, an answer has the values of now and the time of their last change, and nothing of what they were before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from demo.plan.delivery import Account
from demo.providers.github_graphql_connections import connection
from demo.providers.github_payloads import Json, when
from demo.providers.record_states import HistoryAt, IssueState

Changes = Sequence[tuple[datetime, Any]]  # time and new value; None: emptied


@dataclass(frozen=True)
class Iteration:
    id: str
    title: str
    first: date
    days: int = 14


@dataclass
class Project:
    """`moves` and `estimates` are the changes of its items, by the number of the issue; None: it has no such field."""

    number: int
    title: str
    iterations: Sequence[Iteration]
    moves: Mapping[int, Changes] = field(default_factory=dict)
    estimates: Mapping[int, Changes] | None = None
    repository: str = "shop"
    by: Account | None = None

    @property
    def id(self) -> str:
        return f"PVT_{self.number}"


def project_node(
    project: Project,
    shown: HistoryAt,
    web: str,
    issue: Callable[[IssueState], Json],
    actor: Callable[[Account | None], Any],
) -> Json:
    """The project as a node: values as of the shown instant."""
    past = {number: _past(project, number, shown.at) for number in {**project.moves, **(project.estimates or {})}}
    issues = shown.issues[project.repository]
    numbers = [number for number in sorted(past) if past[number] and number in issues]
    changed_at = max(
        (max(past[number]) for number in numbers), default=shown.repositories[project.repository].created_at
    )

    def item(number: int) -> Json:
        values = {"Iteration": project.moves.get(number, ()), "Estimate": (project.estimates or {}).get(number, ())}

        def value(info: object, name: str) -> Json | None:
            changes = [change for change in values.get(name, ()) if change[0] <= shown.at]
            if not changes or changes[-1][1] is None:
                return None
            started = next(at for at, _ in changes)
            node = {"createdAt": when(started), "updatedAt": when(changes[-1][0]), "creator": actor(project.by)}
            if name == "Estimate":
                return {"__typename": "ProjectV2ItemFieldNumberValue", "number": changes[-1][1], **node}
            return {"__typename": "ProjectV2ItemFieldIterationValue", "iterationId": changes[-1][1], **node}

        return {
            "id": f"PVTI_{project.number}_{number}",
            "updatedAt": when(max(past[number])),
            "fieldValueByName": value,
            "content": lambda info: {**issue(issues[number]), "projectItems": {"totalCount": 1}},
        }

    return {
        "__typename": "ProjectV2",
        "id": project.id,
        "title": project.title,
        "url": f"{web}/orgs/{shown.history.organisation.login}/projects/{project.number}",
        "closed": False,
        "updatedAt": when(changed_at),
        "fields": lambda info, **args: connection(_fields(project, shown.at), args, "fields", lambda entry: entry),
        "items": lambda info, **args: connection(numbers, args, "items", item),
    }


def _past(project: Project, number: int, at: datetime) -> list[datetime]:
    changes = (*project.moves.get(number, ()), *(project.estimates or {}).get(number, ()))
    return [changed_at for changed_at, _ in changes if changed_at <= at]


def _fields(project: Project, at: datetime) -> list[Json]:
    written = [(_ends_on(one) <= at.date(), _iteration(one)) for one in project.iterations]
    iterations = {
        "iterations": [one for is_over, one in written if not is_over],
        "completedIterations": [one for is_over, one in written if is_over],
    }
    fields: list[Json] = [
        {"__typename": "ProjectV2Field", "name": "Title", "dataType": "TITLE"},
        {"__typename": "ProjectV2IterationField", "name": "Iteration", "configuration": iterations},
    ]
    if project.estimates is not None:
        fields.append({"__typename": "ProjectV2Field", "name": "Estimate", "dataType": "NUMBER"})
    return fields


def _ends_on(iteration: Iteration) -> date:
    return iteration.first + timedelta(days=iteration.days)


def _iteration(iteration: Iteration) -> Json:
    days = {"startDate": iteration.first.isoformat(), "duration": iteration.days}
    return {"id": iteration.id, "title": iteration.title, **days}
