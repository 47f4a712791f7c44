"""Reads a list with the newest entries first, from its start to the first known entry.

Lists sorted by last change (pull requests, issues) show every change at their front.  A record that changes while pages
are read moves there, and others move back and are seen twice.  Only the record that moved is missed; it is newer than
the watermark from which the next sync continues.

Lists sorted by creation (runs, deployments, releases) show a change in place: the first page is compared with its
previous state, reading continues past the oldest unfinished record, and records that have been unfinished for longer
than a day are requested one by one, a few at a time.

A cursor is one of
  {}                                              nothing has been read
  {"since", "known", "open", "edge", "etag"}      everything was read up to `since`
  these, and {"then", "next", "below"}            a sync is in progress, which ends in the cursor `then`;
                                                  {"everything"}: it started with nothing
`known` is id → version of the records of the first page, which ends at the time `edge`; `open` are those that are
unfinished, as [id, time, version].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.github.lists import PER_PAGE, Listed, following, list_page
from integrations.connectors.rate_limits import response_time
from integrations.connectors.unchecked import text_of, time_of

OVERLAP = timedelta(minutes=5)  # a replica may list a record later than its time suggests
CLOCK_GRAIN = timedelta(seconds=10)  # times are whole seconds: younger records may change again within the same second
LISTED_AGAIN = timedelta(days=1)  # younger unfinished ones are found by reading the list back that far
WATCHED = timedelta(days=35)  # GitHub cancels a run that waits for longer
MOST_RECHECKED = 2  # per reading, so that one with nothing new takes only three requests


def _updated_at(item: Any) -> str:
    return text_of(item, "updated_at")


def _is_finished(item: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestFirst:
    """A list to read: `read` makes records of entries, `batch` at a time, each of which is stored before the next is
    read.

    `version` says whether an entry is the same as before; `is_open` whether it will change by itself, and then `one`
    requests it alone.  `parameter` names the list's filter: `since`, or `created`, with which the list is read by time
    instead of by page (GitHub returns at most 1,000 runs per query).  `tells_all`: records missing from the list were
    deleted.
    """

    path: str
    sorted_by: str
    read: Callable[[Sequence[Json]], Sequence[RawRecord]]
    params: Mapping[str, Any]
    batch: int = PER_PAGE
    per_page: int = PER_PAGE
    within: str = ""
    id_field: str = "id"
    parameter: str = ""
    is_relevant: Callable[[Any], bool] = lambda item: True
    version: Callable[[Any], str] = _updated_at
    is_open: Callable[[Any], bool] = _is_finished
    one: Callable[[str], Json | None] | None = None
    tells_all: bool = True

    def pages(self, http: Http, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
        """Read everything from an empty cursor, else the changes since."""
        everything = not cursor or bool(cursor.get("everything"))
        before = {name: cursor[name] for name in _ENDED if cursor.get(name)}
        versions = {**before.get("known", {}), **{id_: version for id_, _, version in before.get("open", [])}}
        then, below, address = cursor.get("then"), _moment(cursor.get("below")), str(cursor.get("next") or "")
        stop = _stop(before, now)
        way = {**before, "everything": everything}
        while True:
            listed = self._listed(http, address, stop, "" if then else _usable_etag(before, now))
            if listed is None:
                then = before
                break
            answered_at = response_time(listed.headers, now)
            entries = [item for item in listed.items if self.is_relevant(item)]
            then = self._taken(then or self._final_cursor(listed, entries, before, answered_at), entries, answered_at)
            after = self._following(listed, address)
            is_last = not after or self._reaches(listed.items, stop)
            fresh = [item for item in entries if self._is_fresh(item, versions, below)]
            left = None if stop else _left(listed, self.per_page)
            for start in range(0, max(len(fresh), 1), self.batch):
                batch, rest = fresh[start : start + self.batch], len(fresh[start + self.batch :])
                step = {"next": address, "below": text_of(batch[-1], self.sorted_by) if batch else ""}
                if not rest and not is_last:
                    step = {"next": after, "below": ""}
                yield Page(self.read(batch), {**way, "then": then, **step}, left=None if left is None else left + rest)
            if is_last:
                break
            address, below = after, None
        records, end = self._reread_unfinished(then, now)
        yield Page(records, end, complete=everything and self.tells_all)

    # The list -------------------------------------------------------------------------------------------------

    def _listed(self, http: Http, address: str, stop: datetime | None, etag: str) -> Listed | None:
        if address:
            return list_page(http, address, within=self.within)
        params = {**self.params, "per_page": self.per_page}
        if stop is not None and self.parameter == "since":
            params["since"] = _written(stop)
        return list_page(http, self.path, params=params, etag=etag, within=self.within)

    def _following(self, listed: Listed, address: str) -> str:
        """The address at which the list continues: the time of the page's last entry, or the next page of the same
        query.

        Empty at the end.  Raises TransientError if the list leads in a circle.
        """
        first, last = (time_of(item, self.sorted_by) if item else None for item in _ends(listed.items))
        if listed.next and self.parameter == "created" and last is not None and first != last:  # not all in one second
            params = {**self.params, "per_page": self.per_page, "created": f"<={_written(last)}"}
            by_time = f"{self.path}?{urlencode(params)}"
            if by_time != address:
                return by_time
        return following(listed, address)

    def _reaches(self, items: Sequence[Any], stop: datetime | None) -> bool:
        """Whether the list has reached records that were read before."""
        last = time_of(items[-1], self.sorted_by) if items else None
        return stop is not None and last is not None and last < stop

    def _is_fresh(self, item: Any, versions: Mapping[str, str], below: datetime | None) -> bool:
        at = time_of(item, self.sorted_by)
        if at is None:
            return True  # an entry that cannot be understood is shown in quarantine
        return (below is None or at <= below) and versions.get(text_of(item, self.id_field)) != self.version(item)

    # The cursor -----------------------------------------------------------------------------------------------

    def _final_cursor(
        self, listed: Listed, entries: Sequence[Any], before: Mapping[str, Any], answered_at: datetime
    ) -> dict[str, Any]:
        """The cursor at the end of a reading that begins with this page."""
        times = [at for item in listed.items if (at := time_of(item, self.sorted_by))]
        known = {text_of(item, self.id_field): self._final_version(item, answered_at) for item in entries}
        return {
            "since": max(times).isoformat() if times else before.get("since"),
            "known": {id_: version for id_, version in known.items() if version},
            "open": before.get("open", []),
            "edge": min(times).isoformat() if times else "",
            "etag": listed.etag if all(self._final_version(item, answered_at) for item in listed.items) else "",
        }

    def _final_version(self, item: Any, answered_at: datetime) -> str:
        """The version of an entry; empty if the record may change again without another time."""
        changed_at = time_of(item, "updated_at") or time_of(item, self.sorted_by)
        return self.version(item) if changed_at is not None and changed_at < answered_at - CLOCK_GRAIN else ""

    def _taken(self, then: Mapping[str, Any], entries: Sequence[Any], answered_at: datetime) -> dict[str, Any]:
        """The cursor, extended by this page's unfinished records."""
        listed_ids = {text_of(item, self.id_field) for item in entries}
        opened = [
            [text_of(item, self.id_field), text_of(item, self.sorted_by), self._final_version(item, answered_at)]
            for item in entries
            if self.is_open(item)
        ]
        return {**then, "open": [*(entry for entry in then["open"] if entry[0] not in listed_ids), *opened]}

    def _reread_unfinished(self, then: Mapping[str, Any], now: datetime) -> tuple[Sequence[RawRecord], Cursor]:
        """Records that were unfinished for a long time and have changed; and the cursor that ends the reading.

        Records that were just requested move to the end, so that the next reading requests others.
        """
        watched = [
            entry for entry in then.get("open", []) if _at(entry) > now - (WATCHED if self.one else LISTED_AGAIN)
        ]
        due = [entry for entry in watched if _at(entry) <= now - LISTED_AGAIN][:MOST_RECHECKED]
        still: list[list[str]] = []
        changed: list[Json] = []
        for id_, at, version in due:
            item = None if self.one is None else self.one(id_)
            if item is None:
                continue
            if self.version(item) != version:
                changed.append(item)
            if self.is_open(item):
                still.append([id_, at, self.version(item)])
        end = {**then, "open": [*(entry for entry in watched if entry not in due), *still]}
        return self.read(changed) if changed else (), end


_ENDED = ("since", "known", "open", "edge", "etag")


def _stop(before: Mapping[str, Any], now: datetime) -> datetime | None:
    """The time back to which the list must be read; None: to its end."""
    since = _moment(before.get("since"))
    if since is None:
        return None
    return min([since - OVERLAP, *_listed_again(before, now)])


def _listed_again(before: Mapping[str, Any], now: datetime) -> list[datetime]:
    """The times of unfinished records that are young enough to be found in the list."""
    return [at for entry in before.get("open", []) if (at := _at(entry)) > now - LISTED_AGAIN]


def _usable_etag(before: Mapping[str, Any], now: datetime) -> str:
    """The first page's etag, unless an unfinished record is beyond that page."""
    edge = _moment(before.get("edge"))
    behind = edge is not None and any(at < edge for at in _listed_again(before, now))
    return "" if behind else str(before.get("etag", ""))


def _at(opened: Sequence[str]) -> datetime:
    return datetime.fromisoformat(opened[1])


def _ends(items: Sequence[Any]) -> tuple[Any, Any]:
    return (items[0], items[-1]) if items else (None, None)


def _left(listed: Listed, per_page: int) -> int | None:
    """The number of records after this page."""
    if listed.total is not None:
        return max(listed.total - len(listed.items), 0)
    return None if listed.pages_left is None else listed.pages_left * per_page


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
