"""The list of objectives as CSV: a row for each key result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from insights import windows
from insights.scope_access import access_in
from insights.views.bad_filter import explains_bad_filters
from orgtree.csv_export import Cell, csv_response
from orgtree.services.access import Access
from programs.models import Objective
from programs.queries.key_result_progress import KeyResultProgress
from programs.queries.objectives import ObjectiveProgress, progress_of
from programs.views.objectives.amounts import unit_of
from programs.views.objectives.listing import found_objectives, read_asked
from programs.views.objectives.quarters import quarters

AT_ONCE = 200  # objectives whose figures are read together
HEAD = (
    *("Number", "Quarter", "Objective", "Unit", "Owner", "The team's objective", "Serves", "Standing", "Why"),
    *("Set by hand", "Key result", "Metric", "Statistic", "Unit of measure", "Kind of target", "Baseline", "Target"),
    *("Value", "Progress", "Forecast", "Forecast low", "Forecast high", "Standing of the key result"),
    "Why it stands so",
)


@login_required
@require_GET
@explains_bad_filters
def objectives_csv(request: HttpRequest) -> HttpResponseBase:
    """What the list is narrowed to, all of its pages; values in the metric's unit of measure, as the API has them."""
    access = access_in(request)
    asked = read_asked(request, access, quarters(windows.local_today()))
    found = list(found_objectives(asked, access))
    return csv_response("objectives", _rows(found, access, asked.filters.today))


def _rows(found: Sequence[Objective], access: Access, today: date) -> Iterator[Sequence[Cell]]:
    yield HEAD
    for start in range(0, len(found), AT_ONCE):
        for each in progress_of(found[start : start + AT_ONCE], access, today=today):
            of_objective = _objective(each)
            for key_result in each.key_results:
                yield (*of_objective, *_key_result(key_result))
            if not each.key_results:
                yield (*of_objective, *[None] * (len(HEAD) - len(of_objective)))


def _objective(found: ObjectiveProgress) -> Sequence[Cell]:
    objective = found.objective
    owner = objective.owner
    return (
        *(objective.pk, str(objective.quarter), objective.title, objective.unit.slug if objective.unit else ""),
        *((owner.email or owner.full_name) if owner else "", "yes" if objective.is_mandatory else "no"),
        *(objective.parent_id, found.shown.value, found.why, objective.override_reason),
    )


def _key_result(found: KeyResultProgress) -> Sequence[Cell]:
    key_result, forecast = found.key_result, found.forecast
    return (
        *(key_result.title, key_result.metric, key_result.statistic, unit_of(key_result), key_result.target_kind),
        *(found.baseline, found.target, found.value, found.progress),
        *((forecast.value, forecast.low, forecast.high) if forecast else (None, None, None)),
        *(found.standing.value, found.reason or found.why),
    )
