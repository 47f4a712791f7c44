"""What people's time goes to, as a relation for the metric engine."""

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
