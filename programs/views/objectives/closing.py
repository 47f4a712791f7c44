"""Closing a quarter: what would be frozen, what becomes of each objective, and what was learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from insights import windows, wording
from insights.scope_access import access_in
from insights.views.scope_bar import EVERYBODY
from programs.models import Objective, Quarter
from programs.services.objectives.closing import ClosingLine as Closing
from programs.services.objectives.closing import QuarterError, close_quarter, preview_closing
from programs.services.objectives.errors import MayNotWriteObjectiveError
from programs.views.objectives.quarters import known_quarter, passed_words, quarter_url
from programs.views.objectives.words import ObjectiveLine, objective_line

ONLY_LEADERS = "A quarter is closed by executives and admins."
DECISION, RETROSPECTIVE = "decision-", "retrospective-"  # field names end with the objective's id


@dataclass(frozen=True)
class ClosingLine:
    """An objective with what is decided of it."""

    line: ObjectiveLine
    score: str
    decision: str
    retrospective: str


@dataclass(frozen=True)
class DraftLine:
    """A draft, which ends with the quarter unless it is carried over."""

    pk: int
    title: str
    unit: str
    url: str
    decision: str


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def quarter_close(request: HttpRequest, start: str) -> HttpResponse:
    """`decision-<id>` and `retrospective-<id>` for each objective, `retrospective`, and `forced_because` where it is
    not over yet.
    """
    access = access_in(request)
    quarter = known_quarter(start)
    if not access.sight.leads_whole:
        raise PermissionDenied(ONLY_LEADERS)
    if quarter.is_closed:
        messages.info(request, f"{quarter} is closed.")
        return redirect(quarter_url(quarter))
    if quarter.start > windows.local_today():
        messages.warning(request, f"{quarter} has not begun: there is nothing to close yet.")
        return redirect(f"{reverse('objectives')}?quarter={quarter.start}")
    if request.method == "GET":
        return _closing_page(request, quarter)
    said = {name: str(value).replace("\r\n", "\n") for name, value in request.POST.items()}
    try:
        close_quarter(
            access,
            quarter,
            decisions={
                pk: Objective.CarryOver(word)
                for pk, word in _by_objective(said, DECISION).items()
                if word in Objective.CarryOver.values
            },
            retrospectives=_by_objective(said, RETROSPECTIVE),
            retrospective=said.get("retrospective", ""),
            forced_because=said.get("forced_because", ""),
        )
    except QuarterError as problem:
        return _closing_page(request, known_quarter(start), said=said, problem=str(problem), status=400)
    except MayNotWriteObjectiveError as refusal:
        raise PermissionDenied(str(refusal)) from None
    messages.success(request, f"{quarter} is closed. This is how it stays.")
    return redirect(quarter_url(quarter))


def _closing_page(
    request: HttpRequest,
    quarter: Quarter,
    *,
    said: Mapping[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """What is written so far stays in the form."""
    today = windows.local_today()
    found = preview_closing(access_in(request), quarter)
    said = said or {}
    context: dict[str, Any] = {
        "quarter": quarter,
        "quarter_days": wording.days(quarter.window),
        "passed": passed_words(quarter, today),
        "preview": found,
        "lines": [_line(each, said, today) for each in found.lines],
        "drafts": [_draft(each, said) for each in found.drafts],
        "undecided": len(found.undecided),
        "decisions": [(value, label) for value, label in Objective.CarryOver.choices if value != "undecided"],
        "retrospective": said.get("retrospective", quarter.retrospective),
        "forced_because": said.get("forced_because", ""),
        "problem": problem,
        "back_url": f"{reverse('objectives')}?quarter={quarter.start}",
    }
    return render(request, "programs/objectives/close.html", context, status=status)


def _line(found: Closing, said: Mapping[str, str], today: date) -> ClosingLine:
    objective = found.objective
    return ClosingLine(
        line=objective_line(found.progress, today),
        score="–" if found.score is None else f"{found.score:.2f}",
        decision=said.get(f"{DECISION}{objective.pk}", found.carry_over),
        retrospective=said.get(f"{RETROSPECTIVE}{objective.pk}", objective.retrospective),
    )


def _draft(objective: Objective, said: Mapping[str, str]) -> DraftLine:
    return DraftLine(
        objective.pk,
        objective.title,
        objective.unit.name if objective.unit else EVERYBODY,
        reverse("objective", args=[objective.pk]),
        said.get(f"{DECISION}{objective.pk}", objective.carry_over),
    )


def _by_objective(said: Mapping[str, str], prefix: str) -> dict[int, str]:
    words = {name.removeprefix(prefix): value for name, value in said.items() if name.startswith(prefix)}
    return {int(word): value for word, value in words.items() if word.isdecimal() and len(word) < 18}
