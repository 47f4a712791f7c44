"""The repository that a stream belongs to, and the way in which it is read."""

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

CONFIRMED_SECONDS = 900.0  # the streams of a repository are read one after the other: one of them asks for all
_confirmed: TTLCache[str, bool] = TTLCache(5_000, ttl=CONFIRMED_SECONDS)  # names that were seen to be their place's
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Place:
    """`graphql` is the address to ask for details, empty where REST alone is used."""

    resource: FetchedResource
    graphql: str = ""

    @property
    def repository(self) -> Json:
        """As webhooks name it: what records say of it that do not name it themselves."""
        named = {"id": self.resource.external_id, "full_name": self.resource.name}
        return {**named, "html_url": self.resource.details.get("html_url", "")}

    def path(self, *parts: Any) -> str:
        """By owner and name, as GitHub documents it; it redirects from a repository's old name.

        Another repository may have taken that name: see `confirm`.
        """
        return "/".join(("repos", self.resource.name, *map(str, parts)))


def record_of(
    source: str, normalise: Callable[[Json], Sequence[AnyDraft]], entry: Any, *, id_field: str = "id", **parts: Any
) -> RawRecord:
    """An entry of a list, under the name of its source, beside the parts that were read of it.

    Parts that are None are left out: the entry is gone since it was listed, or has no id to ask by.
    """
    known = {name: part for name, part in parts.items() if part is not None}
    return RawRecord({source: as_record(entry), **known}, normalise, text_of(entry, id_field), source)


def confirm(http: Http, place: Place) -> None:
    """Raise TransientError where the place's name belongs to another repository now: ids stay, names are reused.

    Asked again after a while only.
    """
    with _lock:
        is_confirmed = _key(place) in _confirmed
    if not is_confirmed:
        recognise(place, http.get(place.path()).json())


def recognise(place: Place, repository: Any) -> None:
    """Compare the id of what GitHub has under the name; None: the same as when it was last asked for."""
    if repository is not None and text_of(repository, "id") != place.resource.external_id:
        raise TransientError(
            f"{place.resource.name} is another repository at GitHub now.",
            what_to_do="Headway continues once it knows the new name; it reads the list of repositories regularly.",
        )
    with _lock:
        _confirmed[_key(place)] = True


def _key(place: Place) -> str:
    return " ".join(map(str, place.repository.values()))
