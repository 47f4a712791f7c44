"""The parts that records of several streams share: where they are, ids, accounts and commits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from integrations.connectors.base import FetchedResource, Json
from integrations.connectors.drafts import Who
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import as_record, fields_of, text_of

_SIGNED = re.compile(r"\s*(.*?)\s*<([^<>]*)>\s*", re.DOTALL)
_APP = "app_user"  # an app, or an access token of a repository, a project or a workspace
_PERSON = ("type", "uuid", "account_id", "display_name")
_OF_COMMIT = ("hash", "date", "message", "parents")


@dataclass(frozen=True, slots=True)
class Place:
    """The repository of a stream."""

    resource: FetchedResource

    def path(self, *parts: Any) -> str:
        """The path by the ids of workspace and repository, which survive renaming and transfer."""
        workspace = str(self.resource.details.get("workspace", ""))
        ids = (braced(workspace), braced(self.resource.external_id))
        return "/".join(("repositories", *ids, *map(str, parts)))

    @property
    def repository(self) -> Json:
        """The repository, for records that do not name it themselves."""
        page = str(self.resource.details.get("html_url", ""))
        return {"id": self.resource.external_id, "name": self.resource.name, "page": page}


def bare(uuid: str) -> str:
    """A UUID without the braces in which Bitbucket writes it."""
    return uuid.strip("{}").lower()


def braced(uuid: str) -> str:
    """A UUID as a part of a path."""
    return quote(f"{{{bare(uuid)}}}", safe="")


def uuid_in(reader: Reader, path: str, default: str | None = None) -> str:
    """The UUID at a path, without its braces.  Raises SchemaError if there is none, and no default."""
    return bare(reader.identifier(path) if default is None else reader.identifier(path, default=default))


def account(user: Reader | None) -> Who | None:
    """The account; None if it was deleted, which leaves it without an id.

    Nicknames are not unique and change, and no address is given: the id of the Atlassian account is the login.
    """
    if user is None:
        return None
    is_app = user.text("type", default="").lower().replace("appuser", _APP) == _APP
    id_ = user.text("account_id", default="") or (uuid_in(user, "uuid", "") if is_app else "")
    return Who(login=id_, account=id_, name=user.text("display_name", default=""), bot=is_app) if id_ else None


def person_fields(value: Any) -> Any:
    """The fields of an account that are stored; any other value as it is."""
    return fields_of(value, _PERSON)


def commit_fields(commit: Any) -> Json:
    """The fields of a commit that are stored."""
    author = commit.get("author") if isinstance(commit, dict) else None
    if not isinstance(author, dict):
        return as_record(commit)
    signed = {"raw": author.get("raw"), "user": person_fields(author.get("user"))}
    parents = commit.get("parents")
    if isinstance(parents, list):
        parents = [fields_of(parent, ("hash",)) for parent in parents]
    return {**fields_of(commit, _OF_COMMIT), "author": signed, "parents": parents}


def signed_by(commit: Reader) -> Who | None:
    """The author according to git, with the account that Bitbucket assigns."""
    raw = commit.text("author.raw", default="")
    known = account(commit.object("author.user"))
    found = _SIGNED.fullmatch(raw)
    name, email = (found[1], found[2].strip()) if found else (raw.strip(), "")
    id_ = known.account if known else ""
    if not (id_ or name or email):
        return None
    return Who(login=id_, account=id_, name=name, email=email, bot=known.bot if known else False)


def committed_at(commit: Reader) -> datetime | None:
    """The only time that Bitbucket gives for a commit."""
    return commit.part_time("date")


def full_hash(short: str, hashes: list[str]) -> str:
    """The hash that begins with the one in a pull request, which is truncated to twelve characters."""
    return next((hash_ for hash_ in hashes if short and hash_.startswith(short)), "")


def state_of(item: Json) -> str:
    """The name of a pipeline's or a deployment's state, as it is listed."""
    return text_of(item.get("state"), "name")
