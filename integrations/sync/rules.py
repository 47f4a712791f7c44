"""Which of a connection's resources are picked: its rules, and an admin's manual decisions.

connection.settings["resources"] = {"match": ["acme/*"], "exclude": ["acme/old-*"], "archived": false}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.intake.names import matches
from integrations.models import Connection, Resource


@dataclass(frozen=True, slots=True)
class Rules:
    """Name patterns with * and ?, or ids; case-insensitive.  Without any nothing is picked."""

    match: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    archived: bool = False

    def pick(self, resource: Resource) -> bool:
        if resource.archived and not self.archived:
            return False
        names = (resource.name, resource.external_id)
        return matches(names, self.match) and not matches(names, self.exclude)

    def as_json(self) -> dict[str, Any]:
        return {"match": list(self.match), "exclude": list(self.exclude), "archived": self.archived}


def rules_of(connection: Connection) -> Rules:
    configured: Mapping[str, Any] = connection.settings.get("resources") or {}
    return Rules(
        tuple(configured.get("match", ())),
        tuple(configured.get("exclude", ())),
        bool(configured.get("archived", False)),
    )


def is_picked(resource: Resource, rules: Rules) -> bool:
    if resource.picked_by_hand is not None:
        return resource.picked_by_hand
    return rules.pick(resource)
