"""Random work items: in progress and back, done and reopened, handed from one to another."""

from __future__ import annotations

import random
from datetime import timedelta

from tests.delivery.oracle.calendar import DateRange, Moments, beginning_of
from tests.delivery.oracle.organisation import EMPLOYED, OUTSIDE, address
from tests.delivery.oracle.repositories import Record

NEVER_REPORTED = "SHOP-999"
TYPES = ("Story", "Bug", "Task")
# Status → its category; moves within a category don't count.
STATUSES = {"To do": "todo", "Doing": "in_progress", "In review": "in_progress", "Done": "done", "Released": "done"}


def keys_of(many: int) -> list[str]:
    return [f"SHOP-{number}" for number in range(1, many + 1)]


def items(keys: list[str], days: DateRange, chance: random.Random) -> list[Record]:
    moments = Moments(chance)
    return [_item(key, days, chance, moments) for key in keys]


def _item(key: str, days: DateRange, chance: random.Random, moments: Moments) -> Record:
    created = moments.between(beginning_of(days.first) - timedelta(days=20), days.now - timedelta(days=1))
    times = sorted(
        moments.after(created, chance.choice((timedelta(days=3), timedelta(days=30))), days.now)
        for _ in range(chance.randrange(6))
    )
    status, transitions = "To do", []
    for at in times:
        before, status = status, chance.choice([other for other in STATUSES if other != status])
        transitions.append({"at": at.isoformat(), "from": before, "to": status, "category": STATUSES[status]})
    people = [*map(address, EMPLOYED), address(OUTSIDE), ""]
    assigned = sorted(moments.between(created, days.now) for _ in range(chance.randrange(4)))
    assignees = [{"at": at.isoformat(), "assignee": chance.choice(people)} for at in assigned]
    record: Record = {
        "id": key,
        "project": "SHOP",
        "title": f"Tea of {key}",
        "type": chance.choice(TYPES),
        "created_at": created.isoformat(),
        "status_category": STATUSES[status],
        "transitions": transitions,
        "assignees": assignees,
        "assignee": assignees[-1]["assignee"] if assignees else chance.choice(people),
    }
    if not transitions and chance.random() < 0.5:  # done, and only that is told
        resolved = moments.between(created, days.now).isoformat()
        record |= {"status_category": "done", "resolved_at": resolved}
    return record
