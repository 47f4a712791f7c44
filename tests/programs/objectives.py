"""The language of objective tests: the fields of one, and its users."""

from __future__ import annotations

from typing import Any

from programs.key_results.services.fields import as_written
from programs.models import Objective, Quarter
from programs.objectives.services.writing import add_objective
from programs.quarters.fiscal_quarters import current_quarter
from tests.personas import MANAGER, Persona
from tests.programs.tickets import as_


def by_hand(**fields: Any) -> dict[str, Any]:
    """Satisfaction from 3 to 4, entered by hand."""
    usual = {"title": "Satisfaction", "better": "higher", "baseline": 3.0, "target": 4.0, "unit_of_measure": "of 5"}
    return {**usual, **fields}


def pickup(**fields: Any) -> dict[str, Any]:
    """Reviews start sooner by four tenths, unless the fields say otherwise."""
    usual = {"title": "Reviews start sooner", "metric": "pr.pickup_time", "target_kind": "relative"}
    return {**usual, "change_percent": -40.0, **fields}


def draft(*, quarter: Quarter | None = None, **fields: Any) -> dict[str, Any]:
    """An objective of Platform in this quarter, with one key result by hand; published.  It names every field."""
    usual: dict[str, Any] = {
        **{"description": "", "owner": None, "is_mandatory": False, "parent": None, "template": ""},
        "quarter": (quarter or current_quarter()).start.isoformat(),
        "title": "Reviews no longer wait",
        "unit": "platform",
        "key_results": (by_hand(),),
        "publish": True,
    }
    named = {**usual, **fields}
    return {**named, "key_results": list(named["key_results"])}


def objective(persona: Persona = MANAGER, **fields: Any) -> Objective:
    return add_objective(as_(persona), draft(**fields))


def rows_of(written: Objective) -> list[dict[str, Any]]:
    """Its key results as somebody writes them who changes nothing of them."""
    return [as_written(key_result) for key_result in written.key_results.all()]


def stored(written: Objective) -> Objective:
    return Objective.objects.select_related("quarter", "unit", "owner").get(pk=written.pk)


def quarter_of(written: Objective) -> Quarter:
    return Quarter.objects.get(pk=written.quarter_id)
