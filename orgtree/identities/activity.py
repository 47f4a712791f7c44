"""Activity of identities: orgtree stores no facts, so apps with facts register a source that counts them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from core.hooks import Hook

# Pages show twelve weeks by default; older activity affects few figures.
ACTIVITY_WINDOW = timedelta(weeks=12)


@dataclass(frozen=True, slots=True)
class Activity:
    """Number of commits and agent sessions, and their cost in US dollars."""

    commits: int = 0
    sessions: int = 0
    cost: Decimal = Decimal(0)

    def __add__(self, other: Activity) -> Activity:
        return Activity(self.commits + other.commits, self.sessions + other.sessions, self.cost + other.cost)

    def __sub__(self, other: Activity) -> Activity:
        return Activity(self.commits - other.commits, self.sessions - other.sessions, self.cost - other.cost)

    def __str__(self) -> str:
        """The activity in words: 12 commits · 3 sessions · $4.10."""
        return " · ".join(self.amounts) or "no activity"

    @property
    def amounts(self) -> list[str]:
        """The amounts, each with its unit; zeros are left out."""
        counts = ((self.commits, "commit", "commits"), (self.sessions, "session", "sessions"))
        amounts = [f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count]
        return [*amounts, money(self.cost)] if self.cost else amounts


def money(dollars: Decimal) -> str:
    return f"${dollars:,.2f}" if dollars < 100 else f"${dollars:,.0f}"


@dataclass(frozen=True, slots=True)
class ActivitySource:
    """Two queries from a local day on: activity by identity id, and totals (all, unmatched)."""

    of_identities: Callable[[Collection[int], date], Mapping[int, Activity]]
    of_everybody: Callable[[date], tuple[Activity, Activity]]


activity_sources: Hook[ActivitySource] = Hook()


def identity_activity(identity_ids: Collection[int]) -> dict[int, Activity]:
    """Activity of the last twelve weeks by identity id."""
    activity_by_id = {id_: Activity() for id_ in identity_ids}
    for source in activity_sources:
        for id_, activity in source.of_identities(identity_ids, _since()).items():
            activity_by_id[id_] += activity
    return activity_by_id


def activity_of_everybody() -> tuple[Activity, Activity]:
    """Total activity (all, unmatched) of the last twelve weeks."""
    counted = [source.of_everybody(_since()) for source in activity_sources]
    return total(everything for everything, _ in counted), total(unmatched for _, unmatched in counted)


def total(activities: Iterable[Activity]) -> Activity:
    return sum(activities, Activity())


def _since() -> date:
    return timezone.localdate() - ACTIVITY_WINDOW
