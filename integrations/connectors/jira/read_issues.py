"""The stream of a project's issues, most recently changed first, with their whole changelogs.

A search shows every change at its front: an issue that changes while pages are read moves there and is found by the
next sync, others move back and are seen twice.  Dates in JQL are in the account's time zone, and relative dates change
from page to page, so a search names its start in milliseconds since 1970, by Jira's own clock.

A cursor is one of
  {}                                 nothing was read yet
  {"since"}                          everything was read up to `since`
  {"since", "began", "start"}        a sync is in progress, and continues at `start`; `since` is empty in the first
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page, RawRecord
from integrations.connectors.errors import GoneError, PermanentError
from integrations.connectors.jira.custom_fields import CustomFields, chosen, known_fields, names_of
from integrations.connectors.jira.issues import FIELDS, KEY, PEOPLE, VALUES, changed_field, normalise_issue
from integrations.connectors.jira.site import Found, Site
from integrations.connectors.rate_limits import response_time
from integrations.connectors.unchecked import object_of, objects_of, text_of

SOURCE = "issue"
OVERLAP = timedelta(minutes=10)  # the search index lags behind changes
STORED_TOGETHER = 25  # issues, each of which may take a request for the rest of its changelog


@dataclass(frozen=True, slots=True)
class Search:
    """The search that a reading repeats from page to page."""

    http: Http
    site: Site
    resource: FetchedResource
    jql: str
    custom: CustomFields
    names: Mapping[str, str]
    people: dict[str, Json] = field(default_factory=dict)
    """Of Data Center, by their keys, by which alone a changelog names whom something was assigned to."""

    def at(self, start: str) -> Found:
        fields = (*FIELDS, *chain.from_iterable(self.custom.values()))
        return self.site.search(self.http, self.jql, fields=fields, start=start)

    def note_people(self, issues: Sequence[Any]) -> None:
        """Note all people whom these issues show with name and address."""
        for issue in objects_of(issues):
            users = [object_of(issue, "fields", name) for name in PEOPLE]
            histories = objects_of(object_of(issue, "changelog").get("histories"))
            users += [object_of(history, "author") for history in histories]
            self.people.update({key: user for user in users if (key := text_of(user, "key"))})

    def people_of(self, histories: Sequence[Any]) -> dict[str, Json]:
        """The people whom the changes assign or unassign; those in no issue of the page are requested."""
        if self.site.is_cloud:
            return {}
        items = [item for history in histories for item in objects_of(object_of(history).get("items"))]
        keys = {text_of(item, end) for item in items if item.get("field") == "assignee" for end in ("from", "to")}
        for key in sorted(keys - {""} - self.people.keys()):
            try:
                self.people[key] = object_of(self.http.get(self.site.path("user"), params={"key": key}).json())
            except PermanentError:  # deleted, or the account may not browse users
                self.people[key] = {}
        return {key: self.people[key] for key in sorted(keys & self.people.keys()) if self.people[key]}

    def resumed(self, start: str) -> tuple[Found, str]:
        """The page at `start`, or the first one if Jira has forgotten that place, as it does after seven days."""
        try:
            return self.at(start), start
        except GoneError:
            raise
        except PermanentError as problem:
            if start:
                return self.resumed("")
            name = self.resource.name
            raise PermanentError(
                f"Jira does not let this account search {name}: {problem.problem}",
                what_to_do=f"Grant the account “Browse projects” in {name}, or take it off the resources.",
            ) from None


def fetch_issues(
    http: Http,
    resource: FetchedResource,
    cursor: Cursor,
    *,
    site: Site,
    named: Mapping[str, Sequence[str]],
    now: datetime,
) -> Iterator[Page]:
    """Read everything from an empty cursor, else the changes since."""
    since = str(cursor.get("since") or "")
    fields = known_fields(http, site)
    custom = chosen(fields, named)
    search = Search(http, site, resource, question(resource, since), custom, names_of(fields, custom))
    found, start = search.resumed(str(cursor.get("start") or ""))
    began = str(cursor.get("began") or response_time(found.headers, now).isoformat())
    ended = {"since": (datetime.fromisoformat(began) - OVERLAP).isoformat()}
    left = None if since or not found.issues else site.count(http, search.jql)
    categories = _categories(http, site) if found.issues else {}
    while True:
        for position in range(0, max(len(found.issues), 1), STORED_TOGETHER):
            search.note_people(found.issues)
            batch = found.issues[position : position + STORED_TOGETHER]
            records = [_record(search, issue, categories) for issue in batch]
            left = None if left is None else max(left - len(batch), 0)
            is_last = position + STORED_TOGETHER >= len(found.issues)
            if is_last and not found.next:
                yield Page(records, ended, left=0, complete=not since)
                return
            yield Page(records, {"since": since, "began": began, "start": found.next if is_last else start}, left=left)
        start = found.next
        found = search.at(start)


def question(resource: FetchedResource, since: str) -> str:
    """The query in JQL, by the project's id, which stays when its key changes."""
    changed = f" AND updated >= {int(datetime.fromisoformat(since).timestamp() * 1000)}" if since else ""
    return f"project = {int(resource.external_id)}{changed} ORDER BY updated DESC, id DESC"


def _categories(http: Http, site: Site) -> Mapping[str, str]:
    """The key of each status's category, by the status's id."""
    listed = http.get(site.path("status")).json()
    return {text_of(status, "id"): text_of(status.get("statusCategory"), "key") for status in objects_of(listed)}


def _record(search: Search, issue: Any, categories: Mapping[str, str]) -> RawRecord:
    if not isinstance(issue, dict):
        return RawRecord({"issue": issue}, normalise_issue, "", SOURCE)
    try:
        histories = search.site.histories(search.http, issue)
    except GoneError:
        histories = None  # deleted since it was found
    payload: Json = {
        "issue": without_texts(issue),
        "fields": search.custom,
        "names": search.names,
        "pages": str(search.resource.details.get("pages", "")),
    }
    if histories is not None:
        payload |= {"histories": of_interest(histories, search), "statuses": _named(histories, categories)}
        payload["people"] = search.people_of(histories)
    return RawRecord(payload, normalise_issue, str(issue.get("id", "")), SOURCE)


def without_texts(issue: Json) -> Json:
    """The issue without its changelog, which is stored beside it, and without its description."""
    fields = issue.get("fields")
    if isinstance(fields, dict) and fields.get("description"):
        fields = {**fields, "description": True}
    return {**{name: value for name, value in issue.items() if name != "changelog"}, "fields": fields}


def of_interest(histories: Sequence[Any], search: Search) -> list[Any]:
    """The changelog without changes of texts, which may be long and private."""
    wanted = {"status", "assignee", *KEY, *VALUES, *search.custom["sprints"], *search.custom["estimates"]}
    kept = []
    for history in histories:
        if not isinstance(history, dict) or not isinstance(history.get("items"), list):
            kept.append(history)  # the normalising function reports it
            continue
        items = [
            item for item in history["items"] if not isinstance(item, dict) or _field(item, search.names) in wanted
        ]
        if items:
            kept.append({**history, "items": items})
    return kept


def _field(item: Json, names: Mapping[str, str]) -> str:
    return changed_field(text_of(item, "fieldId"), text_of(item, "field"), text_of(item, "fieldtype"), names)


def _named(histories: Sequence[Any], statuses: Mapping[str, str]) -> dict[str, str]:
    """The statuses that the changes name."""
    items = [item for history in histories for item in objects_of(object_of(history).get("items"))]
    named = {text_of(item, end) for item in items for end in ("from", "to")}
    return {status: statuses[status] for status in sorted(named & set(statuses))}
