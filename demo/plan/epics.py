"""The epics of the demo's repositories: one after the other, with the weeks in which their work begins.

Most of an epic's work is known at its start, except where scope creeps.  Checkout's current epic is planned for a day
that it misses, and Data's takes more time than planned; the finished ones show how accurate forecasts were.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise

from demo.plan.year import DemoYear

KNOWN_AT_START = 0.85  # share of the work
KNOWN_WHERE_SCOPE_CREEPS = 0.4
SHARE_OF_WORK = 0.8  # of what is no bug, the share that belongs to the epic of the time
DATA_CONTRACTS = "Data contracts"  # takes all of it, and so far more of its team's time than it was given
LONGEST_TAIL = timedelta(weeks=2)  # work that takes longer after the weeks of an epic is left to the next
SPREAD = timedelta(days=4)  # before the start, in which what is known is written down
_BORDERS = {4: (52, 42, 31, 20, 10, 0), 2: (52, 35, 17, 0)}  # weeks before the end, by number of finished epics


@dataclass(frozen=True, slots=True)
class Epics:
    """Titles of a repository's finished epics and of its open one, due that many weeks after the demo's end.

    `share_of_open` is the share of non-bug issues that belongs to the open one.
    """

    finished: tuple[str, ...]
    open: str
    due_weeks: int | None
    known_at_start: float = KNOWN_AT_START
    share_of_open: float = SHARE_OF_WORK


EPICS: Mapping[str, Epics] = {
    "checkout-api": Epics(
        ("Payment retries", "Invoices by e-mail", "Gift cards", "Express payment"),
        "One-page checkout",
        due_weeks=2,  # too early: its scope creeps
        known_at_start=KNOWN_WHERE_SCOPE_CREEPS,
    ),
    "search-service": Epics(
        ("Typo tolerance", "Index in minutes", "Search by category", "Ranking by availability"),
        "Search suggestions",
        due_weeks=9,
    ),
    "platform-deployment": Epics(
        ("Clusters in two regions", "Certificates renew themselves", "Cost labels everywhere", "Deploys in minutes"),
        "Environments on request",
        due_weeks=7,
    ),
    "storefront-app": Epics(
        ("Basket without a network", "Order tracking", "New navigation", "Pictures load sooner"),
        "Accessible screens",
        due_weeks=20,
    ),
    "warehouse-models": Epics(
        ("One model of customers", "Daily sales forecasts"), DATA_CONTRACTS, due_weeks=None, share_of_open=1.0
    ),
    "release-tooling": Epics(("Signed releases", "Release notes from commits"), "Release console", due_weeks=None),
    "parcel-routing": Epics(
        ("Routes by region", "Prices of carriers", "Delivery windows", "Returns"), "Same-day delivery", due_weeks=8
    ),
}


@dataclass(frozen=True, slots=True)
class PlannedEpic:
    """`ends_at` is the end of the weeks in which its work begins; None while it is open."""

    title: str
    starts_at: datetime
    ends_at: datetime | None
    due_weeks: int | None
    known_at_start: float
    share: float  # of the work of its time that is no bug

    @property
    def is_open(self) -> bool:
        return self.ends_at is None

    def takes(self, began_at: datetime, done_at: datetime | None) -> bool:
        """Whether work that was begun and done then can belong to it."""
        if began_at < self.starts_at:
            return False
        if self.ends_at is None:
            return True
        return began_at < self.ends_at and done_at is not None and done_at < self.ends_at + LONGEST_TAIL

    def known_since(self, name: str, created_at: datetime) -> datetime:
        """Return when the work is written down, which is before the start of the epic or when it comes up."""
        if chance(f"{name} known") >= self.known_at_start:
            return created_at
        return min(created_at, self.starts_at - SPREAD * chance(f"{name} since"))


def epics_of(year: DemoYear, repository: str) -> Sequence[PlannedEpic]:
    """Return the epics in order of time; the last one is open."""
    return list(_epics(year, EPICS[repository])) if repository in EPICS else []


def _epics(year: DemoYear, epics: Epics) -> Iterator[PlannedEpic]:
    borders = _BORDERS[len(epics.finished)]
    for title, (first, last) in zip((*epics.finished, epics.open), pairwise(borders), strict=True):
        starts_at, ends_at = _morning(year, first), _morning(year, last) if last else None
        if ends_at is not None and starts_at >= ends_at:
            continue  # before the weeks that are played
        tells = last == 0 and not year.flavour.is_quiet
        due_weeks, share = (epics.due_weeks, epics.share_of_open) if tells else (None, SHARE_OF_WORK)
        yield PlannedEpic(title, starts_at, ends_at, due_weeks, epics.known_at_start, share)


def _morning(year: DemoYear, weeks_before_end: int) -> datetime:
    day = max(year.first_day, year.first_day_of(weeks_before_end))
    return datetime.combine(day, time(9), year.anchor.tzinfo)


def chance(of: str) -> float:
    """A number from 0 to 1 that is the same each time and advances no other random sequence."""
    return zlib.crc32(of.encode()) / 2**32
