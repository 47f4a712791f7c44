"""Seats of the demo's people, as an admin would import them: everybody who attended the introduction has one since
then.

People who attended once and never used it have a seat all the same; some seats are paid for and assigned to nobody.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from demo.plan.agents import CLAUDE_CODE, COPILOT
from demo.plan.people import MOBILE, NEVER, PILOT_WEEKS, TOOLING
from demo.plan.sizes import DEMO_WEEKS
from demo.plan.year import DemoYear

_PLANS = {CLAUDE_CODE: ("Team", "30"), COPILOT: ("Business", "19")}
_COPILOT_TEAMS = (MOBILE, TOOLING)
_COPILOT_WEEKS = 30  # before the end
_SEATS_PAID_FOR = 52  # of Claude Code: some more than there are people


def seats_file(year: DemoYear) -> bytes:
    """A CSV file for integrations.telemetry.seats.csv_import."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(("agent", "plan", "monthly_price", "email", "seats", "start", "end"))
    writer.writerows(_rows(year))
    return written.getvalue().encode()


def _rows(year: DemoYear) -> Iterator[tuple[str, ...]]:
    first = year.first_day_of(DEMO_WEEKS).isoformat()
    yield (CLAUDE_CODE, *_PLANS[CLAUDE_CODE], "", str(_SEATS_PAID_FOR), first, "")
    away = year.away()
    for person in year.people:
        if person.took_up == NEVER:
            continue
        gone = away.get(person.email)
        end = gone.since.isoformat() if gone and gone.until is None else ""
        since = year.first_day_of(PILOT_WEEKS).isoformat() if person.took_up == PILOT_WEEKS else first
        yield (CLAUDE_CODE, *_PLANS[CLAUDE_CODE], person.email, "", since, end)
        if person.team in _COPILOT_TEAMS:
            yield (COPILOT, *_PLANS[COPILOT], person.email, "", year.first_day_of(_COPILOT_WEEKS).isoformat(), end)
