"""The page that closes a quarter: preview, carry-over decisions and retrospectives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.form_page import Consequences
from core.page_links import page_links, read_page
from core.views import form_view
from core.write_errors import FieldError
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from programs.closing.services.closing import NOT_STARTED, ClosingPreview, close_quarter, preview_closing
from programs.models import Objective, Quarter
from programs.objectives.pages.labels import objective_line
from programs.objectives.services.writing import keep_decisions
from programs.quarters.pages import elapsed_text, quarter_url
from programs.requests.visible import known_quarter

ONLY_LEADERS = "Only executives and admins can close a quarter."
PAGE_SIZE = 25
DECISION, RETROSPECTIVE = "decision-", "retrospective-"  # field names end with the objective's id


@form_view
def quarter_close(request: HttpRequest, start: str) -> HttpResponseBase:
    """Closes the quarter from the form.

    Fields: `decision-<id>` and `retrospective-<id>` for the objectives on the shown page, `retrospective`, and
    `forced_because` if the quarter is not over yet.  With `keep`, they are stored and the quarter stays open.
    """
    access = access_in(request)
    quarter = known_quarter(start)
    if not access.visibility.leads_whole:
        raise PermissionDenied(ONLY_LEADERS)
    if quarter.is_closed:
        messages.info(request, f"{quarter} is closed.")
        return redirect(quarter_url(quarter))
    if quarter.start > windows.local_today():
        messages.warning(request, NOT_STARTED.format(quarter=quarter))
        return redirect(f"{reverse('objectives')}?quarter={quarter.start}")
    if request.method == "GET":
        return _closing_page(request, quarter)
    form = {name: str(value).replace("\r\n", "\n") for name, value in request.POST.items()}
    decisions = {pk: word for pk, word in _by_objective(form, DECISION).items() if word in Objective.CarryOver.values}
    changes: dict[str, Any] = {
        "retrospectives": _by_objective(form, RETROSPECTIVE),
        "retrospective": form.get("retrospective", ""),
    }
    try:
        if "keep" in form:
            keep_decisions(access, quarter, decisions=decisions, **changes)
            messages.success(request, f"Saved. {quarter} is still open.")
            return redirect(f"{request.path}?page={form.get('next_page') or read_page(request)}")
        close_quarter(
            access,
            quarter,
            decisions={pk: Objective.CarryOver(word) for pk, word in decisions.items()},
            forced_because=form.get("forced_because", ""),
            **changes,
        )
    except FieldError as problem:
        return _closing_page(request, known_quarter(start), form=form, problem=str(problem), status=400)
    messages.success(request, f"{quarter} is closed. The document is final.")
    return redirect(quarter_url(quarter))


def _closing_page(
    request: HttpRequest,
    quarter: Quarter,
    *,
    form: Mapping[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page with any unsaved input.  Drafts come after published objectives, on the last pages."""
    today = windows.local_today()
    wanted_page = max(1, read_page(request))
    preview = preview_closing(access_in(request), quarter, page=_page_slice(wanted_page))
    number = preview.total + preview.drafts_total
    page = Paginator(range(number), PAGE_SIZE).get_page(wanted_page)
    if page.number != wanted_page:  # objectives were dropped meanwhile
        preview = preview_closing(access_in(request), quarter, page=_page_slice(page.number))
    form = form or {}
    context: dict[str, Any] = {
        "quarter": quarter,
        "quarter_days": wording.days(quarter.window),
        "passed": elapsed_text(quarter, today),
        "preview": preview,
        "lines": [
            (
                objective_line(line, today),
                line.progress,
                form.get(f"{DECISION}{line.objective.pk}", line.objective.carry_over),
                form.get(f"{RETROSPECTIVE}{line.objective.pk}", line.objective.retrospective),
            )
            for line in preview.lines
        ],
        "is_paged": page.has_other_pages(),
        "next_page": page.next_page_number() if page.has_next() else "",
        **page_links(page, lambda number: f"?page={number}"),
        "drafts": [(draft, form.get(f"{DECISION}{draft.pk}", draft.carry_over)) for draft in preview.drafts],
        "more_without_value": preview.without_value_total - len(preview.without_value),
        "more_teams": preview.teams_total - len(preview.teams_without_objective),
        "decisions": [(value, label) for value, label in Objective.CarryOver.choices if value != "undecided"],
        "retrospective": form.get("retrospective", quarter.retrospective),
        "forced_because": form.get("forced_because", ""),
        "problem": problem,
        "consequences": _consequences(preview),
        "back_url": f"{reverse('objectives')}?quarter={quarter.start}",
    }
    return render(request, "programs/objectives/close.html", context, status=status)


def _consequences(preview: ClosingPreview) -> Consequences:
    undecided, teams = preview.undecided, preview.teams_total
    ends = "it ends" if undecided == 1 else "they end"
    missing = [
        *preview.needs_reason,
        *([f"{wording.count(undecided, 'objective')} undecided: {ends} with the quarter."] if undecided else []),
        *([f"{wording.count(preview.drafts_total, 'draft')} never published."] if preview.drafts_total else []),
        *([f"{wording.count(teams, 'team')} without an objective."] if teams else []),
    ]
    return Consequences(
        permanent="Every objective with its values, scores and texts, in one read-only document. A closed quarter is "
        "not opened again; objectives that are carried over become drafts of the next one.",
        missing=missing,
        readers="Everybody, each the objectives and figures that they may see today.",
    )


def _page_slice(page: int) -> slice:
    return slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)


def _by_objective(form: Mapping[str, str], prefix: str) -> dict[int, str]:
    words = {name.removeprefix(prefix): value for name, value in form.items() if name.startswith(prefix)}
    return {int(word): value for word, value in words.items() if word.isdecimal() and len(word) < 18}
