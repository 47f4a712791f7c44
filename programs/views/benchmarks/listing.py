"""Benchmarks of a unit: each metric with where it stands, where it should be, and where it wants to be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from insights.filters import BadFilterError
from insights.metrics.declarations import Metric
from insights.metrics.terms import Category
from insights.tiles import Picker
from insights.views.annotations.words import ABBREVIATIONS
from insights.views.bad_filter import explains_bad_filters
from insights.views.rows import read_page
from orgtree.csv_export import Cell, csv_response
from programs.models import FocusVersion
from programs.queries.benchmarks import HoldingBenchmark, benchmarks_for
from programs.queries.focus import newest_focus
from programs.services.benchmarks.agreements import whose
from programs.services.benchmarks.drafts import offered_metrics
from programs.services.benchmarks.standing import Stand, asked_about, stands
from programs.services.benchmarks.starter_sets import STARTER_SETS
from programs.services.benchmarks.writing import hides_baseline
from programs.views.benchmarks.subject import Subject, subject_in
from programs.views.benchmarks.words import BenchmarkLine, line_of

AGREED, ALL = "agreed", "all"
METRICS_A_PAGE = 30
FOCUS, INDICATOR = "Focus", "Key indicator"
BEGUN_WITH = STARTER_SETS["dora"]
CSV_HEAD = (
    *("Metric", "Key", "Unit of measure", "Statistic", "Period", "Stands at", "Sample", "Should be", "Wants to be"),
    *("Agreed for", "Baseline", "Baseline from", "Baseline to", "Low", "High", "Version", "Agreed on", "Reason"),
)


@login_required
@never_cache
@require_GET
@explains_bad_filters
def benchmarks(request: HttpRequest) -> HttpResponseBase:
    subject = subject_in(request)
    show = _show(request)
    holding, focus = _agreed(subject)
    page = Paginator(_listed(show, holding, focus), METRICS_A_PAGE).get_page(read_page(request))
    found = figures_of(subject, list(page), holding)
    lines = [
        benchmark_line(subject, metric, holding.get(metric.key), stand, focus)
        for metric, stand in zip(page, found, strict=True)
    ]
    kept = "" if show == AGREED else show
    gone = sorted(holding.keys() - {metric.key for metric in offered_metrics()}) if show in (AGREED, ALL) else []
    context: dict[str, Any] = {
        **subject.bar(request.path, {} if show == AGREED else {"show": show}),
        "tabs": tabs(subject, "benchmarks"),
        "shows": [
            Picker(label, subject.url("benchmarks", show="" if word == AGREED else word), word == show)
            for word, label in shows().items()
        ],
        "lines": lines,
        "nothing_agreed": show == AGREED and not holding,
        "begun_with": BEGUN_WITH.name,
        "gone": [(key, subject.url("benchmark", key)) for key in gone],
        "may_agree": subject.may_agree,
        "csv_url": subject.url("benchmarks_csv", show=kept),
        "has_figures": subject.scope is not None,
        "pages": page.paginator.num_pages,
        "first": page.start_index(),
        "last": page.end_index(),
        "total": f"{page.paginator.count:,}",
        "previous_url": _page_url(subject, kept, page.previous_page_number()) if page.has_previous() else "",
        "next_url": _page_url(subject, kept, page.next_page_number()) if page.has_next() else "",
    }
    return render(request, "programs/benchmarks/list.html", context)


def _page_url(subject: Subject, show: str, number: int) -> str:
    return subject.url("benchmarks", show=show, page=str(number))


@login_required
@require_GET
@explains_bad_filters
def benchmarks_csv(request: HttpRequest) -> HttpResponseBase:
    subject = subject_in(request)
    holding, focus = _agreed(subject)
    listed = _listed(_show(request), holding, focus)
    return csv_response("headway-benchmarks", _csv_rows(subject, listed, holding, figures_of(subject, listed, holding)))


def _agreed(subject: Subject) -> tuple[Mapping[str, HoldingBenchmark], FocusVersion | None]:
    return benchmarks_for(None, subject.unit_id, subject.access.sight), newest_focus(subject.unit_id)


def figures_of(
    subject: Subject, listed: Sequence[Metric], holding: Mapping[str, HoldingBenchmark]
) -> Sequence[Stand | None]:
    """Where each stands, in order; None where no figures are the viewer's to see."""
    if subject.scope is None:
        return [None for _ in listed]
    asked = [asked_about(metric, period_of(holding.get(metric.key))) for metric in listed]
    return stands(asked, subject.scope, subject.access, today=subject.filters.today)


def benchmark_line(
    subject: Subject,
    metric: Metric,
    holding: HoldingBenchmark | None,
    stand: Stand | None,
    focus: FocusVersion | None,
) -> BenchmarkLine:
    line = line_of(
        metric,
        holding,
        stand,
        mark=_mark(metric.key, focus),
        url=subject.url("benchmark", metric.key),
        edit_url=subject.url("benchmark_edit", metric.key) if subject.may_agree else "",
    )
    # What was agreed for all of a unit is not held against a part of it.
    return line if subject.is_plain else replace(line, gap=None, threshold_value=None, target_value=None)


def period_of(holding: HoldingBenchmark | None) -> str:
    """Empty where nothing was agreed."""
    return holding.version.period if holding else ""


def tabs(subject: Subject, chosen: str) -> list[Picker]:
    names = {"benchmarks": "Benchmarks", "focus": "Focus and key indicators"}
    return [Picker(label, subject.url(route), route == chosen) for route, label in names.items()]


def shows() -> Mapping[str, str]:
    """What a list can be narrowed to: what was agreed, or the metrics of a category."""
    used = {category for metric in offered_metrics() for category in metric.categories}
    names = {
        category.value: category.upper() if category in ABBREVIATIONS else category.capitalize()
        for category in Category
        if category in used
    }
    return {AGREED: "Agreed", **names, ALL: "All"}


def _show(request: HttpRequest) -> str:
    show = request.GET.get("show", "") or AGREED
    if show not in shows():
        raise BadFilterError("show", f"show= is one of: {', '.join(shows())}.")
    return show


def _listed(show: str, holding: Collection[str], focus: FocusVersion | None) -> list[Metric]:
    """The focus metric first, then key indicators in their order, then the others in the catalogue's."""
    chosen = [focus.metric, *focus.indicators] if focus else []
    if show == AGREED:
        keys = {*chosen, *holding} or {metric.key for metric in BEGUN_WITH.metrics}
        found = [metric for metric in offered_metrics() if metric.key in keys]
    else:
        found = [metric for metric in offered_metrics() if show == ALL or show in metric.categories]
    return sorted(found, key=lambda metric: chosen.index(metric.key) if metric.key in chosen else len(chosen))


def _mark(key: str, focus: FocusVersion | None) -> str:
    if focus is None:
        return ""
    return FOCUS if key == focus.metric else INDICATOR if key in focus.indicators else ""


def _csv_rows(
    subject: Subject,
    listed: Sequence[Metric],
    holding: Mapping[str, HoldingBenchmark],
    found: Sequence[Stand | None],
) -> Iterator[Sequence[Cell]]:
    yield CSV_HEAD
    for metric, stand in zip(listed, found, strict=True):
        held = holding.get(metric.key)
        asked = asked_about(metric, period_of(held))
        figures = (stand.value, stand.sample_size if stand.value is not None else None) if stand else (None, None)
        front = (metric.name, metric.key, metric.unit, metric.statistic or "", asked.period, *figures)
        if held is None:
            yield (*front, *[None] * (len(CSV_HEAD) - len(front)))
            continue
        version = held.version
        baseline: tuple[Cell, ...] = (None,) * 5
        if not hides_baseline(version, subject.access):
            days = (version.baseline_from, version.baseline_to)
            baseline = (version.baseline, *days, version.baseline_low, version.baseline_high)
        yield (
            *front,
            *(version.threshold, version.target, whose(held) or subject.name),
            *baseline,
            *(version.number, version.written_at.date(), version.reason),
        )
