"""Reads a list by last change, newest first: a first reading back to the beginning, a later one to the last reading.

A page begins where the one before it ended in time, not at a number: records that change or are deleted meanwhile move
none of the others past the reader, and no list is too long for GitLab's limit on page numbers.  A record that changes
meanwhile is newer than the time from which the next reading goes on.

A cursor is one of
  {}                                              nothing has been read
  {"since", "known"}                              everything was read up to `since`
  these, and {"then", "before", "seen", "page"}   a reading is in progress, which ends in the cursor `then`
`known` is id → time of change, for records as young as the overlap; `seen` are the ids of those read that changed at
the very time `before`.

https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests and those of issues, pipelines and deployments
have the same filters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.errors import TransientError
from integrations.connectors.gitlab.group_changes import GroupChanges
from integrations.connectors.gitlab.lists import PER_PAGE, Listed, list_page
from integrations.connectors.rate_limits import response_time
from integrations.connectors.unchecked import as_record, text_of, time_of

AT_A_TIME = 10  # records whose details are read and stored together
OVERLAP = timedelta(minutes=5)  # a transaction may be seen later than its time says
# A comment within a minute of the last change leaves the time of change as it is, so younger records are read again:
# https://github.com/python-gitlab/python-gitlab/issues/743
SETTLED = timedelta(minutes=2)
GRAIN = timedelta(milliseconds=1)  # times are written in these, and stored more exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A list; `read` makes records of its entries, `batch` at a time.  `tells_all`: what it lacks was deleted.

    `group` is the same list for all projects of the group, which says whether there is anything to read.
    """

    path: str
    read: Callable[[Sequence[Json]], Sequence[RawRecord]]
    params: Mapping[str, Any] = field(default_factory=dict)
    batch: int = AT_A_TIME
    tells_all: bool = True
    group: GroupChanges | None = None

    def pages(self, http: Http, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
        """Read everything from an empty cursor, else the changes since."""
        ended = {name: cursor[name] for name in ("since", "known") if cursor.get(name)}
        known: Mapping[str, str] = ended.get("known", {})
        then: dict[str, Any] = dict(cursor.get("then", {}))
        if ended and not then and (quiet := self._quiet(http, ended, now)):
            yield Page([], quiet, left=0)
            return
        before, seen, number = _moment(cursor.get("before")), set(cursor.get("seen", ())), int(cursor.get("page", 1))
        while True:
            listed = list_page(http, self.path, self._params(ended, before, number))
            items = [as_record(item) for item in listed.items]
            _confirm_order(self.path, items, before)
            then = _taken(then, items, response_time(listed.headers, now))
            fresh = [item for item in items if _is_fresh(item, known, before, seen)]
            is_last = not listed.next and len(items) < PER_PAGE
            begin, listed_number = before, number
            for start in range(0, max(len(fresh), 1), self.batch):
                batch, rest = fresh[start : start + self.batch], len(fresh[start + self.batch :])
                if is_last and not rest:
                    yield Page(self.read(batch), then, left=0, complete=not ended and self.tells_all)
                    return
                read = items[: items.index(batch[-1]) + 1] if rest else items
                edge = _changed_at(read) or begin
                seen = _at(read, edge) | (seen if edge == before else set())
                number = listed_number + (not rest) if edge == begin else 1
                before = edge
                place = {"before": before.isoformat() if before else "", "seen": sorted(seen), "page": number}
                yield Page(self.read(batch), {**ended, "then": then, **place}, left=_left(listed, rest))

    def _quiet(self, http: Http, ended: Mapping[str, Any], now: datetime) -> Cursor | None:
        """The cursor from which to go on if nothing has changed by the group's list."""
        since, known = datetime.fromisoformat(ended["since"]), ended.get("known", {})
        unread = self.group.unread(http, since, known, now) if self.group else None
        if unread is None or not unread.is_quiet:
            return None
        begin = max(since, unread.answered_at - OVERLAP)
        young = {id_: text for id_, text in known.items() if datetime.fromisoformat(text) >= begin}
        return {"since": _written(begin), "known": young}

    def _params(self, ended: Mapping[str, Any], before: datetime | None, number: int) -> Mapping[str, Any]:
        # Deployments may be sorted by change only with a filter by it.
        params = {**self.params, "order_by": "updated_at", "sort": "desc", "page": number}
        params["updated_after"] = ended.get("since", "1970-01-01T00:00:00Z")
        if before is not None:
            params["updated_before"] = _written(before + GRAIN)
        return params


def _confirm_order(path: str, items: Sequence[Json], before: datetime | None) -> None:
    """Raise TransientError if the page is another one than was asked for."""
    newest = next((at for item in items if (at := time_of(item, "updated_at"))), None)
    if before is not None and newest is not None and newest > before + GRAIN:
        raise TransientError(f"GitLab answered {path} with another page of its list than was asked for.")


def _taken(then: Mapping[str, Any], items: Sequence[Json], answered_at: datetime) -> dict[str, Any]:
    """The cursor that ends the reading, with the young records of this page."""
    begin = datetime.fromisoformat(then["since"]) if then else answered_at - OVERLAP
    young = {
        text_of(item, "id"): text_of(item, "updated_at")
        for item in items
        if (at := time_of(item, "updated_at")) and begin <= at < answered_at - SETTLED
    }
    return {"since": _written(begin), "known": {**then.get("known", {}), **young}}


def _is_fresh(item: Json, known: Mapping[str, str], before: datetime | None, seen: set[str]) -> bool:
    at, id_ = time_of(item, "updated_at"), text_of(item, "id")
    if at is None:
        return True  # an entry that cannot be understood is shown in quarantine
    was_read = before is not None and (at > before or (at == before and id_ in seen))
    return not was_read and known.get(id_) != text_of(item, "updated_at")


def _changed_at(items: Sequence[Json]) -> datetime | None:
    """The time of the last entry that has one."""
    return next((at for item in reversed(items) if (at := time_of(item, "updated_at"))), None)


def _at(items: Sequence[Json], edge: datetime | None) -> set[str]:
    """The ids of the entries that changed at this time."""
    return {text_of(item, "id") for item in items if time_of(item, "updated_at") == edge}


def _left(listed: Listed, rest: int) -> int | None:
    """The number of records after this page: a list that begins at a time counts from there."""
    return None if listed.total is None else max(listed.total - len(listed.items), 0) + rest


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
