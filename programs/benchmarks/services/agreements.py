"""Benchmarks as charts and metric pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.urls import reverse

from core.page_links import url_with
from insights.catalogue.registry import get
from insights.query.query import Scope, Statistic
from insights.ui.agreements import Agreement
from orgtree.access.access import Access
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark, benchmarks_of_slug
from programs.benchmarks.services.writing import granularity_of
from programs.models import Direction

OF_THE_ORGANISATION = "whole organisation"
# A metric's trend that has a key of its own uses the benchmark of that metric.
TREND_METRICS = {"ai.active_share": "ai.adoption_rate"}


def agreements(keys: Sequence[str], scope: Scope, access: Access) -> Mapping[str, Agreement]:
    """Maps each key to the benchmark of the scope's unit or of the whole organisation, in one query."""
    wanted_keys = {*keys, *(TREND_METRICS[key] for key in keys if key in TREND_METRICS)}
    holding = benchmarks_of_slug(wanted_keys, scope.unit, access.visibility)
    by_key = {key: holding.get(key) or holding.get(TREND_METRICS.get(key, "")) for key in keys}
    return {
        key: _agreement(benchmark, scope.unit)
        for key, benchmark in by_key.items()
        if benchmark and not benchmark.is_of_older_formula
    }


def source_of(holding: EffectiveBenchmark) -> str:
    """The unit that a benchmark is inherited from; empty for an own one."""
    if holding.is_own:
        return ""
    return holding.version.unit.name if holding.version.unit else OF_THE_ORGANISATION


def benchmark_url(key: str, unit: str | None) -> str:
    return url_with(reverse("benchmark", args=[key]), {"unit": unit})


def _agreement(holding: EffectiveBenchmark, unit: str | None) -> Agreement:
    version = holding.version
    return Agreement(
        threshold=version.threshold,
        target=version.target,
        statistic=Statistic(version.statistic) if version.statistic else None,
        period=granularity_of(version.period),
        whose=source_of(holding),
        url=benchmark_url(version.metric, unit),
        unit=get(version.metric).unit,
        higher_is_better=version.better == Direction.HIGHER,
    )
