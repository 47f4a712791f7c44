"""The guided start: pilot teams and a starter set, their baseline, three suggestions, and the first objective.

All choices are in the URL, so that it can be shared; nothing is stored until somebody sets an objective or key
indicators.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from core.page_links import url_with
from core.views import record_view
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.models.visibility import Visibility
from programs.benchmarks.services.current_values import STANDS_OVER_WEEKS
from programs.benchmarks.services.focusing import STARTER_SETS
from programs.quarters.fiscal_quarters import current_quarter
from programs.start.pilot_teams import (
    DEFAULT_SET,
    MOST_PILOT_TEAMS,
    StartSelection,
    baseline_report,
    check_begins,
    chosen_teams,
    first_steps,
    pilot_teams,
)
from programs.teams.fields import units_led


@record_view
def program_start(request: HttpRequest) -> HttpResponse:
    access = _leader(request)
    selection = _params(request, access.visibility)
    quarter = current_quarter()
    context: dict[str, Any] = {
        "teams_offered": units_led(access.visibility),
        "sets": STARTER_SETS.values(),
        "most": MOST_PILOT_TEAMS,
        "chosen": selection.chosen,
        "quarter": quarter,
        "span": wording.count(STANDS_OVER_WEEKS, "week"),
        "units": selection.units,
        "slugs": [unit.slug for unit in selection.units],
    }
    if selection.units:
        context["baseline"] = baseline_report(selection, access)
        context["suggestions_url"] = url_with(reverse("program_start_suggestions"), request.GET)
        context["teams"] = pilot_teams(selection, quarter)
    return render(request, "programs/overview/start.html", context)


@record_view
def program_start_suggestions(request: HttpRequest) -> HttpResponse:
    """The suggestions, loaded after the page because they read five quarters and all comparable units of each team."""
    access = _leader(request)
    selection = _params(request, access.visibility)
    steps = first_steps(selection.units, selection.chosen.metrics, access, today=windows.local_today())
    context = {"steps": steps, "quarter": current_quarter()}
    return render(request, "programs/overview/_suggestions.html", context)


def _leader(request: HttpRequest) -> Access:
    access = access_in(request)
    check_begins(access.visibility)
    return access


def _params(request: HttpRequest, visibility: Visibility) -> StartSelection:
    """The pilot teams and the starter set in the address.  Raises QueryError."""
    return chosen_teams(visibility, request.GET.get("set", DEFAULT_SET), request.GET.getlist("unit"))
