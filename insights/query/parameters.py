"""From the words of a URL or a command line to a query; the names are those of docs/reference/api.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from insights.query import windows
from insights.query.errors import QueryError
from insights.query.query import Dimension, Granularity, MetricQuery, Scope, Statistic, Window

Word = TypeVar("Word", bound=StrEnum)
EARLIEST = date(2000, 1, 1)  # facts before it are refused at the door
LATEST = date(2100, 1, 1)


@dataclass(frozen=True)
class Parameters:
    """As they were written; empty where they were left out.  `where` and `facet` are of the form name=value."""

    unit: str = ""
    person_id: int | None = None
    where: Iterable[str] = ()
    facet: Iterable[str] = ()
    start: str = field(default="", metadata={"parameter": "from"})
    end: str = field(default="", metadata={"parameter": "to"})
    granularity: str = ""
    segment: Iterable[str] = ()
    statistic: str = ""

    def query(self, key: str) -> MetricQuery:
        """Raises QueryError for the first word that is not understood."""
        return MetricQuery(
            key=key,
            window=self.window(),
            granularity=_word("granularity", self.granularity or Granularity.WEEK, Granularity),
            scope=Scope.of_unit(self.unit, person_id=self.person_id, where=pairs("where", self.where)),
            facets={_word("facet", name, Dimension): values for name, values in pairs("facet", self.facet).items()},
            segments=tuple(_word("segment", name, Dimension) for name in _split(self.segment)),
            statistic=_word("statistic", self.statistic, Statistic) if self.statistic else None,
        )

    def window(self) -> Window:
        """The days asked for; by default the last 12 weeks, today included."""
        end = _day("to", self.end) if self.end else windows.local_today() + timedelta(days=1)
        start = _day("from", self.start) if self.start else end - timedelta(weeks=windows.DEFAULT_WEEKS)
        return Window(start, end)


def _day(parameter: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise QueryError(parameter, f"“{text}” is no day. Write it as 2026-01-31.") from None
    if not EARLIEST <= day <= LATEST:
        raise QueryError(parameter, f"“{text}” is out of reach. Days lie between {EARLIEST} and {LATEST}.")
    return day


def _word(parameter: str, text: str, words: type[Word]) -> Word:
    try:
        return words(text)
    except ValueError:
        raise QueryError(parameter, f"There is no {parameter} “{text}”. Use one of {', '.join(words)}.") from None


def pairs(parameter: str, texts: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """{"agent": ("codex", "gemini")} of ["agent=codex", "agent=gemini"]."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise QueryError(parameter, f"“{text}” is not understood. Write {parameter} as name=value.")
        found[name] = (*found.get(name, ()), value)
    return found


def _split(texts: Iterable[str]) -> Iterable[str]:
    """Segments may be repeated or stand in one text with commas."""
    for text in texts:
        yield from (name.strip() for name in text.split(",") if name.strip())
