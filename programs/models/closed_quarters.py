"""What a closed quarter holds is not changed any more: the database refuses it.

Only what its document tells is refused.  References to accounts and people that are deleted may still be emptied.
"""

from __future__ import annotations

import pgtrigger

_REFUSE = """
    IF EXISTS (SELECT FROM programs_quarter WHERE id = {quarter} AND closed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'The quarter is closed: %% is not changed any more.', TG_TABLE_NAME USING ERRCODE = '23514';
    END IF;
    RETURN {row};
"""
_OF_OBJECTIVE = "(SELECT quarter_id FROM programs_objective WHERE id = {row}.objective_id)"


def _refused(name: str, operation: pgtrigger.Operation, quarter: str, row: str) -> pgtrigger.Trigger:
    func = _REFUSE.replace("%%", "%").format(quarter=quarter, row=row)
    return pgtrigger.Trigger(name=name, operation=operation, when=pgtrigger.Before, func=func)


def objectives_stay(*fields: str) -> list[pgtrigger.Trigger]:
    """Of objectives themselves: none is added, removed, or changed in these fields."""
    return [
        _refused(
            "closed_quarter_takes_no_objective",
            pgtrigger.Insert | pgtrigger.UpdateOf("quarter_id"),  # type: ignore[no-untyped-call]
            "NEW.quarter_id",
            "NEW",
        ),
        _refused("closed_objective_stays", pgtrigger.UpdateOf(*fields), "OLD.quarter_id", "NEW"),  # type: ignore[no-untyped-call]
        _refused("closed_objective_is_kept", pgtrigger.Delete, "OLD.quarter_id", "OLD"),
    ]


def parts_stay(*fields: str) -> list[pgtrigger.Trigger]:
    """As `objectives_stay`, of what hangs on an objective."""
    new, old = _OF_OBJECTIVE.format(row="NEW"), _OF_OBJECTIVE.format(row="OLD")
    return [
        _refused("closed_objective_takes_no_more", pgtrigger.Insert, new, "NEW"),
        _refused("part_of_closed_objective_stays", pgtrigger.UpdateOf(*fields), old, "NEW"),  # type: ignore[no-untyped-call]
        _refused("part_of_closed_objective_is_kept", pgtrigger.Delete, old, "OLD"),
    ]


QUARTER_STAYS = pgtrigger.Protect(
    name="closed_quarter_stays",
    operation=pgtrigger.UpdateOf("start", "end", "closed_at", "document_id", "retrospective"),  # type: ignore[no-untyped-call]
    condition=pgtrigger.Q(old__closed_at__isnull=False),
)
