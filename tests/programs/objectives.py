"""How tests of objectives speak: what is said of one, and by whom."""

from __future__ import annotations

from typing import Any

from programs.models import Objective, Quarter
from programs.objectives.services.drafts import KeyResultDraft, ObjectiveDraft
from programs.objectives.services.writing import add_objective
from programs.quarters.fiscal_quarters import current_quarter
from tests.personas import MANAGER, Persona
from tests.programs.tickets import as_


def by_hand(**fields: Any) -> KeyResultDraft:
    """Satisfaction from 3 to 4, entered by hand."""
    usual = {"title": "Satisfaction", "better": "higher", "baseline": 3.0, "target": 4.0, "unit_of_measure": "of 5"}
    return KeyResultDraft(**{**usual, **fields})


def pickup(**fields: Any) -> KeyResultDraft:
    """Reviews begin sooner by four tenths, unless the fields say otherwise."""
    usual = {"title": "Reviews begin sooner", "metric": "pr.pickup_time", "target_kind": "relative"}
    return KeyResultDraft(**{**usual, "change_percent": -40.0, **fields})


def draft(**fields: Any) -> ObjectiveDraft:
    """An objective of Platform in this quarter, with one key result by hand; published."""
    usual: dict[str, Any] = {
        "quarter": fields.get("quarter") or current_quarter(),
        "title": "Reviews no longer wait",
        "unit": "platform",
        "key_results": (by_hand(),),
        "publish": True,
    }
    return ObjectiveDraft(**{**usual, **fields})


def objective(persona: Persona = MANAGER, **fields: Any) -> Objective:
    return add_objective(as_(persona), draft(**fields))


def stored(written: Objective) -> Objective:
    return Objective.objects.select_related("quarter", "unit", "owner").get(pk=written.pk)


def quarter_of(written: Objective) -> Quarter:
    return Quarter.objects.get(pk=written.quarter_id)
