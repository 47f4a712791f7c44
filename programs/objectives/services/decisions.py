"""Carry-over decisions and retrospectives, saved before the quarter is closed."""

from __future__ import annotations

from collections.abc import Mapping

from core.authorship import changes_by
from core.write_errors import FieldError, MayNotWriteError
from orgtree.access.access import Access
from programs.models import Objective, Quarter
from programs.objectives.services.writing import account_of, hold_open, locked_to_change, save_change

LONGEST_RETROSPECTIVE = 20_000  # characters
ONLY_LEADERS = "Only executives and admins can write what the organisation learned."


def decide(access: Access, objective: Objective, carry_over: str, retrospective: str) -> Objective:
    """By whoever may change it.  Raises FieldError, MayNotWriteError."""
    if carry_over not in Objective.CarryOver.values:
        raise FieldError("carry_over", f"One of: {', '.join(Objective.CarryOver.values)}.")
    lesson = _checked("retrospective", retrospective)
    with changes_by(account_of(access)):
        stored = locked_to_change(access, objective)
        if (stored.carry_over, stored.retrospective) != (carry_over, lesson):
            stored.carry_over, stored.retrospective = carry_over, lesson
            save_change(stored)
    return stored


def keep_decisions(
    access: Access,
    quarter: Quarter,
    *,
    decisions: Mapping[int, str],
    retrospectives: Mapping[int, str],
    retrospective: str,
) -> int:
    """Of those objectives of the quarter that are named, and what the whole organisation learned; how many they are.

    All of them, or none: raises FieldError, MayNotWriteError.
    """
    if not access.visibility.leads_whole:
        raise MayNotWriteError(ONLY_LEADERS)
    lesson = _checked("retrospective", retrospective)
    named = {*decisions, *retrospectives}
    with changes_by(account_of(access)):
        hold_open(quarter)
        objectives = list(
            Objective.objects.filter(quarter=quarter, dropped_at=None, pk__in=named).select_related("quarter")
        )
        if len(objectives) != len(named):
            raise FieldError("decisions", "One of them is not an objective of this quarter, or has been dropped.")
        for objective in objectives:
            decide(
                access,
                objective,
                decisions.get(objective.pk, objective.carry_over),
                retrospectives.get(objective.pk, objective.retrospective),
            )
        Quarter.objects.filter(pk=quarter.pk).update(retrospective=lesson)
    return len(objectives)


def _checked(field: str, text: str) -> str:
    text = text.strip()
    if "\x00" in text or len(text) > LONGEST_RETROSPECTIVE:
        raise FieldError(field, f"At most {LONGEST_RETROSPECTIVE:,} characters, and no NUL.")
    return text
