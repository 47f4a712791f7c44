"""The program overview: the four steps, with my work, objectives, tickets and bottlenecks as lazy parts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from insights.privacy.scope_access import has_scope
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from insights.ui.views import record_view
from programs.overview.pages.parts import leads, part_url, program_filters, scoped
from programs.overview.pages.steps import step_lines
from programs.overview.services.steps import steps_of
from programs.quarters.fiscal_quarters import current_quarter


@record_view
def program(request: HttpRequest) -> HttpResponse:
    filters = program_filters(request)
    access = filters.access
    around = scope_navigation(request, filters)
    has_figures = has_scope(filters.scope, access)
    may_lead, quarter = leads(filters), current_quarter()
    context: dict[str, Any] = {
        "scope": scope_bar(filters, around, {}, request.path),
        "whose": scope_words(filters, around),
        "steps": step_lines(steps_of(filters, around.unit.pk if around.unit else None, quarter), filters, quarter)
        if has_figures
        else [],
        "new_objective_url": scoped(filters, "objective_new") if may_lead else "",
        "new_ticket_url": scoped(filters, "ticket_new") if may_lead else "",
        "start_url": reverse("program_start") if access.visibility.leads_any else "",
        "work_url": part_url(filters, "work"),
        "tickets_part_url": part_url(filters, "tickets"),
        "bottlenecks_url": part_url(filters, "bottlenecks") if has_figures else "",
    }
    return render(request, "programs/overview/overview.html", context)
