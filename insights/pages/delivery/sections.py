"""Parts that load after the page: the sections below lead time, with tiles, charts and further metrics, and whatever is
slow.

Without JavaScript their links open the same parts as pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, takewhile
from typing import Any

from django.utils import timezone

from insights.pages import presenter
from insights.pages.ai.explanations import Hint, shown_hints
from insights.pages.answers import Answers, how_url, rows_url
from insights.pages.delivery import dora, explanations, lead_time
from insights.pages.delivery.tabs import DELIVERY_PAGE, DEPLOYMENT_DAYS, SECTIONS
from insights.pages.integrations.needs import need_lines
from insights.ui.bands import band_of_days
from insights.ui.filters import Filters
from integrations.delivery.completeness import completeness


def _no_hints(_answers: Answers) -> Iterable[Hint | None]:
    return ()


def _efficiency_hints(answers: Answers) -> Iterator[Hint | None]:
    figure, before, filters = answers.figure, answers.figure_before, answers.filters
    pickup = "pr.pickup_time"
    yield explanations.reviews_wait(figure(pickup), figure("pr.cycle_time"), url=rows_url(filters, pickup))
    yield explanations.wip_outgrows_output(
        *(figure("wip.count"), before("wip.count"), figure("pr.throughput"), before("pr.throughput")),
        url=how_url(filters, "wip.count"),
    )
    yield explanations.flaky_runs(figure("ci.flaky_rate"), url=rows_url(filters, "ci.flaky_rate"))


def _quality_hints(answers: Answers) -> Iterator[Hint | None]:
    figure, before, failures = answers.figure, answers.figure_before, "dora.change_failure_rate"
    yield explanations.failures_rise(
        *(figure(failures), before(failures), figure("pr.size"), before("pr.size")),
        url=rows_url(answers.filters, failures),
    )
    yield explanations.bugs_come_back(figure("bug.reopen_rate"), url=rows_url(answers.filters, "bug.reopen_rate"))


def _hygiene_hints(answers: Answers) -> Iterator[Hint | None]:
    figure, filters, unreviewed = answers.figure, answers.filters, "pr.unreviewed_rate"
    yield explanations.merged_unreviewed(figure(unreviewed), url=rows_url(filters, unreviewed))
    yield explanations.large_and_hardly_discussed(
        figure("pr.size"), figure("pr.review_depth"), url=rows_url(filters, "pr.size")
    )
    yield explanations.unlinked(figure("pr.linked_rate"), url=rows_url(filters, "pr.linked_rate"))


HINTS: Mapping[str, Callable[[Answers], Iterable[Hint | None]]] = {
    "efficiency": _efficiency_hints,
    "quality": _quality_hints,
    "hygiene": _hygiene_hints,
}


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
    """The hints of all sections, for the card *What to look at*; each of which is on its own tab, too."""
    queries = chain.from_iterable(presenter.queries(section, filters) for section in SECTIONS.values())
    answers = DELIVERY_PAGE.read(filters, queries)
    hints = shown_hints(*chain.from_iterable(hints_of(answers) for hints_of in HINTS.values()))
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
        hints=shown_hints(*HINTS.get(name, _no_hints)(answers)),
        band_of=lambda key: band_of_days(key, answers.figure(key)) if key == DEPLOYMENT_DAYS else None,
    )
    lacking = answers.shortfalls([item.key for item in queries], but=[item.key for item in shown])
    return {
        "title": section.title,
        "section": {**context, "shortfalls": lacking},
        "part": "insights/_section_cards.html",
    }


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
