"""Quality: failures, rework, and bugs that reach users."""

from __future__ import annotations

from insights.pages.answers import Answers, rows_url
from insights.pages.delivery import explanations
from insights.pages.delivery.answers import compared, line, tile
from insights.pages.delivery.cards import Section
from insights.ui.tiles import ChartCard

TILES = ("incident.count", "incident.mttr", "bug.ratio", "code.rework_rate", "pr.revert_rate")
LINES = (
    *("dora.change_failure_rate", "incident.count_per_deployment"),
    *("bug.escaped", "bug.customer_found", "bug.fix_rate", "bug.reopen_rate", "code.refactor_rate"),
)
KEYS = (*TILES, *LINES)
QUERIES = compared((*KEYS, "pr.size"))  # a rule relates failures to the size of changes


def section(answers: Answers) -> Section:
    return Section(
        key="quality",
        title="Quality",
        tiles=[tile(answers, key) for key in TILES],
        charts=_charts(answers),
        lines=[line(answers, key) for key in LINES],
        hints=explanations.shown_hints(
            explanations.failures_rise(
                answers.figure("dora.change_failure_rate"),
                answers.figure_before("dora.change_failure_rate"),
                answers.figure("pr.size"),
                answers.figure_before("pr.size"),
                url=rows_url(answers.filters, "dora.change_failure_rate"),
            ),
            explanations.bugs_come_back(
                answers.figure("bug.reopen_rate"), url=rows_url(answers.filters, "bug.reopen_rate")
            ),
        ),
    )


def _charts(answers: Answers) -> list[ChartCard]:
    failures = answers.figure("dora.change_failure_rate")
    incidents, bugs = answers.figure("incident.count"), answers.figure("bug.ratio")
    return [
        answers.card(
            "failures",
            "dora.change_failure_rate",
            title="Change failure rate",
            kind="area",
            span=4,
            missing=None if failures.value is not None else failures,
        ),
        answers.card(
            "incidents",
            "incident.count",
            title="Incidents",
            kind="stacked_bar",
            span=4,
            missing=None if incidents.value is not None else incidents,
        ),
        answers.card(
            "bugs",
            "bug.ratio",
            title="Bugs among finished items",
            kind="area",
            span=4,
            missing=None if bugs.value is not None else bugs,
        ),
    ]
