"""Parts of the overview and of the home page that are loaded after the page.

Without JavaScript their links lead to the same parts as pages of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache

from core.page_links import Picker, url_with
from core.views import part_view
from insights.pages.delivery.lead_time import callout
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import scope_navigation, scope_words
from insights.ui.views import render_part
from programs.models import Quarter, Ticket
from programs.objectives.pages.labels import objective_lines
from programs.objectives.queries.filters import ObjectiveFilters
from programs.objectives.queries.objectives import progress_of
from programs.overview.pages.bottlenecks import bottleneck_columns
from programs.overview.pages.my_work import my_work
from programs.overview.pages.on_home import decisions_at_home, program_at_home, teams_at_home
from programs.overview.services.bottlenecks import bottlenecks_of
from programs.overview.services.my_work import own_objectives
from programs.overview.services.steps import ticket_counts
from programs.quarters.fiscal_quarters import current_quarter
from programs.requests.list_pages import records_elsewhere
from programs.tickets.pages.labels import ticket_lines
from programs.tickets.queries import TicketFilters

OBJECTIVES_LISTED = 4
TO_DO_LISTED, FINISHED_LISTED = 4, 2  # effects of finished ones are shown next to open ones


def work_part(filters: Filters) -> dict[str, Any]:
    """My work, and the quarter's objectives."""
    access, today, quarter = filters.access, filters.today, current_quarter()
    objectives = ObjectiveFilters.of_quarter(quarter, {"unit": filters.scope.unit}, access, today=today)
    listed = list(objectives.qs[: OBJECTIVES_LISTED + 1])
    total = len(listed)
    if total > OBJECTIVES_LISTED:
        total = sum(objectives.count_by_status().values())
    listed = listed[:OBJECTIVES_LISTED]
    own = own_objectives(access.visibility, quarter)
    progress = progress_of([*listed, *(objective for objective in own if objective not in listed)], access, today=today)
    return {
        "work": my_work(access.visibility, quarter, progress, today),
        "quarter": quarter,
        "objectives": objective_lines(progress[: len(listed)], today),
        "objectives_total": total,
        "elsewhere": []
        if total
        else records_elsewhere(
            filters,
            lambda slug: ObjectiveFilters.of_quarter(quarter, {"unit": slug}, access, today=today).qs.count(),
            lambda slug: filters.with_unit(slug).url(reverse("program")),
        ),
        "objectives_url": scoped(filters, "objectives"),
        "new_objective_url": scoped(filters, "objective_new") if leads(filters) else "",
    }


def tickets_part(filters: Filters) -> dict[str, Any]:
    """The open tickets, and the last finished ones with their effects."""
    quarter = current_quarter()
    counted = ticket_counts(filters, quarter)
    return {
        "tickets": ticket_lines(_tickets(filters, quarter), filters.access, filters.today),
        "tickets_total": counted.tickets,
        "tickets_finished": counted.finished,
        "tickets_url": scoped(filters, "tickets"),
        "tickets_csv_url": scoped(filters, "tickets_csv"),
        "new_ticket_url": scoped(filters, "ticket_new") if leads(filters) else "",
        "natures": [
            Picker(label, scoped(filters, "tickets", **({"nature": nature} if nature else {})), active=False)
            for nature, label in TicketFilters.pickers()["nature"].items()
        ],
    }


def bottlenecks_part(filters: Filters) -> dict[str, Any]:
    bottlenecks = bottlenecks_of(filters)
    return {
        "callout": callout(bottlenecks.answers),
        "columns": bottleneck_columns(bottlenecks, may_file=leads(filters)),
    }


def section(of_home: Callable[[Filters], dict[str, Any] | None]) -> Callable[[Filters], dict[str, Any]]:
    """Wraps a section of the home page for its template."""
    return lambda filters: {"section": of_home(filters)}


PARTS: Mapping[str, tuple[str, str, Callable[[Filters], dict[str, Any]]]] = {  # title, template, content
    "work": ("My work and objectives", "programs/overview/_part_work.html", work_part),
    "tickets": ("Action tickets", "programs/overview/_part_tickets.html", tickets_part),
    "bottlenecks": ("Bottlenecks", "programs/overview/_bottlenecks.html", bottlenecks_part),
    "home": ("Program", "programs/overview/_on_home.html", section(program_at_home)),
    "decisions": ("What needs a decision", "programs/overview/_decisions.html", section(decisions_at_home)),
    "teams": ("Teams", "programs/overview/_teams.html", section(teams_at_home)),
}


def part_url(filters: Filters, name: str) -> str:
    return filters.url(reverse("program_part", args=[name]))


@never_cache
@part_view
def program_part(request: HttpRequest, name: str) -> HttpResponseBase:
    """The part for the page, or as a page of its own."""
    if name not in PARTS:
        raise Http404("There is no such part.")
    filters = program_filters(request)
    around = scope_navigation(request, filters, is_part=True)
    title, part, shown = PARTS[name]
    context = {"title": title, "part": part, "whose": scope_words(filters, around), **shown(filters)}
    return render_part(request, context, page="programs/overview/part.html")


def _tickets(filters: Filters, quarter: Quarter) -> list[Ticket]:
    """Open tickets, most urgent first, and those finished in the quarter, newest first; two queries."""

    def in_state(state: str) -> QuerySet[Ticket]:
        narrowed = {"unit": filters.scope.unit, "state": state}
        return TicketFilters(narrowed, filters.access, today=filters.today).qs

    done = in_state("done").filter(completed_on__gte=quarter.start, completed_on__lt=quarter.end)
    return [*in_state("standing")[:TO_DO_LISTED], *done.order_by("-completed_on", "-pk")[:FINISHED_LISTED]]


def program_filters(request: HttpRequest) -> Filters:
    """The filters of the request.  Raises QueryError."""
    return filters_of(request)


def leads(filters: Filters) -> bool:
    """Whether the viewer leads the page's unit."""
    visibility, slug = filters.access.visibility, filters.scope.unit
    return visibility.leads_whole if slug is None else visibility.leads(visibility.slugs.get(slug, 0))


def scoped(filters: Filters, route: str, **more: str) -> str:
    return url_with(reverse(route), [*filters.scope_parameters(), *more.items()])
