"""The repository that a stream belongs to, and how it is read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cachetools import TTLCache

from integrations.connectors.base import FetchedResource, Http, Json, RawRecord
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import TransientError
from integrations.connectors.unchecked import as_record, text_of

CONFIRMED_SECONDS = 900.0  # the streams of a repository are read one after the other: one of them confirms for all
_confirmed: TTLCache[str, bool] = TTLCache(5_000, ttl=CONFIRMED_SECONDS)  # names confirmed to be their place's
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Place:
    """The repository of a stream; `graphql` is the address for details, empty if only REST is used."""

    resource: FetchedResource
    graphql: str = ""

    @property
    def repository(self) -> Json:
        """The repository as webhooks name it, for records that do not name it themselves."""
        named = {"id": self.resource.external_id, "full_name": self.resource.name}
        return {**named, "html_url": self.resource.details.get("html_url", "")}

    def path(self, *parts: Any) -> str:
        """The path by owner and name, as GitHub documents it; GitHub redirects from a repository's old name.

        Another repository may have taken that name: see `confirm`.
        """
        return "/".join(("repos", self.resource.name, *map(str, parts)))


def record_of(
    source: str, normalise: Callable[[Json], Sequence[AnyDraft]], entry: Any, *, id_field: str = "id", **parts: Any
) -> RawRecord:
    """An entry of a list, under the name of its source, together with the parts that were read for it.

    Parts that are None are left out: the entry was deleted since it was listed, or has no id to request it by.
    """
    known = {name: part for name, part in parts.items() if part is not None}
    return RawRecord({source: as_record(entry), **known}, normalise, text_of(entry, id_field), source)


def confirm(http: Http, place: Place) -> None:
    """Raise TransientError if the place's name now belongs to another repository: ids stay, names are reused.

    Repeated only after a while.
    """
    with _lock:
        is_confirmed = _key(place) in _confirmed
    if not is_confirmed:
        recognise(place, http.get(place.path()).json())


def recognise(place: Place, repository: Any) -> None:
    """Compare the id of the repository under the name; None: unchanged since the last request."""
    if repository is not None and text_of(repository, "id") != place.resource.external_id:
        raise TransientError(
            f"{place.resource.name} is another repository at GitHub now.",
            what_to_do="Headway continues once it knows the new name; it reads the list of repositories regularly.",
        )
    with _lock:
        _confirmed[_key(place)] = True


def _key(place: Place) -> str:
    return " ".join(map(str, place.repository.values()))
