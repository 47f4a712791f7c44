"""Actions on an objective's page: check in, publish, override the status, drop, decide about carry-over."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core.write_errors import FieldError
from insights.privacy.scope_access import access_in
from insights.ui.amounts import AmountError, read_amount
from insights.ui.views import action_view
from orgtree.access.access import Access
from programs.key_results.services.reading import unit_of
from programs.models import KeyResult, Objective
from programs.objectives.pages.page import objective_page, visible_objective
from programs.objectives.services.check_ins import check_in_values
from programs.objectives.services.writing import decide, drop_objective, override_status, publish_objective


@action_view
def objective_check_in(request: HttpRequest, pk: int) -> HttpResponse:
    """`confidence` with a `note`, and `value-<key result>` for each that is entered by hand and has a new one."""

    def say(access: Access, objective: Objective) -> None:
        confidence, note = request.POST.get("confidence", ""), request.POST.get("note", "")
        check_in_values(access, objective, confidence=confidence, note=note, values=_values(request, objective))

    return _change(request, pk, say, "Checked in.")


@action_view
def objective_publish(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, publish_objective, "Objective published. Everybody concerned can see it.")


@action_view
def objective_override(request: HttpRequest, pk: int) -> HttpResponse:
    """`standing` with a `reason`; an empty `standing` removes the override."""
    status, reason = request.POST.get("standing", ""), request.POST.get("reason", "")
    done = "Status overridden." if status else "Override removed. The computed status applies."
    return _change(request, pk, lambda access, record: override_status(access, record, status, reason), done)


@action_view
def objective_drop(request: HttpRequest, pk: int) -> HttpResponse:
    why = request.POST.get("why", "")
    done = "Objective dropped. It stays on record with the reason."
    return _change(request, pk, lambda access, record: drop_objective(access, record, why), done)


@action_view
def objective_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """`carry_over` and `retrospective`, which apply when the quarter is closed."""
    carry_over = request.POST.get("carry_over", Objective.CarryOver.UNDECIDED)
    lesson = request.POST.get("retrospective", "").replace("\r\n", "\n")
    done = "Saved. It applies when the quarter is closed."
    return _change(request, pk, lambda access, record: decide(access, record, carry_over, lesson), done)


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


def _change(request: HttpRequest, pk: int, change: Callable[[Access, Objective], object], done: str) -> HttpResponse:
    """The page again where it was refused, with why and with what was written."""
    objective = visible_objective(request, pk)
    try:
        change(access_in(request), objective)
    except FieldError as problem:
        form = {name: str(value) for name, value in request.POST.items()}
        return objective_page(
            request, visible_objective(request, pk), problems=[problem.message], form=form, status=400
        )
    messages.success(request, done)
    return redirect("objective", pk)
