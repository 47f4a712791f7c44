"""The history of an objective and of its key results, for pages."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.edit_conflicts import Difference
from insights.pages.annotations.labels import moment
from insights.privacy.scope_access import access_in
from insights.ui.amounts import amount_text
from insights.ui.metric_panel import is_panel
from insights.ui.views import record_view
from orgtree.access.access import Access
from programs.history.events import Changed, Value, names_of_accounts
from programs.history.labels import HistoryLine, author_words, value_words
from programs.models import Objective
from programs.objectives.pages.page import visible_objective
from programs.objectives.services.history import FIELDS, KEY_RESULT_FIELDS, ObjectiveStep, objective_changes


@record_view
def objective_history(request: HttpRequest, pk: int) -> HttpResponse:
    """A part of the objective's page, and a page of its own."""
    objective, access = visible_objective(request, pk), access_in(request)
    context = {"objective": objective, "history": history_of(objective, access)}
    part = "components/history.html"
    return render(request, part if is_panel(request) else "programs/objectives/history.html", {**context, "part": part})


def history_of(objective: Objective, access: Access) -> list[HistoryLine]:
    """The latest first."""
    changes = objective_changes(objective, access)
    names = names_of_accounts(change.by for change in changes)
    return [
        HistoryLine(
            author_words(objective_change.by, names),
            moment(objective_change.at),
            [what for step in objective_change.steps for what in _what(step)],
            [_difference(change) for step in objective_change.steps for change in step.changes],
        )
        for objective_change in changes
    ]


def _what(step: ObjectiveStep) -> Iterator[str]:
    if step.is_first:
        yield "Written"
    if step.removed:
        yield f"Key result “{step.removed.title}” removed"
    if step.added:
        target = _amount(step.added.target, step.added.unit)
        yield f"Key result “{step.added.title}”, target {target}"


def _difference(change: Changed) -> Difference:
    is_of_objective = change.key_result is None
    column = (FIELDS if is_of_objective else KEY_RESULT_FIELDS)[change.field]
    label = column.label if is_of_objective else f"{change.title}, {column.label.lower()}"
    choices = column.choices or {}

    def words(value: Value, unit: str) -> str:
        return _amount(value, unit) if isinstance(value, float) else value_words(change.field, value, choices)

    return Difference(label, words(change.before, change.unit_before), words(change.after, change.unit))


def _amount(value: Value, unit: str) -> str:
    return amount_text(value, unit) if isinstance(value, float) else value_words("", value, {})
