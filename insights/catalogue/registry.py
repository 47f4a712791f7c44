"""The metric registry: every declaration in the modules of this package, and the hand-kept metrics of the database.

A metric is added by declaring it in a family module, without any further registration; hand-kept ones are defined on a
page (insights/catalogue/hand_kept.py).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache

from django.core.checks import CheckMessage, Error

import insights.catalogue
from insights.catalogue.declarations import Metric
from insights.catalogue.hand_kept import hand_kept_metrics
from insights.query.errors import UnknownMetricError
from insights.query.measures import PeopleOfWindow


@cache
def _by_key() -> Mapping[str, Metric]:
    return {metric.key: metric for metric in _declared()}


def _declared() -> Iterable[Metric]:
    """Every declaration once, ordered by module name, then by position in the module."""
    seen: set[int] = set()
    for module_info in pkgutil.iter_modules(insights.catalogue.__path__, "insights.catalogue."):
        for declared in vars(importlib.import_module(module_info.name)).values():
            if isinstance(declared, Metric) and id(declared) not in seen:
                seen.add(id(declared))
                yield declared


def metrics() -> tuple[Metric, ...]:
    """All metrics, by family module; then the hand-kept ones, by name."""
    return (*declared_metrics(), *hand_kept_metrics().values())


def declared_metrics() -> tuple[Metric, ...]:
    """The metrics declared in code, by family module."""
    return tuple(_by_key().values())


def find(key: str) -> Metric | None:
    """The metric with that key; None if there is none, or none any more."""
    return _by_key().get(key) or hand_kept_metrics().get(key)


def get(key: str) -> Metric:
    """The metric with that key.  Raises UnknownMetricError."""
    metric = find(key)
    if metric is None:
        raise UnknownMetricError(key)
    return metric


def matches(metric: Metric, search: str) -> bool:
    """Whether the metric's entry contains every word of the search."""
    text = " ".join((metric.key, metric.name, metric.meaning, metric.formula, *metric.categories)).lower()
    return all(word in text for word in search.lower().split())


def forget_declarations() -> None:
    """Reload the declarations on next use, for example after a module was added at run time."""
    _by_key.cache_clear()


def check(**_kwargs: object) -> list[CheckMessage]:
    """Django's start-up check of all declarations."""
    return [Error(problem, id="insights.E001") for problem in problems(list(_declared()))]


def problems(declared: list[Metric]) -> Iterable[str]:
    """Errors in this set of declarations, one sentence each."""
    keys = [metric.key for metric in declared]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield f"{key}: declared more than once."
    for metric in declared:
        for linked in metric.chain:
            if linked not in keys:
                yield f"{metric.key}: its chain names {linked}, which nothing declares."
            if linked == metric.key or metric.chain.count(linked) > 1:
                yield f"{metric.key}: its chain names {linked}, which stands in it already."
        for looked_at in (key for rule in metric.look_for for key in rule.metrics):
            if looked_at not in keys:
                yield f"{metric.key}: what to look for names {looked_at}, which nothing declares."
        if not metric.chain:
            yield f"{metric.key}: names no metric that it is read together with."
        if not metric.reference.startswith("https://"):
            yield f"{metric.key}: names no page that it refers to."
        if metric.statistic is not None and metric.statistic not in metric.statistics:
            yield f"{metric.key}: has no statistic {metric.statistic}."
        if metric.statistics and metric.statistic is None:
            yield f"{metric.key}: names no default statistic."
        yield from _unreadable_dimensions(metric)


def _unreadable_dimensions(metric: Metric) -> Iterable[str]:
    measures = [measure for measure in metric.measures if not isinstance(measure, PeopleOfWindow)]
    for dimension in metric.segments:
        if not all(
            measure.for_dimensions([dimension]).has(dimension)
            for measure in measures
            if dimension not in measure.not_split_by
        ):
            yield f"{metric.key}: its facts have no column for the segment {dimension}."
    for dimension in metric.facets:
        if not all(
            measure.for_dimensions([dimension]).can_filter_by(dimension)
            for measure in measures
            if dimension not in measure.not_filtered_by
        ):
            yield f"{metric.key}: its facts have no column for the facet {dimension}."


AI = (
    "ai.active_developers",
    "ai.adoption_rate",
    "ai.sessions_per_developer",
    "ai.committed_code_share",
    "ai.spend",
    "ai.spend_per_developer",
    "ai.spend_wasted",
    "ai.cache_hit_rate",
    "ai.error_rate",
    "ai.ship_rate",
)
DELIVERY = (
    "dora.deployment_frequency",
    "dora.lead_time",
    "dora.change_failure_rate",
    "dora.recovery_time",
    "dora.rework_rate",
    "pr.cycle_time",
    "pr.pickup_time",
    "pr.throughput",
    "pr.size",
    "pr.unreviewed_rate",
)
