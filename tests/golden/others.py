"""Other readers of figures: rows, people, distributions, comparisons, adoption, baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from math import fsum
from typing import Any

from insights.benchmarks.baselines import grows_with_time, read_baseline, whole_buckets
from insights.catalogue.declarations import Duration
from insights.catalogue.registry import metrics
from insights.catalogue.shares import PerDeveloper
from insights.engine.adoption.developer_facts import read_developer_facts
from insights.engine.adoption.effect import before_and_after, cohorts_of, effect_of
from insights.engine.compared_lines import ANY_AGENT
from insights.engine.comparison import Comparison, read_comparisons
from insights.engine.contributions import LARGEST_PAGE, read_person_totals, read_rows
from insights.engine.distribution import has_distribution, read_distribution
from insights.engine.margins import STATISTICS_WITH_MARGINS, read_error_margins
from insights.leaderboard.ranking import EXACT, METRICS, RANK, SPEND, Ranking
from insights.query import windows
from insights.query.enums import BelongsTo
from insights.query.query import Dimension, Granularity, Query, Scope, Statistic
from orgtree.models import Person
from tests.golden.lines import Part, days, measured, place, printable
from tests.golden.questions import Organisation

AGENTS = (ANY_AGENT, "claude_code", "codex", "gemini")
BASELINE_BUCKETS = {Granularity.WEEK: 8, Granularity.MONTH: 3}
ADOPTION = "pr.cycle_time"  # of the two metrics that adoption is made of the one by which it is asked for


def row_lines(organisation: Organisation) -> Iterator[str]:
    """The number of rows behind each metric, and the sums of their contributions."""
    scopes = {name: scope for name, scope in organisation.scopes.items() if not scope.where}
    for metric in metrics():
        for name, scope in scopes.items():
            query = Query(metric.key, organisation.window, scope=scope)
            rows = list(_all_rows(query))
            sums = {
                f"sum of {column}s": measured(fsum(row.get(column) or 0.0 for row in rows))
                for column in ("contribution", "denominator")
            }
            yield place(organisation.name, query, name, "rows").line({"value": measured(len(rows)), **sums})


def _all_rows(query: Query) -> Iterator[Mapping[str, Any]]:
    page = 1
    while True:
        page_rows = read_rows(query, page=page, size=LARGEST_PAGE)
        yield from page_rows.rows
        if page * LARGEST_PAGE >= page_rows.total:
            return
        page += 1


def person_total_lines(organisation: Organisation) -> Iterator[str]:
    """Everybody's total, as pages show it under pseudonyms, where a metric adds anything up by person."""
    addresses = _addresses()
    for metric in metrics():
        query = Query(metric.key, organisation.window)
        if metric.belongs_to is not BelongsTo.PERSON or metric.is_stock:
            continue
        try:
            rows = read_person_totals(query).rows
        except TypeError:  # it is a share of people, or of what stands
            continue
        for row in rows:
            person = f"person {addresses.get(row['person_id'], row['person_id'])}"
            parts = {name: printable(part) for name, part in row.items() if name not in ("person_id", "contribution")}
            at = place(organisation.name, query, person, "total of a person")
            yield at.line({"value": measured(row["contribution"]), **parts})


def leaderboard_lines(organisation: Organisation) -> Iterator[str]:
    """Every figure of everybody on it: of the organisation, of units, and of one agent."""
    addresses = _addresses()
    of_agent = {Dimension.AGENT: ("claude_code",)}
    for name, scope in organisation.everybody_and_units.items():
        for facets in ({}, of_agent) if scope == Scope() else ({},):
            query = Query(SPEND, organisation.window, scope=scope, facets=facets)
            ranking = Ranking(query)
            for person in ranking.page(EXACT, RANK, ranked_by="spend", size=max(ranking.people, 1)):
                at = f"{name}, person {addresses[person.person_id]}"
                agents = " ".join(person.agents)
                for key in METRICS:
                    value = person.values[key]
                    of_metric = place(organisation.name, replace(query, key=key), at, "leaderboard")
                    yield of_metric.line({"value": measured(value.value), "agents": agents, "reason": value.reason})


def distribution_lines(organisation: Organisation) -> Iterator[str]:
    for metric in metrics():
        if not has_distribution(metric):
            continue
        for name, scope in organisation.everybody_and_units.items():
            query = Query(metric.key, organisation.window, scope=scope)
            spread = read_distribution(query)
            parts: dict[str, Part] = {
                "value": measured(spread.mean),
                "sample": spread.sample_size,
                "least": measured(spread.minimum),
                "greatest": measured(spread.maximum),
                **{rank: measured(value) for rank, value in spread.percentiles.items()},
                "reason": spread.reason,
            }
            for number, part in enumerate(spread.histogram):
                parts[f"bin {number} from"] = measured(part.start)
                parts[f"bin {number} count"] = part.count
            yield place(organisation.name, query, name, "distribution").line(parts)


def comparison_lines(organisation: Organisation) -> Iterator[str]:
    """With AI, or an agent, beside without: both groups with their interval, and the bands of each bucket."""
    for name, scope in organisation.everybody_and_units.items():
        everybody = scope == Scope()
        queries = [
            Query(key, organisation.window, Granularity.MONTH, scope, statistic=statistic)
            for key, statistics in _compared().items()
            for statistic in (statistics if everybody else statistics[:1])
        ]
        for line in AGENTS if everybody else AGENTS[:1]:
            for comparison in read_comparisons(queries, line):
                at = place(organisation.name, comparison.query, name, f"comparison of {line}")
                yield at.line(_compared_parts(comparison))
            for query in queries:
                if query.statistic in STATISTICS_WITH_MARGINS:
                    yield from _band_lines(organisation, name, query, line)


def _band_lines(organisation: Organisation, scope: str, query: Query, line: str) -> Iterator[str]:
    buckets = windows.buckets(query.window, query.granularity)
    for group, reaches in read_error_margins(query, line).items():
        for bucket, reach in zip(buckets, reaches, strict=True):
            if reach:
                window = f"{days(query.window)} {query.granularity} {days(bucket.clipped)}"
                at = place(organisation.name, query, scope, f"band of {group} beside {line}", window=window)
                yield at.line({"value": measured(reach.below), **_parts("", asdict(reach))})


def _compared() -> Mapping[str, Sequence[Statistic | None]]:
    """The metrics that have lines, each with its statistics, the usual one first."""
    statistics_by_key: dict[str, Sequence[Statistic | None]] = {}
    for metric in metrics():
        has_lines = {Dimension.AGENT, Dimension.ASSISTANCE} <= {*metric.segments} and not metric.is_stock
        if has_lines and isinstance(metric, (PerDeveloper, Duration)) and metric.belongs_to is BelongsTo.PERSON:
            statistics_by_key[metric.key] = (None, *metric.statistics)
    return statistics_by_key


def _compared_parts(comparison: Comparison) -> Mapping[str, Part]:
    return {
        "value": measured(comparison.difference),
        **_parts("first ", asdict(comparison.first)),
        **_parts("second ", asdict(comparison.second)),
        **(_parts("interval ", asdict(comparison.interval)) if comparison.interval else {}),
        "unmatched": comparison.unmatched,
        "reason": comparison.reason,
    }


def adoption_lines(organisation: Organisation) -> Iterator[str]:
    """The effect of adopting an agent, and the cohorts of use."""
    for name, scope in organisation.everybody_and_units.items():
        query = Query(ADOPTION, organisation.window, scope=scope)
        facts = read_developer_facts(query)
        effect, cohorts = effect_of(before_and_after(facts), query), cohorts_of(facts)
        at = partial(place, organisation.name, query, name)
        parts = asdict(effect)
        for group in ("took_up", "did_not"):
            yield at(f"adoption, {group}").line({"value": None, **_parts("", parts[group])})
        for what in ("merged", "cycle"):
            interval = _parts("interval ", parts[f"{what}_interval"] or {})
            yield at(f"adoption, effect on {what}").line({"value": measured(parts[what]), **interval})
        for cohort in cohorts:
            yield at(f"cohort {cohort.name}").line({"value": None, **_parts("", asdict(cohort))})


def baseline_lines(organisation: Organisation) -> Iterator[str]:
    """Baselines of everybody, by weeks and by months; metrics that are always split have none."""
    today = windows.local_today()
    for metric in metrics():
        for granularity, number in BASELINE_BUCKETS.items() if not metric.always_by else ():
            period = granularity if grows_with_time(metric) else None
            baseline = read_baseline(metric.key, Scope(), whole_buckets(today, granularity, number), period)
            parts: dict[str, Part] = {
                "value": measured(baseline.value),
                **(_parts("interval ", asdict(baseline.interval)) if baseline.interval else {}),
                "sample": baseline.sample_size,
                "people": baseline.people,
                "reason": baseline.reason,
            }
            query = Query(metric.key, baseline.window, granularity)
            yield place(organisation.name, query, "everybody", "baseline").line(parts)


OTHERS: Sequence[Callable[[Organisation], Iterator[str]]] = (
    row_lines,
    person_total_lines,
    leaderboard_lines,
    distribution_lines,
    comparison_lines,
    adoption_lines,
    baseline_lines,
)


def _parts(before: str, fields: Mapping[str, Any]) -> Mapping[str, Part]:
    return {f"{before}{name}": printable(part) for name, part in fields.items()}


def _addresses() -> Mapping[int | None, str]:
    return {pk: email or name for pk, email, name in Person.objects.values_list("pk", "email", "full_name")}
