"""The metrics of a list of benchmarks, and the list as CSV."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from core.csv_export import Cell
from insights.catalogue.declarations import Metric
from insights.query import windows
from insights.query.enums import Category
from insights.query.query import Scope
from orgtree.access.access import Access
from programs.benchmarks.columns import FILE
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark
from programs.benchmarks.services.agreements import source_of
from programs.benchmarks.services.current_values import BenchmarkQuery, CurrentValue, benchmark_query, current_values
from programs.benchmarks.services.fields import offered_metrics
from programs.benchmarks.services.focusing import STARTER_SETS
from programs.benchmarks.services.writing import hides_baseline
from programs.models import FocusVersion

AGREED, ALL = "agreed", "all"
STARTED_WITH = STARTER_SETS["dora"]
BASELINE = ("baseline", "baseline_from", "baseline_to", "baseline_low", "baseline_high")


def list_title() -> list[str]:
    """The title of each selection: metrics with a benchmark, those of a category, or all."""
    used = {category for metric in offered_metrics() for category in metric.categories}
    return [AGREED, *(category.value for category in Category if category in used), ALL]


def listed_metrics(show: str, holding: Collection[str], focus: FocusVersion | None) -> list[Metric]:
    """The focus metric first, then the key indicators in their order, then the others in catalogue order."""
    chosen = [focus.metric, *focus.indicators] if focus else []
    if show == AGREED:
        keys = {*chosen, *holding} or {metric.key for metric in STARTED_WITH.metrics}
        metrics = [metric for metric in offered_metrics() if metric.key in keys]
    else:
        metrics = [metric for metric in offered_metrics() if show == ALL or show in metric.categories]
    return sorted(metrics, key=lambda metric: chosen.index(metric.key) if metric.key in chosen else len(chosen))


def period_of(holding: EffectiveBenchmark | None) -> str:
    """The period of the benchmark in words; empty without a benchmark."""
    return holding.version.period if holding else ""


def queries_of_units(
    metric: Metric, units: Sequence[int], held: Mapping[int | None, Mapping[str, EffectiveBenchmark]]
) -> list[tuple[BenchmarkQuery, list[int]]]:
    """Group units (by id) by the query that their benchmark needs, so that equal queries are read together."""
    queries = {pk: benchmark_query(metric, period_of(held[pk].get(metric.key))) for pk in units}
    return [
        (fromkey, [pk for pk, of in queries.items() if of == fromkey]) for fromkey in dict.fromkeys(queries.values())
    ]


def figures_of(
    listed: Sequence[Metric], holding: Mapping[str, EffectiveBenchmark], scope: Scope | None, access: Access
) -> Sequence[CurrentValue | None]:
    """Current values in order; None if the viewer has no access (`scope` is then None)."""
    if scope is None:
        return [None for _ in listed]
    queries = [benchmark_query(metric, period_of(holding.get(metric.key))) for metric in listed]
    return current_values(queries, scope, access, today=windows.local_today())


def benchmark_rows(
    whose_list: str,
    listed: Sequence[Metric],
    holding: Mapping[str, EffectiveBenchmark],
    current: Sequence[CurrentValue | None],
    access: Access,
) -> Iterator[Sequence[Cell]]:
    """One row for each metric with its current value; `whose_list` is the unit's name."""
    yield list(FILE.labels.values())
    for metric, value in zip(listed, current, strict=True):
        held = holding.get(metric.key)
        cells: dict[str, Cell] = {
            "name": metric.name,
            "metric": metric.key,
            "unit_of_measure": metric.unit,
            "statistic": metric.statistic or "",
            "period": benchmark_query(metric, period_of(held)).period,
            "value": value.value if value else None,
            "sample": value.sample_size if value and value.value is not None else None,
        }
        if held is not None:
            baseline = () if hides_baseline(held.version, access) else BASELINE
            fields = (*baseline, "threshold", "target", "number", "reason")
            cells |= {name: getattr(held.version, name) for name in fields}
            cells |= {"source": source_of(held) or whose_list, "written_at": held.version.written_at.date()}
        yield [cells.get(column.name) for column in FILE]
