"""Fills the demo's inboxes with the regular planner of reminders."""

from __future__ import annotations

from datetime import date

from demo.plan.year import DemoYear
from programs.reminders.services.planning import plan_reminders


def tell_demo_people(year: DemoYear, *, today: date) -> int:
    """Plan the reminders and return the number of new notices; a second call on the same day creates none."""
    return 0 if year.flavour.is_quiet else plan_reminders(today=today)
