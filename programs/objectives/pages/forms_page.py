"""Creates and edits objectives.  An edit of an outdated version is answered with both versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from core.edit_conflicts import renumber
from core.write_errors import ConflictError, FieldError, MayNotWriteError
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui.amounts import written
from orgtree.access.access import Access
from orgtree.models import Person
from programs.key_results.pages.baselines import baseline_lines
from programs.key_results.services.reading import unit_of_metric
from programs.models import KeyResult, Objective, Quarter, RoadmapIntent, TargetKind
from programs.objectives.pages.conflict import differences
from programs.objectives.pages.form import KeyResultRows, ObjectiveForm, amounts_written, key_result_rows
from programs.objectives.pages.page import visible_objective
from programs.objectives.services.drafts import ObjectiveDraft
from programs.objectives.services.templates import draft_from, objective_templates
from programs.objectives.services.writing import add_objective, change_objective, may_change
from programs.quarters.pages import quarters
from programs.requests.fields import LONGEST_ID
from programs.teams.pages import WHOLE, units_to_write_for
from programs.teams.writing_for import suggested_owners

CONFLICT = (
    "Somebody changed this objective while you were editing. Your version is not saved: both versions are "
    "below. Adjust yours and save again."
)
ONLY_LEADERS = "Objectives are written by the managers of a unit, by executives and by admins."
ONLY_OWNERS = (
    "An objective is changed by its owner, by the managers of its unit, by executives and by admins, until its quarter "
    "is closed."
)
BLANK = "blank"
STARTS = ("template", "metric", "parent", "intent")


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def objective_new(request: HttpRequest) -> HttpResponse:
    """`unit`, `quarter`, `template`, `metric`, `statistic` and `parent` in the address fill the form in, and so does
    an `intent` of the roadmap with what it names.

    Without any of the last four the page asks first with what to begin.
    """
    access = _access_of_writer(request)
    open_quarters = quarters(windows.local_today()).open()
    if request.method == "GET" and not any(request.GET.get(name) for name in STARTS):
        return _choose_page(request, access, open_quarters)
    page = {"title": "New objective", "back_url": reverse("objectives"), "is_draft": True}
    if request.method == "GET":
        form, rows = _started(request, access, open_quarters)
        return _form_page(request, form, rows, page)
    form = ObjectiveForm(request.POST, visibility=access.visibility, quarters=open_quarters)
    rows = key_result_rows(request.POST)
    if (draft := _draft(request, form, rows)) is not None:
        try:
            added = add_objective(access, draft)
        except FieldError as problem:
            _point_out(form, rows, problem)
        else:
            messages.success(request, "Objective published." if draft.publish else "Draft saved.")
            return redirect("objective", added.pk)
    return _form_page(request, form, rows, page)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def objective_edit(request: HttpRequest, pk: int) -> HttpResponse:
    access, objective = access_in(request), visible_objective(request, pk)
    if not may_change(access.visibility, objective):
        raise PermissionDenied(ONLY_OWNERS)
    open_quarters = quarters(windows.local_today()).open()
    stored = {result.pk: result for result in _key_results(objective)}
    page = {
        "title": "Change objective",
        "back_url": reverse("objective", args=[pk]),
        "known": pk,
        "is_draft": objective.published_at is None,
    }
    if request.method == "GET":
        form = ObjectiveForm(
            visibility=access.visibility, quarters=open_quarters, known=objective, initial=_filled_in(objective)
        )
        rows = key_result_rows(initial=[_row(row) for row in stored.values()], known=stored)
        return _form_page(request, form, rows, page)
    form = ObjectiveForm(request.POST, visibility=access.visibility, quarters=open_quarters, known=objective)
    rows = key_result_rows(request.POST, known=stored)
    if (draft := _draft(request, form, rows)) is not None:
        try:
            change_objective(access, objective, draft, of_version=form.cleaned_data["version"] or 0)
        except ConflictError as conflict:
            return _conflict_page(request, form, rows, conflict.stored, page)
        except FieldError as problem:
            _point_out(form, rows, problem)
        else:
            messages.success(request, "Objective saved.")
            return redirect("objective", pk)
    return _form_page(request, form, rows, page)


@login_required
@never_cache
@require_GET
def objective_baseline(request: HttpRequest) -> HttpResponse:
    """The baseline of one row of the form (`row`), for the unit, quarter and metric that are chosen in it."""
    access = _access_of_writer(request)
    word = request.GET.get("row", "")
    row = int(word) if word.isdecimal() and len(word) < 3 else 0
    rows = [(request.GET.get(f"key_results-{row}-metric", ""), request.GET.get(f"key_results-{row}-statistic", ""))]
    chosen = quarters(windows.local_today()).open()
    [line] = baseline_lines(rows, request.GET.get("unit", ""), request.GET.get("quarter", ""), chosen, access)
    return render(request, "programs/objectives/_baseline.html", {"line": line})


@login_required
@never_cache
@require_GET
def objective_parents(request: HttpRequest) -> HttpResponse:
    """What can be served, for the unit and quarter that are chosen in the form; `known` is the objective in it."""
    access = _access_of_writer(request)
    number = request.GET.get("known", "")
    known = visible_objective(request, int(number)) if number.isdecimal() and len(number) < 16 else None
    params = {name: request.GET.get(name, "") for name in ("unit", "quarter", "parent")}
    form = ObjectiveForm(
        visibility=access.visibility, quarters=quarters(windows.local_today()).open(), known=known, initial=params
    )
    return render(request, "programs/objectives/_parent.html", {"form": form})


def _access_of_writer(request: HttpRequest) -> Access:
    """Raises PermissionDenied for whoever can write for no unit."""
    access = access_in(request)
    if not access.visibility.leads_any:
        raise PermissionDenied(ONLY_LEADERS)
    return access


def _choose_page(request: HttpRequest, access: Access, open_quarters: Sequence[Quarter]) -> HttpResponse:
    """With what to begin: one of the templates, or nothing."""
    today = windows.local_today()
    current = next((quarter for quarter in open_quarters if quarter.start <= today < quarter.end), None)
    context = {
        "templates": objective_templates(),
        "units": units_to_write_for(access.visibility),
        "unit": request.GET.get("unit", ""),
        "quarters": [(quarter.start.isoformat(), str(quarter)) for quarter in open_quarters],
        "quarter": request.GET.get("quarter", current.start.isoformat() if current else ""),
        "mandatory": request.GET.get("mandatory", ""),
    }
    return render(request, "programs/objectives/begin.html", context)


def _started(
    request: HttpRequest, access: Access, open_quarters: Sequence[Quarter]
) -> tuple[ObjectiveForm, KeyResultRows]:
    """The empty form with what the address says; a template's with its baselines and the targets that follow."""
    params = {name: request.GET.get(name, "") for name in ("unit", "quarter", "parent", "metric", "template")}
    intent = _intent(request, access)
    if intent is not None:
        params |= {
            "unit": intent.unit.slug if intent.unit else WHOLE,
            "quarter": intent.quarter.start.isoformat(),
            "template": intent.template,
        }
    today = windows.local_today()
    quarter = next(
        (open_quarter for open_quarter in open_quarters if open_quarter.start.isoformat() == params["quarter"]), None
    )
    quarter = quarter or next(open_quarter for open_quarter in open_quarters if open_quarter.end > today)
    initial: dict[str, Any] = {
        "unit": params["unit"] or (WHOLE if access.visibility.leads_whole else _first_led(access)),
        "quarter": quarter.start.isoformat(),
        "owner": _own_address(access),
        "parent": params["parent"],
        "is_mandatory": bool(request.GET.get("mandatory")) or (intent is not None and _lacks_mandatory(intent)),
        "intent": intent.pk if intent else None,
    }
    rows: list[Mapping[str, Any]] = []
    template = params["template"]
    if template and template != BLANK:
        try:
            draft = draft_from(template, None if initial["unit"] == WHOLE else initial["unit"], quarter, access)
        except (FieldError, MayNotWriteError) as problem:
            messages.warning(request, str(problem))
        else:
            initial |= {"title": draft.title, "description": draft.description, "template": draft.template}
            rows = [_row_of_draft(result) for result in draft.key_results]
    elif params["metric"]:
        rows = [{"metric": params["metric"], "statistic": request.GET.get("statistic", "")}]
    if intent is not None:
        initial["title"] = intent.title
    form = ObjectiveForm(visibility=access.visibility, quarters=open_quarters, initial=initial)
    return form, key_result_rows(initial=rows)


def _intent(request: HttpRequest, access: Access) -> RoadmapIntent | None:
    """The one that the address names, where it is still there."""
    word = request.GET.get("intent", "")
    if not word.isdecimal() or len(word) > LONGEST_ID:
        return None
    intents = RoadmapIntent.objects.within(access.visibility).select_related("unit", "quarter")
    intent = intents.filter(pk=int(word)).first()
    if intent is None:
        messages.warning(request, "The roadmap no longer has what you wanted to write: somebody did, or removed it.")
    return intent


def _lacks_mandatory(intent: RoadmapIntent) -> bool:
    mandatory = Objective.objects.filter(unit=intent.unit, quarter=intent.quarter, is_mandatory=True, dropped_at=None)
    return intent.unit is not None and not mandatory.exists()


def _own_address(access: Access) -> str:
    """Of the viewer as a person; whoever writes an objective usually owns it."""
    own = access.visibility.person_id
    return Person.objects.filter(pk=own).values_list("email", flat=True).first() or "" if own is not None else ""


def _first_led(access: Access) -> str:
    """The slug of a unit that the viewer manages; empty where there is none."""
    home = access.visibility.home_unit
    if home is not None and access.visibility.slugs.get(home) in access.visibility.managed_ids:
        return home
    return next((slug for slug, pk in access.visibility.slugs.items() if pk in access.visibility.managed_ids), "")


def _draft(request: HttpRequest, form: ObjectiveForm, rows: KeyResultRows) -> ObjectiveDraft | None:
    """What was written; None where it cannot be, or only the baselines were asked for."""
    are_valid = [form.is_valid(), rows.is_valid()]
    if not all(are_valid) or "look" in request.POST:
        return None
    drafts = [draft for _, draft in rows.drafts()]
    return form.draft(drafts, publish="publish" in request.POST)


def _point_out(form: ObjectiveForm, rows: KeyResultRows, problem: FieldError) -> None:
    """Beside its field, where it is one of the form."""
    name, _, rest = problem.field.partition(".")
    position, _, field = rest.partition(".")
    if name == "key_results" and position.isdecimal():
        filled = [row for row, _ in rows.drafts()]
        if int(position) < len(filled):
            row = rows.forms[filled[int(position)]]
            named = "target" if field == "change_percent" else field
            row.add_error(named if named in row.fields else None, problem.message)
            return
    form.add_error(name if name in form.fields else None, problem.message)


def _conflict_page(
    request: HttpRequest, form: ObjectiveForm, rows: KeyResultRows, stored: Objective, page: dict[str, Any]
) -> HttpResponse:
    """What one wrote stays in the form, which is of the newest version now; beside it what the objective says."""
    stored_rows = [_row(result) for result in _key_results(stored)]
    context = {**page, "conflict": CONFLICT, "differences": differences(form, rows, _filled_in(stored), stored_rows)}
    renumber(form, "version", stored.version)
    return _form_page(request, form, rows, context, status=409)


def _key_results(objective: Objective) -> list[KeyResult]:
    return list(KeyResult.objects.filter(objective=objective.pk).select_related("objective").order_by("position"))


def _filled_in(objective: Objective) -> dict[str, Any]:
    """What the form of an objective that stands begins with."""
    return {
        "title": objective.title,
        "unit": objective.unit.slug if objective.unit else WHOLE,
        "quarter": objective.quarter.start.isoformat(),
        "description": objective.description,
        "owner": (objective.owner.email or "") if objective.owner else "",
        "parent": objective.parent_id or "",
        "is_mandatory": objective.is_mandatory,
        "template": objective.template,
        "version": objective.version,
    }


def _row(stored: KeyResult) -> dict[str, Any]:
    """What the row of a key result that stands begins with."""
    return {
        "id": stored.pk,
        "metric": stored.metric,
        "statistic": stored.statistic,
        "target_kind": stored.target_kind,
        "title": stored.title,
        "better": stored.better,
        "unit_of_measure": "" if stored.metric else stored.unit_of_measure,
        **amounts_written(stored),
    }


def _row_of_draft(draft: Any) -> dict[str, Any]:
    unit = unit_of_metric(draft.metric) or draft.unit_of_measure
    is_change = draft.target_kind == TargetKind.RELATIVE and draft.change_percent is not None
    return {
        "metric": draft.metric,
        "statistic": draft.statistic,
        "target_kind": draft.target_kind,
        "target": f"{draft.change_percent:g}%" if is_change else written(draft.target, unit),
        "title": draft.title,
        "better": draft.better,
        "unit_of_measure": draft.unit_of_measure,
        "baseline": "" if draft.metric else written(draft.baseline, unit),
    }


def _form_page(
    request: HttpRequest, form: ObjectiveForm, rows: KeyResultRows, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    access = access_in(request)
    queries = [(str(row["metric"].value() or ""), str(row["statistic"].value() or "")) for row in rows.forms]
    unit, quarter = str(form["unit"].value() or ""), str(form["quarter"].value() or "")
    lines = baseline_lines(queries, unit, quarter, quarters(windows.local_today()).open(), access)
    people: Sequence[Person] = suggested_owners(access.visibility)
    page = {
        **context,
        "form": form,
        "rows": rows,
        "numbered": list(zip(rows.forms, lines, strict=True)),
        "failed_rows": rows.is_bound and any(rows.errors),
        "owners": people,
        "action": request.get_full_path(),
    }
    failed = (form.is_bound and bool(form.errors)) or (rows.is_bound and any(rows.errors))
    status = 400 if failed and status == 200 else status
    return render(request, "programs/objectives/form.html", page, status=status)
