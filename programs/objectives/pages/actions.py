"""Actions on an objective's page: check in, publish, override the status, drop, decide about carry-over."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from core.write_errors import FieldError
from insights.privacy.scope_access import access_in
from insights.ui.amounts import AmountError, read_amount
from orgtree.access.access import Access
from programs.key_results.services.reading import unit_of
from programs.models import KeyResult, Objective, ObjectiveStatus
from programs.objectives.pages.page import objective_page, visible_objective
from programs.objectives.services.check_ins import check_in_values
from programs.objectives.services.decisions import decide
from programs.objectives.services.writing import drop_objective, override_status, publish_objective

Change = Callable[[Access, Objective], str]


@login_required
@require_POST
def objective_check_in(request: HttpRequest, pk: int) -> HttpResponse:
    """`confidence` with a `note`, and `value-<key result>` for each that is entered by hand and has a new one."""

    def say(access: Access, objective: Objective) -> str:
        check_in_values(
            access,
            objective,
            confidence=request.POST.get("confidence", ""),
            note=request.POST.get("note", ""),
            values=_values(request, objective),
        )
        return "Checked in."

    return _change(request, pk, say)


@login_required
@require_POST
def objective_publish(request: HttpRequest, pk: int) -> HttpResponse:
    def publish(access: Access, objective: Objective) -> str:
        publish_objective(access, objective)
        return "Objective published. Everybody whom it concerns can see it."

    return _change(request, pk, publish)


@login_required
@require_POST
def objective_override(request: HttpRequest, pk: int) -> HttpResponse:
    """`standing` with a `reason`; an empty `standing` removes the override."""

    def override(access: Access, objective: Objective) -> str:
        status = request.POST.get("standing", "")
        override_status(access, objective, status, request.POST.get("reason", ""))
        return (
            f"Status overridden: {ObjectiveStatus(status).label.lower()}."
            if status
            else "Override removed. The computed status applies."
        )

    return _change(request, pk, override)


@login_required
@require_POST
def objective_drop(request: HttpRequest, pk: int) -> HttpResponse:
    def drop(access: Access, objective: Objective) -> str:
        drop_objective(access, objective, request.POST.get("why", ""))
        return f"“{objective.title}” is dropped. It stays on record with the reason."

    return _change(request, pk, drop)


@login_required
@require_POST
def objective_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """`carry_over` and `retrospective`, which apply when the quarter is closed."""

    def decided(access: Access, objective: Objective) -> str:
        carry_over = request.POST.get("carry_over", Objective.CarryOver.UNDECIDED)
        decide(access, objective, carry_over, request.POST.get("retrospective", "").replace("\r\n", "\n"))
        return "Saved. It applies when the quarter is closed."

    return _change(request, pk, decided)


def _values(request: HttpRequest, objective: Objective) -> dict[int, float]:
    """The new values of key results that are entered by hand, by id.  Raises FieldError."""
    values = {}
    by_hand = KeyResult.objects.filter(objective=objective.pk, metric="")
    for key_result in by_hand:
        text = request.POST.get(f"value-{key_result.pk}", "").strip()
        if text:
            try:
                values[key_result.pk] = read_amount(text, unit_of(key_result))
            except AmountError as problem:
                raise FieldError("value", f"{key_result.title}: {problem}") from None
    return values


def _change(request: HttpRequest, pk: int, change: Change) -> HttpResponse:
    """The page again where it was refused, with why and with what was written."""
    objective = visible_objective(request, pk)
    try:
        done = change(access_in(request), objective)
    except FieldError as problem:
        form = {name: str(value) for name, value in request.POST.items()}
        return objective_page(
            request, visible_objective(request, pk), problems=[problem.message], form=form, status=400
        )
    messages.success(request, done)
    return redirect("objective", pk)
