"""Charts as JSON and as CSV: the one adapter over django-chartjs.

django-chartjs gives the shape that Chart.js reads (labels and datasets).  Three of its defects are fixed here: it
leaks the view object into the response, turns Decimal into strings, and writes NaN, which is not JSON.  Its colours
are dropped: the page's script has the palette and needs only each dataset's role.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from itertools import chain
from types import MappingProxyType
from typing import Any, Literal

from chartjs.views.lines import BaseLineChartView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from insights.query.query import Dimension, Query, Window
from insights.ui import wording

Kind = Literal["line", "area", "stacked_bar", "donut"]
Role = Literal["agent", "outcome", "sequence", "single", "stage"]
Number = float | int | Decimal | None


@dataclass(frozen=True)
class Dataset:
    label: str
    key: str  # selects colour and marker: an agent's slug, an outcome, or the series' own name
    role: Role
    values: Sequence[Number]
    counts: Mapping[str, Sequence[Number]] = field(default_factory=dict)  # noun → number of facts behind each value
    is_picked: bool = False  # the series that the others are compared with
    of: Sequence[str] = ()  # the segment values that it combines; an empty string is the missing value
    low: Sequence[Number] = ()  # the ends of the 95 % interval of each value, where the series has a band
    high: Sequence[Number] = ()

    @property
    def columns(self) -> Sequence[tuple[str, Sequence[Number]]]:
        """Table columns after the values: heading and numbers."""
        counts = [(f"{self.label}: {noun}", numbers) for noun, numbers in self.counts.items()]
        if not self.low:
            return counts
        ends = (("from", self.low), ("to", self.high))
        return [*counts, *((f"{self.label}: 95 % interval {end}", numbers) for end, numbers in ends)]


@dataclass(frozen=True)
class Mark:
    """A note at the buckets `index` to `last`: an event on the days [start, end)."""

    text: str
    index: int
    last: int
    start: date
    end: date
    url: str = ""  # of its page

    @property
    def days(self) -> str:
        return wording.days(Window(self.start, self.end))

    @classmethod
    def on(cls, days: Sequence[date], text: str, window: Window, url: str) -> Mark:
        """A mark from the bucket in which the window begins to the one in which it ends; `days` are the buckets' first
        days.
        """
        first, last = (max(0, sum(start <= day for start in days) - 1) for day in (window.start, window.last_day))
        return cls(text, first, last, window.start, window.end, url)


@dataclass(frozen=True)
class Line:
    """A labelled reference line that figures are compared with.

    Threshold and target stand out from published values, and the area between them is shaded.
    """

    value: float
    label: str
    role: Literal["published", "threshold", "target"] = "published"


@dataclass(frozen=True)
class ChartData:
    """A chart's figures, one value per label in every dataset."""

    kind: Kind
    unit: str  # as the API's unit_of_measure
    labels: Sequence[str]
    datasets: Sequence[Dataset]
    days: Sequence[date] = ()  # the first day of each bucket, if labels are buckets
    bucket: str = ""  # what a label is: week, month or quarter
    incomplete: Mapping[int, str] = field(default_factory=dict)  # index of a bucket → in what way it is incomplete
    label_name: str = "From"  # heads the first column of the table and the CSV
    centre: tuple[str, str] | None = None  # of a donut: its figure and the caption
    left_out: int = 0  # segments hidden because of too few people
    days_lacking: int = 0  # whose stored facts are not counted yet
    undrawn: Sequence[Dataset] = ()  # too many to distinguish: only the CSV has them
    marks: Sequence[Mark] = ()  # notes, in order of time
    benchmarks: Sequence[Line] = ()
    reason: str = ""  # why nothing is drawn
    query: Query | None = None  # of a trend: selects notes by its metric, scope and window
    parts_of: tuple[str, Dimension | None] | None = None  # for a donut: its metric and dimension, which select rows
    complete_url: str = ""  # of the same chart with its slower parts

    @property
    def left_out_words(self) -> str:
        """A sentence on what is not drawn; empty if everything is."""
        hidden = f"{wording.count(self.left_out, 'hidden segment')} excluded" if self.left_out else ""
        undrawn = f"{len(self.undrawn):,} more not drawn" if self.undrawn else ""
        return " · ".join(filter(None, (hidden, undrawn, wording.still_to_come(self.days_lacking))))

    def rows(self) -> Iterator[list[str | Number]]:
        """The chart as a table, heads first: a row for each bucket, or for each part of a donut.

        Reference values are repeated in each row, so that a copy of the file has them, too.
        """
        if self.kind == "donut":
            yield from self._parts()
            return
        datasets = [*self.datasets, *self.undrawn]
        heads = [[f"{dataset.label} ({self.unit})", *(head for head, _ in dataset.columns)] for dataset in datasets]
        lines = [f"{line.label} ({self.unit})" for line in self.benchmarks]
        aims = [_number(line.value) for line in self.benchmarks]
        yield [self.label_name, *chain.from_iterable(heads), *lines, *(["Notes"] if self.marks else [])]
        first_column = [day.isoformat() for day in self.days] or self.labels
        for index, label in enumerate(first_column):
            notes = [f"{mark.text} ({mark.days})" for mark in self.marks if mark.index == index]
            columns = chain.from_iterable(
                (dataset.values, *(numbers for _, numbers in dataset.columns)) for dataset in datasets
            )
            yield [
                label,
                *(_number(column[index]) for column in columns),
                *aims,
                *(["; ".join(notes)] if self.marks else []),
            ]

    def _parts(self) -> Iterator[list[str | Number]]:
        values = [_number(dataset.values[0]) or 0.0 for dataset in self.datasets]
        yield ["Part", f"Value ({self.unit})", "Share (percent)"]
        for dataset, value in zip(self.datasets, values, strict=True):
            yield [dataset.label, value, _number(value / sum(values) * 100) if value else 0.0]
        if self.left_out:
            yield [self.left_out_words, None, None]


class ChartView(BaseLineChartView):  # type: ignore[misc]
    """One chart's figures.  A subclass (or `as_view`'s caller) gives `chart_data`."""

    rows: Mapping[str, Any] = MappingProxyType({})

    def chart_data(self, request: HttpRequest) -> ChartData:
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.drawn = self.chart_data(request)
        return HttpResponse(self.convert_context_to_json(self.get_context_data()), content_type="application/json")

    def get_labels(self) -> list[str]:
        return list(self.drawn.labels)

    def get_providers(self) -> list[str]:
        return [dataset.label for dataset in self.drawn.datasets]

    def get_data(self) -> list[list[float | None]]:
        return [[_number(value) for value in dataset.values] for dataset in self.drawn.datasets]

    def get_dataset_options(self, index: int, color: tuple[int, int, int]) -> dict[str, Any]:
        dataset = self.drawn.datasets[index]
        counts = {noun: [_number(value) for value in values] for noun, values in dataset.counts.items()}
        more: dict[str, Any] = {"counts": counts} if counts else {}
        if dataset.low:
            more["low"], more["high"] = ([_number(value) for value in ends] for ends in (dataset.low, dataset.high))
        return {"key": dataset.key, "role": dataset.role, **more, **({"picked": True} if dataset.is_picked else {})}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        drawn, centre = super().get_context_data(**kwargs), self.drawn.centre
        return {
            "kind": self.drawn.kind,
            "unit": self.drawn.unit,
            "label_name": self.drawn.label_name,
            "labels": drawn["labels"],
            "datasets": drawn["datasets"],
            "bucket": self.drawn.bucket,
            "incomplete": [{"index": index, "words": words} for index, words in self.drawn.incomplete.items()],
            "marks": [
                {"index": mark.index, "last": mark.last, "text": mark.text, "days": mark.days, "url": mark.url}
                for mark in self.drawn.marks
            ],
            "benchmarks": [asdict(line) for line in self.drawn.benchmarks],
            "left_out": self.drawn.left_out_words,
            **({"reason": self.drawn.reason} if self.drawn.reason else {}),
            **({"complete_url": self.drawn.complete_url} if self.drawn.complete_url else {}),
            **({"centre": {"value": centre[0], "note": centre[1]}} if centre else {}),
            **self.rows,
        }

    def convert_context_to_json(self, context: dict[str, Any]) -> str:
        return json.dumps(context, allow_nan=False)


def chart_response(request: HttpRequest, drawn: ChartData, rows: Mapping[str, Any] | None = None) -> HttpResponse:
    """The chart as JSON; `rows` are the URLs of the rows behind its parts."""
    response: HttpResponse = ChartView.as_view(chart_data=lambda _request: drawn, rows=rows or {})(request)
    return response


def _number(value: Number) -> float | None:
    """A finite float without binary noise in its last digits; None for NaN and infinities."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{float(value):.12g}")
