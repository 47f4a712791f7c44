"""The notes of a chart, and the buckets in which they begin and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from django.urls import reverse

from insights.models import Annotation
from insights.query.query import Dimension, Scope, Window
from insights.ui.charts import ChartData, Mark
from orgtree.access.access import Access

MOST_ON_A_CHART = 40  # more flags would hide the chart; the list of notes has them all


def notes_on(
    key: str, scope: Scope, window: Window, access: Access, repositories: Sequence[str] = ()
) -> list[Annotation]:
    """The latest notes on the metric's charts for this scope and window, in chronological order.  One query.

    `repositories` are the names by which the charts are filtered.
    """
    stands = Annotation.objects.within(access.visibility).on_charts_of(scope, repositories)
    notes = stands.in_window(window).about_metric(key)
    return list(reversed(notes.order_by("-start", "-pk")[:MOST_ON_A_CHART]))


def with_notes(chart: ChartData, access: Access) -> ChartData:
    """The chart with its notes; a chart without a time axis is returned unchanged."""
    query = chart.query
    if query is None or not chart.days:
        return chart
    notes = notes_on(query.key, query.scope, query.window, access, query.facets.get(Dimension.REPOSITORY, ()))
    return replace(chart, marks=marks_of(notes, chart.days))


def marks_of(notes: Sequence[Annotation], days: Sequence[date]) -> list[Mark]:
    """The buckets in which each note begins and ends; `days` are the first days of the buckets, in order."""
    return [
        Mark.on(days, note.text, Window(note.start, note.end), reverse("annotation", args=[note.pk])) for note in notes
    ]
