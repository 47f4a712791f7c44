"""The page `/insights/delivery/`: its filters and its sections."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from insights.benchmarks.sets import chosen_set
from insights.pages.change_token import current_token
from insights.pages.delivery import dora, lead_time
from insights.pages.delivery.answers import DELIVERY_PAGE
from insights.pages.delivery.sections import CYCLE, MERGED, section_heads
from insights.pages.filter_bar import filter_bar
from insights.pages.units import DELIVERY_COLUMNS, units_choice, units_part
from insights.ui.bands import set_in_words
from insights.ui.filters import STATISTIC, Filters, filters_of
from insights.ui.scope_bar import scope_navigation, scope_words
from insights.ui.views import figures_view

CHOICES = (STATISTIC, lead_time.SPREAD, CYCLE, MERGED, units_choice(DELIVERY_COLUMNS))
QUERIES = (*dora.QUERIES, *lead_time.QUERIES, *lead_time.SPREAD_QUERIES, *DELIVERY_PAGE.menus)


@figures_view
def delivery_page(request: HttpRequest) -> HttpResponseBase:
    token = current_token(request)
    filters = page_filters(request)
    around = scope_navigation(request, filters)
    answers = DELIVERY_PAGE.read(filters, QUERIES, around=around)
    organisation = filters.access.organisation
    published = chosen_set(organisation.benchmark_set)
    of_dora, of_lead_time = answers.shortfalls_by_section(dora.QUERIES, lead_time.QUERIES)
    context = {
        "pulse": token,
        "filters": filters,
        "bar": filter_bar(answers, around),
        "whose": scope_words(filters, around),
        "statistics": answers.pickers(STATISTIC),
        "compare_url": replace(filters, choices=(STATISTIC,)).url(reverse("compare")),
        "tiles": dora.dora_tiles(answers, published),
        "bands_of": published.name,
        "about_bands": set_in_words(published, list(dora.TILES)),
        "score": dora.score_card(answers, organisation.peers),
        "needs_url": answers.part_url("needs") if dora.lacks_a_source(answers) else "",
        "units": units_part(request, DELIVERY_PAGE, filters, around),
        "stages": lead_time.stages_card(answers),
        "stages_over_time": lead_time.over_time_card(answers),
        "spread": lead_time.spread_card(answers),
        "dora_shortfalls": of_dora,
        "lead_time_shortfalls": of_lead_time,
        "slowest_url": answers.part_url("slowest"),
        "sections": section_heads(filters),
    }
    return render(request, "insights/delivery/delivery.html", context)


def page_filters(request: HttpRequest) -> Filters:
    return filters_of(request, CHOICES)
