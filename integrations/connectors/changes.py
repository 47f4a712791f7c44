"""Reads a list by last change, newest first: back to the beginning at first, later back to the previous reading.

A page begins at the time at which the previous one ended, not at an offset: records that change or are deleted
meanwhile cannot make the reader miss others, and no list exceeds a provider's limit on page numbers.  A record that
changes meanwhile is newer than the time from which the next reading continues.

A cursor is one of
  {}                                              nothing has been read
  {"since", "known"}                              everything was read up to `since`
  these, and {"then", "before", "seen", "page"}   a reading is in progress, which ends in the cursor `then`
`known` is id → time of change, for records as recent as the overlap; `seen` are the ids of those read that changed
exactly at the time `before`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.errors import TransientError
from integrations.connectors.rate_limits import response_time
from integrations.connectors.unchecked import as_record, text_of, time_of

AT_A_TIME = 10  # records whose details are read and stored together
OVERLAP = timedelta(minutes=5)  # a transaction may be seen later than its time says
GRAIN = timedelta(milliseconds=1)  # times are written in these, and stored more exactly


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A page of a list: `total` counts all of its pages, None if the provider does not say."""

    items: Sequence[Any]
    is_last: bool
    headers: Mapping[str, str]
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A list of records that is sorted by last change, newest first.

    `list_page` reads a page of the records that changed from a time on (as written in a cursor, or empty) and before
    another time (None: now); `read` makes records of its entries, `batch` at a time.  `answered` describes the answer
    in errors.  A record more recent than `settles` may change again within the same moment, and is read once more.
    `tells_all` means that records missing from the list were deleted.  `quiet` is a quicker way to find out that
    nothing has changed: it returns the cursor to continue from, or None.
    """

    list_page: Callable[[Http, str, datetime | None, int], ListedPage]
    read: Callable[[Sequence[Json]], Sequence[RawRecord]]
    answered: str
    time_field: str = "updated_at"
    id_field: str = "id"
    batch: int = AT_A_TIME
    settles: timedelta = timedelta(0)
    tells_all: bool = True
    quiet: Callable[[Http, Mapping[str, Any], datetime], Cursor | None] | None = None

    def pages(self, http: Http, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
        """Read everything from an empty cursor, else the changes since."""
        ended = {name: cursor[name] for name in ("since", "known") if cursor.get(name)}
        known: Mapping[str, str] = ended.get("known", {})
        then: dict[str, Any] = dict(cursor.get("then", {}))
        if ended and not then and self.quiet is not None and (quiet := self.quiet(http, ended, now)):
            yield Page([], quiet, left=0)
            return
        before, seen, number = _moment(cursor.get("before")), set(cursor.get("seen", ())), int(cursor.get("page", 1))
        while True:
            listed = self.list_page(http, ended.get("since", ""), before, number)
            items = [as_record(item) for item in listed.items]
            self._confirm_order(items, before)
            then = self._taken(then, items, response_time(listed.headers, now))
            fresh = [item for item in items if self._is_fresh(item, known, before, seen)]
            begin, listed_number = before, number
            for start in range(0, max(len(fresh), 1), self.batch):
                batch, rest = fresh[start : start + self.batch], len(fresh[start + self.batch :])
                if listed.is_last and not rest:
                    yield Page(self.read(batch), then, left=0, complete=not ended and self.tells_all)
                    return
                read = items[: items.index(batch[-1]) + 1] if rest else items
                edge = self._changed_at(read) or begin
                seen = self._at(read, edge) | (seen if edge == before else set())
                number = listed_number + (not rest) if edge == begin else 1
                before = edge
                place = {"before": before.isoformat() if before else "", "seen": sorted(seen), "page": number}
                yield Page(self.read(batch), {**ended, "then": then, **place}, left=_left(listed, rest))

    def _confirm_order(self, items: Sequence[Json], before: datetime | None) -> None:
        """Raise TransientError if the page is not the requested one."""
        newest = next((at for item in items if (at := time_of(item, self.time_field))), None)
        if before is not None and newest is not None and newest > before + GRAIN:
            raise TransientError(f"{self.answered} with a page of its list other than the requested one.")

    def _taken(self, then: Mapping[str, Any], items: Sequence[Json], answered_at: datetime) -> dict[str, Any]:
        """The cursor that ends the reading, with the recent records of this page."""
        begin = datetime.fromisoformat(then["since"]) if then else answered_at - OVERLAP
        young = {
            text_of(item, self.id_field): text_of(item, self.time_field)
            for item in items
            if (at := time_of(item, self.time_field)) and begin <= at < answered_at - self.settles
        }
        return {"since": written(begin), "known": {**then.get("known", {}), **young}}

    def _is_fresh(self, item: Json, known: Mapping[str, str], before: datetime | None, seen: set[str]) -> bool:
        at, id_ = time_of(item, self.time_field), text_of(item, self.id_field)
        if at is None:
            return True  # an entry that cannot be understood is shown in quarantine
        was_read = before is not None and (at > before or (at == before and id_ in seen))
        return not was_read and known.get(id_) != text_of(item, self.time_field)

    def _changed_at(self, items: Sequence[Json]) -> datetime | None:
        """The time of the last entry that has one."""
        return next((at for item in reversed(items) if (at := time_of(item, self.time_field))), None)

    def _at(self, items: Sequence[Json], edge: datetime | None) -> set[str]:
        """The ids of the entries that changed at this time."""
        return {text_of(item, self.id_field) for item in items if time_of(item, self.time_field) == edge}


def _left(listed: ListedPage, rest: int) -> int | None:
    """The number of records after this page: a list that begins at a time counts from there."""
    return None if listed.total is None else max(listed.total - len(listed.items), 0) + rest


def _moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def written(at: datetime) -> str:
    """The time in UTC and milliseconds, as providers read it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
