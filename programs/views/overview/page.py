"""The program's overview: how far each step is, what waits for the viewer, objectives, tickets and bottlenecks."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from insights import windows
from insights.filters import Filters, read_filters
from insights.scope_access import access_in, has_scope
from insights.views import answers
from insights.views.answers import InsightsPage, Wanted
from insights.views.bad_filter import explains_bad_filters
from insights.views.scope_bar import look_around, scope_bar, scope_words
from orgtree.models import Unit
from programs.queries.benchmarks import benchmarks_for, unit_of_scope
from programs.queries.focus import focus_of_units
from programs.queries.objective_counts import standing_counts
from programs.queries.objectives import ObjectiveFilter, filtered, progress_of
from programs.queries.reorganisation import reorganisation
from programs.queries.tickets import TicketFilter, ordered
from programs.queries.tickets import filtered as filtered_tickets
from programs.services.bottlenecks import METRICS
from programs.services.quarters import current_quarter
from programs.views.objectives.words import objective_lines
from programs.views.overview.bottlenecks import bottleneck_columns
from programs.views.overview.my_work import my_work, own_objectives
from programs.views.overview.steps import WANTED, doing_in, steps
from programs.views.tickets.words import ticket_lines

PROGRAM_PAGE = InsightsPage("program")
OBJECTIVES_LISTED, TICKETS_LISTED = 4, 6


@login_required
@never_cache
@require_GET
@explains_bad_filters
def program(request: HttpRequest) -> HttpResponse:
    filters = _filters(request)
    access, today = filters.access, filters.today
    around = look_around(request, filters)
    unit = unit_of_scope(filters.scope.unit)
    quarter = current_quarter()
    told = answers.read(PROGRAM_PAGE, filters, WANTED) if has_scope(filters.scope, access) else None
    asked = ObjectiveFilter(quarter=quarter, unit=filters.scope.unit)
    counts = standing_counts(asked, access, today=today)
    listed = list(filtered(asked, access, today=today)[:OBJECTIVES_LISTED])
    own = own_objectives(access.sight, quarter)
    progress = progress_of([*listed, *(each for each in own if each not in listed)], access, today=today)
    doing = doing_in(filters, quarter, counts, today)
    tickets = ordered(_tickets(filters), "due", descending=False)[:TICKETS_LISTED]
    benchmarks = benchmarks_for(None, unit.pk if unit else None, access.sight)
    focus = focus_of_units([unit.pk if unit else None]).get(unit.pk if unit else None)
    may_lead = _leads(filters, unit)
    context: dict[str, Any] = {
        "scope": scope_bar(filters, around, {}, request.path),
        "whose": scope_words(filters, around),
        "steps": steps(told, benchmarks, focus, doing, quarter) if told else [],
        "work": my_work(access.sight, quarter, progress, today),
        "quarter": quarter,
        "objectives": objective_lines(progress[: len(listed)], today),
        "objectives_total": sum(counts.values()),
        "objectives_url": _scoped(filters, "objectives"),
        "tickets": ticket_lines(list(tickets), access, today),
        "tickets_total": doing.tickets,
        "tickets_url": _scoped(filters, "tickets"),
        "new_objective_url": _scoped(filters, "objective_new") if may_lead else "",
        "new_ticket_url": _scoped(filters, "ticket_new") if may_lead else "",
        "start_url": reverse("program_start") if access.sight.leads_whole or access.sight.managed_ids else "",
        "bottlenecks_url": filters.url(reverse("program_part", args=["bottlenecks"])) if told else "",
    }
    return render(request, "programs/overview/overview.html", context)


@login_required
@never_cache
@require_GET
@explains_bad_filters
def program_part(request: HttpRequest, name: str) -> HttpResponse:
    """What takes longer to read, asked for by the page itself."""
    if name != "bottlenecks":
        raise Http404("There is no such part.")
    filters = _filters(request)
    look_around(request, filters)
    unit = unit_of_scope(filters.scope.unit)
    told = answers.read(PROGRAM_PAGE, filters, [Wanted(key, compared=True, whole=True) for key in METRICS])
    agreed = benchmarks_for(METRICS, unit.pk if unit else None, filters.access.sight)
    moved = reorganisation(unit.pk if unit else None, filters.window)
    columns = bottleneck_columns(told, agreed, moved, may_file=_leads(filters, unit))
    return render(request, "programs/overview/_bottlenecks.html", {"columns": columns})


def _filters(request: HttpRequest) -> Filters:
    return read_filters(request.GET, today=windows.local_today(), access=access_in(request))


def _tickets(filters: Filters) -> Any:
    return filtered_tickets(TicketFilter(unit=filters.scope.unit), filters.access.sight, today=filters.today)


def _leads(filters: Filters, unit: Unit | None) -> bool:
    """Whether the viewer answers for those whose page it is."""
    return filters.access.sight.leads(unit.pk if unit else None)


def _scoped(filters: Filters, route: str) -> str:
    pairs = filters.scope_parameters()
    return f"{reverse(route)}?{urlencode(pairs)}" if pairs else reverse(route)
