"""The cause of a pull request's wait for its review: one each, or *cannot tell*.

Time is the working time of the author: hours between `STARTS_AT` and `ENDS_AT` on working days in their own time zone.
Some causes can be measured in it (a pipeline ran, the reviewer's day had not begun, the item was changed, a further
round), and one of them explains a wait if it takes at least half of it.  Others are conditions that may or may not
matter (large, few reviewers, a reviewer with many reviews): they explain a wait only if pull requests with the
condition wait as long at least five times as often as those without any, so that at most one in five would have waited
anyway.
"""

from __future__ import annotations

import enum
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

STARTS_AT, ENDS_AT = time(8), time(19)  # working hours, as in the capacity metrics
WEEKEND = frozenset({5, 6})
LONG = timedelta(hours=8)  # of working time: anything longer is a wait
MOST_ROUNDS = 2  # more of them explain a wait
FEW_REVIEWERS = 2
BUSY, LEAST_BUSY = 2.0, 8  # times the usual number of reviews in a week, and at least this many
ANYWAY = 0.2  # the share of waits with a condition that may be as long without it
LEAST_PLAIN = 30  # pull requests without any condition, to compare with


class Cause(enum.StrEnum):
    """Causes of a wait: four that are measured, three conditions."""

    CI = "ci"
    TIME_ZONES = "time_zones"
    RESCOPED = "rescoped"
    ROUNDS = "rounds"
    FEW_REVIEWERS = "few_reviewers"
    LOAD = "load"
    SIZE = "size"
    UNKNOWN = "unknown"


CONDITIONS = (Cause.FEW_REVIEWERS, Cause.LOAD, Cause.SIZE)


class Times(NamedTuple):
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Review:
    """A merged pull request from ready to approved (or to the last review, if there was no approval).

    `rescoped_at` is when the estimate or type of its item changed meanwhile; `reviewers` is the number of other people
    who reviewed in its repository in the twelve weeks before, and `busy` the number of reviews that its first reviewer
    gave in the seven days until then; both are counted only as far as they matter.
    """

    author: int
    opened_at: datetime
    first_review_at: datetime
    approved_at: datetime
    zone: str
    reviewer_zone: str
    is_large: bool
    rounds: int
    reviewers: int
    busy: int
    rescoped_at: datetime | None = None
    pipelines: Sequence[Times] = ()


@dataclass(frozen=True)
class Wait:
    """The working time that a review took, the parts of it that measured causes took, and the conditions that hold."""

    review: Review
    lasted: timedelta
    pickup: timedelta
    measured: Mapping[Cause, timedelta]
    conditions: frozenset[Cause]

    @property
    def is_long(self) -> bool:
        return self.lasted > LONG

    @property
    def measured_cause(self) -> Cause | None:
        """The measured cause that takes most of the wait, if it takes half; rounds after a change of the item count as
        that change.
        """
        takes = {cause: spent for cause, spent in self.measured.items() if 2 * spent >= self.lasted}
        if Cause.RESCOPED in takes:
            takes.pop(Cause.ROUNDS, None)
        return max(takes, key=takes.__getitem__, default=None)


@lru_cache(maxsize=1_000)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=50_000)
def _day(day: date, zone: str) -> Times:
    """The working hours of a day in UTC, in which intervals are compared."""
    local = _zone(zone)
    return Times(
        datetime.combine(day, STARTS_AT, local).astimezone(UTC), datetime.combine(day, ENDS_AT, local).astimezone(UTC)
    )


def working_times(start: datetime, end: datetime, zone: str, weekend: Collection[int] = WEEKEND) -> Iterator[Times]:
    """The parts of this period that are working time in the zone."""
    day = start.astimezone(_zone(zone)).date()
    while True:
        if day.weekday() not in weekend:
            begins, ends = _day(day, zone)
            if begins >= end:
                return
            if ends > start:
                yield Times(max(begins, start), min(ends, end))
        elif datetime.combine(day, time(), _zone(zone)) >= end:
            return
        day += timedelta(days=1)


def length(times: Iterable[Times]) -> timedelta:
    return sum((end - start for start, end in times), timedelta())


def merged(times: Iterable[Times]) -> list[Times]:
    """The times in order, with overlaps merged."""
    joined: list[Times] = []
    for start, end in sorted(times):
        if joined and start <= joined[-1].end:
            joined[-1] = Times(joined[-1].start, max(end, joined[-1].end))
        elif end > start:
            joined.append(Times(start, end))
    return joined


def _shared(some: Sequence[Times], others: Sequence[Times]) -> timedelta:
    """The time covered by both; each is in order and without overlaps."""
    return sum(
        (
            max(timedelta(), min(one.end, other.end) - max(one.start, other.start))
            for one in some
            for other in others[max(0, bisect_left(others, (one.start,)) - 1) :]
            if other.start < one.end
        ),
        timedelta(),
    )


def wait_of(review: Review, *, usual: float, weekend: Collection[int] = WEEKEND) -> Wait:
    """The wait of a review; `usual` is how many reviews a reviewer usually gives in a week."""

    def working(start: datetime, end: datetime, zone: str = review.zone) -> list[Times]:
        return [*working_times(start, end, zone, weekend)]

    whole = working(review.opened_at, review.approved_at)
    pickup = length(working(review.opened_at, review.first_review_at))
    measured: dict[Cause, timedelta] = {}
    if review.pipelines:
        measured[Cause.CI] = _shared(whole, merged(review.pipelines))
    if review.reviewer_zone != review.zone:
        # The author's working time minus the reviewer's: while the reviewer was at work, time zones were not the cause.
        at_work = length(working(review.opened_at, review.first_review_at, review.reviewer_zone))
        measured[Cause.TIME_ZONES] = max(timedelta(), pickup - at_work)
    if review.rescoped_at and review.opened_at < review.rescoped_at < review.approved_at:
        measured[Cause.RESCOPED] = length(working(review.rescoped_at, review.approved_at))
    if review.rounds > MOST_ROUNDS:
        measured[Cause.ROUNDS] = length(working(review.first_review_at, review.approved_at))
    holds = {
        Cause.FEW_REVIEWERS: review.reviewers <= FEW_REVIEWERS,
        Cause.LOAD: review.busy >= max(LEAST_BUSY, BUSY * usual),
        Cause.SIZE: review.is_large,
    }
    conditions = frozenset(cause for cause, is_there in holds.items() if is_there)
    return Wait(review, length(whole), pickup, measured, conditions)


class Lengths:
    """The working times of reviews under one condition, sorted, to tell how many last at least so long."""

    def __init__(self, waits: Iterable[Wait]) -> None:
        self._ascending = sorted(wait.lasted for wait in waits)

    def __len__(self) -> int:
        return len(self._ascending)

    def share_of(self, lasted: timedelta) -> float:
        """The share that lasts at least so long, counting one more review that may: few facts prove little."""
        longer = len(self._ascending) - bisect_left(self._ascending, lasted)
        return (longer + 1) / (len(self._ascending) + 1)


def plain(waits: Iterable[Wait]) -> list[Wait]:
    """Waits without a condition and without a measured cause."""
    return [wait for wait in waits if not wait.conditions and wait.measured_cause is None]


def causes_of(waits: Sequence[Wait], everywhere: Lengths) -> list[tuple[Wait, Cause]]:
    """The long waits of a team with their causes; `everywhere` has the plain waits of the organisation, for a team with
    few of its own.
    """
    own = Lengths(plain(waits))
    usual = own if len(own) >= LEAST_PLAIN else everywhere
    by_condition: dict[Cause, list[Wait]] = defaultdict(list)
    for wait in waits:
        if wait.measured_cause is None:
            for condition in wait.conditions:
                by_condition[condition].append(wait)
    lengths = {condition: Lengths(of) for condition, of in by_condition.items()}
    return [(wait, _cause_of(wait, usual, lengths)) for wait in waits if wait.is_long]


def _cause_of(wait: Wait, usual: Lengths, lengths: Mapping[Cause, Lengths]) -> Cause:
    if (measured := wait.measured_cause) is not None:
        return measured
    if len(usual) < LEAST_PLAIN:
        return Cause.UNKNOWN
    as_long = usual.share_of(wait.lasted)
    causes = [
        condition
        for condition in CONDITIONS
        if condition in wait.conditions and as_long <= ANYWAY * lengths[condition].share_of(wait.lasted)
    ]
    if Cause.FEW_REVIEWERS in causes and Cause.LOAD in causes:
        causes.remove(Cause.LOAD)  # few reviewers implies many reviews each
    return causes[0] if len(causes) == 1 else Cause.UNKNOWN


class CauseLine(NamedTuple):
    """A cause's share of a team's long waits, with its 95 % bounds."""

    cause: Cause
    share: float
    low: float
    high: float


def mix_of(explained: Sequence[tuple[Wait, Cause]]) -> list[CauseLine]:
    """The causes of a team's long waits, the most frequent first and *cannot tell* last.

    The shares are of all long waits, like other rates of a team; the minimum group applies to the whole, not to each
    cause.
    """
    lines = []
    for cause in dict.fromkeys(cause for _, cause in explained):
        facts = [(wait.review.author, found is cause) for wait, found in explained]
        low, high = _share_by_author(facts)
        lines.append(CauseLine(cause, sum(holds for _, holds in facts) / len(facts), low, high))
    return sorted(lines, key=lambda line: (line.cause is Cause.UNKNOWN, -line.share))


def _share_by_author(facts: Sequence[tuple[int, bool]]) -> tuple[float, float]:
    """The interval of a share if an author's pull requests are alike: authors are resampled, each with all of
    theirs.
    """
    import numpy

    authors = {author: number for number, author in enumerate(dict.fromkeys(author for author, _ in facts))}
    counts = numpy.zeros((len(authors), 2))
    for author, holds in facts:
        counts[authors[author]] += (holds, 1)
    draws = numpy.random.default_rng(len(facts)).integers(0, len(authors), (2_000, len(authors)))
    sums = counts[draws].sum(axis=1)
    low, high = numpy.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    return float(low), float(high)
