"""People's time and days of work, as relations for the metric engine."""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import Relation
from integrations.models import FactFamily
from integrations.models.allocation import UNLINKED, UNMATCHED, InvestmentKind


def _of_kind(kind: str) -> LiteralString:
    return f"CASE WHEN category.kind = '{kind}' THEN effort.days ELSE 0 END AS {kind}_days"


_KINDS: LiteralString = ",\n               ".join(
    _of_kind(kind) for kind in InvestmentKind.values if kind != InvestmentKind.OTHER
)

PEOPLE_TIME = Relation(
    name="people_time",
    family=FactFamily.EFFORT,
    fact="effort_id",
    fact_is_row=True,
    sql=f"""
        SELECT effort.id AS effort_id,
               effort.person_id,
               effort.day,
               coalesce(item.key, repository.name, '') AS reference,
               coalesce(item.title, '') AS title,
               coalesce(item.url, '') AS url,
               project.name AS project,
               repository.name AS repository,
               figures.work_type,
               CASE WHEN category.id IS NOT NULL THEN category.name
                    WHEN effort.work_item_id IS NULL THEN '{UNLINKED}' ELSE '{UNMATCHED}' END AS investment,
               epic.key AS epic,
               initiative.key AS initiative,
               effort.days,
               CASE WHEN effort.work_item_id IS NULL THEN effort.days ELSE 0 END AS unlinked_days,
               CASE WHEN category.id IS NULL AND effort.work_item_id IS NOT NULL THEN effort.days ELSE 0 END
                   AS unmatched_days,
               {_KINDS},
               effort.items,
               effort.points
        FROM integrations_effort effort
        LEFT JOIN integrations_investmentcategory category ON category.id = effort.category_id
        LEFT JOIN integrations_workitem item ON item.id = effort.work_item_id
        LEFT JOIN integrations_workitemfigures figures ON figures.work_item_id = effort.work_item_id
        LEFT JOIN integrations_project project ON project.id = item.project_id
        LEFT JOIN integrations_repository repository ON repository.id = effort.repository_id
        LEFT JOIN integrations_workitem epic ON epic.id = effort.epic_id
        LEFT JOIN integrations_workitem initiative ON initiative.id = effort.initiative_id
    """,  # noqa: S608  # constants
)
"""One row per person, part of a week (a week that spans two months has two) and what they worked on.

It counts on the first day of the part on which the person was at work.  days are the days at work that it took; those
of a person and part sum to the part's days at work.  investment is the category that the first matching rule gives,
Unlinked where there is no work item and no rule matches, Unmatched where no rule matches.  unlinked_days are those
without a work item, whatever their category.  items and points are those that the person completed.
"""


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
