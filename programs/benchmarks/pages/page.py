"""The page of one benchmark: value, trend, units below, and all versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from core.forms import posted_number
from core.page_links import page_links, read_page
from core.views import action_view, record_view
from core.write_errors import ConflictError, FieldError
from insights.catalogue.declarations import Metric
from insights.query.query import Granularity
from insights.ui import tiles
from insights.ui.filters import DEFAULT_GRANULARITY
from orgtree.access.who_sees import names_of
from orgtree.models import Unit
from programs.benchmarks.pages.labels import baseline_words, line_of, value_words
from programs.benchmarks.pages.listing import benchmark_line, tabs
from programs.benchmarks.pages.subject import Subject, subject_in
from programs.benchmarks.queries.benchmarks import (
    EffectiveBenchmark,
    benchmarks_of_units,
    newest_focus,
    units_below,
    versions_of,
)
from programs.benchmarks.services.agreements import benchmark_url
from programs.benchmarks.services.current_values import benchmark_query, current_values_with_units
from programs.benchmarks.services.fields import offered_metric
from programs.benchmarks.services.listing import period_of, queries_of_units
from programs.benchmarks.services.writing import granularity_of, withdraw_benchmark

UNITS_A_PAGE = 25
Held = Mapping[int | None, Mapping[str, EffectiveBenchmark]]


@record_view
def benchmark(request: HttpRequest, key: str) -> HttpResponseBase:
    return benchmark_page(request, key, subject_in(request))


def benchmark_page(
    request: HttpRequest, key: str, subject: Subject, *, problem: str = "", reason: str = "", status: int = 200
) -> HttpResponseBase:
    """The page; `problem` says why the submitted change was not stored, and `reason` keeps the text already typed."""
    metric = offered_metric(key)
    versions = versions_of(key, subject.unit_id)
    if metric is None and not versions:
        raise Http404("No such metric.")
    below = units_below(subject.unit, subject.access.visibility, subject.filters.today)
    page = Paginator(below, UNITS_A_PAGE).get_page(read_page(request)) if metric else None
    units: list[Unit] = list(page) if page else []
    held = benchmarks_of_units([key], [subject.unit_id, *(unit.pk for unit in units)], subject.access.visibility)
    holding = held[subject.unit_id].get(key)
    newest = versions[0] if versions else None
    has_own = newest is not None and not newest.is_removal
    context: dict[str, Any] = {
        **subject.bar(request.path, {}),
        "tabs": tabs(subject, ""),
        "key": key,
        "metric": metric,
        "holding": holding,
        "subject_name": subject.name,
        "versions": [
            (
                version,
                value_words(version.threshold, version),
                value_words(version.target, version),
                baseline_words(version, subject.access),
            )
            for version in versions
        ],
        "names": names_of([version.written_by for version in versions if version.written_by]),
        "baseline": baseline_words(holding.version, subject.access) if holding and holding.is_own else None,
        "has_own": has_own,
        "newest": newest.number if newest else 0,
        "take_back_url": subject.url("benchmark_take_back", key) if has_own and subject.may_agree else "",
        "problem": problem,
        "reason": reason,
        "has_figures": subject.scope is not None,
        "may_agree": subject.may_agree,
    }
    if metric is not None:
        context |= _of_metric(metric, subject, held, units)
        if page is not None:
            context |= page_links(page, lambda number: f"{subject.url('benchmark', metric.key, page=number)}#units")
    return render(request, "programs/benchmarks/benchmark.html", context, status=status)


@action_view
def benchmark_take_back(request: HttpRequest, key: str) -> HttpResponseBase:
    """Withdraws version `number` of the benchmark, with a `reason`."""
    subject = subject_in(request)
    if not subject.is_plain:
        raise PermissionDenied("Benchmarks are for a unit or the whole organisation, not for a part of it.")
    reason = request.POST.get("reason", "")
    try:
        given = {"unit": subject.slug, "reason": reason}
        withdraw_benchmark(subject.access, key, given, of_number=posted_number(request, "number"))
    except FieldError as problem:
        return benchmark_page(request, key, subject, problem=problem.message, reason=reason, status=400)
    except ConflictError as conflict:
        words = f"{conflict} Check the current version before you withdraw it."
        return benchmark_page(request, key, subject, problem=words, reason=reason, status=409)
    messages.success(request, "Benchmark withdrawn. The one of the unit above applies again.")
    return redirect(subject.url("benchmark", key))


def _of_metric(metric: Metric, subject: Subject, held: Held, units: Sequence[Unit]) -> dict[str, Any]:
    """The values of the unit and of those below it, read in one call."""
    holding = held[subject.unit_id].get(metric.key)
    own = benchmark_query(metric, period_of(holding))
    stand, below = current_values_with_units(
        own,
        subject.scope,
        queries_of_units(metric, [unit.pk for unit in units], held),
        subject.access,
        today=subject.filters.today,
    )
    return {
        "line": benchmark_line(subject, metric, holding, stand, newest_focus(subject.unit_id)),
        "chart": _chart(metric, subject, holding) if subject.scope is not None else None,
        "metric_url": subject.filters.url(reverse("metric_page", args=[metric.key])),
        "units": [
            (
                unit.name,
                line_of(
                    metric,
                    held[unit.pk].get(metric.key),
                    below.get(unit.pk),
                    mark="",
                    url=benchmark_url(metric.key, unit.slug),
                    edit_url="",
                ),
            )
            for unit in units
        ],
    }


def _chart(metric: Metric, subject: Subject, holding: EffectiveBenchmark | None) -> tiles.ChartCard:
    """Half a year of values, in the buckets of the benchmark's period."""
    period = granularity_of(benchmark_query(metric, period_of(holding)).period) or DEFAULT_GRANULARITY
    weeks = "52w" if period is Granularity.QUARTER else "26w"
    filters = subject.filters.with_range(weeks).with_granularity(period)
    return tiles.ChartCard(
        key="trend",
        title=f"Trend, {filters.span}",
        info=metric.meaning,
        kind="line",
        data_url=filters.url(reverse("metric_page_chart", args=[metric.key, "trend"])),
        csv_url=filters.url(reverse("metric_page_chart_csv", args=[metric.key, "trend"])),
        how_url=filters.url(reverse("metric_how", args=[metric.key])),
        span=12,
    )
