"""The metrics of a list of benchmarks, and the list as CSV."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from core.csv_export import Cell
from insights.catalogue.declarations import Metric
from insights.query.enums import Category
from orgtree.access.access import Access
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark
from programs.benchmarks.services.agreements import source_of
from programs.benchmarks.services.current_values import BenchmarkQuery, CurrentValue, benchmark_query
from programs.benchmarks.services.fields import offered_metrics
from programs.benchmarks.services.starter_sets import STARTER_SETS
from programs.benchmarks.services.writing import hides_baseline
from programs.models import FocusVersion

AGREED, ALL = "agreed", "all"
STARTED_WITH = STARTER_SETS["dora"]
CSV_HEAD = (
    *("Metric", "Key", "Unit of measure", "Statistic", "Period", "Stands at", "Sample", "Should be", "Wants to be"),
    *("Agreed for", "Baseline", "Baseline from", "Baseline to", "Low", "High", "Version", "Agreed on", "Reason"),
)


def list_title() -> list[str]:
    """What a list can be narrowed to: what was agreed, the metrics of a category, or all."""
    used = {category for metric in offered_metrics() for category in metric.categories}
    return [AGREED, *(category.value for category in Category if category in used), ALL]


def listed_metrics(show: str, holding: Collection[str], focus: FocusVersion | None) -> list[Metric]:
    """The focus metric first, then key indicators in their order, then the others in the catalogue's."""
    chosen = [focus.metric, *focus.indicators] if focus else []
    if show == AGREED:
        keys = {*chosen, *holding} or {metric.key for metric in STARTED_WITH.metrics}
        metrics = [metric for metric in offered_metrics() if metric.key in keys]
    else:
        metrics = [metric for metric in offered_metrics() if show == ALL or show in metric.categories]
    return sorted(metrics, key=lambda metric: chosen.index(metric.key) if metric.key in chosen else len(chosen))


def period_of(holding: EffectiveBenchmark | None) -> str:
    """Empty where nothing was agreed."""
    return holding.version.period if holding else ""


def queries_of_units(
    metric: Metric, units: Sequence[int], held: Mapping[int | None, Mapping[str, EffectiveBenchmark]]
) -> list[tuple[BenchmarkQuery, list[int]]]:
    """How the figures of units (by id) have to be read for what holds of each, those together that are read alike."""
    queries = {pk: benchmark_query(metric, period_of(held[pk].get(metric.key))) for pk in units}
    return [
        (fromkey, [pk for pk, of in queries.items() if of == fromkey]) for fromkey in dict.fromkeys(queries.values())
    ]


def benchmark_rows(
    whose_list: str,
    listed: Sequence[Metric],
    holding: Mapping[str, EffectiveBenchmark],
    current: Sequence[CurrentValue | None],
    access: Access,
) -> Iterator[Sequence[Cell]]:
    """Each metric with where it stands; `whose_list` is the name of the unit."""
    yield CSV_HEAD
    for metric, stand in zip(listed, current, strict=True):
        held = holding.get(metric.key)
        query = benchmark_query(metric, period_of(held))
        figures = (stand.value, stand.sample_size if stand.value is not None else None) if stand else (None, None)
        front = (metric.name, metric.key, metric.unit, metric.statistic or "", query.period, *figures)
        if held is None:
            yield (*front, *[None] * (len(CSV_HEAD) - len(front)))
            continue
        version = held.version
        baseline: tuple[Cell, ...] = (None,) * 5
        if not hides_baseline(version, access):
            days = (version.baseline_from, version.baseline_to)
            baseline = (version.baseline, *days, version.baseline_low, version.baseline_high)
        yield (
            *front,
            *(version.threshold, version.target, source_of(held) or whose_list),
            *baseline,
            *(version.number, version.written_at.date(), version.reason),
        )
