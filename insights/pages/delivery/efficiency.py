"""Efficiency: the speed of pull requests and work items, and their waiting times."""

from __future__ import annotations

from insights.pages.answers import Answers, how_url, rows_url
from insights.pages.delivery import explanations
from insights.pages.delivery.answers import compared, line, tile
from insights.pages.delivery.cards import Section
from insights.ui.bands import band_of_days
from insights.ui.filters import Choice
from insights.ui.tiles import ChartCard

CYCLE = Choice("cycle", {"all": "All", "assistance": "AI", "work_type": "Work type"})
MERGED = Choice("merged", {"work_type": "Work type", "assistance": "AI", "size_class": "Size"})

TILES = ("pr.cycle_time", "pr.pickup_time", "pr.review_time", "pr.throughput", "issue.cycle_time")
DEPLOYMENT_DAYS = "dora.deployment_days"
LINES = (
    DEPLOYMENT_DAYS,
    *("pr.coding_time", "pr.merge_time", "review.given_per_developer", "commit.frequency"),
    *("issue.lead_time", "flow.efficiency", "wip.count", "wip.age"),
    *("work.features_per_week", "work.feature_completion_rate", "delivery.idea_to_production"),
    *("ci.duration", "ci.queue_time", "ci.success_rate", "ci.flaky_rate", "ci.wait_per_pull_request"),
)
KEYS = (*TILES, *LINES)
QUERIES = compared(KEYS)


def section(answers: Answers) -> Section:
    return Section(
        key="efficiency",
        title="Efficiency",
        tiles=[tile(answers, key) for key in TILES],
        charts=_charts(answers),
        lines=[
            line(answers, key, band=band_of_days(key, answers.figure(key)) if key == DEPLOYMENT_DAYS else None)
            for key in LINES
        ],
        hints=explanations.shown_hints(
            explanations.reviews_wait(
                answers.figure("pr.pickup_time"),
                answers.figure("pr.cycle_time"),
                url=rows_url(answers.filters, "pr.pickup_time"),
            ),
            explanations.wip_outgrows_output(
                answers.figure("wip.count"),
                answers.figure_before("wip.count"),
                answers.figure("pr.throughput"),
                answers.figure_before("pr.throughput"),
                url=how_url(answers.filters, "wip.count"),
            ),
            explanations.flaky_runs(answers.figure("ci.flaky_rate"), url=rows_url(answers.filters, "ci.flaky_rate")),
        ),
    )


def _charts(answers: Answers) -> list[ChartCard]:
    merged = answers.figure("pr.throughput")
    cycle, wip = answers.figure("pr.cycle_time"), answers.figure("wip.count")
    return [
        answers.card(
            "cycle_time",
            "pr.cycle_time",
            title="Cycle time",
            kind="line",
            span=4,
            missing=None if cycle.value is not None else cycle,
            pickers=answers.pickers(CYCLE),
        ),
        answers.card(
            "throughput",
            "pr.throughput",
            title="Merged pull requests",
            kind="stacked_bar",
            span=4,
            missing=None if merged.value else merged,
            pickers=answers.pickers(MERGED),
        ),
        answers.card(
            "wip",
            "wip.count",
            title="Work in progress",
            kind="area",
            span=4,
            missing=None if wip.value is not None else wip,
        ),
    ]
