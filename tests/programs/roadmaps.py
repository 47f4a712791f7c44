"""The language of roadmap tests: intents, and the cells they appear in."""

from __future__ import annotations

from datetime import date
from typing import Any

from programs.models import RoadmapIntent
from programs.quarters.fiscal_quarters import current_quarter, quarter_at
from programs.roadmaps.queries.team_roadmap import team_roadmap
from programs.roadmaps.services.intents import add_intent, change_intent
from tests.personas import EXECUTIVE, MANAGER, Persona
from tests.programs.tickets import as_

TODAY = "2026-08-20 12:00Z"
ROADMAP = "/programs/roadmap/"
MOVE = f"{ROADMAP}move/"
NEXT, AFTER, FOURTH = date(2026, 10, 1), date(2027, 1, 1), date(2027, 7, 1)


def intent(persona: Persona = MANAGER, start: date = NEXT, **fields: Any) -> RoadmapIntent:
    """An intent of Platform, for the next quarter."""
    usual = {"unit": "platform", "title": "Healthy sprints", "quarter": str(start), **fields}
    return add_intent(as_(persona), usual)


def moved_intent(
    persona: Persona, planned: RoadmapIntent, start: date, of_version: int = 1, **place: str
) -> RoadmapIntent:
    return change_intent(as_(persona), planned, {"quarter": str(start), **place}, of_version=of_version)


def cells(persona: Persona = EXECUTIVE, *starts: date) -> dict[tuple[str, str], Any]:
    """The cells by unit and quarter, for this quarter and those that follow."""
    quarters = [quarter_at(start) for start in (starts or (current_quarter().start, NEXT, AFTER))]
    planned = team_roadmap(quarters, as_(persona))
    return {(row.unit.slug if row.unit else "", str(cell.quarter)): cell for row in planned.rows for cell in row.cells}
