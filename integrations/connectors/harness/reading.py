"""Reads the executions of a project, newest first; later those that began since or were unfinished.

Executions are listed by the time at which they were triggered, and cannot be filtered by change.  Unfinished ones are
listed by status, and those that are no longer among them are requested, ten at a time.  A cursor is {} or that of
connectors/changes.py, with
  {"open"}     id → start of the unfinished ones, if they are as recent as `LONGEST_OPEN`
  {"found"}    those of the reading in progress

A list without a time range contains only the latest ones, and a range needs both of its ends:
https://developer.harness.io/release-notes/pipeline; retries are left out unless all executions are requested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page, RawRecord
from integrations.connectors.changes import AT_A_TIME, Changes, ListedPage, written
from integrations.connectors.deployment_rules import Rules
from integrations.connectors.errors import GoneError, PermanentError, TransientError
from integrations.connectors.harness.deployments import values_of, without_types
from integrations.connectors.harness.executions import (
    SOURCE,
    is_open,
    normalise_execution,
    started_at_of,
    stored_execution,
)
from integrations.connectors.harness.statuses import QUEUED, RUNNING
from integrations.connectors.json_text import list_in
from integrations.connectors.rate_limits import response_time
from integrations.connectors.reader import EPOCH, MILLISECOND
from integrations.connectors.unchecked import as_record, object_of, objects_of, record_of, text_of

PER_PAGE = 50
LONGEST_OPEN = timedelta(days=35)  # the longest time-out of a pipeline
AHEAD = timedelta(days=1)  # beyond any difference of clocks
SUMMARY, DETAILS = "pipeline/api/pipelines/execution/summary", "pipeline/api/pipelines/execution/v2"
ENVIRONMENTS = "ng/api/environmentsV2"
_AT = "(started)"


def fetch_executions(http: Http, project: Project, cursor: Cursor, *, rules: Rules, now: datetime) -> Iterator[Page]:
    """Read executions: one request without new ones, and one more while some have not finished."""
    reading = _Reading(http, project, rules, now, found=dict(cursor.get("found", {})))
    waiting = {str(id_): str(at) for id_, at in dict(cursor.get("open", {})).items()}
    changes = Changes(
        list_page=reading.listed,
        read=reading.read,
        answered=f"Harness answered {SUMMARY}",
        time_field=_AT,
        id_field="planExecutionId",
        tells_all=False,  # executions are deleted after a while, and happened
    )
    own = {name: value for name, value in cursor.items() if name not in ("open", "found")}
    for page in changes.pages(http, own, now=now):
        if "then" in page.cursor:
            yield replace(page, cursor={**page.cursor, "open": waiting, "found": reading.found})
            continue
        again, still = reading.look_again(waiting)
        yield replace(page, records=[*page.records, *again], cursor={**page.cursor, "open": {**still, **reading.found}})


@dataclass(frozen=True, slots=True)
class Project:
    """A project of an account, as requests name it; `page` is the address of its pages."""

    account: str
    organisation: str
    identifier: str
    page: str

    @classmethod
    def of(cls, account: str, resource: FetchedResource) -> Project:
        organisation, _, identifier = resource.external_id.partition("/")
        return cls(account, organisation, identifier, str(resource.details.get("page", "")))

    @property
    def scope(self) -> Json:
        return {
            "accountIdentifier": self.account,
            "orgIdentifier": self.organisation,
            "projectIdentifier": self.identifier,
        }

    def scope_of(self, reference: str) -> tuple[Json, str]:
        """The scope that an identifier belongs to, and the identifier in it: account.prod, org.prod, prod."""
        level, dot, identifier = reference.partition(".")
        if not dot or level not in ("account", "org"):
            return self.scope, reference
        names = ("accountIdentifier",) if level == "account" else ("accountIdentifier", "orgIdentifier")
        return {name: self.scope[name] for name in names}, identifier


@dataclass(slots=True)
class _Reading:
    """A reading of a project; `found` are the executions that have not finished."""

    http: Http
    project: Project
    rules: Rules
    now: datetime
    found: dict[str, str] = field(default_factory=dict)
    answered_at: datetime | None = None
    types: dict[str, str] = field(default_factory=dict)

    def listed(self, http: Http, since: str, before: datetime | None, number: int) -> ListedPage:
        """A page of executions that were triggered in a time, with `_AT`, the time by which they are sorted."""
        times = (datetime.fromisoformat(since) if since else EPOCH, before or self.now + AHEAD)
        return self._listed(times, number)

    def _listed(self, times: tuple[datetime, datetime], number: int, statuses: Sequence[str] = ()) -> ListedPage:
        begin, end = ((at - EPOCH) // MILLISECOND for at in times)
        query = {**self.project.scope, "page": number - 1, "size": PER_PAGE, "sort": "startTs,DESC"}
        body: Json = {"filterType": "PipelineExecution", "timeRange": {"startTime": begin, "endTime": end}}
        response = self.http.post(
            _address(SUMMARY, {**query, "showAllExecutions": "true"}),
            json={**body, "status": list(statuses)} if statuses else body,
        )
        self.answered_at = self.answered_at or response_time(response.headers, self.now)
        data = object_of(response.json(), "data")
        items = list_in(data, "content", f"Harness answered {SUMMARY}")
        answered, requested = text_of(data, "number"), str(number - 1)
        if answered and answered != requested:
            raise TransientError(
                f"Harness answered {SUMMARY} with page {answered} of its list instead of page {requested}."
            )
        total = text_of(data, "totalElements")
        is_last = data.get("last") is True if isinstance(data.get("last"), bool) else not items
        return ListedPage(
            [_dated(item) for item in items],
            is_last or not items,
            response.headers,
            int(total) if total.isdecimal() else None,
        )

    def read(self, entries: Sequence[Json]) -> list[RawRecord]:
        stored = [as_record(stored_execution(entry)) for entry in entries]
        for entry in entries:
            self.note(entry)
        types = self._types_of([stage for one in stored for stage in objects_of(one.get("stages"))])
        return [
            record_of(
                SOURCE,
                normalise_execution,
                one,
                id_field="planExecutionId",
                project={"page": self.project.page},
                deploys=values_of(one, self.rules) or None,
                types=types or None,
            )
            for one in stored
        ]

    def note(self, entry: Json) -> None:
        id_, at = text_of(entry, "planExecutionId"), started_at_of(entry)
        answered_at = self.answered_at or self.now
        self.found.pop(id_, None)
        if id_ and at is not None and at >= answered_at - LONGEST_OPEN and is_open(entry):
            self.found[id_] = written(at)

    def look_again(self, waiting: Mapping[str, str]) -> tuple[list[RawRecord], dict[str, str]]:
        """The records of executions that were unfinished, and those of them that are left for the next reading.

        Running ones are listed before the others are requested; otherwise an execution that ends in between would be in
        neither.
        """
        waiting = {id_: at for id_, at in waiting.items() if id_ not in self.found}
        if not waiting:
            return [], {}
        begin = min(datetime.fromisoformat(at) for at in waiting.values())
        going_on = [one for one in self._going_on(begin) if text_of(one, "planExecutionId") in waiting]
        known = {text_of(one, "planExecutionId") for one in going_on}
        ended = [id_ for id_ in waiting if id_ not in known]
        entries = [*going_on, *(one for id_ in ended[:AT_A_TIME] if (one := self._execution(id_)) is not None)]
        return self.read(entries), {id_: waiting[id_] for id_ in ended[AT_A_TIME:]}

    def _going_on(self, since: datetime) -> Iterator[Json]:
        number = 1
        while True:
            listed = self._listed((since, self.now + AHEAD), number, (*QUEUED, *RUNNING))
            yield from objects_of(listed.items)
            if listed.is_last:
                return
            number += 1

    def _execution(self, id_: str) -> Json | None:
        try:
            answer = self.http.get(f"{DETAILS}/{id_}", params=self.project.scope).json()
        except GoneError:
            return None
        found = object_of(answer, "data", "pipelineExecutionSummary")
        if not found:
            raise TransientError(f"Harness answered {DETAILS} with something other than an execution.")
        return found

    def _types_of(self, stages: Sequence[Json]) -> Mapping[str, str]:
        """The types of environments that stages leave out; nothing if the token may not read them."""
        missing = without_types(stages)
        for reference in sorted(missing):
            if reference in self.types:
                continue
            scope, identifier = self.project.scope_of(reference)
            prefix = reference.removesuffix(identifier)
            try:
                listed = list(list_all(self.http, ENVIRONMENTS, scope, "environment"))
            except PermanentError:
                listed = []
            of_scope = {one: "" for one in missing if self.project.scope_of(one)[0] == scope}
            found = {f"{prefix}{text_of(one, 'identifier')}": text_of(one, "type") for one in listed}
            self.types |= {**of_scope, **found}
        return {place: kind for place, kind in self.types.items() if place in missing and kind}


def list_all(http: Http, path: str, scope: Mapping[str, Any], name: str) -> Iterator[Json]:
    """The objects of a list of /ng/api, each of which is wrapped under a key.

    https://apidocs.harness.io/tag/Project, /tag/Environments: pages are numbered from 0, some as `page`, some as
    `pageIndex`.
    """
    number, before = 0, None
    while True:
        numbers = {"page": number, "pageIndex": number, "size": PER_PAGE, "pageSize": PER_PAGE}
        data = object_of(http.get(path, params={**scope, **numbers}).json(), "data")
        items = list_in(data, "content", f"Harness answered {path}")
        if items and items == before:
            raise TransientError(f"Harness answered {path} with the same page of its list twice.")
        yield from (found for item in objects_of(items) if (found := object_of(item, name)))
        pages = text_of(data, "totalPages")
        number, before = number + 1, items
        if not items or (pages.isdecimal() and number >= int(pages)):
            return


def _dated(item: Any) -> Any:
    at = started_at_of(item)
    return {**item, _AT: written(at)} if isinstance(item, dict) and at is not None else item


def _address(path: str, query: Mapping[str, Any]) -> str:
    """The path with its query; requests with a body carry their parameters in the address."""
    return f"{path}?{urlencode(query)}"
