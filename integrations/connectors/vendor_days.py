"""Reading vendors' reports by day: the days to request, and their lists, rows and numbers.

Vendors correct the last days of a report and have no list of changes, so a day is requested again for some days and
replaced as a whole.  Only days that are over are requested, in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.connectors.base import Cursor, Http, Json
from integrations.connectors.drafts import ProvidedParts, VendorReportDraft, VendorUsageDraft
from integrations.connectors.errors import SchemaError, TransientError
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import as_record, text_of
from integrations.enums import VendorContent

MOST = 2**53  # more tokens than anybody uses, and the largest whole number of JSON in many programs
MOST_MONEY = Decimal(10) ** 9
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayWindow:
    """Days from `first` to before `end`, newest window first; reading continues at `cursor` after them."""

    first: date
    end: date
    cursor: Cursor
    left: int


def days_of(first: date, end: date) -> list[date]:
    """The days from `first` to before `end`."""
    return [first + number * DAY for number in range((end - first).days)]


def day_windows(cursor: Cursor, *, end: date, oldest: date, again: int, most: int) -> Iterator[DayWindow]:
    """The windows to read, of at most `most` days.

    `end` is the first day that has no report yet, `oldest` the first day that the vendor still has, and `again` the
    number of days that it may still correct.
    """
    until = date.fromisoformat(cursor["until"]) if "until" in cursor else end
    if "until" in cursor and "back" not in cursor:
        yield from _later_windows(until, end=end, oldest=oldest, again=again, most=most)
        return
    back = date.fromisoformat(cursor.get("back", end.isoformat()))
    while back > oldest:
        first = max(back - most * DAY, oldest)
        after = {"until": until.isoformat()} | ({"back": first.isoformat()} if first > oldest else {})
        yield DayWindow(first, back, after, (first - oldest).days)
        back = first


def _later_windows(until: date, *, end: date, oldest: date, again: int, most: int) -> Iterator[DayWindow]:
    first = max(until - again * DAY, oldest)
    while first < end:
        window_end = min(first + most * DAY, end)
        yield DayWindow(first, window_end, {"until": max(window_end, until).isoformat()}, (end - window_end).days)
        first = window_end


def rows_by_day(
    rows: Iterable[Json], day_of: Callable[[Json], date | None], first: date, end: date, answered: str
) -> dict[date, list[Json]]:
    """The rows of each day; a row without a readable time may belong to any day, so it invalidates all of them.

    Raises TransientError if a row is of a day that was not requested; `answered` begins its message.
    """
    days = days_of(first, end)
    found: dict[date, list[Json]] = {day: [] for day in days}
    for row in rows:
        day = day_of(row)
        if day is not None and day not in found:
            raise TransientError(f"{answered} of {day} when asked for {first} to {end - DAY}.")
        for row_day in days if day is None else [day]:
            found[row_day].append(row)
    return found


def listed(
    http: Http, path: str, params: Mapping[str, Any], *, of: str, headers: Mapping[str, str] | None = None
) -> Iterator[Json]:
    """All entries of a list with `data`, `next_page` and usually `has_more`; `of` is the vendor's name.

    Raises TransientError if a page is not a list, or not the requested page.
    """
    page = ""
    while True:
        answer = http.get(path, params={**params, "page": page} if page else params, headers=headers).json()
        rows = answer.get("data") if isinstance(answer, dict) else None
        following = text_of(answer, "next_page")
        more = isinstance(answer, dict) and answer.get("has_more", bool(following))
        if not isinstance(rows, list) or (more and following in ("", page)):
            raise TransientError(f"{of} answered {path} with something other than the next page of its list.")
        yield from map(as_record, rows)
        if not more:
            return
        page = following


def rows_in(report: Reader, path: str = "rows") -> Iterator[Reader]:
    """All rows of a list, each an object: a report that lacked one of them would be wrong."""
    rows = report.value(path)
    if not isinstance(rows, list):
        raise SchemaError(path, "should be a list")
    for position, row in enumerate(rows):
        yield Reader(row, f"{path}[{position}]", parent=report)


def draft_of(report: Reader, name: str, content: VendorContent, usage: Sequence[VendorUsageDraft]) -> VendorReportDraft:
    """The draft of a day, after all of its rows have been read; `name` is the external id of its resource."""
    day = date.fromisoformat(report.text("day"))
    return VendorReportDraft(
        external_id=f"{name}:{day}",
        report=name,
        content=content,
        day=day,
        usage=ProvidedParts(usage),
        left_out=tuple(report.left_out),
    )


def count(row: Reader, path: str) -> int | None:
    """A number that cannot be negative; None if the row has none."""
    value = row.value(path)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise SchemaError(path, "should be a whole number from 0 to 2^53")
    return value


def money(row: Reader, path: str, *, cents: bool) -> Decimal | None:
    """An amount, which may be text, in units of its currency; None if the row has none."""
    value = row.value(path)
    if value is None:
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise SchemaError(path, "should be an amount of money") from None
    if isinstance(value, bool) or not amount.is_finite() or abs(amount) > MOST_MONEY:
        raise SchemaError(path, "should be an amount of money")
    return amount / 100 if cents else amount


def total(numbers: Iterable[Any]) -> Any:
    """The sum of the known numbers; None if none is known."""
    known = [number for number in numbers if number is not None]
    return sum(known[1:], known[0]) if known else None


def summed(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The numbers of several rows about the same subject, added up by name."""
    listed = list(rows)
    names = dict.fromkeys(name for row in listed for name in row)
    return {name: total(row.get(name) for row in listed) for name in names}
