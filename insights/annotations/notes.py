"""Which notes stand on a chart, and at which of its buckets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.urls import reverse

from insights.models import Annotation
from insights.query.query import Scope, Window
from insights.ui.charts import ChartData, Mark
from orgtree.access.access import Access

MOST_ON_A_CHART = 40  # flags beyond that cover what they explain; the list of notes has them all


@dataclass(frozen=True)
class ChartNote:
    """A note as a chart shows it: on [start, end)."""

    pk: int
    text: str
    start: date
    end: date


def notes_on(key: str, scope: Scope, window: Window, access: Access) -> list[ChartNote]:
    """The notes on charts of the metric, for these people and days, in order of time; the latest, where too many.

    One query.
    """
    notes = Annotation.objects.within(access.sight).on_charts_of(scope).in_window(window).about_metric(key)
    latest = notes.order_by("-start", "-pk").values_list("pk", "text", "start", "end")[:MOST_ON_A_CHART]
    return [ChartNote(*row) for row in reversed(latest)]


def with_notes(chart: ChartData, access: Access) -> ChartData:
    """The chart with the notes that stand on it; one that is not over time stays as it is."""
    query = chart.query
    if query is None or not chart.days:
        return chart
    return replace(chart, marks=marks_of(notes_on(query.key, query.scope, query.window, access), chart.days))


def marks_of(notes: Sequence[ChartNote], days: Sequence[date]) -> list[Mark]:
    """At which bucket each note begins and ends; `days` are the first days of the buckets, in order."""

    def bucket(day: date) -> int:
        return max(0, sum(first <= day for first in days) - 1)

    return [
        Mark(
            text=note.text,
            index=bucket(note.start),
            last=bucket(note.end - timedelta(days=1)),
            start=note.start,
            end=note.end,
            url=reverse("annotation", args=[note.pk]),
        )
        for note in notes
    ]
