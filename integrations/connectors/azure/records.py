"""The parts that records of several streams share: where they are, and accounts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from integrations.connectors.base import FetchedResource
from integrations.connectors.drafts import Who
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import fields_of

KEY = "AB"  # AB#12 is how GitHub names a work item: https://learn.microsoft.com/azure/devops/boards/github/link-to-from-github
_SERVICE = re.compile(r"(svc|s2s|aadsp)\.", re.IGNORECASE)  # by the descriptor's type of subject
_PERSON = ("id", "displayName", "uniqueName", "descriptor", "isContainer")
_BUILD = "Build\\"


@dataclass(frozen=True, slots=True)
class Place:
    """The repository or project of a stream; `collection` is the address of the organisation or collection."""

    resource: FetchedResource
    collection: str
    release_host: str = ""  # of classic releases; empty: the same

    @property
    def project(self) -> str:
        """The id of the project."""
        return str(self.resource.details.get("project", "") or self.resource.external_id)

    def api(self, *parts: Any) -> str:
        """The path of an API of the project, by its id, which survives renaming."""
        return "/".join((self.project, "_apis", *map(str, parts)))

    def releases(self, *parts: Any) -> str:
        """The address of an API of classic releases."""
        return f"{self.release_host}/{self.api(*parts)}" if self.release_host else self.api(*parts)

    def page(self, *parts: Any) -> str:
        """The address of a page of the project."""
        name = quote(str(self.resource.details.get("project_name", "")))
        return "/".join((self.collection, name, *map(str, parts)))


def account(identity: Reader | None) -> Who | None:
    """The account; its unique name is usually its e-mail address.  None for groups and unnamed accounts."""
    if identity is None or identity.boolean("isContainer", default=False):
        return None
    id_, login = identity.identifier("id", default=""), identity.text("uniqueName", default="")
    if not id_ and not login:
        return None
    is_service = _SERVICE.match(identity.text("descriptor", default="")) is not None or login.startswith(_BUILD)
    return Who(
        login=login,
        email=login if "@" in login else "",
        name=identity.text("displayName", default=""),
        account=id_.lower(),
        bot=is_service,
    )


def person_fields(value: Any) -> Any:
    """The fields of an identity that are stored; any other value as it is."""
    return fields_of(value, _PERSON)


def branch(ref: str) -> str:
    """The branch without refs/heads/."""
    return ref.removeprefix("refs/heads/")
