"""Gitea as a connector: https://docs.gitea.com/api/.

One list serves both streams: a repository's issues, with a filter for pull requests.  It is sorted by creation, newest
first, and filtered by change (`since`) once everything was read.  It lacks details of pull requests: branches, commits,
reviews and timeline are read for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, ClassVar

from integrations.connectors.addresses import cut_at
from integrations.connectors.base import (
    Arrival,
    CheckedPermission,
    Connector,
    Cursor,
    FetchedResource,
    Field,
    Http,
    Json,
    Page,
    RawRecord,
    ResourceDraft,
    register,
    signed_with_sha256,
    tried,
)
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import GoneError, TransientError
from integrations.connectors.git.repository import one_spelling
from integrations.connectors.gitea.records import EVENTS, normalise_issue, normalise_pull_request
from integrations.connectors.rate_limits import response_time
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import as_record, text_of, time_of
from integrations.enums import Kind, ResourceKind

PULL_REQUEST, ISSUE = "pull_request", "issue"  # the sources by which quarantined records are replayed
AT_A_TIME = 10  # records per page: each takes up to seven requests, and a page is stored as a whole
LOOKED_AT = 50  # repositories among which one is chosen for the test
OVERLAP = timedelta(minutes=5)  # a transaction may be seen later than its time says
SETTLED = timedelta(seconds=10)  # times are whole seconds: younger records may change again within the same second
_LISTS = {  # the list's filter, and the repository's setting that turns it off
    Kind.PULL_REQUEST: ("pulls", "has_pull_requests"),
    Kind.WORK_ITEM: ("issues", "has_issues"),
}
_NEXT = re.compile(r'[?&]page=(\d{1,7})[^<>]*>\s*;\s*rel="next"')


@register
class Gitea(Connector):
    """Repositories with their pull requests and issues."""

    slug = "gitea"
    name = "Gitea"
    kinds: ClassVar[Mapping[ResourceKind, Sequence[Kind]]] = {ResourceKind.REPOSITORY: tuple(_LISTS)}
    fields: ClassVar[Sequence[Field]] = (
        Field("base_url", "Base URL", "Address of the server, such as https://gitea.example.com."),
        Field("token", "Access token", "Settings → Applications → Generate New Token.", secret=True),
    )
    permissions = """\
- An **access token** of a user who sees the repositories (Settings → Applications), with *Repository and Organization
  Access: All* and the permissions **read:user**, **read:repository** and **read:issue**.
- **Webhook** (optional): in the settings of a repository or an organisation, Webhooks → Add Webhook → Gitea, with the
  address and the secret that are shown here after saving, content type `application/json`, *Pull Request Events* and
  *Issue Events*. Without it the schedule finds everything some minutes later.
"""

    @classmethod
    def understood(cls, values: Mapping[str, str]) -> Mapping[str, str]:
        return cut_at(values, "/api/v1", "/explore/", "/user/", "/org/")

    @property
    def base_url(self) -> str:
        return f"{super().base_url}/api/v1"

    def sign(self, http: Http | None) -> Mapping[str, str]:
        return {"authorization": f"token {self.settings.secrets.get('token', '')}"}

    def check(self, http: Http) -> Sequence[CheckedPermission]:
        seen: list[ResourceDraft] = []
        http.get("user")
        checked = [
            CheckedPermission("User", works=True),
            tried(
                "Repositories",
                lambda: seen.extend(islice(self.resources(http), LOOKED_AT)),
                "Grant the token read:repository.",
            ),
        ]
        if not seen:
            if checked[-1].works:
                remedy = "None is visible: the token's user needs to be a member or a collaborator of some."
                checked[-1] = CheckedPermission("Repositories", works=False, remedy=remedy)
            return checked
        chosen = max(seen, key=lambda repository: sum(repository.details.values()))  # disabled features answer 404
        pulls, issues = (f"repos/{chosen.name}/{part}" for part in ("pulls", "issues"))
        if chosen.details["has_pull_requests"]:
            checked.append(tried("Pull requests", lambda: http.get(pulls), "Grant the token read:repository."))
        if any(chosen.details.values()):
            checked.append(tried("Issues", lambda: http.get(issues), "Grant the token read:issue."))
        return checked

    def resources(self, http: Http) -> Iterator[ResourceDraft]:
        for repository in map(Reader, _list_all(http, "user/repos")):
            page = repository.text("html_url")
            yield ResourceDraft(
                ResourceKind.REPOSITORY,
                external_id=repository.identifier("id"),
                name=repository.text("full_name"),
                url=page,
                remote=one_spelling(page),
                default_branch=repository.text("default_branch", default=""),
                archived=repository.boolean("archived", default=False),
                details={unit: repository.boolean(unit, default=True) for _, unit in _LISTS.values()},
            )

    def fetch(
        self, http: Http, resource: FetchedResource, kind: Kind, cursor: Cursor, *, now: datetime
    ) -> Iterator[Page]:
        """Read pages from `cursor`, which has `since` and `known` (id → change, for records as young as the overlap) of
        the last reading; during a reading also the next `page`, and `then`, the cursor in which it ends.
        """
        wanted, unit = _LISTS[kind]
        if resource.details.get(unit) is False:
            yield Page((), cursor)
            return
        read = _read_pull_request if kind == Kind.PULL_REQUEST else _read_issue
        before = {name: cursor[name] for name in ("since", "known") if cursor.get(name)}
        then, number, known = dict(cursor.get("then", {})), int(cursor.get("page", 1)), before.get("known", {})
        params = {"type": wanted, "state": "all", **({"since": before["since"]} if before else {})}
        while True:
            listed = _list(http, f"repos/{resource.name}/issues", params, page=number, limit=AT_A_TIME)
            _recognise(resource, listed.items)
            answered_at = response_time(listed.headers, now)
            begin = datetime.fromisoformat(then["since"]) if then else answered_at - OVERLAP
            young = _young(listed.items, begin, answered_at - SETTLED)
            then = {"since": begin.isoformat(timespec="seconds"), "known": {**then.get("known", {}), **young}}
            fresh = [item for item in listed.items if known.get(text_of(item, "id")) != text_of(item, "updated_at")]
            records = [record for item in fresh for record in read(http, resource, as_record(item))]
            if listed.next is None:
                yield Page(records, then, left=0, complete=not before)
                return
            number = listed.next
            yield Page(records, {**before, "then": then, "page": number}, left=listed.left)

    def replay(self, source: str, payload: Json) -> Sequence[AnyDraft]:
        return (normalise_pull_request if source == PULL_REQUEST else normalise_issue)(payload)

    # Webhooks ---------------------------------------------------------------------------------------------------

    def arrival(self, headers: Mapping[str, str], body: bytes, secret: str) -> Arrival | None:
        delivery = headers.get("x-gitea-delivery", "")
        if not delivery or not signed_with_sha256(body, secret, headers.get("x-gitea-signature", "")):
            return None
        return Arrival(delivery, headers.get("x-gitea-event", "unknown"))

    def deliveries(self, event: str, payload: Json) -> Iterable[RawRecord] | None:
        """The records in a delivery; events of a review (pull_request_approved …) have the pull request, and its
        reviews are read afterwards.
        """
        if event.startswith("pull_request") and "pull_request" in payload:
            return [_record(PULL_REQUEST, {"pull_request": payload["pull_request"]})]
        if event == "issues" and "issue" in payload:
            repository, gone = payload.get("repository"), payload.get("action") == "deleted"
            return [_record(ISSUE, {"issue": payload["issue"], "repository": _named(repository), "deleted": gone})]
        return None

    def news(self, event: str, payload: Json) -> tuple[str, Kind] | None:
        """The record to read again: deliveries contain no commits, reviews or times of events."""
        kind = Kind.WORK_ITEM if event == "issues" else Kind.PULL_REQUEST
        repository = text_of(payload.get("repository"), "id")
        return (repository, kind) if repository and self.deliveries(event, payload) is not None else None


# Reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Listed:
    """A page of a list; `next` is None if there is no link, `left` if Gitea does not count."""

    items: list[Any]
    next: int | None
    left: int | None
    headers: Mapping[str, str]


def _list(http: Http, path: str, params: Mapping[str, Any], *, page: int, limit: int) -> _Listed:
    """A page of a list.  Only the page number of links is used: their address is the server's own idea of it.

    Raises TransientError if the page is not the requested one, or is no list.
    """
    response = http.get(path, params={**params, "page": page, "limit": limit})
    document, link = response.json(), _NEXT.search(response.headers.get("link", ""))
    items = [] if document is None else document  # Gitea writes some empty lists this way
    if not isinstance(items, list) or (link is not None and int(link[1]) != page + 1):
        raise TransientError(f"Gitea answered {path} with something other than page {page} of its list.")
    total = response.headers.get("x-total-count", "")
    return _Listed(
        items=items,
        next=page + 1 if link else None,
        left=max(int(total) - page * len(items), 0) if total.isdecimal() else None,
        headers=response.headers,
    )


def _list_all(http: Http, path: str, **params: Any) -> Iterator[Any]:
    """All entries, up to the first empty page: not all lists link their pages, and servers may return short pages."""
    page, before = 1, list[Any]()
    while items := _list(http, path, params, page=page, limit=50).items:
        if items == before:
            raise TransientError(f"Gitea answered page {page} of {path} with the page before it.")
        yield from items
        page, before = page + 1, items


def _young(items: Iterable[Any], begin: datetime, end: datetime) -> dict[str, str]:
    """Id → change, for the items that changed between the two times."""
    changed = ((item, time_of(item, "updated_at")) for item in items)
    return {text_of(item, "id"): text_of(item, "updated_at") for item, at in changed if at and begin <= at < end}


def _recognise(resource: FetchedResource, items: Iterable[Any]) -> None:
    """Raise TransientError if the repository's name now belongs to another one."""
    ids = {text_of(as_record(item).get("repository"), "id") for item in items}
    if ids - {"", resource.external_id}:
        raise TransientError(
            f"{resource.name} is another repository at Gitea now.",
            what_to_do="Headway continues once it knows the new name; it reads the list of repositories regularly.",
        )


def _read_pull_request(http: Http, resource: FetchedResource, entry: Json) -> list[RawRecord]:
    number, path = text_of(entry, "number"), f"repos/{resource.name}"
    if not number:
        return [_record(PULL_REQUEST, {"pull_request": entry})]
    pull = f"{path}/pulls/{number}"
    try:
        payload = {
            "pull_request": http.get(pull).json(),
            "commits": list(_list_all(http, f"{pull}/commits", files="false", stat="false", verification="false")),
            "reviews": list(_list_all(http, f"{pull}/reviews")),
            "timeline": _timeline(http, path, number),
        }
    except GoneError:  # deleted since it was listed
        return []
    return [_record(PULL_REQUEST, payload)]


def _read_issue(http: Http, resource: FetchedResource, entry: Json) -> list[RawRecord]:
    number, path = text_of(entry, "number"), f"repos/{resource.name}"
    payload = {"issue": entry, "repository": {"id": resource.external_id, "full_name": resource.name}}
    try:
        return [_record(ISSUE, {**payload, "timeline": _timeline(http, path, number)} if number else payload)]
    except GoneError:
        return []


def _timeline(http: Http, path: str, number: str) -> list[Any]:
    entries = _list_all(http, f"{path}/issues/{number}/timeline")
    return [entry for entry in entries if text_of(entry, "type") in EVENTS]


def _record(source: str, payload: Json) -> RawRecord:
    normalise = normalise_pull_request if source == PULL_REQUEST else normalise_issue
    return RawRecord(payload, normalise, text_of(payload.get(source), "id"), source)


def _named(repository: Any) -> Json:
    """The needed fields of a repository."""
    return {name: text_of(repository, name) for name in ("id", "full_name")}
