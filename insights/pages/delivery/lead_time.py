"""Where lead time goes: its stages, its distribution or that of cycle time, and the slowest changes.

Stages are means, because only means add up, over pull requests with every stage known; the number left out is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from insights.catalogue.lead_time_stages import LEAD_TIME, STAGES, longest_wait
from insights.engine.fact_rows import RowOrder
from insights.pages.answers import Answers, PageQuery, rows_url
from insights.pages.delivery.dora import TILES as DORA_TILES
from insights.pages.drawing import BULK, histogram
from insights.pages.rows import record_url
from insights.privacy.visible import visible_distribution, visible_rows
from insights.query.query import MetricValue, Query, Statistic
from insights.ui import tiles, wording
from insights.ui.charts import ChartData
from insights.ui.filters import Choice, Filters
from insights.ui.tiles import ChartCard, Link

# Of linked pull requests only, so no share of the whole: idea to production, and the stages before the first commit.
UPSTREAM: Mapping[str, str] = {
    "delivery.idea_to_production": "Idea to production",
    "delivery.backlog_time": "In the backlog",
    "delivery.planning_time": "Planning",
}
FEW_PULL_REQUESTS = 5  # fewer make the longest wait a matter of chance
STEADY_SHARE = 0.05  # of a stage's mean: a smaller change is steady

QUERIES = (
    *(PageQuery(metric, compared=True, statistic=Statistic.MEAN) for metric, _, _ in STAGES.values()),
    *(PageQuery(metric, compared=True, statistic=Statistic.MEAN) for metric in UPSTREAM),
)


def stages_card(answers: Answers) -> dict[str, Any]:
    means = stage_means(answers)
    lead_time = answers.figure(LEAD_TIME)
    any_stage = answers.figure(STAGES["coding"][0])
    total = sum(means.values())
    longest = longest_wait(means) if any_stage.sample_size >= FEW_PULL_REQUESTS else ""
    headline, detail = _bottleneck(answers, longest, means) if longest else ("", "")
    return {
        "card": answers.card(
            "stages_now",
            LEAD_TIME,
            title="Lead time by stage",
            kind="stacked_bar",
            span=5,
            missing=None if means else (any_stage if lead_time.value is not None else lead_time),
        ),
        "value": wording.duration(total) if means else None,
        "sample": f"mean, so that stages add up · {_changes(answers)}",
        "left_out": _left_out(any_stage),
        "headline": headline,
        "detail": detail,
        "bars": _bars(answers, means, longest),
        "upstream": _upstream(answers),
        "links": [Link("Show the rows behind lead time", rows_url(answers.filters, LEAD_TIME))],
    }


def over_time_card(answers: Answers) -> ChartCard:
    any_stage = answers.figure(STAGES["coding"][0])
    return answers.card(
        "stages",
        STAGES["coding"][0],
        title=f"Lead time by stage, per {answers.filters.granularity.value}",
        kind="stacked_bar",
        span=7,
        missing=None if any_stage.value is not None else any_stage,
        caveat="The longest wait sits on the baseline, so that its change is easy to read.",
    )


def stage_means(answers: Answers) -> Mapping[str, float]:
    """Stage → mean seconds over all changes with their stages, in order; empty where one is unknown.

    A push waits for no review: it adds nothing to that stage, which is missing where all are pushes.
    """
    return _means({name: answers.figure(metric) for name, (metric, _, _) in STAGES.items()})


def _means(figures: Mapping[str, MetricValue]) -> Mapping[str, float]:
    means = {name: of_all(figure, figures["coding"]) for name, figure in figures.items()}
    known = {name: mean for name, mean in means.items() if mean is not None}
    unknown = any(figure.withheld for name, figure in figures.items() if name not in known)
    return {} if unknown or not {"coding", "deploy"} <= known.keys() else known


def of_all(stage: MetricValue, coding: MetricValue) -> float | None:
    """A stage's mean over all changes, which have the stage coding: so stages add up."""
    if stage.value is None or stage.sample_size == coding.sample_size:
        return stage.value
    return stage.value * stage.sample_size / (coding.sample_size or 1)


def _bars(answers: Answers, means: Mapping[str, float], longest: str) -> Sequence[dict[str, Any]]:
    total = sum(means.values())
    starts = accumulate((value / total if total else 0.0 for value in means.values()), initial=0.0)
    return [
        {
            "key": name,
            "label": STAGES[name][1],
            "value": str(wording.duration(value)),
            "percent": wording.percent_of(value, total),
            "start": start,
            "fraction": value / total if total else 0.0,
            "is_longest": name == longest,
            "rows_url": rows_url(answers.filters, STAGES[name][0]),
        }
        for start, (name, value) in zip(starts, means.items(), strict=False)
    ]


def _bottleneck(answers: Answers, longest: str, means: Mapping[str, float]) -> tuple[str, str]:
    """The longest wait, its change, and the effect of returning to its previous value."""
    _, _, words = STAGES[longest]
    now, total = means[longest], sum(means.values())
    headline = f"Bottleneck: {words}, {wording.duration(now)}."
    share = f"It is {wording.percent_of(now, total)} of lead time"
    before = _before(answers)
    if not before:
        return headline, f"{share}."
    before = {name: before.get(name, 0.0) for name in means}
    delta = now - before[longest]
    window = tiles.earlier(answers.filters.window, answers.filters.previous)
    if abs(delta) <= before[longest] * STEADY_SHARE:
        return headline, f"{share}, and steady against the {window}."
    if delta < 0:
        return headline, f"{share}, and {wording.difference(delta, 'seconds')} less than in the {window}."
    slower = [name for name in means if means[name] - before[name] > before[name] * STEADY_SHARE]
    alone = ", and the only stage that got slower" if slower == [longest] else ""
    saved = wording.percent_of(delta, total)
    return headline, (
        f"Up {wording.difference(delta, 'seconds')} on the {window}{alone}. Returning to "
        f"{wording.duration(before[longest])} would free about {saved} of lead time."
    )


def _before(answers: Answers) -> Mapping[str, float]:
    """As `stage_means`, of the previous window; empty for a small sample."""
    figures = {name: answers.figure_before(metric) for name, (metric, _, _) in STAGES.items()}
    return _means(figures) if figures["coding"].sample_size >= FEW_PULL_REQUESTS else {}


def _changes(answers: Answers) -> str:
    """12 PRs; 3 PRs and 9 pushes."""
    changes, reviewed = answers.figure(STAGES["coding"][0]).sample_size, answers.figure(STAGES["pickup"][0])
    pull_requests = changes if reviewed.withheld else reviewed.sample_size
    pushes = changes - pull_requests
    counts = [wording.count(pull_requests, "PR")] if pull_requests or not pushes else []
    return " and ".join([*counts, *([wording.count(pushes, "push", "pushes")] if pushes else [])])


def _left_out(figure: MetricValue) -> str:
    """The number of deployed pull requests that lack a stage; empty for none."""
    if not figure.left_out:
        return ""
    return f"{wording.count(figure.left_out, 'PR')} left out: a stage, such as review, is unknown."


def _upstream(answers: Answers) -> Sequence[dict[str, Any]]:
    figures = {metric: answers.figure(metric) for metric in UPSTREAM}
    return [
        {
            "label": UPSTREAM[metric],
            "value": str(wording.duration(figure.value)),
            "sample": f"of {wording.count(figure.sample_size, 'linked PR')}",
            "rows_url": rows_url(answers.filters, metric),
        }
        for metric, figure in figures.items()
        if figure.value is not None
    ]


SPREAD = Choice("spread", {"dora.lead_time": "Lead time", "pr.cycle_time": "Cycle time"})
SPREAD_TITLES = {"dora.lead_time": "Lead time distribution", "pr.cycle_time": "Cycle time distribution"}
SPREAD_QUERIES = tuple(PageQuery(key) for key in SPREAD_TITLES if key not in DORA_TILES)
SLOWEST_LISTED = 8


def spread_card(answers: Answers) -> ChartCard:
    key = answers.filters.picked[SPREAD.parameter]
    figure = answers.figure(key)
    return answers.card(
        "spread",
        key,
        title=SPREAD_TITLES[key],
        kind="stacked_bar",
        span=6,
        missing=None if figure.value is not None else figure,
        pickers=answers.pickers(SPREAD),
    )


def _spread_query(filters: Filters) -> Query:
    """The query of the picked duration, without the page's statistic."""
    return filters.query(filters.picked[SPREAD.parameter])


def spread_chart(filters: Filters) -> ChartData:
    distribution = visible_distribution(_spread_query(filters), filters.access)
    tail = f"Slowest {100 - BULK}%"
    return histogram(distribution, "seconds", facts="Pull requests", tail=tail, label_name="Took")


def slowest(filters: Filters) -> dict[str, Any]:
    """The slowest changes, pull requests with links to their pages."""
    query = _spread_query(filters)
    rows = visible_rows(query, filters.access, size=SLOWEST_LISTED, order=RowOrder.GREATEST)
    longest = max((row["contribution"] for row in rows.rows), default=0.0) or 1.0
    return {
        "rows": [
            {
                "title": row.get("title") or row.get("reference") or "Change",
                "reference": row.get("reference") or "",
                "url": record_url("pull_request", row["fact_id"]),
                "person": row["person"],
                "took": str(wording.duration(row["contribution"])),
                "fraction": row["contribution"] / longest,
            }
            for row in rows.rows
        ],
        "what": SPREAD.options[query.key].lower(),
        "note": rows.note,
    }
