"""The parts that records of several streams share: their project, accounts, and notes.

Notes are people's comments, and GitLab's own entries about their actions.  https://docs.gitlab.com/api/notes/; the
texts are those of app/services/system_notes in GitLab's source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.connectors.base import FetchedResource, Http, Json
from integrations.connectors.drafts import Who
from integrations.connectors.gitlab.lists import list_all
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import objects_of

GHOST = "ghost"  # takes over the contributions of deleted accounts
# Lists of records do not say which accounts are bots; GitLab names those of tokens and service accounts itself.
_BOT = re.compile(r"(project|group)_\d+_bot\w*|service_account_\w+|(support|alert|automation|duo)-bot.*", re.IGNORECASE)
_NAMED = re.compile(r"@([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?)")
_FIELDS_OF_NOTE = ("id", "type", "author", "created_at", "system")
Note = tuple[datetime, Reader]


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


def account(user: Reader | None) -> Who | None:
    """The account; None if it was deleted."""
    if user is None:
        return None
    login = user.text("username", default="")
    if not login or login.lower() == GHOST:
        return None
    bot = user.boolean("bot", default=_BOT.fullmatch(login) is not None)
    return Who(login=login, account=user.identifier("id", default=""), bot=bot)


# Notes --------------------------------------------------------------------------------------------------------------


def read_notes(http: Http, path: str) -> list[Json]:
    """The notes of the record at `path`, oldest first, without texts that people wrote."""
    listed = list_all(http, f"{path}/notes", {"order_by": "created_at", "sort": "asc"})
    return [_without_comment(note) for note in objects_of(list(listed))]


def _without_comment(note: Json) -> Json:
    stored: Json = {name: note[name] for name in _FIELDS_OF_NOTE if name in note}
    return {**stored, "body": note.get("body")} if note.get("system") is True else stored


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
    """The text that GitLab itself wrote; empty for a comment."""
    return note.text("body", default="").strip() if is_system(note) else ""


def logins_in(text: str) -> list[str]:
    """The people that a note names."""
    return _NAMED.findall(text)
