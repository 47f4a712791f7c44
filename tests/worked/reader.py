"""Reads the worked examples: Markdown files of stories, each with the figures that follow from it.

A story is a table of when and what; below it stands, for each window, a table of metrics, their values and how they
are worked out.  README.md says for readers what the words mean; the sentences of stories are in the modules beside
this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from insights.query.query import Dimension, Granularity, Query, Scope, Statistic, Window
from tests.worked.values import Value

FOLDER = Path(__file__).parent
READ_AFTER = timedelta(days=7)  # so much later than its last window the figures of a story are read
_STORY, _FIGURES = ("when", "what happens"), ("metric", "value", "because")
_WHEN = re.compile(r"(?:(?P<day>\D{3} \d{1,2} \w{3})(?: (?P<year>\d{4}))?, )?(?P<time>\d\d:\d\d)")
_WINDOW = re.compile(
    r"(?:In the week of (?P<week>[^,:]+)|In (?P<month>[A-Z][a-z]+ \d{4})|On (?P<day>[^,:]+)"
    r"|From (?P<first>[^,:]+) to (?P<last>[^,:]+))(?:, for the team (?P<team>[^:]+))?:"
)
_CLOCKS = re.compile(r"The clocks are those of (?P<zone>\S+)\.")
_READ = re.compile(r"The figures are read on (?P<day>[^,]+), (?P<time>\d\d:\d\d)\.")
_METRIC = re.compile(r"(?P<key>[a-z_.]+)(?: \((?P<asked>.+)\))?")


@dataclass(frozen=True)
class Event:
    """A line of a story; what holds all the time has no moment."""

    at: datetime | None
    words: str


@dataclass(frozen=True)
class Expected:
    """A query to the engine, and the expected answer."""

    query: Query
    segment: str | None  # the one that is meant, where the query asks for segments
    value: Value

    @property
    def name(self) -> str:
        """For the message of a failed test."""
        query = self.query
        picked = [query.statistic, self.segment, query.scope.unit and f"team {query.scope.unit}"]
        return ", ".join([query.key, *filter(None, picked), f"from {query.window.start} until {query.window.end}"])


@dataclass(frozen=True)
class Example:
    theme: str
    title: str
    zone: ZoneInfo
    read_at: datetime
    events: Sequence[Event]
    expected: Sequence[Expected]

    def __str__(self) -> str:
        return f"{self.theme}: {self.title}"


def read_examples() -> Iterator[Example]:
    """All stories of all files, in their order."""
    for file in sorted(set(FOLDER.glob("*.md")) - {FOLDER / "README.md"}):
        for section in file.read_text(encoding="utf-8").split("\n## ")[1:]:
            title, _, text = section.partition("\n")
            yield example_of(file.stem, title, text)


def example_of(theme: str, title: str, text: str) -> Example:
    clocks, read = _CLOCKS.search(text), _READ.search(text)
    zone = ZoneInfo(clocks["zone"] if clocks else "UTC")
    events: list[Event] = []
    expected: list[Expected] = []
    for intro, header, rows in _tables(text):
        if header == _STORY:
            events += _events(rows, zone)
        else:
            assert header == _FIGURES, f"{title}: a table of {header}"
            expected += _expected(intro, rows)
    moments = [event.at for event in events if event.at]
    assert moments, f"{title}: tells nothing"
    assert moments == sorted(moments), f"{title}: goes back in time"
    assert expected, f"{title}: nothing follows"
    end = max(example_value.query.window.end for example_value in expected)
    read_at = datetime.combine(end, time(12), zone) + READ_AFTER
    if read:
        read_at = datetime.combine(_day(read["day"]), time.fromisoformat(read["time"]), zone)
    return Example(theme, title, zone, read_at, events, expected)


def _tables(text: str) -> Iterator[tuple[str, tuple[str, ...], list[list[str]]]]:
    """The line before each table, its header and its rows."""
    intro = ""
    lines = iter(text.splitlines())
    for line in lines:
        if not line.startswith("|"):
            intro = line or intro
            continue
        assert set(next(lines)) <= set("|-"), f"no table: {line}"
        rows = []
        for row in lines:
            if not row.startswith("|"):
                break
            rows.append(_cells(row))
        yield intro, tuple(_cells(line)), rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _events(rows: list[list[str]], zone: ZoneInfo) -> Iterator[Event]:
    """A row that names no day is of the day of the row above, and a day without a year is of that row's year."""
    on: date | None = None
    for when, words in rows:
        if when == "always":
            yield Event(None, words)
            continue
        parsed_time = _WHEN.fullmatch(when)
        assert parsed_time, f"no time: {when}"
        if parsed_time["day"]:
            year = parsed_time["year"] or (on and on.year)
            assert year, f"no year is known: {when}"
            on = _day(f"{parsed_time['day']} {year}")
        assert on, f"no day is known: {when}"
        yield Event(datetime.combine(on, time.fromisoformat(parsed_time["time"]), zone), words)


def _expected(intro: str, rows: list[list[str]]) -> Iterator[Expected]:
    parsed_window = _WINDOW.fullmatch(intro)
    assert parsed_window, f"no window: {intro}"
    for metric, value, because in rows:
        assert because, f"{metric}: nothing says how it is worked out"
        parsed_metric = _METRIC.fullmatch(metric)
        assert parsed_metric, f"no metric: {metric}"
        yield _expectation(
            parsed_metric["key"],
            parsed_metric["asked"] or "",
            _window(parsed_window),
            parsed_window["team"],
            Value.read(value),
        )


def _expectation(key: str, words: str, window: Window, team: str | None, value: Value) -> Expected:
    """`words` pick a statistic, a granularity (per month) or one segment (agent: Non-AI), separated by commas."""
    statistic, granularity, segments, segment = None, Granularity.WEEK, [], None
    for word in filter(None, words.split(", ")):
        if word in list(Statistic):
            statistic = Statistic(word)
        elif word.startswith("per "):
            granularity = Granularity(word.removeprefix("per "))
        else:
            dimension, _, segment = word.partition(": ")
            segments.append(Dimension(dimension))
    scope = Scope(unit=team.lower() if team else None)
    query = Query(key, window, granularity, scope, segments=tuple(segments), statistic=statistic)
    return Expected(query, segment, value)


def _window(parsed_window: re.Match[str]) -> Window:
    if parsed_window["month"]:
        first = datetime.strptime(parsed_window["month"], "%B %Y").date()  # noqa: DTZ007  # a day, in no zone
        return Window(first, (first + timedelta(days=31)).replace(day=1))
    if parsed_window["week"]:
        monday = _day(parsed_window["week"])
        assert monday.isoweekday() == 1, f"no Monday: {monday}"
        return Window(monday, monday + timedelta(weeks=1))
    first = _day(parsed_window["day"] or parsed_window["first"])
    return Window(first, _day(parsed_window["day"] or parsed_window["last"]) + timedelta(days=1))


def _day(words: str) -> date:
    """ "Mon 2 Mar 2026" → that day; its weekday has to be right."""
    day = datetime.strptime(words, "%a %d %b %Y").date()  # noqa: DTZ007  # a day, in no zone
    assert f"{day:%a}" == words[:3], f"{words} is a {day:%A}"
    return day
