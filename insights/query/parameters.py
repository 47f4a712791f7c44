"""Parses the parameters of a URL or command line into a query; names as in docs/reference/api.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from insights.query import windows
from insights.query.errors import QueryError
from insights.query.query import Dimension, Granularity, Query, Scope, Statistic, Window
from integrations.model_names import model_name

Word = TypeVar("Word", bound=StrEnum)
EARLIEST = date(2000, 1, 1)  # intake refuses earlier facts
LATEST = date(2100, 1, 1)


@dataclass(frozen=True)
class Parameters:
    """Unparsed parameters; empty if omitted.  `where` and `facet` have the form name=value."""

    unit: str = ""
    person_id: int | None = None
    where: Iterable[str] = ()
    facet: Iterable[str] = ()
    start: str = ""  # `from` in URLs
    end: str = ""  # `to`
    granularity: str = ""
    segment: Iterable[str] = ()
    statistic: str = ""

    def query(self, key: str) -> Query:
        """The query.  Raises QueryError for the first parameter that cannot be parsed."""
        return Query(
            key=key,
            window=self.window(),
            granularity=_member_of("granularity", self.granularity or Granularity.WEEK, Granularity),
            scope=Scope.of_unit(self.unit, person_id=self.person_id, where=pairs("where", self.where)),
            facets={
                (dimension := _member_of("facet", name, Dimension)): facet_values(dimension, values)
                for name, values in pairs("facet", self.facet).items()
            },
            segments=tuple(_member_of("segment", name, Dimension) for name in _split(self.segment)),
            statistic=_member_of("statistic", self.statistic, Statistic) if self.statistic else None,
        )

    def window(self) -> Window:
        """The requested days; by default the last 12 weeks, today included."""
        end = read_day("to", self.end) if self.end else windows.local_today() + timedelta(days=1)
        start = read_day("from", self.start) if self.start else end - timedelta(weeks=windows.DEFAULT_WEEKS)
        return Window(start, end)


def read_day(parameter: str, text: str) -> date:
    """Parses a day.  Raises QueryError."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise QueryError(parameter, f"“{text}” is not a day. Write it as 2026-01-31.") from None
    if not EARLIEST <= day <= LATEST:
        raise QueryError(parameter, f"“{text}” is out of reach. Days lie between {EARLIEST} and {LATEST}.")
    return day


def _member_of(parameter: str, text: str, words: type[Word]) -> Word:
    try:
        return words(text)
    except ValueError:
        raise QueryError(parameter, f"There is no {parameter} “{text}”. Use one of {', '.join(words)}.") from None


def pairs(parameter: str, texts: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Parses name=value pairs: {"agent": ("codex", "gemini")} from ["agent=codex", "agent=gemini"]."""
    values_by_name: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise QueryError(parameter, f"“{text}” is not understood. Write {parameter} as name=value.")
        values_by_name[name] = (*values_by_name.get(name, ()), value)
    return values_by_name


def facet_values(dimension: Dimension, values: Iterable[str]) -> tuple[str, ...]:
    """The chosen values; spellings of a model become its one name."""
    return tuple(dict.fromkeys(map(model_name, values) if dimension is Dimension.MODEL else values))


def _split(texts: Iterable[str]) -> Iterable[str]:
    """Splits segments, which may be repeated or separated by commas."""
    for text in texts:
        yield from (name.strip() for name in text.split(",") if name.strip())
