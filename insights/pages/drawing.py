"""Charts from answers: over time, split over time, and the parts of a whole.

Each point, bar and slice has the URL of the rows behind it, which the script combines: `rows` has a URL per dataset,
`buckets` the parameters of each label; without them only the card's own rows open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.urls import reverse
from django.utils.text import capfirst

from core.page_links import url_with
from insights.catalogue.agents import in_agent_order
from insights.catalogue.declarations import Metric, Ratio
from insights.catalogue.registry import find, get
from insights.engine.compared_lines import ANY_AGENT, WITHOUT
from insights.engine.plan import OTHER_ALONE
from insights.pages.answers import Answers, InsightsPage, PageQuery
from insights.privacy.visible import visible_distribution
from insights.query import windows
from insights.query.enums import UnitOfMeasure
from insights.query.query import Answer, Dimension, Granularity, MetricValue
from insights.ui import tiles, wording
from insights.ui.cards import Trend
from insights.ui.charts import ChartData, Dataset, Kind, Role
from insights.ui.filters import MOST_FACET_VALUES, WINDOW_PARAMETERS, Choice, Filters
from insights.ui.labels import LABELS, label_of

SERIES_DRAWN = 8  # more lines or colours cannot be distinguished
BULK = 95  # percent of the facts lie in a histogram's bins of equal width; the last bin has the long tail
REST = "\x00rest"  # no segment has this name, because names contain no NUL
REPOSITORIES_LISTED = 11  # in a donut
SHARES_LISTED = 6  # in a donut: the rest is combined into one share
OTHER_WORK = "other"  # also a class of its own, besides its finer classes
NAMELESS = "unknown"
# The lines of a comparison that are not a single agent belong to another dimension.
ASSISTED = {"none": WITHOUT, "any": ANY_AGENT}
# The label of the values that a donut does not list individually.
REST_OF: Mapping[Dimension, str] = {
    Dimension.AGENT: "Other agents",
    Dimension.MODEL: "Other models",
    Dimension.REPOSITORY: "Other repositories",
    Dimension.WORK_TYPE: "Other work",
}


@dataclass(frozen=True)
class Share:
    """One slice of a whole: its amount in words, its percentage, and the length of its bar."""

    key: str
    label: str
    role: Role
    value: float
    amount: str
    percent: str
    fraction: float = 0.0  # 0–1, of the sum
    start: float = 0.0  # 0–1, where its part of a stacked bar begins
    of: Sequence[str] = ()  # the values that it combines; empty for a single value


def shares(
    amounts: Mapping[str, float],
    unit: str,
    *,
    role: Role,
    labels: Mapping[str, str],
    rest: str = "Other",
    most: int = SHARES_LISTED,
) -> list[Share]:
    """Amounts as shares of their sum, in the given order; those after the first `most` - 1 are combined."""
    parts = [*amounts.items()]
    others: list[tuple[str, float]] = []
    if len(parts) > most:
        listed, others = parts[: most - 1], parts[most - 1 :]
        parts = [*listed, (REST, sum(value for _, value in others))]
        labels = {**labels, REST: f"{rest} ({len(others)})"}
    total = sum(amounts.values())
    starts = [0.0, *accumulate(value / total if total else 0.0 for _, value in parts)]
    return [
        Share(
            key="other" if name == REST else name or NAMELESS,
            label=labels.get(name) or name or "Unknown",
            role=role,
            value=value,
            amount=str(wording.reading(value, unit)) if unit == "currency" else wording.compact(value),
            percent=wording.percent_of(value, total),
            fraction=value / total if total else 0.0,
            start=start,
            of=[segment for segment, _ in others] if name == REST else (),
        )
        for start, (name, value) in zip(starts, parts, strict=False)
    ]


def donut(
    parts: Sequence[Share], of: tuple[str, Dimension | None], *, unit: str, centre: tuple[str, str], left_out: int = 0
) -> ChartData:
    """A donut with one dataset per slice, because each has its own key and role; `of` are the metric and the
    dimension.
    """
    return ChartData(
        kind="donut",
        unit=unit,
        labels=["Whole window"],
        datasets=[Dataset(part.label, part.key, part.role, [part.value], of=part.of) for part in parts],
        label_name="Range",
        centre=centre,
        left_out=left_out,
        parts_of=of,
    )


def highest_title(metric: Metric) -> str:
    """The heading of the greatest values; for durations, the slowest."""
    return "Slowest" if metric.unit is UnitOfMeasure.SECONDS else "Highest"


def histogram_of(filters: Filters, metric: Metric) -> ChartData:
    """The distribution of a metric's facts: bins of equal width, and one for the greatest twentieth."""
    distribution = visible_distribution(filters.query(metric.key), filters.access)
    bins = list(zip(distribution.histogram, distribution.is_tail, strict=True))
    bulk = [None if is_tail else bin_.count for bin_, is_tail in bins]
    rest = [bin_.count if is_tail else None for bin_, is_tail in bins]
    datasets = [Dataset(capfirst(wording.plural_of(metric.fact)), "bulk", "single", bulk)]
    if any(distribution.is_tail):
        datasets.append(Dataset(f"{highest_title(metric)} {100 - BULK}%", "rest", "sequence", rest))
    labels = [
        f"over {wording.reading(bin_.start, metric.unit)}"
        if is_tail
        else wording.between(bin_.start, bin_.end, metric.unit)
        for bin_, is_tail in bins
    ]
    return ChartData("stacked_bar", "count", labels, datasets, label_name="Value", reason=distribution.reason or "")


def trend_of(card: Trend, page: InsightsPage, filters: Filters) -> ChartData:
    """A metric over time, as its card declares it."""
    metric = get(filters.metric(card.metric))
    by = filters.picked[card.by.parameter] if isinstance(card.by, Choice) else card.by
    if by not in (None, "all"):
        return _split(card, metric, page.read(filters, [PageQuery(metric.key, Dimension(by))]), Dimension(by))
    keys = (metric.key, *card.beside)
    answers = page.read(filters, [PageQuery(key) for key in keys])
    datasets = [_dataset(get(key), answers.answer(key), is_beside=bool(card.beside)) for key in keys]
    return over_time(card.kind, answers.answer(metric.key), datasets)


def _dataset(metric: Metric, answer: Answer, *, is_beside: bool) -> Dataset:
    """A metric as a series; next to others its label is the short one, which fits the end of a line."""
    counts = _sides(answer.series, metric.sides) if isinstance(metric, Ratio) and metric.sides else {}
    label = metric.short if is_beside else metric.name
    role: Role = "sequence" if is_beside else "single"
    return Dataset(label, metric.key, role, values_of(answer.series), counts)


def _sides(series: Sequence[MetricValue], nouns: tuple[str, str]) -> Mapping[str, Sequence[float | None]]:
    """Numerator and denominator behind each value."""
    shown = [None if figure.withheld else figure for figure in series]
    return {
        nouns[0]: [figure.numerator if figure else None for figure in shown],
        nouns[1]: [figure.denominator if figure else None for figure in shown],
    }


def _split(card: Trend, metric: Metric, answers: Answers, dimension: Dimension) -> ChartData:
    """A dataset per segment value.

    Beyond SERIES_DRAWN, the smallest are added up; values that do not add up (medians, shares) are only in the CSV.
    """
    answer, values = answers.answer(metric.key, dimension), list(answers.split(metric.key, dimension))
    by_value, adds_up = series_by_value(answer, dimension), metric.adds_up
    drawn = len(values) if len(values) <= SERIES_DRAWN else SERIES_DRAWN - 1 if adds_up else SERIES_DRAWN
    drawn_values, rest = values[:drawn], values[drawn:]
    role: Role = "sequence"
    if dimension is Dimension.AGENT:
        drawn_values, role = in_agent_order(drawn_values), "agent"

    def datasets_of(chosen: Sequence[str]) -> list[Dataset]:
        return [
            Dataset(
                label_of(value, dimension),
                value or NAMELESS,
                role,
                values_of(by_value[value]),
                counts_of(by_value[value], wording.plural_of(metric.fact)) if card.counted else {},
            )
            for value in chosen
        ]

    datasets = datasets_of(drawn_values)
    if rest and adds_up:
        sums = [_sum(bucket) for bucket in zip(*(values_of(by_value[value]) for value in rest), strict=True)]
        datasets.append(Dataset(f"Other ({len(rest)})", "other", role, sums, of=rest))
    return replace(
        over_time(card.kind, answer, datasets),
        left_out=answers.left_out(metric.key, dimension),
        undrawn=[] if adds_up else datasets_of(rest),
    )


def breakdown_of(answers: Answers, key: str, dimension: Dimension) -> ChartData:
    """A sum by the values of a dimension: agents in their order, other values the highest first."""
    metric, figures = get(key), answers.split(key, dimension)
    unit = metric.unit
    parts = {name: figure.value for name, figure in figures.items() if figure.value}
    role: Role = "sequence"
    if dimension is Dimension.AGENT:
        parts, role = {agent: parts[agent] for agent in in_agent_order(parts)}, "agent"
    most = REPOSITORIES_LISTED if dimension is Dimension.REPOSITORY else SHARES_LISTED
    listed = shares(
        parts, unit, role=role, labels=LABELS.get(dimension, {}), rest=REST_OF.get(dimension, "Other"), most=most
    )
    left_out, total = answers.left_out(key, dimension), sum(part.value for part in listed)
    printed, note = wording.compact(total), metric.label.lower() if unit == "count" else unit
    if unit == "currency":
        printed, note = wording.money(total), answers.filters.span
    centre = (printed, "in what is shown" if left_out else note)
    return donut(listed, (key, dimension), unit=unit, centre=centre, left_out=left_out)


def last_active(answers: Answers, key: str) -> ChartData:
    """The people of a share by when they were last active: in the latest bucket, earlier, or not in this window."""
    answer = answers.answer(key)
    share = tiles.whole(answer)
    everybody, active = int(share.denominator or 0), int(share.numerator or 0)
    come = [bucket for bucket in answer.series if bucket.window.start <= answers.filters.today]
    parts: list[tuple[str, str, int]] = []
    if len(come) > 1:
        latest = int(come[-1].numerator or 0)
        parts.append(("latest", f"Since {wording.bucket(come[-1].window, Granularity.WEEK)}", latest))
        parts.append(("earlier", "Earlier in this window", active - latest))
    else:
        parts.append(("latest", "In this window", active))
    parts.append(("not_yet", "Not in this window", everybody - active))
    listed = [
        Share(name, label, "sequence", people, f"{people:,}", wording.percent_of(people, everybody))
        for name, label, people in parts
    ]
    centre = (f"{active:,}/{everybody:,}", str(wording.reading(share.value or 0, "percent")))
    return donut(listed, (key, None), unit="count", centre=centre)


def counts_of(figures: Sequence[MetricValue | None], facts: str) -> Mapping[str, Sequence[float | None]]:
    """The number of facts and developers behind each value; None for a hidden one."""
    shown = [figure if figure and not figure.withheld else None for figure in figures]
    return {
        facts: [figure.sample_size if figure else None for figure in shown],
        "developers": [figure.people if figure else None for figure in shown],
    }


def series_by_value(answer: Answer, dimension: Dimension) -> Mapping[str, Sequence[MetricValue | None]]:
    """The figures of each segment value, one per bucket; None for buckets in which it has none."""
    by_value: dict[str, dict[date, MetricValue]] = defaultdict(dict)
    for figure in answer.series:
        by_value[figure.segment.get(dimension, "")][figure.window.start] = figure
    starts = list(dict.fromkeys(figure.window.start for figure in answer.series))
    series = {value: [figures.get(start) for start in starts] for value, figures in by_value.items()}
    return defaultdict(lambda: [None] * len(starts), series)


def over_time(kind: Kind, answer: Answer, datasets: Sequence[Dataset]) -> ChartData:
    buckets = list({figure.window: figure for figure in answer.series}.values())
    granularity = answer.query.granularity
    return ChartData(
        kind=kind,
        unit=get(answer.query.key).unit,
        labels=[wording.bucket(figure.window, granularity) for figure in buckets],
        days=[figure.window.start for figure in buckets],
        datasets=datasets,
        bucket=granularity.value,
        incomplete={
            index: words for index, figure in enumerate(buckets) if (words := _incomplete(figure, granularity))
        },
        query=answer.query,
        reason=next((figure.reason for figure in answer.total if figure.reason), ""),
    )


def _incomplete(figure: MetricValue, granularity: Granularity) -> str:
    """The reason why the bucket is not a whole week, month or quarter; empty for a whole one."""
    if figure.to_date:
        return f"{granularity.value} to date"
    is_whole = figure.window.days == windows.whole_bucket(figure.window.start, granularity).days
    return "" if is_whole else f"incomplete {granularity.value}"


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def values_of(series: Sequence[MetricValue | None]) -> list[float | None]:
    return [figure.value if figure else None for figure in series]


def drill(filters: Filters, drawn: ChartData) -> dict[str, Any]:
    """Drill-down data for the chart's JSON, from a trend's query or a donut's metric and dimension."""
    if drawn.parts_of is not None:
        key, dimension = drawn.parts_of
        rows = [_url_of_rows(filters, key, filters.facets, dimension, _values_of_part(part)) for part in drawn.datasets]
        return {"rows": rows} if any(rows) else {}
    query = drawn.query
    if query is None:
        return {}
    split = query.segments[0] if len(query.segments) == 1 else None
    buckets = [bucket.clipped for bucket in windows.buckets(query.window, query.granularity)]
    if len(buckets) != len(drawn.labels):
        return {}
    keys = [query.key if split else dataset.key for dataset in drawn.datasets]
    return {
        "rows": [
            _without_window(_url_of_rows(filters, key, query.facets, split, _values_of_part(dataset)))
            if find(key)
            else ""
            for key, dataset in zip(keys, drawn.datasets, strict=True)
        ],
        "buckets": [urlencode({"from": bucket.start.isoformat(), "to": bucket.end.isoformat()}) for bucket in buckets],
    }


def rows_of_part(filters: Filters, key: str, dimension: Dimension, value: str) -> str:
    """The URL of one part's rows in the page's window; replaces other chosen values of the dimension."""
    return _url_of_rows(filters, key, filters.facets, dimension, (value,))


def _values_of_part(dataset: Dataset) -> tuple[str, ...]:
    """The segment values of a part: one, or those that it combines."""
    return tuple(value or NAMELESS for value in dataset.of) or (dataset.key,)


def _url_of_rows(
    filters: Filters,
    key: str,
    facets: Mapping[Dimension, tuple[str, ...]],
    dimension: Dimension | None,
    values: tuple[str, ...],
) -> str:
    """The URL of one part's rows; empty without such a facet, or with too many values for a URL."""
    metric = get(key)
    selected = {name: chosen for name, chosen in facets.items() if name in metric.facets}
    if dimension is not None and dimension not in metric.always_by:
        part, chosen = dimension, values
        if values[0] in ASSISTED:
            part, chosen = Dimension.ASSISTANCE, (ASSISTED[values[0]],)
            selected.pop(dimension, None)
        if dimension is Dimension.WORK_TYPE:
            chosen = tuple(OTHER_ALONE if value == OTHER_WORK else value for value in values)
        if part not in metric.facets or len(chosen) > MOST_FACET_VALUES:
            return ""
        selected[part] = chosen
    return replace(filters, choices=(), facets=selected).url(reverse("metric_rows", args=[key]))


def _without_window(address: str) -> str:
    """The URL without its window, to which a bucket's days are added."""
    path, _, query = address.partition("?")
    return url_with(path, [pair for pair in parse_qsl(query) if pair[0] not in WINDOW_PARAMETERS])
