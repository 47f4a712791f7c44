"""What the demo's people find in their inboxes: told by the same planner as everywhere."""

from __future__ import annotations

from datetime import date

from demo.plan.year import DemoYear
from programs.reminders.services.telling import plan_reminders


def tell_demo_people(year: DemoYear, *, today: date) -> int:
    """How many notices are new; a second call on the same day tells nobody anything."""
    return 0 if year.flavour.is_quiet else plan_reminders(today=today)
