"""The parts that records of several streams share: people, and statuses by their type."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.connectors.drafts import Who
from integrations.connectors.reader import Reader
from integrations.enums import Priority, StatusCategory

USER = "{ id name email app }"
STATUS = "{ id name type }"
CATEGORIES: Mapping[str, StatusCategory] = {
    **dict.fromkeys(("triage", "backlog", "unstarted", "planned", "proposed"), StatusCategory.TODO),
    **dict.fromkeys(("started", "paused", "active"), StatusCategory.IN_PROGRESS),
    **dict.fromkeys(("completed", "canceled", "duplicate"), StatusCategory.DONE),
}
"""The category of each type of a workflow state, a project's status or an initiative's, in lower case."""
DROPPED = {"canceled": "Canceled", "duplicate": "Duplicate"}
PRIORITIES = {1: Priority.CRITICAL, 2: Priority.HIGH, 3: Priority.MEDIUM, 4: Priority.LOW}
PRIORITY_LABELS = {0: "No priority", 1: "Urgent", 2: "High", 3: "Medium", 4: "Low"}
LARGEST_ESTIMATE = 1e6


def account(user: Reader | None) -> Who | None:
    """The person, by the id of the account: names can change.  Apps and agents are bots."""
    if user is None:
        return None
    id_ = user.identifier("id", default="")
    if not id_:
        return None
    is_app = user.boolean("app", default=False)
    email, name = user.text("email", default=""), user.text("name", default="")
    return Who(login=id_, account=id_, email="" if is_app else email, name=name, bot=is_app)


def number_in(reader: Reader, path: str) -> float | None:
    """A number that GraphQL writes with or without a fraction; None if it is missing or not a number."""
    value = reader.value(path)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        if value is not None:
            reader.leave_out(path)
        return None
    return float(value) if 0 <= value < LARGEST_ESTIMATE else None


def priority_in(reader: Reader) -> int:
    number = number_in(reader, "priority")
    return int(number) if number is not None else 0


def key_of_project(slug: str) -> str:
    """The key by which a project's issues name it as their parent, because projects have no number."""
    return f"project/{slug}"


def key_of_initiative(slug: str) -> str:
    return f"initiative/{slug}"
