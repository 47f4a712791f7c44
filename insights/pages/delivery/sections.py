"""Parts that load after the page: the sections below lead time, with tiles, charts and further metrics, and whatever is
slow.

Without JavaScript their links open the same parts as pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain, takewhile
from typing import Any

from django.utils import timezone

from insights.catalogue.lead_time_stages import LEAD_TIME
from insights.pages import presenter
from insights.pages.answers import PageQuery, of_rules
from insights.pages.delivery import dora, lead_time
from insights.pages.delivery.tabs import DELIVERY_PAGE, DEPLOYMENT_DAYS, SECTIONS
from insights.pages.integrations.needs import need_lines
from insights.ui.bands import band_of_days
from insights.ui.filters import Filters
from integrations.delivery.completeness import completeness


def section_head(name: str, filters: Filters) -> dict[str, Any]:
    page, section = DELIVERY_PAGE.at(name), SECTIONS[name]
    return {
        "key": name,
        "title": section.title,
        "lede": section.lede,
        "url": page.part_url(filters, name),
        "csv_url": page.chart_csv_url(filters, name),
    }


def look(filters: Filters) -> dict[str, Any]:
    """The hints of all tabs, for the card *What to look at*."""
    keys = [key for section in SECTIONS.values() for key in presenter.rules_of(section, filters)]
    hints = DELIVERY_PAGE.read(filters, of_rules(*keys)).hints(*keys)
    return {"title": "What to look at", "hints": hints, "part": "insights/_part_look.html"}


def section_part(filters: Filters, *, name: str) -> dict[str, Any]:
    """The section, with the shortfalls that no section further up has shown."""
    section = SECTIONS[name]
    queries = presenter.queries(section, filters)
    answers = DELIVERY_PAGE.at(name).read(filters, queries)
    above = takewhile(lambda other: other.key != name, SECTIONS.values())
    shown = chain(dora.QUERIES, lead_time.QUERIES, *(presenter.queries(other, filters) for other in above))
    context = presenter.shown(
        section,
        answers,
        band_of=lambda key: band_of_days(key, answers.figure(key)) if key == DEPLOYMENT_DAYS else None,
    )
    lacking = answers.shortfalls([item.key for item in queries], but=[item.key for item in shown])
    return {
        "title": section.title,
        "section": {**context, "shortfalls": lacking},
        "part": "insights/_section_cards.html",
    }


def stages_part(filters: Filters) -> dict[str, Any]:
    """The stages of lead time with the bottleneck, for a card of a dashboard."""
    answers = DELIVERY_PAGE.read(filters, (*lead_time.QUERIES, PageQuery(LEAD_TIME)))
    stages = lead_time.stages_card(answers)
    return {"title": "Lead time stages", "stages": stages, "part": "insights/delivery/_part_stages.html"}


def needs(filters: Filters) -> dict[str, Any]:
    """The missing inputs of DORA, independent of the filters."""
    for_admin = bool(getattr(filters.access.viewer, "is_staff", False))
    lines = need_lines(completeness(), timezone.now(), for_admin=for_admin)
    return {"title": "Missing DORA inputs", "needs": lines, "part": "insights/_part_dora_needs.html"}


PARTS: Mapping[str, Callable[[Filters], dict[str, Any]]] = {
    "slowest": lambda filters: {"title": "Slowest changes", "slowest": lead_time.slowest(filters)},
    "needs": needs,
    "look": look,
    **{name: partial(section_part, name=name) for name in SECTIONS},
}
