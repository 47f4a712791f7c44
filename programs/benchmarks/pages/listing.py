"""The list of a unit's benchmarks: value, threshold and target of each metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from core.csv_export import csv_response
from core.page_links import Picker, page_links, read_page
from insights.catalogue.declarations import Metric
from insights.pages.annotations.labels import ABBREVIATIONS
from insights.query.errors import QueryError
from insights.ui.views import page_view, record_view
from programs.benchmarks.columns import TABLE
from programs.benchmarks.pages.labels import BenchmarkLine, line_of
from programs.benchmarks.pages.subject import Subject, subject_in
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark, benchmarks_for, newest_focus
from programs.benchmarks.services.current_values import CurrentValue
from programs.benchmarks.services.fields import offered_metrics
from programs.benchmarks.services.listing import (
    AGREED,
    ALL,
    STARTED_WITH,
    benchmark_rows,
    figures_of,
    list_title,
    listed_metrics,
)
from programs.models import FocusVersion

METRICS_A_PAGE = 30
FOCUS, INDICATOR = "Focus", "Key indicator"


@record_view
def benchmarks(request: HttpRequest) -> HttpResponseBase:
    subject = subject_in(request)
    show = _show(request)
    holding, focus = _agreed(subject)
    page = Paginator(listed_metrics(show, holding, focus), METRICS_A_PAGE).get_page(read_page(request))
    current = figures_of(list(page), holding, subject.scope, subject.access)
    lines = [
        benchmark_line(subject, metric, holding.get(metric.key), stand, focus)
        for metric, stand in zip(page, current, strict=True)
    ]
    shown = "" if show == AGREED else show
    gone = sorted(holding.keys() - {metric.key for metric in offered_metrics()}) if show in (AGREED, ALL) else []
    context: dict[str, Any] = {
        **subject.bar(request.path, {} if show == AGREED else {"show": show}),
        "tabs": tabs(subject, "benchmarks"),
        "shows": [
            Picker(label, subject.url("benchmarks", show="" if word == AGREED else word), word == show)
            for word, label in shows().items()
        ],
        "lines": lines,
        "labels": TABLE,
        "nothing_agreed": show == AGREED and not holding,
        "begun_with": STARTED_WITH.name,
        "gone": [(key, subject.url("benchmark", key)) for key in gone],
        "may_agree": subject.may_agree,
        "csv_url": subject.url("benchmarks_csv", show=shown),
        "has_figures": subject.scope is not None,
        "pages": page.paginator.num_pages,
        **page_links(page, lambda number: subject.url("benchmarks", show=shown, page=number)),
    }
    return render(request, "programs/benchmarks/list.html", context)


@page_view
def benchmarks_csv(request: HttpRequest) -> HttpResponseBase:
    subject = subject_in(request)
    holding, focus = _agreed(subject)
    listed = listed_metrics(_show(request), holding, focus)
    current = figures_of(listed, holding, subject.scope, subject.access)
    return csv_response("headway-benchmarks", benchmark_rows(subject.name, listed, holding, current, subject.access))


def _agreed(subject: Subject) -> tuple[Mapping[str, EffectiveBenchmark], FocusVersion | None]:
    return benchmarks_for(None, subject.unit_id, subject.access.visibility), newest_focus(subject.unit_id)


def benchmark_line(
    subject: Subject,
    metric: Metric,
    holding: EffectiveBenchmark | None,
    stand: CurrentValue | None,
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


def tabs(subject: Subject, chosen: str) -> list[Picker]:
    names = {"benchmarks": "Benchmarks", "focus": "Focus and key indicators"}
    return [Picker(label, subject.url(route), route == chosen) for route, label in names.items()]


def shows() -> Mapping[str, str]:
    """Filters of the list: metrics with a benchmark, or the metrics of a category."""
    names = {
        word: word.upper() if word in ABBREVIATIONS else word.capitalize() for word in list_title() if word != AGREED
    }
    return {AGREED: "Agreed", **names}


def _show(request: HttpRequest) -> str:
    show = request.GET.get("show", "") or AGREED
    if show not in shows():
        raise QueryError("show", f"show= is one of: {', '.join(shows())}.")
    return show


def _mark(key: str, focus: FocusVersion | None) -> str:
    if focus is None:
        return ""
    return FOCUS if key == focus.metric else INDICATOR if key in focus.indicators else ""
