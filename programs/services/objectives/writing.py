"""Adding and changing objectives.  Managers write for their units, executives and admins for all; an owner changes
theirs.  Each change is told by the history (django-pghistory) as that account's.
"""

from __future__ import annotations

from orgtree.models.sight import Sight
from orgtree.services.access import Access
from programs.models import Objective
from programs.services.objectives.drafts import MayNotWriteObjectiveError, ObjectiveDraft, ObjectiveError

__all__ = [
    "ConflictError",
    "MayNotWriteObjectiveError",
    "ObjectiveError",
    "add_objective",
    "change_objective",
    "drop_objective",
    "may_change",
    "override_standing",
    "publish_objective",
]


class ConflictError(Exception):
    """Somebody changed the objective in the meantime; `stored` is what it says now."""

    def __init__(self, stored: Objective) -> None:
        super().__init__("Somebody changed this objective in the meantime.")
        self.stored = stored


def may_change(sight: Sight, objective: Objective) -> bool:
    """Its owner, and whoever answers for its unit; nobody once its quarter is closed.  Needs `objective.quarter`."""
    raise NotImplementedError


def add_objective(access: Access, draft: ObjectiveDraft) -> Objective:
    """Raises ObjectiveError, MayNotWriteObjectiveError."""
    raise NotImplementedError


def change_objective(access: Access, objective: Objective, draft: ObjectiveDraft, *, of_version: int) -> Objective:
    """As `add_objective`; ConflictError where it was changed since `of_version`, and nothing is stored."""
    raise NotImplementedError


def publish_objective(access: Access, objective: Objective) -> Objective:
    """Before everybody whom it concerns.  Raises ObjectiveError, MayNotWriteObjectiveError."""
    raise NotImplementedError


def drop_objective(access: Access, objective: Objective, why: str) -> Objective:
    """Give it up during the quarter, with a reason.  Raises ObjectiveError, MayNotWriteObjectiveError."""
    raise NotImplementedError


def override_standing(access: Access, objective: Objective, standing: str, reason: str) -> Objective:
    """Say how it goes in place of what is computed; an empty standing takes that back."""
    raise NotImplementedError
