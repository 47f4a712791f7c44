"""The project that a stream belongs to, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.connectors.base import FetchedResource, Json, RawRecord
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.unchecked import as_record, text_of


@dataclass(frozen=True, slots=True)
class Place:
    """The project of a stream; `graphql` is the address for details, `credential` tells connections apart."""

    resource: FetchedResource
    graphql: str
    credential: str = ""

    def path(self, *parts: Any) -> str:
        """The path by the project's id, which survives renaming and transfer."""
        return "/".join(("projects", self.resource.external_id, *map(str, parts)))

    @property
    def project(self) -> Json:
        """The project, for records that do not name it themselves."""
        page = self.resource.details.get("html_url", "")
        return {"id": self.resource.external_id, "path": self.resource.name, "web_url": page}


def record_of(
    source: str, normalise: Callable[[Json], Sequence[AnyDraft]], entry: Any, *, id_field: str = "id", **parts: Any
) -> RawRecord:
    """An entry of a list, under the name of its source, beside the parts that were read for it; those that are None are
    left out.
    """
    known = {name: part for name, part in parts.items() if part is not None}
    return RawRecord({source: as_record(entry), **known}, normalise, text_of(entry, id_field), source)
