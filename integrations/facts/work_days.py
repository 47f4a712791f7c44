"""What people of teams did day by day, as a relation for the metric engine."""

from __future__ import annotations

from integrations.facts.relation import Relation
from integrations.models import FactFamily

WORK_DAYS = Relation(
    name="work_days",
    family=FactFamily.EFFORT,
    teams_only=True,
    fact="day_id",
    fact_is_row=True,
    sql="""
        SELECT id AS day_id, person_id, day, acts, late_acts,
               CASE WHEN is_weekend THEN acts ELSE 0 END AS weekend_acts,
               switches, reviews,
               CASE WHEN acts > 0 THEN 1 ELSE 0 END AS active,
               CASE WHEN acts > 0 AND switches = 0 THEN 1 ELSE 0 END AS focused,
               in_progress, idle,
               CASE WHEN in_progress > 0 THEN 1 ELSE 0 END AS loaded,
               starts, restarts
        FROM integrations_workday
    """,
)
"""One row per person and day of their own time zone on which they did something, or had a work item in progress.

Holidays and leave have none.  acts are commits, reviews, pull requests opened and moves of work items; late_acts those
outside working hours on working days, weekend_acts those at weekends; switches how often two in a row were on different
work.  active, focused (no switch) and loaded (any item in progress) are 1 or 0.
"""
