"""Hygiene: size, review and links of changes, and stale work."""

from __future__ import annotations

from insights.pages.answers import Answers, rows_url
from insights.pages.delivery import explanations
from insights.pages.delivery.answers import compared, line, tile
from insights.pages.delivery.cards import Section
from insights.ui.tiles import ChartCard

TILES = ("pr.size", "pr.review_depth", "pr.unreviewed_rate", "pr.self_merged_rate", "pr.linked_rate")
LINES = (
    *("pr.complexity", "pr.directories", "pr.languages", "pr.new_paths_rate"),
    *("pr.stale_count", "review.load_concentration"),
    *("backlog.age", "backlog.health", "branch.stale_count"),
)
GAPS = ("pr.unreviewed_rate", "pr.self_merged_rate", "pr.linked_rate")
KEYS = (*TILES, *LINES)
QUERIES = compared((*KEYS, "pr.throughput"))  # decides whether there is anything to draw


def section(answers: Answers) -> Section:
    return Section(
        key="hygiene",
        title="Hygiene",
        tiles=[tile(answers, key) for key in TILES],
        charts=_charts(answers),
        lines=[line(answers, key) for key in LINES],
        hints=explanations.shown_hints(
            explanations.merged_unreviewed(
                answers.figure("pr.unreviewed_rate"), url=rows_url(answers.filters, "pr.unreviewed_rate")
            ),
            explanations.large_and_hardly_discussed(
                answers.figure("pr.size"),
                answers.figure("pr.review_depth"),
                url=rows_url(answers.filters, "pr.size"),
            ),
            explanations.unlinked(answers.figure("pr.linked_rate"), url=rows_url(answers.filters, "pr.linked_rate")),
        ),
    )


def _charts(answers: Answers) -> list[ChartCard]:
    size, merged, depth = (answers.figure(key) for key in ("pr.size", "pr.throughput", "pr.review_depth"))
    return [
        answers.card(
            "size",
            "pr.size",
            title="Size of pull requests",
            kind="line",
            span=4,
            missing=None if size.value is not None else size,
        ),
        answers.card(
            "review_depth",
            "pr.review_depth",
            title="Review depth",
            kind="line",
            span=4,
            missing=None if depth.value is not None else depth,
        ),
        answers.card(
            "gaps",
            "pr.unreviewed_rate",
            title="Unreviewed, self-merged, linked",
            kind="line",
            span=4,
            missing=None if merged.value else merged,
        ),
    ]
