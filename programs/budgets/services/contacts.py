"""Who is asked before a budget is gone: its owner, and the unit's managers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from programs.budgets.queries.budgets import managers_of_units
from programs.models import Budget


def contacts_of(budgets: Sequence[Budget]) -> Mapping[int, list[str]]:
    """Names by the budget's id, the owner first, each once.  Budgets come with their owners."""
    managers = managers_of_units({budget.unit_id for budget in budgets})
    return {
        budget.pk: list(
            dict.fromkeys([*([budget.owner.full_name] if budget.owner else []), *managers.get(budget.unit_id, [])])
        )
        for budget in budgets
    }
