"""The page `/insights/delivery/`: its filters and its tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from insights.benchmarks.sets import chosen_set
from insights.catalogue.registry import get
from insights.pages import presenter
from insights.pages.answers import Answers, PageQuery
from insights.pages.change_token import current_token
from insights.pages.delivery import dora, lead_time
from insights.pages.delivery.sections import section_head
from insights.pages.delivery.tabs import DELIVERY_PAGE, SECTIONS
from insights.pages.filter_bar import filter_bar
from insights.pages.units import DELIVERY_COLUMNS, units_choice, units_part
from insights.ui import wording
from insights.ui.bands import set_in_words
from insights.ui.filters import STATISTIC, Filters, filters_of
from insights.ui.scope_bar import scope_navigation, scope_words
from insights.ui.views import figures_view

CHOICES = (
    STATISTIC,
    lead_time.SPREAD,
    *(choice for section in SECTIONS.values() for choice in section.choices),
    units_choice(DELIVERY_COLUMNS),
)


@figures_view
def delivery_page(request: HttpRequest, tab: str = "") -> HttpResponseBase:
    token = current_token(request)
    page, filters = DELIVERY_PAGE.at(tab), page_filters(request)
    around = scope_navigation(request, filters)
    answers = page.read(filters, (*_queries(tab, filters), *page.menus), around=around)
    context = {
        "pulse": token,
        "filters": filters,
        "bar": filter_bar(answers, around),
        "whose": scope_words(filters, around),
        "tabs": page.tab_links(filters),
        "tab": tab,
        "statistics": answers.pickers(STATISTIC),
        "compare_url": replace(filters, choices=(STATISTIC,)).url(reverse("compare")),
    }
    if tab in SECTIONS:
        context["section"] = section_head(tab, filters)
    elif tab:
        context |= _lead_time(answers)
    else:
        context |= {**_overview(answers), "units": units_part(request, page, filters, around)}
    return render(request, "insights/delivery/delivery.html", context)


def _queries(tab: str, filters: Filters) -> Sequence[PageQuery]:
    if tab in SECTIONS:
        return presenter.queries(SECTIONS[tab], filters)  # of its part: the bar says how fresh they are
    return (*lead_time.QUERIES, *lead_time.SPREAD_QUERIES, *dora.QUERIES)


def _overview(answers: Answers) -> dict[str, Any]:
    organisation = answers.filters.access.organisation
    published = chosen_set(organisation.benchmark_set)
    of_dora, of_lead_time = answers.shortfalls_by_section(dora.QUERIES, lead_time.QUERIES)
    return {
        "verdict": _verdict(answers),
        "tiles": dora.dora_tiles(answers, published),
        "bands_of": published.name,
        "about_bands": set_in_words(published, list(dora.TILES)),
        "score": dora.score_card(answers, organisation.peers),
        "needs_url": answers.part_url("needs") if dora.lacks_a_source(answers) else "",
        "stages": lead_time.stages_card(answers),
        "look_url": answers.part_url("look"),
        "dora_shortfalls": [*of_dora, *of_lead_time],
    }


def _verdict(answers: Answers) -> presenter.Verdict | None:
    """What moved, the bottleneck, and the metrics that miss what was agreed; None where there is nothing to compare."""
    moved, held = presenter.movement(answers, dora.TILES), lead_time.callout(answers)
    missed = [
        metric.label.lower()
        for metric in map(get, dora.TILES)
        if (agreed := answers.tile(metric.key).agreed) is not None and agreed.reached == "neither"
    ]
    rest = [f"{held.headline}."] if held else []
    if missed:
        rest.append(f"Off target: {wording.listed(missed)}.")
    lead, *rest = [sentence for sentence in (moved, *rest) if sentence] or [""]
    return presenter.Verdict(lead, " ".join(rest)) if lead else None


def _lead_time(answers: Answers) -> dict[str, Any]:
    return {
        "stages": lead_time.stages_card(answers),
        "stages_over_time": lead_time.over_time_card(answers),
        "spread": lead_time.spread_card(answers),
        "slowest_url": answers.part_url("slowest"),
        "lead_time_shortfalls": answers.shortfalls([item.key for item in lead_time.QUERIES]),
    }


def page_filters(request: HttpRequest) -> Filters:
    return filters_of(request, CHOICES)
