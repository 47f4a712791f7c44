"""Adds, changes and removes intents on the team roadmap, and fills it from the example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from core.edit_conflicts import field_differences
from core.forms import posted
from core.views import action_view, form_view
from core.write_errors import ConflictError, FieldError
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from insights.ui.scope_bar import EVERYBODY, unit_name
from orgtree.models.visibility import Visibility
from programs.models import ObjectiveTemplate, RoadmapIntent
from programs.models.objectives import LONGEST_TITLE
from programs.quarters.fiscal_quarters import quarters_from
from programs.quarters.pages import quarters
from programs.requests.visible import visible_intent
from programs.roadmaps.pages.places import (
    PlaceForm,
    back_to_roadmap,
    place_of,
    safe_back,
)
from programs.roadmaps.pages.roadmap import ROWS_ON_A_PAGE, read_params
from programs.roadmaps.queries.team_roadmap import QUARTERS_SHOWN, RoadmapRow, team_roadmap
from programs.roadmaps.services.intents import (
    EXAMPLE_OF_ORGANISATION,
    EXAMPLES_OF_TEAMS,
    ONLY_LEADERS,
    add_intent,
    change_intent,
    fill_from_example,
    remove_intent,
)
from programs.teams.pages import WHOLE, offer, word_of


class IntentForm(PlaceForm):
    template = forms.ChoiceField(
        label="Template", required=False, help_text="Headway proposes its key results when you write the objective."
    )
    title = forms.CharField(
        label="Title",
        required=False,
        max_length=LONGEST_TITLE,
        help_text="Leave empty to use the template’s name.",
    )
    field_order = ("template", "title", "unit", "quarter", "version")

    def __init__(self, *args: Any, stored: RoadmapIntent | None = None, **kwargs: Any) -> None:
        super().__init__(*args, stored=stored, **kwargs)
        offered = list(ObjectiveTemplate.objects.filter(is_offered=True).values_list("slug", "name"))
        if stored and stored.template and stored.template not in dict(offered):
            offered.append((stored.template, f"{stored.template}, which is no longer offered"))
        offer(self, "template", [("", "None"), *offered])

    def given(self) -> dict[str, Any]:
        return {**super().given(), "unit": self.chosen_unit}


@form_view
def roadmap_intent_new(request: HttpRequest) -> HttpResponse:
    """The form of a new intent; `unit` and `quarter` in the address fill it in."""
    access, known = access_in(request), quarters(windows.local_today())
    if not access.visibility.leads_any:
        raise PermissionDenied(ONLY_LEADERS)
    page = {"title": "Add to the roadmap", "action": request.get_full_path()}
    initial = {name: request.GET.get(name, "") for name in ("unit", "quarter", "template")}
    form = IntentForm(posted(request), visibility=access.visibility, known=known, initial=initial)
    if added := form.save_by(lambda: add_intent(access, form.given())):
        messages.success(request, f"“{added.title}” added to {added.quarter} of {unit_name(added.unit)}.")
        return back_to_roadmap(request, added.card_key)
    return _form_page(request, form, page)


@form_view
def roadmap_intent(request: HttpRequest, pk: int) -> HttpResponse:
    """An intent, with its form for those who can change it."""
    access, known = access_in(request), quarters(windows.local_today())
    intent = visible_intent(pk, access)
    may_write = access.visibility.leads(intent.unit_id) and not intent.quarter.is_closed
    page = {
        "title": intent.title,
        "intent": intent,
        "template": ObjectiveTemplate.objects.filter(slug=intent.template).first() if intent.template else None,
        "place": f"{unit_name(intent.unit)}, {intent.quarter}",
        "may_write": may_write,
        "write_url": f"{reverse('objective_new')}?intent={pk}" if may_write else "",
        "action": reverse("roadmap_intent", args=[pk]),
    }
    given = posted(request)
    if given is not None and not may_write:
        raise PermissionDenied(ONLY_LEADERS)
    fields = _intent_fields(intent)
    form = IntentForm(given, visibility=access.visibility, known=known, stored=intent, initial=fields)
    if changed := form.save_by(
        lambda: change_intent(access, intent, form.given(), of_version=form.of_version),
        lambda stored: field_differences(form, _intent_fields(stored)),
    ):
        messages.success(request, "Saved.")
        return back_to_roadmap(request, changed.card_key)
    return _form_page(request, form, page)


@action_view
def roadmap_intent_remove(request: HttpRequest, pk: int) -> HttpResponse:
    access = access_in(request)
    intent = visible_intent(pk, access)
    try:
        remove_intent(access, intent)
    except (FieldError, ConflictError) as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, f"“{intent.title}” removed from {intent.quarter} of {unit_name(intent.unit)}.")
    return back_to_roadmap(request, "")


@form_view
def roadmap_example(request: HttpRequest) -> HttpResponse:
    """Fills empty rows with the method's example: `rows` are slugs, or WHOLE."""
    access, known = access_in(request), quarters(windows.local_today())
    if not access.visibility.leads_any:
        raise PermissionDenied(ONLY_LEADERS)
    first = known.current if not known.current.is_closed else known.open()[0]
    unit = read_params(request, access, known).unit
    ahead = team_roadmap(quarters_from(known.known, first.start, QUARTERS_SHOWN), access, unit=unit)
    empty = [row for row in ahead.rows if row.is_empty and _may_fill(access.visibility, row)]
    context: dict[str, Any] = {
        "empty": [(word_of(row.unit), unit_name(row.unit), row.above) for row in empty[:ROWS_ON_A_PAGE]],
        "quarters": ahead.quarters,
        "example": [
            (EVERYBODY, EXAMPLE_OF_ORGANISATION),
            *((f"Team {name}", row) for name, row in zip("AB", EXAMPLES_OF_TEAMS, strict=True)),
        ],
        "action": request.get_full_path(),
        "back": safe_back(request),
    }
    if request.method == "GET":
        return render(request, "programs/roadmaps/example.html", context)
    offered = {slug for slug, _, _ in context["empty"]}
    chosen = [slug for slug in request.POST.getlist("rows") if slug in offered]
    if not chosen:
        context["problem"] = "Choose at least one row that is empty."
        return render(request, "programs/roadmaps/example.html", context, status=400)
    try:
        added = fill_from_example(access, [None if slug == WHOLE else slug for slug in chosen], first=first)
    except FieldError as problem:
        context["problem"] = str(problem)
        return render(request, "programs/roadmaps/example.html", context, status=400)
    messages.success(
        request,
        f"{wording.count(len(chosen), 'row')} filled with the example: {len(added)} intents. Change what does not fit.",
    )
    return back_to_roadmap(request, "")


def _may_fill(visibility: Visibility, row: RoadmapRow) -> bool:
    return (row.unit is None or row.is_team) and visibility.leads(row.unit.pk if row.unit else None)


def _form_page(request: HttpRequest, form: IntentForm, page: Mapping[str, Any]) -> HttpResponse:
    context = {**page, "form": form, "back": safe_back(request)}
    return render(request, "programs/roadmaps/intent.html", context, status=form.status)


def _intent_fields(intent: RoadmapIntent) -> dict[str, str]:
    return {**place_of(intent), "template": intent.template, "title": intent.title}
