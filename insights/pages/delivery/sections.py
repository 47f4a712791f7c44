"""The sections below lead time, each a part that loads after the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, takewhile

from insights.pages.answers import Answers, PageQuery
from insights.pages.delivery import dora, efficiency, hygiene, quality, stages
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
    """With what its figures lack, and those further up on the page do not."""
    queries, section_of = _SECTIONS[name]
    answers = read(filters, queries)
    above = (_SECTIONS[other][0] for other in takewhile(lambda other: other != name, _SECTIONS))
    shown = [item.key for item in chain(dora.QUERIES, stages.QUERIES, *above)]
    return replace(section_of(answers), shortfalls=answers.shortfalls([item.key for item in queries], but=shown))
