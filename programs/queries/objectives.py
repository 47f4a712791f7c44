"""Which objectives are listed, and how they go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from orgtree.models import Unit
from orgtree.models.sight import Sight
from orgtree.services.access import Access
from programs.models import CheckIn, Objective, Quarter, Standing
from programs.queries.key_result_progress import KeyResultProgress


@dataclass(frozen=True)
class ObjectiveFilter:
    """What a list of objectives is narrowed to.  `unit` is a slug: its own and those of all below it."""

    quarter: Quarter
    unit: str | None = None
    standing: str = ""
    search: str = ""
    owner: int | None = None  # a person's id
    drafts: bool = False  # drafts alone; else published ones alone


@dataclass(frozen=True)
class ObjectiveProgress:
    """`progress` is the mean of the key results that are no guardrails, each clipped to 0..1."""

    objective: Objective
    key_results: tuple[KeyResultProgress, ...]
    progress: float | None
    computed: Standing
    shown: Standing
    why: str
    confidence: str
    last_check_in: CheckIn | None
    check_in_due: date | None
    tickets_open: int
    tickets_overdue: int


def progress_of(objectives: Sequence[Objective], access: Access, *, today: date) -> list[ObjectiveProgress]:
    """As measured, without what this viewer may not see; six queries, however many there are."""
    raise NotImplementedError


def filtered(asked: ObjectiveFilter, access: Access, *, today: date) -> QuerySet[Objective]:
    """The objectives that the viewer may see and asks for, with quarter, unit and owner."""
    raise NotImplementedError


def teams_without_objective(quarter: Quarter, sight: Sight, *, today: date) -> QuerySet[Unit]:
    """Teams of the default tree that have no published mandatory objective in that quarter."""
    raise NotImplementedError
