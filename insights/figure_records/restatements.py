"""Restatements: values of closed periods that differ from their record, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils import timezone

from insights.catalogue.declarations import Metric
from insights.figure_records.recording import people_now
from insights.models import FigureRecord
from insights.privacy.visible import visible_totals
from insights.privacy.withhold import reveals_few_people, withholds
from insights.query import windows
from insights.query.query import Freshness, Granularity, MetricValue, Query, Scope, Window
from insights.ui import wording
from orgtree.access.access import Access

PERIODS = (Granularity.QUARTER, Granularity.MONTH, Granularity.WEEK)


@dataclass(frozen=True)
class Restatement:
    """The recorded value of a period, and its value today."""

    record: FigureRecord
    figure: MetricValue
    metric: Metric
    hidden: str = ""  # why the two values are not shown

    @property
    def period(self) -> Window:
        return self.figure.window

    @property
    def sentence(self) -> str:
        """The quarter from 1 Jul to 30 Sep was 5.1 % when it was recorded on 1 Oct; today it is 5.4 %, because …"""
        recorded_on = wording.day(timezone.localtime(self.record.recorded_at).date())
        if self.hidden:
            return f"{wording.days(self.period)}: another figure was recorded on {recorded_on}. {self.hidden}"
        return (
            f"{wording.days(self.period)}: {_value(self.metric, self.record.value)} when it was recorded on "
            f"{recorded_on}, {_value(self.metric, self.figure.value)} today, {self.reason}."
        )

    @property
    def cause(self) -> str:
        """Equal for restatements of what happened once: a new formula, or facts that came in later, are gone or were
        corrected, which change every metric and period that they belong to.
        """
        if self.record.version != self.metric.version:
            return f"formula {self.metric.key}"
        more = self.figure.sample_size - self.record.sample_size
        return f"{'later' if more > 0 else 'gone' if more else 'corrected'} {self.metric.fact}"

    @property
    def reason(self) -> str:
        if self.record.version != self.metric.version:
            return f"by version {self.metric.version} of the formula instead of {self.record.version}"
        more = self.figure.sample_size - self.record.sample_size
        if not more:
            return "because records from then were corrected since"
        facts = wording.count(abs(more), self.metric.fact)
        what = "came in later" if more > 0 else "no longer counts" if more == -1 else "no longer count"
        return f"because {facts} {what} ({self.record.sample_size:,} then, {self.figure.sample_size:,} now)"


def restatements(metric: Metric, scope: Scope, access: Access) -> Sequence[Restatement]:
    """Restatements of the last closed quarter, month and week, for the whole organisation or a unit.

    None for a person, for attributes, or for values that the viewer may not see.
    """
    if scope.where or scope.unassigned is not None or scope.person_id is not None or metric.always_by:
        return []
    records = _records(metric, scope)
    if not records:
        return []
    queries = [Query(metric.key, Window(record.start, record.end), scope=scope) for record in records]
    restated = [
        Restatement(record, answer.total[0], metric)
        for record, answer in zip(records, visible_totals(queries, access, freshness=Freshness.OF_PAGES), strict=True)
        if not answer.total[0].withheld and _value(metric, record.value) != _value(metric, answer.total[0].value)
    ]
    return _without_few(restated, scope, access)


def _without_few(restated: Sequence[Restatement], scope: Scope, access: Access) -> Sequence[Restatement]:
    """Hides the values where the record, or its difference to today, reveals few people."""
    queries = [Query(restatement.metric.key, restatement.period, scope=scope) for restatement in restated]
    if not any(withholds(query, access) for query in queries):
        return restated

    people = people_now(queries, access)
    return [
        replace(restatement, hidden=_hidden(access))
        if reveals_few_people(restatement.record.people, now, access)
        else restatement
        for restatement, now in zip(restated, people, strict=True)
    ]


def _hidden(access: Access) -> str:
    return f"It is hidden: it or the difference would tell of fewer than {access.minimum_group_size} people."


def _records(metric: Metric, scope: Scope) -> Sequence[FigureRecord]:
    """Each period's record with the newest version."""
    today = windows.local_today()
    closed = [
        windows.whole_bucket(windows.whole_bucket(today, granularity).start - timedelta(days=1), granularity)
        for granularity in PERIODS
    ]
    of_scope = FigureRecord.objects.filter(metric=metric.key, end__in=[window.end for window in closed])
    of_scope = of_scope.filter(unit=None) if scope.unit is None else of_scope.filter(unit__slug=scope.unit)
    newest = {Window(record.start, record.end): record for record in of_scope.order_by("version")}
    return [newest[window] for window in dict.fromkeys(closed) if window in newest]


def _value(metric: Metric, value: float | None) -> str:
    return "no data" if value is None else str(wording.reading(value, metric.unit))
