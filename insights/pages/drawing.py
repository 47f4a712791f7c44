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

from core.page_links import url_with
from insights.catalogue.agents import agent_name, in_agent_order
from insights.catalogue.registry import get
from insights.engine.compared_lines import ANY_AGENT, WITHOUT
from insights.engine.distribution import DistributionAnswer
from insights.engine.plan import OTHER_ALONE
from insights.pages.answers import Answers, InsightsPage, PageQuery
from insights.query import windows
from insights.query.query import Answer, Dimension, MetricValue
from insights.ui import tiles, wording
from insights.ui.charts import ChartData, Dataset, Kind, Role
from insights.ui.filters import MOST_FACET_VALUES, Choice, Filters
from integrations.intake.resolve import shown_service

SERIES_DRAWN = 8  # more lines or colours are indistinguishable
BULK = 95  # percent of the facts lie in a histogram's bins of equal width; the last bin takes the long tail
REST = "\x00rest"  # no segment has this name: names hold no NUL
SHARES_LISTED = 6  # in a donut: the rest is combined into one share
OTHER_WORK = "other"  # also a class of its own, besides its finer classes
NAMELESS = "unknown"
# Lines of a comparison without a single agent are of another dimension.
ASSISTED = {"none": WITHOUT, "any": ANY_AGENT}
WINDOW_PARAMETERS = frozenset({"range", "from", "to"})
# Labels of classes of work.
WORK_TYPES: Mapping[str, str] = {
    **{"feature": "Feature", "bug": "Bug", "other": "Other", "tech_debt": "Tech debt"},
    **{"operations": "Operations", "documentation": "Documentation", "unknown": "Unknown work"},
}
# By dimension; values of others are their own labels.
LABELS: Mapping[Dimension, Mapping[str, str]] = {
    Dimension.WORK_TYPE: WORK_TYPES,
    Dimension.ASSISTANCE: {"AI": "With an agent", "Non-AI": "Without"},
    Dimension.TOKEN_KIND: {
        "cache_read": "Cache read",
        "cache_write": "Cache write",
        "input": "Uncached input",
        "output": "Output",
    },
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
    of: Sequence[str] = ()  # the values that it combines; empty for a single one


def shares(
    figures: Mapping[str, MetricValue],
    unit: str,
    *,
    role: Role,
    labels: Mapping[str, str],
    rest: str = "Other",
    most: int = SHARES_LISTED,
) -> list[Share]:
    """Segments as shares of their sum, in the given order; those after the first `most` - 1 are combined."""
    amounts = [(name, figure.value or 0.0) for name, figure in figures.items()]
    others: list[tuple[str, float]] = []
    if len(amounts) > most:
        listed, others = amounts[: most - 1], amounts[most - 1 :]
        amounts = [*listed, (REST, sum(value for _, value in others))]
        labels = {**labels, REST: f"{rest} ({len(others)})"}
    total = sum(value for _, value in amounts)
    starts = [0.0, *accumulate(value / total if total else 0.0 for _, value in amounts)]
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
        for start, (name, value) in zip(starts, amounts, strict=False)
    ]


def donut(parts: Sequence[Share], *, unit: str, centre: tuple[str, str], left_out: int = 0) -> ChartData:
    """One dataset per slice, because each has its own key and role."""
    return ChartData(
        kind="donut",
        unit=unit,
        labels=["Whole window"],
        datasets=[Dataset(part.label, part.key, part.role, [part.value], of=part.of) for part in parts],
        label_name="Range",
        centre=centre,
        left_out=left_out,
    )


def histogram(distribution: DistributionAnswer, unit: str, *, facts: str, tail: str, label_name: str) -> ChartData:
    """Bins of equal width, and one for the greatest twentieth; `facts` and `tail` name both datasets."""
    bins = list(zip(distribution.histogram, distribution.is_tail, strict=True))
    bulk = [None if is_tail else bin_.count for bin_, is_tail in bins]
    rest = [bin_.count if is_tail else None for bin_, is_tail in bins]
    datasets = [Dataset(facts, "bulk", "single", bulk)]
    if any(distribution.is_tail):
        datasets.append(Dataset(tail, "rest", "sequence", rest))
    labels = [
        f"over {wording.reading(bin_.start, unit)}" if is_tail else wording.between(bin_.start, bin_.end, unit)
        for bin_, is_tail in bins
    ]
    return ChartData("stacked_bar", "count", labels, datasets, label_name=label_name, reason=distribution.reason or "")


@dataclass(frozen=True)
class Chart:
    """A metric over time, on one line or split `by` a dimension: its card on a page, and its drawing.

    A picker of dimensions can have the option `all`: not split.  `amount_of` is the metric of which there has to be
    something to draw, by default its own, which may be 0; `counted` is the noun of the facts behind each value.
    """

    name: str
    metric: str
    title: str
    kind: Kind
    span: tiles.Span = 4
    by: Dimension | Choice | None = None
    amount_of: str = ""
    counted: str = ""

    def card(self, answers: Answers) -> tiles.ChartCard:
        figure = answers.figure(self.amount_of or self.metric)
        known = figure.value if self.amount_of else figure.value is not None
        return answers.card(
            self.name,
            self.metric,
            title=self.title,
            kind=self.kind,
            span=self.span,
            missing=None if known else figure,
            pickers=answers.pickers(self.by) if isinstance(self.by, Choice) else (),
        )

    def draw(self, page: InsightsPage, filters: Filters) -> ChartData:
        by = filters.picked[self.by.parameter] if isinstance(self.by, Choice) else self.by
        if by in (None, "all"):
            answer = page.read(filters, [PageQuery(self.metric)]).answer(self.metric)
            dataset = Dataset(get(self.metric).name, self.metric, "single", values_of(answer.series))
            return over_time(self.kind, answer, [dataset])
        return self._split(page, filters, Dimension(by))

    def _split(self, page: InsightsPage, filters: Filters, dimension: Dimension) -> ChartData:
        """A dataset per segment value.

        Beyond SERIES_DRAWN the smallest are added up; where values do not add up (medians, shares), only the CSV has
        them.
        """
        answers = page.read(filters, [PageQuery(self.metric, dimension)])
        answer, values = answers.answer(self.metric, dimension), list(answers.split(self.metric, dimension))
        by_value, adds_up = series_by_value(answer, dimension), get(self.metric).adds_up
        drawn = len(values) if len(values) <= SERIES_DRAWN else SERIES_DRAWN - 1 if adds_up else SERIES_DRAWN
        drawn_values, rest = values[:drawn], values[drawn:]
        role: Role = "sequence"
        if dimension is Dimension.AGENT:
            drawn_values, role = in_agent_order(drawn_values), "agent"

        def datasets_of(chosen: Sequence[str]) -> list[Dataset]:
            return [
                Dataset(
                    _label(value, dimension),
                    value or NAMELESS,
                    role,
                    values_of(by_value[value]),
                    counts_of(by_value[value], self.counted) if self.counted else {},
                )
                for value in chosen
            ]

        datasets = datasets_of(drawn_values)
        if rest and adds_up:
            sums = [_sum(bucket) for bucket in zip(*(values_of(by_value[value]) for value in rest), strict=True)]
            datasets.append(Dataset(f"Other ({len(rest)})", "other", role, sums, of=rest))
        return replace(
            over_time(self.kind, answer, datasets),
            left_out=answers.left_out(self.metric, dimension),
            undrawn=[] if adds_up else datasets_of(rest),
        )


def counts_of(figures: Sequence[MetricValue | None], facts: str) -> Mapping[str, Sequence[float | None]]:
    """The number of facts and developers behind each value; None for a hidden one."""
    shown = [figure if figure and not figure.withheld else None for figure in figures]
    return {
        facts: [figure.sample_size if figure else None for figure in shown],
        "developers": [figure.people if figure else None for figure in shown],
    }


def series_by_value(answer: Answer, dimension: Dimension) -> Mapping[str, Sequence[MetricValue | None]]:
    """The figures of each segment value, one per bucket; None where it has none."""
    by_value: dict[str, dict[date, MetricValue]] = defaultdict(dict)
    for figure in answer.series:
        by_value[figure.segment.get(dimension, "")][figure.window.start] = figure
    starts = list(dict.fromkeys(figure.window.start for figure in answer.series))
    series = {value: [figures.get(start) for start in starts] for value, figures in by_value.items()}
    return defaultdict(lambda: [None] * len(starts), series)


def over_time(kind: Kind, answer: Answer, datasets: Sequence[Dataset]) -> ChartData:
    buckets = list({figure.window: figure for figure in answer.series}.values())
    running = [index for index, figure in enumerate(buckets) if figure.to_date]
    return ChartData(
        kind=kind,
        unit=get(answer.query.key).unit,
        labels=[wording.bucket(figure.window, answer.query.granularity) for figure in buckets],
        days=[figure.window.start for figure in buckets],
        datasets=datasets,
        drawn_from=1 if kind in ("line", "area") and tiles.stub(buckets, answer.query.granularity) else 0,
        to_date_from=running[0] if running else None,
        query=answer.query,
        reason=next((figure.reason for figure in answer.total if figure.reason), ""),
    )


def _label(value: str, dimension: Dimension) -> str:
    if dimension is Dimension.AGENT:
        return agent_name(value)
    if dimension is Dimension.SERVICE and value:
        return shown_service(value)
    return LABELS.get(dimension, {}).get(value) or value or "Unknown"


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def values_of(series: Sequence[MetricValue | None]) -> list[float | None]:
    return [figure.value if figure else None for figure in series]


def drill(filters: Filters, drawn: ChartData, key: str = "", dimension: Dimension | None = None) -> dict[str, Any]:
    """For the chart's JSON.  `key` and `dimension` describe the parts of a donut; a trend has its query."""
    if drawn.query is None:
        parts = drawn.datasets if key else ()
        rows = [_url_of_rows(filters, key, filters.facets, dimension, _values_of_part(part)) for part in parts]
        return {"rows": rows} if any(rows) else {}
    query = drawn.query
    split = query.segments[0] if len(query.segments) == 1 else None
    buckets = [bucket.clipped for bucket in windows.buckets(query.window, query.granularity)]
    if len(buckets) != len(drawn.labels):
        return {}
    return {
        "rows": [
            _without_window(_url_of_rows(filters, query.key, query.facets, split, _values_of_part(dataset)))
            for dataset in drawn.datasets
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
