"""The language of benchmark tests: agreed values, and a Platform whose first reviews are known to the hour."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from insights.query.windows import local_today
from programs.benchmarks.queries.benchmarks import newest_version, unit_of_scope
from programs.benchmarks.services.writing import set_benchmark
from programs.models import BenchmarkVersion
from tests.org import Org
from tests.pages.delivering import OPENED, REVIEWED, day_before, merged
from tests.personas import EXECUTIVE, Persona
from tests.programs.tickets import as_
from tests.teams import OTHERS_IN_PLATFORM, create_teams

HOUR = 3600.0
PICKUP = "pr.pickup_time"
PLATFORM = ("ada", *OTHERS_IN_PLATFORM)
AT_ONCE = REVIEWED - OPENED  # hours until the first review of a change that waits no longer


def monday() -> date:
    """The Monday of the current week."""
    return day_before(local_today().weekday())


def draft(**fields: Any) -> dict[str, Any]:
    """Platform's first reviews: within 8 hours, and once within 6."""
    usual = {
        "metric": PICKUP,
        "unit": "platform",
        "threshold": 8 * HOUR,
        "target": 6 * HOUR,
        "reason": "Reviews wait overnight.",
    }
    return {**usual, **fields}


def agree(persona: Persona = EXECUTIVE, **fields: Any) -> BenchmarkVersion:
    """On the newest version that there is."""
    new_draft = draft(**fields)
    unit = unit_of_scope(new_draft["unit"] or None) if "\x00" not in new_draft["unit"] else None
    newest = newest_version(new_draft["metric"], unit.pk if unit else None)
    return set_benchmark(as_(persona), new_draft, of_number=newest.number if newest else 0)


def weeks_ago(weeks: int) -> date:
    """The Tuesday of a week; the week before this one is 1."""
    return monday() - timedelta(weeks=weeks) + timedelta(days=1)


def changes_of(
    org: Org, people: Iterable[str], *, weeks: Iterable[int], waits: Callable[[int], float], first: int
) -> None:
    """Each of the people merges one change in each of the weeks, whose review comes `waits(week)` hours later."""
    authors = list(people)
    records = [
        merged(first + week * 100 + place, weeks_ago(week), author=author, waits=waits(week))
        for week in weeks
        for place, author in enumerate(authors)
    ]
    for start in range(0, len(records), 500):
        org.push("pull-requests", *records[start : start + 500])


def reviews_of_platform(org: Org) -> None:
    """Six people, one change each in each of 12 weeks; reviews wait as many hours as the week is ago."""
    create_teams()
    changes_of(org, PLATFORM, weeks=range(1, 13), waits=float, first=1)
