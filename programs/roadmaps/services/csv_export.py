"""The team roadmap as CSV: a row for each objective, each intent and each gap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.csv_export import Cell
from programs.roadmaps.queries.team_roadmap import TeamRoadmap

HEAD = ("Unit", "Name", "Quarter", "Kind", "Title", "Status", "The team's objective", "Draft", "Template", "Number")


def roadmap_rows(roadmap: TeamRoadmap) -> Iterator[Sequence[Cell]]:
    """Units by slug, empty for the whole organisation; gaps for those who lead the team alone."""
    yield HEAD
    for row in roadmap.rows:
        unit = (row.unit.slug, row.unit.name) if row.unit else ("", "")
        for cell in row.cells:
            place = (*unit, str(cell.quarter))
            for objective in cell.objectives:
                status = objective.shown  # type: ignore[attr-defined]  # annotated by team_roadmap
                flags = ("yes" if objective.is_mandatory else "no", "no" if objective.published_at else "yes")
                yield (*place, "objective", objective.title, status, *flags, objective.template, objective.pk)
            for intent in cell.intents:
                yield (*place, "intent", intent.title, "", "", "", intent.template, intent.pk)
            if cell.is_gap:
                yield (*place, "gap", "", "", "", "", "", None)
