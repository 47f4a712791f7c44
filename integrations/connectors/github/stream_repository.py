"""The repository that a stream belongs to, and the way in which it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from integrations.connectors.base import FetchedResource, Json


@dataclass(frozen=True, slots=True)
class Place:
    """`name` is owner/repository as last listed; `graphql` the address to ask, empty where REST alone is used."""

    external_id: str
    name: str
    details: Json
    graphql: str

    @classmethod
    def of(cls, resource: FetchedResource, *, graphql: str) -> Place:
        return cls(resource.external_id, resource.name, resource.details, graphql)

    @property
    def repository(self) -> Json:
        """As webhooks name it: what records say of it that do not name it themselves."""
        return {"id": self.external_id, "full_name": self.name, "html_url": self.details.get("html_url", "")}

    def path(self, *parts: Any) -> str:
        """By id, as GitHub's own Link headers have it: a renamed repository stays the same, and another one that
        takes its old name is never read in its stead."""
        return "/".join(("repositories", self.external_id, *map(str, parts)))
