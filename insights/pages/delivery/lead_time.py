"""The stages of lead time on the delivery page, and the bottleneck.

A stage has one value, its mean without the slowest 5 % over changes with every stage known, and its median; the number
of changes that are left out is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.urls import reverse

from core.csv_export import Cell
from core.page_links import url_with
from insights.catalogue.lead_time_stages import (
    FEW_CHANGES,
    LEAD_TIME,
    STAGES,
    WAITS,
    Bottleneck,
    StageFigures,
    bottleneck,
)
from insights.catalogue.registry import get
from insights.engine.fact_rows import GREATEST
from insights.pages.answers import Answers, PageQuery, rows_url
from insights.pages.delivery.tabs import DELIVERY_PAGE, SPREAD
from insights.pages.drawing import over_time
from insights.pages.presenter import TemplateCard
from insights.pages.rows import record_url
from insights.privacy.visible import visible_rows
from insights.query.query import MetricValue, Statistic
from insights.ui import tiles, wording
from insights.ui.cards import Card
from insights.ui.charts import ChartData, Dataset
from insights.ui.filters import Filters
from insights.ui.offers import Action, actions_on
from insights.ui.tiles import ChartCard, Link

# For linked pull requests only, so not shares of the whole: idea to production, and the stages before the first commit.
UPSTREAM: Mapping[str, str] = {
    "delivery.idea_to_production": "Idea to production",
    "delivery.backlog_time": "In the backlog",
    "delivery.planning_time": "Planning",
}
STEADY_SHARE = 0.05  # of a stage's mean: a smaller change is steady
NAMED = 3  # pull requests that account for a long wait
WAIT, WORK = "Wait", "Work"

# By stage: the value, in buckets for the chart; then the other statistics that decide the bottleneck.
VALUES = {
    name: PageQuery(metric, compared=True, statistic=Statistic.TRIMMED_MEAN) for name, (metric, *_) in STAGES.items()
}
MEDIANS = {name: PageQuery(metric, statistic=Statistic.MEDIAN, whole=True) for name, (metric, *_) in STAGES.items()}
MEANS = {name: PageQuery(metric, statistic=Statistic.MEAN, whole=True) for name, (metric, *_) in STAGES.items()}
STAGE_QUERIES = (*VALUES.values(), *MEDIANS.values(), *MEANS.values())
QUERIES = (
    PageQuery(LEAD_TIME, compared=True),
    *STAGE_QUERIES,
    *(PageQuery(metric, compared=True, statistic=Statistic.TRIMMED_MEAN) for metric in UPSTREAM),
)


REVIEWED = frozenset({"pickup", "review"})  # stages that wait for reviews


@dataclass(frozen=True)
class Callout:
    """The words about the bottleneck; `pull_requests` account for it if only the slowest changes cause it."""

    headline: str
    detail: str
    is_bottleneck: bool
    slowest_url: str
    pull_requests: Sequence[Link] = ()
    actions: Sequence[Action] = ()
    why_url: str = ""  # if reviews cause it


def stages_card(answers: Answers, card: Card) -> TemplateCard:
    """The stages of this window with their medians, and the bottleneck."""
    return TemplateCard("stages-now", "insights/delivery/_stages.html", _stages(answers), getattr(card, "span", 12))


def _stages(answers: Answers) -> dict[str, Any]:
    means = stage_means(answers)
    lead_time, any_stage = answers.figure(LEAD_TIME), _value(answers, "coding")
    found = bottleneck_in(answers)
    lines = _lines(answers, means, found.held)
    earlier = tiles.earlier(answers.filters.window, answers.filters.previous)
    return {
        "card": answers.card(
            "stages_now",
            LEAD_TIME,
            title="Where lead time goes",
            kind="stacked_bar",
            span=12,
            missing=None if means else (any_stage if lead_time.value is not None else lead_time),
        ),
        "sample": _changes(answers),
        "left_out": _left_out(any_stage),
        "callout": callout(answers) if means else None,
        "reason": found.reason if means and found.reason else "",
        "lines": lines,
        "total": str(wording.duration(sum(means.values()))) if means else "",
        "earlier": earlier if any(line["change"] for line in lines) else "",
        "upstream": _upstream(answers),
    }


def over_time_card(answers: Answers, card: Card) -> ChartCard:
    any_stage = _value(answers, "coding")
    return answers.card(
        "stages",
        STAGES["coding"][0],
        title=f"Lead time by stage, per {answers.filters.granularity.value}",
        kind="stacked_bar",
        span=getattr(card, "span", 12),
        missing=None if any_stage.value is not None else any_stage,
        caveat="Means without the slowest 5%. The bottleneck sits on the baseline, so that its change is easy to read.",
    )


def bottleneck_in(answers: Answers) -> Bottleneck:
    """The bottleneck in the answers to `STAGE_QUERIES`."""
    return bottleneck({name: _figures(answers, name) for name in STAGES})


def _figures(answers: Answers, name: str) -> StageFigures:
    median, trimmed_mean, mean = (tiles.whole(answers.now[queries[name]]) for queries in (MEDIANS, VALUES, MEANS))
    return StageFigures.of(median, trimmed_mean, mean)


def _value(answers: Answers, name: str) -> MetricValue:
    return tiles.whole(answers.now[VALUES[name]])


def _value_before(answers: Answers, name: str) -> MetricValue:
    return tiles.whole(answers.earlier[VALUES[name]])


def stage_means(answers: Answers) -> Mapping[str, float]:
    """Stage → mean seconds without the slowest 5 % over all changes, in order; empty if a stage is unknown.

    A push waits for no review: it adds nothing to that stage, which is missing if all changes are pushes.
    """
    return _means({name: _value(answers, name) for name in STAGES})


def _means(figures: Mapping[str, MetricValue]) -> Mapping[str, float]:
    means = {name: of_all(figure, figures["coding"]) for name, figure in figures.items()}
    known = {name: mean for name, mean in means.items() if mean is not None}
    unknown = any(figure.withheld for name, figure in figures.items() if name not in known)
    return {} if unknown or not {"coding", "deploy"} <= known.keys() else known


def of_all(stage: MetricValue, coding: MetricValue) -> float | None:
    """A stage's mean over all changes, each of which has the stage coding, so that the stages add up."""
    if stage.value is None or stage.sample_size == coding.sample_size:
        return stage.value
    return stage.value * stage.sample_size / (coding.sample_size or 1)


def _lines(answers: Answers, means: Mapping[str, float], held: str) -> Sequence[dict[str, Any]]:
    total = sum(means.values())
    starts = accumulate((value / total if total else 0.0 for value in means.values()), initial=0.0)
    earlier = tiles.earlier(answers.filters.window, answers.filters.previous)
    lines = []
    for start, (name, value) in zip(starts, means.items(), strict=False):
        metric, label, limits = STAGES[name]
        median = tiles.whole(answers.now[MEDIANS[name]]).value
        figure, before = _value(answers, name), _value_before(answers, name)
        lines.append(
            {
                "label": label,
                "limits": limits,
                "kind": WAIT if name in WAITS else WORK,
                "kind_class": "wait" if name in WAITS else "work",
                "is_held": name == held,
                "value": str(wording.duration(value)),
                "median": str(wording.duration(median)) if median is not None else "",
                "percent": wording.percent_of(value, total),
                "start": start,
                "fraction": value / total if total else 0.0,
                "tick": start + (median or 0.0) / total if total else start,
                "change": tiles.change(get(metric), figure, before, earlier),
                "rows_url": rows_url(answers.filters, metric),
            }
        )
    return lines


def callout(answers: Answers) -> Callout | None:
    """The callout for the answers to `STAGE_QUERIES`; None if no wait stands out."""
    means, found = stage_means(answers), bottleneck_in(answers)
    if not means or not found.stage:
        return None
    filters, (metric, label, _) = answers.filters, STAGES[found.stage]
    share = wording.percent_of(means[found.stage], sum(means.values()))
    if found.only_slowest:
        mean = wording.duration(_figures(answers, found.stage).mean or 0.0)
        headline = f"Only the slowest changes make {label.lower()} the longest wait"
        detail = f"With them it takes {mean} on average; the usual change does not wait longest there."
    else:
        headline = f"{label} is the bottleneck: {share} of lead time"
        detail = _cost(answers, found.stage, means)
    return Callout(
        headline,
        detail,
        not found.only_slowest,
        slowest_url(filters, metric),
        [
            Link(f"{row['title']}, {wording.duration(row['contribution'])}", record_url("pull_request", row["fact_id"]))
            for row in slowest_of(answers)
        ],
        [action for action in actions_on(get(metric), filters.scope, filters.access) if action.starts_work],
        url_with(reverse("review_waits"), {"unit": filters.scope.unit or ""}) if found.stage in REVIEWED else "",
    )


def slowest_url(filters: Filters, key: str) -> str:
    """The list of the slowest changes by that duration."""
    context = filters.context_parameters()
    return f"{url_with(reverse('delivery_tab', args=['lead-time']), [*context, (SPREAD.parameter, key)])}#slowest"


def slowest_of(answers: Answers) -> Sequence[Mapping[str, Any]]:
    """The slowest changes of the longest wait, as the viewer may see them; empty unless they alone make it the
    longest.
    """
    found = bottleneck_in(answers)
    if not found.stage or not found.only_slowest:
        return ()
    query = answers.filters.query(STAGES[found.stage][0])
    rows = visible_rows(query, answers.filters.access, size=NAMED, order=GREATEST).rows
    return [{**row, "title": row.get("title") or row.get("reference") or "Change"} for row in rows]


def _cost(answers: Answers, stage: str, means: Mapping[str, float]) -> str:
    """A sentence on how long changes wait, how that changed, and the effect of returning to the previous value."""
    now, total = means[stage], sum(means.values())
    median = wording.duration(_figures(answers, stage).median or 0.0)
    waits = f"The median change waits {median}, the mean without the slowest 5% is {wording.duration(now)}"
    before = _before(answers)
    if not before:
        return f"{waits}."
    before = {name: before.get(name, 0.0) for name in means}
    delta = now - before[stage]
    window = tiles.earlier(answers.filters.window, answers.filters.previous)
    if abs(delta) <= before[stage] * STEADY_SHARE:
        return f"{waits} (no change vs. {window})."
    if delta < 0:
        return f"{waits} (−{wording.difference(delta, 'seconds')} vs. {window})."
    slower = [name for name in means if means[name] - before[name] > before[name] * STEADY_SHARE]
    alone = ", the only stage that got slower" if slower == [stage] else ""
    return (
        f"{waits} (+{wording.difference(delta, 'seconds')} vs. {window}{alone}). Returning to "
        f"{wording.duration(before[stage])} would cut lead time by {wording.percent_of(delta, total)}."
    )


def _before(answers: Answers) -> Mapping[str, float]:
    """The stage means of the previous window; empty for a small sample."""
    figures = {name: _value_before(answers, name) for name in STAGES}
    return _means(figures) if figures["coding"].sample_size >= FEW_CHANGES else {}


def _changes(answers: Answers) -> str:
    """The changes in words: 12 PRs; 3 PRs and 9 pushes."""
    changes, reviewed = _value(answers, "coding").sample_size, _value(answers, "pickup")
    pull_requests = changes if reviewed.withheld else reviewed.sample_size
    pushes = changes - pull_requests
    counts = [wording.count(pull_requests, "PR")] if pull_requests or not pushes else []
    return " and ".join([*counts, *([wording.count(pushes, "push", "pushes")] if pushes else [])])


def _left_out(figure: MetricValue) -> str:
    """The number of deployed pull requests that lack a stage; empty for none."""
    if not figure.left_out:
        return ""
    return f"{wording.count(figure.left_out, 'PR')} excluded: a stage, such as review, is unknown."


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


def stages_over_time(filters: Filters) -> ChartData:
    """A bar per bucket, with the window's bottleneck on the baseline."""
    answers = DELIVERY_PAGE.read(filters, STAGE_QUERIES)
    held = bottleneck_in(answers).held
    names = sorted(STAGES, key=lambda name: name != held)
    series = {name: answers.now[query].series for name, query in VALUES.items()}
    datasets = [
        Dataset(
            STAGES[name][1],
            "longest" if name == held else name,
            "stage",
            [of_all(figure, coding) for figure, coding in zip(series[name], series["coding"], strict=True)],
        )
        for name in names
    ]
    return over_time("stacked_bar", answers.now[VALUES[names[0]]], datasets)


def stages_table(filters: Filters) -> Iterator[list[Cell]]:
    """The stages of this and the previous window; stages before the first commit have no share."""
    answers = DELIVERY_PAGE.read(filters, QUERIES)
    means, found = stage_means(answers), bottleneck_in(answers)
    heads = ["Mean without slowest 5% (seconds)", "Median (seconds)", "Mean (seconds)", "Share (percent)"]
    yield ["Stage", "Kind", *heads, "Previous period (seconds)", "PRs", "PRs excluded", "Bottleneck"]
    for name, (_, label, _) in STAGES.items():
        value, median, mean = (tiles.whole(answers.now[queries[name]]) for queries in (VALUES, MEDIANS, MEANS))
        before = tiles.whole(answers.earlier[VALUES[name]])
        share = means[name] / sum(means.values()) * 100 if sum(means.values()) and name in means else None
        held = ("only the slowest" if found.only_slowest else "yes") if name == found.stage else ""
        kind = WAIT if name in WAITS else WORK
        figures = [value.value, median.value, mean.value, share, before.value, value.sample_size, value.left_out]
        yield [label, kind, *figures, held]
    for metric, label in UPSTREAM.items():
        figure, before = answers.figure(metric), answers.figure_before(metric)
        yield [label, "", figure.value, None, None, None, before.value, figure.sample_size, figure.left_out, ""]


def stages_part(filters: Filters) -> dict[str, Any]:
    """The stages with the bottleneck, for a card of a dashboard."""
    stages = _stages(DELIVERY_PAGE.read(filters, QUERIES))
    return {"title": "Lead time stages", "stages": stages, "part": "insights/delivery/_part_stages.html"}
