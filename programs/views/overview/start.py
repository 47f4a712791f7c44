"""The guided start: pilot teams and a starter set, their baseline, three suggestions, and the first objective.

All that was chosen stands in the address, so that it can be shared and printed; nothing is stored until somebody sets
an objective or key indicators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from insights import windows, wording
from insights.filters import BadFilterError
from insights.metrics.declarations import Metric
from insights.scope_access import access_in
from insights.views.bad_filter import explains_bad_filters
from orgtree.models import Unit
from orgtree.models.sight import Sight
from orgtree.services.access import Access
from programs.models import Objective, Quarter
from programs.queries.focus import focus_of_units
from programs.services.benchmarks.standing import STANDS_OVER_WEEKS, Asked, Stand, asked_about, stands_of_units
from programs.services.benchmarks.starter_sets import STARTER_SETS, StarterSet
from programs.services.first_steps import MOST_PILOT_TEAMS, FirstStep, first_steps
from programs.services.quarters import current_quarter
from programs.views.choices import WHOLE, units_to_write_for

DEFAULT_SET = "dora"


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    why: str
    chosen: bool


@dataclass(frozen=True)
class BaselineCell:
    value: str
    sample: str
    reason: str
    url: str


@dataclass(frozen=True)
class BaselineRow:
    """One indicator, and where each pilot team stands."""

    name: str
    meaning: str
    cells: Sequence[BaselineCell]


@dataclass(frozen=True)
class Team:
    """A pilot team: what it concentrates on already, and its objective of the quarter."""

    name: str
    indicators: str
    number: int  # of the focus version that would be replaced
    begin_url: str
    has_objective: bool
    objective_url: str


@dataclass(frozen=True)
class StepLine:
    """A suggestion in words, and where it leads."""

    title: str
    now: str
    to: str
    source: str
    why: str
    objective_url: str
    benchmark_url: str


@login_required
@never_cache
@require_GET
@explains_bad_filters
def program_start(request: HttpRequest) -> HttpResponse:
    access = _leader(request)
    units, chosen_set = _asked(request, access.sight)
    offered = [(slug, name) for slug, name in units_to_write_for(access.sight) if slug != WHOLE]
    slugs = [unit.slug for unit in units]
    quarter = current_quarter()
    context: dict[str, Any] = {
        "teams_offered": [Choice(slug, name, "", slug in slugs) for slug, name in offered],
        "sets": [Choice(each.slug, each.name, each.why, each is chosen_set) for each in STARTER_SETS.values()],
        "most": MOST_PILOT_TEAMS,
        "chosen": chosen_set,
        "quarter": quarter,
        "span": wording.count(STANDS_OVER_WEEKS, "week"),
        "units": [unit.name for unit in units],
    }
    if units:
        context["baseline"] = _baseline(chosen_set, units, access)
        context["suggestions_url"] = f"{reverse('program_start_suggestions')}?{request.GET.urlencode()}"
        context["teams"] = _teams(units, chosen_set, quarter)
    return render(request, "programs/overview/start.html", context)


@login_required
@never_cache
@require_GET
@explains_bad_filters
def program_start_suggestions(request: HttpRequest) -> HttpResponse:
    """Apart from the page: it looks at five quarters and all comparable units of each team."""
    access = _leader(request)
    units, chosen_set = _asked(request, access.sight)
    quarter = current_quarter()
    found = first_steps(units, chosen_set.metrics, access, today=windows.local_today())
    context = {"steps": [_line(step, quarter) for step in found], "units": units}
    return render(request, "programs/overview/_suggestions.html", context)


def _leader(request: HttpRequest) -> Access:
    access = access_in(request)
    if not (access.sight.leads_whole or access.sight.managed_ids):
        raise PermissionDenied("The program is begun by the managers of a unit, by executives and by admins.")
    return access


def _asked(request: HttpRequest, sight: Sight) -> tuple[list[Unit], StarterSet]:
    """The pilot teams and the starter set of the address.  Raises BadFilterError."""
    slug = request.GET.get("set", DEFAULT_SET)
    if slug not in STARTER_SETS:
        raise BadFilterError("set", f"set= is one of: {', '.join(STARTER_SETS)}.")
    slugs = list(dict.fromkeys(each.replace("\x00", "") for each in request.GET.getlist("unit") if each))
    if len(slugs) > MOST_PILOT_TEAMS:
        raise BadFilterError("unit", f"Begin with at most {MOST_PILOT_TEAMS} teams: what works there can spread.")
    led = {unit.slug: unit for unit in Unit.objects.within(sight).filter(slug__in=slugs) if sight.leads(unit.pk)}
    missing = [each for each in slugs if each not in led]
    if missing:
        raise BadFilterError("unit", f"There is no unit “{missing[0][:80]}” that you lead.")
    return [led[each] for each in slugs], STARTER_SETS[slug]


def _baseline(chosen: StarterSet, units: Sequence[Unit], access: Access) -> list[BaselineRow]:
    today = windows.local_today()
    rows = []
    for metric in chosen.metrics:
        asked = asked_about(metric, "")
        stood = stands_of_units(asked, units, access, today=today)
        cells = [_cell(metric, asked, stood.get(unit.pk), unit) for unit in units]
        rows.append(BaselineRow(metric.name, metric.meaning, cells))
    return rows


def _cell(metric: Metric, asked: Asked, stand: Stand | None, unit: Unit) -> BaselineCell:
    url = f"{reverse('metric_page', args=[metric.key])}?{urlencode({'unit': unit.slug})}"
    if stand is None or stand.value is None:
        return BaselineCell("", "", stand.reason if stand else "Not yours to see.", url)
    period = f" {asked.period.label.lower()}" if asked.period else ""
    return BaselineCell(f"{wording.reading(stand.value, metric.unit)}{period}", f"of {stand.sample_size:,}", "", url)


def _teams(units: Sequence[Unit], chosen: StarterSet, quarter: Quarter) -> list[Team]:
    focus = focus_of_units([unit.pk for unit in units])
    agreed: Mapping[int | None, int] = dict(
        Objective.objects.filter(
            quarter=quarter, unit__in=units, is_mandatory=True, published_at__isnull=False, dropped_at=None
        ).values_list("unit", "pk")
    )
    new = reverse("objective_new")
    teams = []
    for unit in units:
        known = focus.get(unit.pk)
        asked = {"unit": unit.slug, "quarter": quarter.start.isoformat(), "mandatory": "1"}
        teams.append(
            Team(
                name=unit.name,
                indicators="those of this set"
                if known and known.indicators == [metric.key for metric in chosen.metrics]
                else wording.count(len(known.indicators), "key indicator")
                if known and known.indicators
                else "",
                number=known.number if known else 0,
                begin_url=f"{reverse('focus_begin')}?{urlencode({'unit': unit.slug})}",
                has_objective=unit.pk in agreed,
                objective_url=reverse("objective", args=[agreed[unit.pk]])
                if unit.pk in agreed
                else f"{new}?{urlencode(asked)}",
            )
        )
    return teams


def _line(step: FirstStep, quarter: Quarter) -> StepLine:
    asked = {
        "unit": step.unit.slug,
        "quarter": quarter.start.isoformat(),
        "metric": step.metric.key,
        "mandatory": "1",
    }
    return StepLine(
        title=f"{step.metric.name} of {step.unit.name}",
        now=str(wording.reading(step.here.value or 0.0, step.metric.unit)),
        to=str(wording.reading(step.value, step.metric.unit)),
        source=step.suggestion.title,
        why=step.suggestion.why,
        objective_url=f"{reverse('objective_new')}?{urlencode(asked)}",
        benchmark_url=f"{reverse('benchmark_edit', args=[step.metric.key])}?{urlencode({'unit': step.unit.slug})}",
    )
