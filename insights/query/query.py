"""What is asked of the metric engine, and what it answers.  The names are those of docs/reference/api.md."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from insights.query.errors import UnknownUnitError


class Granularity(enum.StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class Dimension(enum.StrEnum):
    """What a metric can be filtered (facet) and split (segment) by."""

    AGENT = "agent"
    MODEL = "model"
    REPOSITORY = "repository"
    SERVICE = "service"
    PROJECT = "project"  # of work items
    WORK_TYPE = "work_type"
    SIZE_CLASS = "size_class"
    COMPLEXITY_CLASS = "complexity_class"
    LANGUAGE = "language"
    FILE_TYPE = "file_type"
    TOKEN_KIND = "token_kind"  # noqa: S105 — no password
    OUTCOME = "outcome"  # of spend: committed, wasted, pending, unknown
    TOOL = "tool"
    METHOD = "method"  # by which attribution is known
    ASSISTANCE = "assistance"  # whether any agent had a part in it


class Statistic(enum.StrEnum):
    MEDIAN = "median"
    MEAN = "mean"
    P75 = "p75"
    P90 = "p90"
    P95 = "p95"


class Window(NamedTuple):
    """Half-open range of days of the organisation's local calendar; a tuple, because a page looks up thousands."""

    start: date  # "from" in URLs and JSON
    end: date  # "to": the first day that no longer belongs to it

    @property
    def days(self) -> int:
        return (self.end - self.start).days


class Freshness(enum.Enum):
    """How long ago facts may have changed that an answer does not hold yet."""

    AT_ONCE = "at once"  # API and commands: what was answered is counted
    OF_PAGES = "of pages"  # within ten seconds


UNASSIGNED_PREFIX = "unassigned:"  # in `unit=`; the slug of a unit holds no colon


@dataclass(frozen=True)
class Scope:
    """Whose figures: a unit, a person, or (neither) the whole organisation with what nobody could be matched to.

    A person with a unit: what the person did while in it.

    `unassigned` is the slug of a tree: facts whose person is in no unit of it that day, or could not be matched.
    `where` narrows any of these to people of whom that holds on the day of the fact.
    """

    unit: str | None = None  # slug
    person_id: int | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # attributes of people: AND between, OR within
    unassigned: str | None = None

    @classmethod
    def of_unit(cls, word: str, **others: Any) -> Scope:
        """The scope that `unit=` names; an empty word is no unit.

        Raises UnknownUnitError for a word with a NUL, which no slug holds and PostgreSQL refuses to look for.
        """
        if "\x00" in word:
            raise UnknownUnitError(word)
        if word.startswith(UNASSIGNED_PREFIX):
            return cls(unassigned=word.removeprefix(UNASSIGNED_PREFIX), **others)
        return cls(unit=word or None, **others)

    @property
    def unit_word(self) -> str | None:
        """What `unit=` says of it; None where it says nothing."""
        return self.unit if self.unassigned is None else f"{UNASSIGNED_PREFIX}{self.unassigned}"


WHOLE_ORGANISATION = Scope()


@dataclass(frozen=True)
class MetricQuery:
    key: str
    window: Window
    granularity: Granularity = Granularity.WEEK
    scope: Scope = WHOLE_ORGANISATION
    facets: Mapping[Dimension, tuple[str, ...]] = field(default_factory=dict)  # AND between, OR within
    segments: tuple[Dimension, ...] = ()
    statistic: Statistic | None = None  # None: the metric's default


@dataclass(frozen=True)
class Figure:
    """One value: of the whole window, or of one bucket of it."""

    window: Window
    segment: Mapping[str, str]
    value: float | None
    numerator: float | None
    denominator: float | None
    sample_size: int
    people: int
    reason: str | None  # why there is no value, in words; None where there is one
    to_date: bool = False  # the bucket is not over yet
    unconfirmed: int = 0  # of `people`, those whom nothing but telemetry names, where that was asked for
    withheld: bool = False  # from this viewer, because too few people contribute; the engine never sets it
    # Of figures that rest on attribution: what line-level evidence alone gives, what all evidence gives, and the
    # share 0–1 of the attributed lines that each method tells of.
    low: float | None = None
    high: float | None = None
    mix: Mapping[str, float] = field(default_factory=dict)
    left_out: int = 0  # facts that count here and lack what the metric measures: a pull request without a review


@dataclass(frozen=True)
class SeriesAnswer:
    query: MetricQuery
    total: Sequence[Figure]  # one per segment value
    series: Sequence[Figure]  # every bucket of the window × segment value, in order of time
    unmatched: float | None  # share 0–1 of the facts that no person or unit could be matched to; without a unit only
    computed_at: datetime
    fresh_until: datetime
    days_lacking: int = 0  # of a page during a first sync: days whose facts are stored and not among these figures yet
