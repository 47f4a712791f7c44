"""Notes of merge requests and issues: people's comments, and what GitLab writes itself about what they did.

https://docs.gitlab.com/api/notes/; the words are those of app/services/system_notes in GitLab's source.
"""

from __future__ import annotations

import re
from datetime import datetime

from integrations.connectors.base import Http, Json
from integrations.connectors.gitlab.lists import list_all
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import objects_of

Note = tuple[datetime, Reader]
_NAMED = re.compile(r"@([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)")


def read_notes(http: Http, path: str) -> list[Json]:
    """The notes of the record at `path`, oldest first, without what people wrote."""
    listed = list_all(http, f"{path}/notes", {"order_by": "created_at", "sort": "asc"})
    return [_kept(note) for note in objects_of(list(listed))]


def _kept(note: Json) -> Json:
    kept: Json = {name: note[name] for name in ("id", "type", "author", "created_at", "system") if name in note}
    return {**kept, "body": note.get("body")} if note.get("system") is True else kept


def notes_in(reader: Reader) -> list[Note] | None:
    """The notes of a payload, in order of time; None if it has none."""
    notes = reader.parts("notes", _dated)
    return None if notes is None else sorted(notes, key=lambda note: note[0])


def _dated(note: Reader) -> Note | None:
    at = note.part_time("created_at", required=True)
    return None if at is None else (at, note)


def is_system(note: Reader) -> bool:
    return note.boolean("system", default=False)


def said(note: Reader) -> str:
    """What GitLab wrote; empty for a comment."""
    return note.text("body", default="").strip() if is_system(note) else ""


def logins_in(text: str) -> list[str]:
    """The people that a note names."""
    return _NAMED.findall(text)
