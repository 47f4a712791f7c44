"""The sections below lead time, each a part that loads after the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from insights.pages.answers import Answers, PageQuery
from insights.pages.delivery import efficiency, hygiene, quality
from insights.pages.delivery.answers import DELIVERY_PAGE, read
from insights.pages.delivery.cards import Section, SectionHead
from insights.ui.filters import Filters

LEDES = {
    "efficiency": "How fast work moves, and what it waits for",
    "quality": "Failures, rework and bugs",
    "hygiene": "Size, review and links of changes, and stale work",
}
_SECTIONS: Mapping[str, tuple[Sequence[PageQuery], Callable[[Answers], Section]]] = {
    "efficiency": (efficiency.QUERIES, efficiency.section),
    "quality": (quality.QUERIES, quality.section),
    "hygiene": (hygiene.QUERIES, hygiene.section),
}


def section_heads(filters: Filters) -> list[SectionHead]:
    return [
        SectionHead(
            key,
            key.capitalize(),
            lede,
            DELIVERY_PAGE.part_url(filters, key),
            DELIVERY_PAGE.chart_csv_url(filters, key),
        )
        for key, lede in LEDES.items()
    ]


def section(name: str, filters: Filters) -> Section:
    queries, section_of = _SECTIONS[name]
    return section_of(read(filters, queries))
