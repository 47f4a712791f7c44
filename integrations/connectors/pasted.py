"""Addresses of pages in place of names, as people paste them: https://github.com/acme/shop/pulls, or a Jira board's."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from integrations.connectors.git.repository import one_spelling
from integrations.enums import ResourceKind

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_SCP_LIKE = re.compile(r"^[^@/\s]+@[^:/\s]+:\S")
_BARE = re.compile(r"^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?/\S", re.IGNORECASE)  # as browsers show it: github.com/acme
_VIEW = re.compile(r"/view/[^/]+(?=/(?:view|job)/)")  # of Jenkins
# What follows a page that has pages of its own kind, or another kind's, below it.
_ANOTHER = ("job/", "_git/")
# The part of a path, and the parameters, in which pages name a resource of this kind.
_IN_PATH: Mapping[str, re.Pattern[str]] = {
    ResourceKind.PROJECT: re.compile(r"/(?:browse|projects|issues?|team)/([^/]+)"),
    ResourceKind.BOARD: re.compile(r"/boards/(\d+)"),
    ResourceKind.SERVICE: re.compile(r"/(?:service-directory|services)/([^/]+)"),
    ResourceKind.PIPELINE: re.compile(r"/organizations/jenkins/(.+?)(?:/(?:activity|branches|detail|pr)(?:/.*)?)?$"),
}
_IN_QUERY: Mapping[str, Collection[str]] = {
    ResourceKind.PROJECT: ("projectkey", "selectedproject"),
    ResourceKind.BOARD: ("rapidview",),
    ResourceKind.SERVICE: ("sys_id",),
    ResourceKind.PIPELINE: ("id",),
}
_NUMBER_OF_ISSUE = re.compile(r"-\d+$")
# Pages that differ in a parameter alone: SonarQube's dashboard?id=shop, ServiceNow's cmdb_ci_service.do?sys_id=1.
_QUERY_DECIDES = re.compile(r"/dashboard$|\.do$")
_BEFORE_OWNERS = frozenset({"orgs", "organizations", "groups", "enterprises", "users"})


class Listed(Protocol):
    """A resource, with its page and the keys of its projects, to which an address may lead."""

    kind: str
    external_id: str
    url: str

    @property
    def keys(self) -> Collection[str]: ...


def is_address(text: str) -> bool:
    """Whether the text is an address, with its scheme or without: git@github.com:acme/shop, github.com/acme/shop."""
    plain = text.strip()
    return any(form.match(plain) for form in (_SCHEME, _SCP_LIKE, _BARE))


def leads_to(address: str, listed: Listed) -> bool:
    """Whether the address is that of the resource's page, or of one below it.

    A page that names its project or board is one of theirs, wherever it is on the resource's host.  An address with *
    is a pattern of addresses.
    """
    plain = _whole(address)
    target, own = _page(plain), _page(listed.url)
    if not target or (own and own.partition("/")[0] != target.partition("/")[0]):
        return False
    if "*" in target:
        return fnmatchcase(own, target)
    below = target.removeprefix(f"{own}/") if own else target
    is_below = target == own or (below != target and not below.startswith(_ANOTHER))
    if own and "/" in own and is_below and not _QUERY_DECIDES.search(own):
        return True
    return _names(plain, target, listed)


def owner_in(value: str, *, skip: int = 0, most: int | None = None) -> str:
    """The owner, group or project that an address of its page names: acme, from https://github.com/orgs/acme/teams.

    `skip` parts of the path come before it, and it has `most` parts.  A value that is no address stays as it is.
    """
    if not _SCHEME.match(value):  # acme.org/platform is the path of a group
        return value
    parts = unquote(one_spelling(value)).split("/")[1:]
    if parts[:1] and parts[0] in _BEFORE_OWNERS:
        del parts[0]
    end = next((n for n, part in enumerate(parts) if part.startswith(("-", "_"))), len(parts))
    return "/".join(parts[:end][skip:][:most]) or value


def _whole(address: str) -> str:
    plain = address.strip()
    return f"https://{plain}" if _BARE.match(plain) else plain


def _page(address: str) -> str:
    """Host and path in one spelling, including the path within a single-page application: …/ng/#/account/1."""
    before, _, fragment = address.partition("#")
    path = one_spelling(f"{before.partition('?')[0].rstrip('/')}{fragment if fragment.startswith('/') else ''}")
    return _VIEW.sub("", unquote(path.partition("/-/")[0])).casefold()


def _names(plain: str, page: str, listed: Listed) -> bool:
    """Whether the page names this resource; one of a board names this board rather than its project's other ones."""
    own, keys = listed.external_id.casefold(), {key.casefold() for key in listed.keys}
    values = _named(plain, page, listed.kind)
    if listed.kind == ResourceKind.BOARD and not values:
        return not keys.isdisjoint(map(_project_of, _named(plain, page, ResourceKind.PROJECT)))
    return own in values or (listed.kind == ResourceKind.PROJECT and not keys.isdisjoint(map(_project_of, values)))


def _project_of(value: str) -> str:
    return _NUMBER_OF_ISSUE.sub("", value)


def _named(plain: str, page: str, kind: str) -> list[str]:
    """The names of this kind in the page's parameters and path."""
    pattern = _IN_PATH.get(kind)
    try:
        parameters = parse_qs(urlsplit(plain).query)
    except ValueError:
        return []
    names = _IN_QUERY.get(kind, ())
    found = [value for name, values in parameters.items() if name.casefold() in names for value in values]
    return [*map(str.casefold, found), *(pattern.findall(f"/{page.partition('/')[2]}") if pattern else ())]
