"""How much hangs on whose an identity is: orgtree knows no facts, so whoever has some registers who counts them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

# Twelve weeks is what pages show at first; older activity changes few figures that anybody looks at.
LOOKED_AT = timedelta(weeks=12)


@dataclass(frozen=True, slots=True)
class Activity:
    """Counted commits, agent sessions, and their cost in US dollars."""

    commits: int = 0
    sessions: int = 0
    cost: Decimal = Decimal(0)

    def __add__(self, other: Activity) -> Activity:
        return Activity(self.commits + other.commits, self.sessions + other.sessions, self.cost + other.cost)

    def __sub__(self, other: Activity) -> Activity:
        return Activity(self.commits - other.commits, self.sessions - other.sessions, self.cost - other.cost)


@dataclass(frozen=True, slots=True)
class ActivitySource:
    """Two questions about facts, each from a local day on: what these identities (ids) did; (all, unmatched)."""

    of_identities: Callable[[Collection[int], date], Mapping[int, Activity]]
    of_everybody: Callable[[date], tuple[Activity, Activity]]


_sources: list[ActivitySource] = []


def count_activity_with(source: ActivitySource) -> None:
    """Register, at start-up, who counts what identities did."""
    if source not in _sources:
        _sources.append(source)


def identity_activity(identity_ids: Collection[int]) -> dict[int, Activity]:
    """What each of these identities did in the last twelve weeks."""
    found = {id_: Activity() for id_ in identity_ids}
    for source in _sources:
        for id_, activity in source.of_identities(identity_ids, _since()).items():
            found[id_] += activity
    return found


def activity_of_everybody() -> tuple[Activity, Activity]:
    """(all, unmatched) of the last twelve weeks."""
    counted = [source.of_everybody(_since()) for source in _sources]
    return total(each for each, _ in counted), total(unmatched for _, unmatched in counted)


def total(activities: Iterable[Activity]) -> Activity:
    return sum(activities, Activity())


def _since() -> date:
    return timezone.localdate() - LOOKED_AT
