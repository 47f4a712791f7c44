"""The persona roadmap: the metrics that matter to each persona by quarter, with the values of the reader's unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.page_links import Picker, url_with
from core.views import action_view, record_view
from insights.forecasts.listing import listed_forecasts
from insights.pages.answers import Answers
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.errors import QueryError
from insights.ui import wording
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from insights.ui.tiles import Agreed, Change
from integrations.delivery.records.initiatives import InitiativeKind
from orgtree.access.access import Access
from programs.models import Persona, PersonaMetric
from programs.roadmaps.pages.roadmap import views
from programs.roadmaps.services.personas import (
    FORECAST,
    HAND_KEPT,
    PERIOD,
    QUARTERS,
    all_personas,
    in_period,
    measured_metric,
    own_persona,
    persona_figures,
    restore_personas,
    why_unmeasured,
)

ADMIN = "admin:programs_persona_changelist"
ONLY_ADMINS = "Only admins can edit the persona roadmap."


@dataclass(frozen=True)
class MetricLine:
    """A metric as a cell shows it.  `reason` says why there is no value."""

    label: str
    name: str  # the metric's own name, if the persona's differs
    url: str
    value: str
    unit: str
    change: Change | None
    agreed: Agreed | None
    reason: str
    setup_url: str  # the page where it can be set up
    is_hidden: bool
    by_hand: bool


@dataclass(frozen=True)
class PersonaLine:
    persona: Persona
    is_own: bool
    is_first: bool
    first_url: str  # moves the persona to the top
    cells: Sequence[Sequence[MetricLine]]


@dataclass(frozen=True)
class PersonaParams:
    filters: Filters
    persona: str  # the slug of the persona chosen to be first

    def url(self, **changed: str) -> str:
        return self.filters.url(reverse("persona_roadmap"), **{"persona": self.persona, **changed})


@record_view
def persona_roadmap(request: HttpRequest) -> HttpResponseBase:
    access, today = access_in(request), windows.local_today()
    params = _read_params(request)
    around = scope_navigation(request, params.filters)
    known, filters = all_personas(), in_period(params.filters)
    if params.persona and params.persona not in {persona.slug for persona in known}:
        raise QueryError("persona", f"persona= is one of: {', '.join(persona.slug for persona in known)}.")
    own = own_persona(known, access)
    first = params.persona or (own.slug if own else "")
    known.sort(key=lambda persona: persona.slug != first)
    figures = persona_figures(known, filters)
    is_admin = bool(getattr(request.user, "is_superuser", False))
    own_params = {"persona": params.persona} if params.persona else {}
    context: dict[str, Any] = {
        "scope": scope_bar(params.filters, around, {}, request.path, extra_params=own_params),
        "whose": scope_words(params.filters, around),
        "window_days": wording.days(filters.window),
        "views": views("personas"),
        "periods": [
            Picker(label, params.url(period="" if value == PERIOD.default else value), value == _period(params))
            for value, label in PERIOD.options.items()
        ],
        "columns": [(number, number == _number(today)) for number in QUARTERS],
        "rows": [
            PersonaLine(
                persona,
                is_own=persona == own,
                is_first=persona.slug == first,
                first_url=params.url(persona="" if persona == own else persona.slug),
                cells=[
                    [_metric(row, figures, filters) for row in persona.metrics.all() if row.quarter == quarter]
                    for quarter in QUARTERS
                ],
            )
            for persona in known
        ],
        "admin_url": reverse(ADMIN) if is_admin else "",
        "restore_url": reverse("personas_restore") if is_admin else "",
    }
    return render(request, "programs/roadmaps/personas.html", context)


@action_view
def personas_restore(request: HttpRequest) -> HttpResponse:
    if not getattr(request.user, "is_superuser", False):
        raise PermissionDenied(ONLY_ADMINS)
    restore_personas()
    messages.success(request, "The six built-in personas are restored. Personas that you added are unchanged.")
    return redirect("persona_roadmap")


def _read_params(request: HttpRequest) -> PersonaParams:
    """The parameters of the request.  Raises QueryError."""
    filters = filters_of(request, (PERIOD,), facets=())
    return PersonaParams(filters, request.GET.get("persona", "").strip()[:60])


def _period(params: PersonaParams) -> str:
    return params.filters.picked[PERIOD.parameter]


def _number(today: Any) -> int:
    """The number of the current quarter within the fiscal year."""
    return int(windows.quarter_name(windows.quarter_of(today).start)[-1])


def _metric(row: PersonaMetric, figures: Answers, filters: Filters) -> MetricLine:
    metric = measured_metric(row.metric)
    if row.metric == FORECAST:
        return _forecast(row, filters)
    if metric is None:
        reason, setup_url = why_unmeasured(row.metric), _setup_url(row.metric, filters.access)
        return MetricLine(row.label, "", "", "", "", None, None, reason, setup_url, is_hidden=False, by_hand=False)
    tile = figures.tile(row.metric)
    return MetricLine(
        label=row.label,
        name="" if metric.name.casefold() == row.label.casefold() else metric.name,
        url=figures.filters.url(reverse("metric_page", args=[row.metric])),
        value=tile.value or "",
        unit=tile.unit,
        change=replace(tile.change, comparison=_comparison(filters)) if tile.change else None,
        agreed=tile.agreed,
        reason="" if tile.value else tile.reason,
        setup_url="",
        is_hidden=tile.state == "hidden",
        by_hand=metric.is_hand_kept,
    )


def _forecast(row: PersonaMetric, filters: Filters) -> MetricLine:
    """The number of open epics with a planned date that will be finished by then, with 85 % odds."""
    epics = listed_forecasts(
        InitiativeKind.EPIC, filters.access, people=filters.people_filter, own_only=False, today=filters.today
    )
    planned = [made for made in epics.forecasts if made.planned_on and made.dates]
    on_time = len(planned) - len(epics.at_risk)
    return MetricLine(
        label=row.label,
        name="Open epics on time",
        url=filters.url(reverse("planning_tab", args=["forecast"])),
        value=f"{on_time} of {len(planned)}" if planned else "",
        unit="",
        change=None,
        agreed=None,
        reason="" if planned else "No open epic has a planned day and a forecast.",
        setup_url="",
        is_hidden=False,
        by_hand=False,
    )


def _comparison(filters: Filters) -> str:
    return "vs. the same days of the previous quarter" if filters.range == "quarter" else "vs. previous quarter"


def _setup_url(key: str, access: Access) -> str:
    """The page that makes a missing metric available, for viewers who may use it.

    A hand-kept metric is defined there; others need a connection.
    """
    if not access.visibility.leads_whole:
        return ""
    if key.startswith(HAND_KEPT):
        return url_with(reverse("hand_kept_new"), {"template": key.removeprefix(HAND_KEPT)})
    return reverse("integrations")
