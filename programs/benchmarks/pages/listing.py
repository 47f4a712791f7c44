"""The list of a unit's benchmarks: value, threshold and target of each metric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from core.csv_export import Cell
from core.list_filters import ViewerFilters
from core.page_links import Picker
from insights.catalogue.declarations import Metric
from insights.pages.annotations.labels import ABBREVIATIONS
from insights.query.errors import QueryError
from orgtree.access.access import Access
from programs.benchmarks.columns import TABLE
from programs.benchmarks.pages.labels import BenchmarkLine, line_of
from programs.benchmarks.pages.subject import Subject, subject_in
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark, benchmarks_for, newest_focus
from programs.benchmarks.services.current_values import CurrentValue
from programs.benchmarks.services.fields import offered_metrics
from programs.benchmarks.services.listing import (
    AGREED,
    ALL,
    STARTED_WITH,
    benchmark_rows,
    figures_of,
    list_title,
    listed_metrics,
)
from programs.models import BenchmarkVersion, FocusVersion
from programs.requests.list_pages import UnitList

FOCUS, INDICATOR = "Focus", "Key indicator"


class BenchmarkFilters(ViewerFilters):
    """No filters of records: the list is of metrics, and `show` selects which ones."""

    def visible(self, access: Access) -> QuerySet[BenchmarkVersion]:
        return BenchmarkVersion.objects.none()


class Benchmarks(UnitList):
    plural = "benchmarks"
    filters = BenchmarkFilters
    template_name = "programs/benchmarks/list.html"
    card = "programs/benchmarks/_table.html"
    size = 30
    has_file = True
    own = ("show",)
    defaults = {"show": AGREED}

    @cached_property
    def subject(self) -> Subject:
        return subject_in(self.request)

    @cached_property
    def holding(self) -> Mapping[str, EffectiveBenchmark]:
        return benchmarks_for(None, self.subject.unit_id, self.access.visibility)

    @cached_property
    def focus(self) -> FocusVersion | None:
        return newest_focus(self.subject.unit_id)

    @cached_property
    def show(self) -> str:
        """The selection of listed metrics.  Raises QueryError."""
        show = self.params.get("show", AGREED)
        if show not in shows():
            raise QueryError("show", f"show= is one of: {', '.join(shows())}.")
        return show

    def pickers(self) -> list[tuple[str, list[Picker]]]:
        return [("Filter metrics", self.choice("show", shows(), self.show))]

    def records(self) -> Sequence[Metric]:
        return listed_metrics(self.show, self.holding, self.focus)

    def rows(self, records: Iterable[Metric]) -> Sequence[BenchmarkLine]:
        metrics = [*records]
        current = figures_of(metrics, self.holding, self.subject.scope, self.access)
        return [
            benchmark_line(self.subject, metric, self.holding.get(metric.key), value, self.focus)
            for metric, value in zip(metrics, current, strict=True)
        ]

    def file_rows(self, records: Sequence[Metric]) -> Iterable[Sequence[Cell]]:
        current = figures_of(records, self.holding, self.subject.scope, self.access)
        return benchmark_rows(self.subject.name, records, self.holding, current, self.access)

    def context(self) -> dict[str, Any]:
        known = {metric.key for metric in offered_metrics()} if self.show in (AGREED, ALL) else self.holding.keys()
        return {
            "tabs": tabs(self.subject, "benchmarks"),
            "labels": TABLE,
            "nothing_agreed": self.show == AGREED and not self.holding,
            "begun_with": STARTED_WITH.name,
            "gone": [(key, self.subject.url("benchmark", key)) for key in sorted(self.holding.keys() - known)],
            "may_agree": self.subject.may_agree,
            **super().context(),
        }


def benchmark_line(
    subject: Subject,
    metric: Metric,
    holding: EffectiveBenchmark | None,
    stand: CurrentValue | None,
    focus: FocusVersion | None,
) -> BenchmarkLine:
    line = line_of(
        metric,
        holding,
        stand,
        mark=_mark(metric.key, focus),
        url=subject.url("benchmark", metric.key),
        edit_url=subject.url("benchmark_edit", metric.key) if subject.may_agree else "",
    )
    # A benchmark of a whole unit does not apply to a part of it.
    return line if subject.is_plain else replace(line, gap=None, threshold_value=None, target_value=None)


def tabs(subject: Subject, chosen: str) -> list[Picker]:
    names = {"benchmarks": "Benchmarks", "focus": "Focus and key indicators"}
    return [Picker(label, subject.url(route), route == chosen) for route, label in names.items()]


def shows() -> Mapping[str, str]:
    """The choices for `show`: metrics with a benchmark, or the metrics of a category."""
    names = {
        word: word.upper() if word in ABBREVIATIONS else word.capitalize() for word in list_title() if word != AGREED
    }
    return {AGREED: "Agreed", **names}


def _mark(key: str, focus: FocusVersion | None) -> str:
    if focus is None:
        return ""
    return FOCUS if key == focus.metric else INDICATOR if key in focus.indicators else ""
