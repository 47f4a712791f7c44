"""Budgets beside the spend of the AI page, which an upper app registers at start-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.hooks import Hook
from insights.ui.filters import Filters


@dataclass(frozen=True)
class SpendBudgets:
    """A template, and what it prints."""

    template: str
    context: Mapping[str, Any]


# Called with the page's filters; None where its unit has no budget that the viewer may see.
spend_budgets: Hook[Callable[[Filters], SpendBudgets | None]] = Hook()


def budgets_beside_spend(filters: Filters) -> list[SpendBudgets]:
    return [found for offer in spend_budgets if (found := offer(filters)) is not None]
