"""Parts that load after the page: the sections below lead time, with tiles, charts and further metrics, and whatever is
slow.

Without JavaScript their links open the same parts as pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, takewhile
from typing import Any

from django.utils import timezone

from core.csv_export import Cell
from insights.catalogue.registry import get
from insights.pages.ai.explanations import Hint, shown_hints
from insights.pages.answers import Answers, PageQuery, compared, how_url, rows_url
from insights.pages.delivery import dora, explanations, lead_time
from insights.pages.delivery.answers import DELIVERY_PAGE, line, tile
from insights.pages.drawing import Chart
from insights.pages.integrations.needs import need_lines
from insights.ui.bands import band_of_days
from insights.ui.filters import Choice, Filters
from integrations.delivery.completeness import completeness

CYCLE = Choice("cycle", {"all": "All", "assistance": "AI", "work_type": "Work type"})
MERGED = Choice("merged", {"work_type": "Work type", "assistance": "AI", "size_class": "Size"})
DEPLOYMENT_DAYS = "dora.deployment_days"
GAPS = ("pr.unreviewed_rate", "pr.self_merged_rate", "pr.linked_rate")


@dataclass(frozen=True)
class SectionMetrics:
    """The metrics of a section's tiles and of its table; `beside` are read for charts and hints alone."""

    lede: str
    tiles: Sequence[str]
    lines: Sequence[str]
    charts: Sequence[Chart]
    hints: Callable[[Answers], Iterable[Hint | None]]
    beside: Sequence[str] = ()

    @property
    def keys(self) -> Sequence[str]:
        return (*self.tiles, *self.lines)

    @property
    def queries(self) -> Sequence[PageQuery]:
        return compared(*self.keys, *self.beside)


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


SECTIONS: Mapping[str, SectionMetrics] = {
    "efficiency": SectionMetrics(
        lede="How fast work moves, and what it waits for",
        tiles=("pr.cycle_time", "pr.pickup_time", "pr.review_time", "pr.throughput", "issue.cycle_time"),
        lines=(
            DEPLOYMENT_DAYS,
            *("pr.coding_time", "pr.merge_time", "review.given_per_developer", "commit.frequency"),
            *("issue.lead_time", "flow.efficiency", "wip.count", "wip.age"),
            *("work.features_per_week", "work.feature_completion_rate", "delivery.idea_to_production"),
            *("ci.duration", "ci.queue_time", "ci.success_rate", "ci.flaky_rate", "ci.wait_per_pull_request"),
        ),
        charts=(
            Chart("cycle_time", "pr.cycle_time", "Cycle time", "line", by=CYCLE),
            Chart(
                "throughput",
                "pr.throughput",
                "Merged pull requests",
                "stacked_bar",
                by=MERGED,
                amount_of="pr.throughput",
            ),
            Chart("wip", "wip.count", "Work in progress", "area"),
        ),
        hints=_efficiency_hints,
    ),
    "quality": SectionMetrics(
        lede="Failures, rework and bugs",
        tiles=("incident.count", "incident.mttr", "bug.ratio", "code.rework_rate", "pr.revert_rate"),
        lines=(
            *("dora.change_failure_rate", "incident.count_per_deployment"),
            *("bug.escaped", "bug.customer_found", "bug.fix_rate", "bug.reopen_rate", "code.refactor_rate"),
        ),
        charts=(
            Chart("failures", "dora.change_failure_rate", "Change failure rate", "area"),
            Chart("incidents", "incident.count", "Incidents", "stacked_bar"),
            Chart("bugs", "bug.ratio", "Bugs among finished items", "area"),
        ),
        hints=_quality_hints,
        beside=("pr.size",),
    ),
    "hygiene": SectionMetrics(
        lede="Size, review and links of changes, and stale work",
        tiles=("pr.size", "pr.review_depth", "pr.unreviewed_rate", "pr.self_merged_rate", "pr.linked_rate"),
        lines=(
            *("pr.complexity", "pr.directories", "pr.languages", "pr.new_paths_rate"),
            *("pr.stale_count", "review.load_concentration"),
            *("backlog.age", "backlog.health", "branch.stale_count"),
        ),
        charts=(
            Chart("size", "pr.size", "Size of pull requests", "line"),
            Chart("review_depth", "pr.review_depth", "Review depth", "line"),
            Chart("gaps", GAPS[0], "Unreviewed, self-merged, linked", "line", amount_of="pr.throughput"),
        ),
        hints=_hygiene_hints,
        beside=("pr.throughput",),
    ),
}


def section_head(name: str, filters: Filters) -> dict[str, Any]:
    page = DELIVERY_PAGE.at(name)
    return {
        "key": name,
        "title": name.capitalize(),
        "lede": SECTIONS[name].lede,
        "url": page.part_url(filters, name),
        "csv_url": page.chart_csv_url(filters, name),
    }


def look(filters: Filters) -> dict[str, Any]:
    """What to look at: the hints of all sections, each of which is on its own tab, too."""
    answers = DELIVERY_PAGE.read(filters, chain.from_iterable(metrics.queries for metrics in SECTIONS.values()))
    hints = shown_hints(*chain.from_iterable(metrics.hints(answers) for metrics in SECTIONS.values()))
    return {"title": "What to look at", "hints": hints, "part": "insights/_part_look.html"}


def section(name: str, filters: Filters) -> dict[str, Any]:
    """With what its figures lack, and those further up on the page do not."""
    metrics = SECTIONS[name]
    answers = DELIVERY_PAGE.at(name).read(filters, metrics.queries)
    above = (SECTIONS[other].queries for other in takewhile(lambda other: other != name, SECTIONS))
    shown = [item.key for item in chain(dora.QUERIES, lead_time.QUERIES, *above)]
    days = band_of_days(DEPLOYMENT_DAYS, answers.figure(DEPLOYMENT_DAYS)) if DEPLOYMENT_DAYS in metrics.lines else None
    return {
        "key": name,
        "title": name.capitalize(),
        "tiles": [tile(answers, key) for key in metrics.tiles],
        "charts": [chart.card(answers) for chart in metrics.charts],
        "lines": [line(answers, key, band=days if key == DEPLOYMENT_DAYS else None) for key in metrics.lines],
        "hints": shown_hints(*metrics.hints(answers)),
        "shortfalls": answers.shortfalls([item.key for item in metrics.queries], but=shown),
    }


def section_rows(filters: Filters, *, name: str) -> Iterator[list[Cell]]:
    """A section's figures as CSV: one line per metric, with the previous window."""
    keys = SECTIONS[name].keys
    answers = DELIVERY_PAGE.read(filters, compared(*keys))
    yield ["Metric", "Key", "Unit", "Statistic", "Value", "Window before", "Facts", "Left out", "People", "Why not"]
    for key in keys:
        metric, figure, before = get(key), answers.figure(key), answers.figure_before(key)
        statistic = answers.answer(key).query.statistic or metric.statistic
        yield [
            metric.name,
            key,
            metric.unit.value,
            statistic.value if statistic else "",
            "hidden" if figure.withheld else figure.value,
            "hidden" if before.withheld else before.value,
            *(figure.sample_size, figure.left_out, figure.people, figure.reason or ""),
        ]


def needs(filters: Filters) -> dict[str, Any]:
    """The missing inputs of DORA, independent of the filters."""
    for_admin = bool(getattr(filters.access.viewer, "is_staff", False))
    lines = need_lines(completeness(), timezone.now(), for_admin=for_admin)
    return {"title": "Missing DORA inputs", "needs": lines, "part": "insights/_part_dora_needs.html"}


def section_part(filters: Filters, *, name: str) -> dict[str, Any]:
    return {"title": name.capitalize(), "section": section(name, filters), "part": "insights/delivery/_section.html"}


PARTS: Mapping[str, Callable[[Filters], dict[str, Any]]] = {
    "slowest": lambda filters: {"title": "Slowest changes", "slowest": lead_time.slowest(filters)},
    "needs": needs,
    "look": look,
    **{name: partial(section_part, name=name) for name in SECTIONS},
}
