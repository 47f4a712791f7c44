"""Queries to the metric engine and their answers; names as in docs/reference/api.md."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from insights.query.errors import UnknownUnitError


class Granularity(enum.StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class Dimension(enum.StrEnum):
    """The dimensions by which a metric can be filtered (facet) and split (segment)."""

    AGENT = "agent"
    MODEL = "model"
    REPOSITORY = "repository"
    SERVICE = "service"
    PROJECT = "project"  # of work items
    SPRINT = "sprint"  # by its name
    EPIC = "epic"  # the nearest ancestor of a work item that is one
    INITIATIVE = "initiative"
    INVESTMENT = "investment"  # category of people's time
    WORK_TYPE = "work_type"
    SIZE_CLASS = "size_class"
    COMPLEXITY_CLASS = "complexity_class"
    LANGUAGE = "language"
    SEVERITY = "severity"  # of code scanning alerts
    FILE_TYPE = "file_type"
    TOKEN_KIND = "token_kind"  # noqa: S105 — no password
    OUTCOME = "outcome"  # of spend: committed, wasted, pending, unknown
    TOOL = "tool"
    METHOD = "method"  # of attribution
    # Of requests to models, if telemetry reports them.
    SKILL = "skill"
    SUB_AGENT = "sub_agent"
    PLUGIN = "plugin"
    MCP_SERVER = "mcp_server"
    EFFORT = "effort"
    QUERY_SOURCE = "query_source"
    PROVIDER = "provider"
    LINES_KNOWN = "lines_known"  # what became of a merged pull request's lines: known, pending, unknown
    CAUSE = "cause"  # of the difference between a vendor's bill and spend
    KNOWN_FROM = "known_from"  # whether telemetry or a vendor reports a use
    PHASE = "phase"  # of adoption, by the vendor's definition
    VENDOR_TEAM = "vendor_team"  # from the vendor's own report; not a unit
    ASSISTANCE = "assistance"  # whether any agent contributed


class Statistic(enum.StrEnum):
    MEDIAN = "median"
    MEAN = "mean"
    TRIMMED_MEAN = "trimmed_mean"  # without the greatest 5 % of the values
    P75 = "p75"
    P85 = "p85"
    P90 = "p90"
    P95 = "p95"


class Window(NamedTuple):
    """A half-open range of the organisation's local days; a tuple, because a page looks up thousands."""

    start: date  # "from" in URLs and JSON
    end: date  # "to": exclusive

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)


class Freshness(enum.Enum):
    """The permitted staleness of an answer."""

    AT_ONCE = "at once"  # API and commands: all committed facts are counted
    OF_PAGES = "of pages"  # facts of the last ten seconds may be missing


UNASSIGNED_PREFIX = "unassigned:"  # in `unit=`; a unit's slug contains no colon


@dataclass(frozen=True)
class Scope:
    """The facts that count: a unit's, a person's, or (neither) the whole organisation's, including unmatched facts.

    A person with a unit: the person's facts while a member of it.

    `unassigned` is the slug of a tree: facts of people in none of its units on that day, and unmatched facts. `where`
    restricts any of these to people with these attributes on the day of the fact.
    """

    unit: str | None = None  # slug
    person_id: int | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # attributes of people: AND between, OR within
    unassigned: str | None = None

    @classmethod
    def of_unit(cls, word: str, **others: Any) -> Scope:
        """The scope that the parameter `unit` names; an empty one is no unit.

        Raises UnknownUnitError for a NUL character, which no slug contains and PostgreSQL rejects in a query.
        """
        if "\x00" in word:
            raise UnknownUnitError(word)
        if word.startswith(UNASSIGNED_PREFIX):
            return cls(unassigned=word.removeprefix(UNASSIGNED_PREFIX), **others)
        return cls(unit=word or None, **others)

    @property
    def unit_word(self) -> str | None:
        """The value of the parameter `unit` for this scope; None if there is none."""
        return self.unit if self.unassigned is None else f"{UNASSIGNED_PREFIX}{self.unassigned}"


WHOLE_ORGANISATION = Scope()


@dataclass(frozen=True)
class Query:
    key: str
    window: Window
    granularity: Granularity = Granularity.WEEK
    scope: Scope = WHOLE_ORGANISATION
    facets: Mapping[Dimension, tuple[str, ...]] = field(default_factory=dict)  # AND between, OR within
    segments: tuple[Dimension, ...] = ()
    statistic: Statistic | None = None  # None: the metric's default


@dataclass(frozen=True)
class MetricValue:
    """One value: of the whole window, or of one bucket of it."""

    window: Window
    segment: Mapping[str, str]
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    sample_size: int = 0
    people: int = 0
    reason: str | None = None  # why there is no value, in words; None if there is one
    to_date: bool = False  # the bucket is not over yet
    withheld: bool = False  # from this viewer, because too few people contribute; set by insights/privacy alone
    # For values based on attribution: by line-level evidence alone, by all evidence, and each method's share 0–1 of
    # the attributed lines.
    low: float | None = None
    high: float | None = None
    mix: Mapping[str, float] = field(default_factory=dict)
    left_out: int = 0  # facts without the measured value: a pull request without a review


@dataclass(frozen=True)
class Answer:
    query: Query
    total: Sequence[MetricValue]  # one per segment value
    series: Sequence[MetricValue]  # every bucket of the window × segment value, in order of time
    unmatched: float | None  # share 0–1 of facts matched to no person or unit; only without a unit
    computed_at: datetime
    fresh_until: datetime
    days_lacking: int = 0  # during a first sync: days whose stored facts are not counted yet
