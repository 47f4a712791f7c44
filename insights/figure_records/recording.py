"""Records the headline metrics of closed periods, every night."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from django.db.models import DateField, ExpressionWrapper, F
from django.utils import timezone

from core.batches import batched
from insights.catalogue.registry import AI, DELIVERY, get
from insights.engine.read import UnitQueries
from insights.models import FigureRecord
from insights.privacy.stored import read_with_known_people
from insights.query import windows
from insights.query.query import Answer, Granularity, Query, Window
from orgtree.access.access import Access, public_access
from orgtree.models import Unit

HEADLINES: Sequence[str] = (*AI, *DELIVERY)  # keys of metrics
# After missed nights so many past periods are recorded.  Older ones stay unrecorded, because today's value is not the
# value of that time.
PERIODS_BACK = {Granularity.DAY: 3, Granularity.WEEK: 2, Granularity.MONTH: 1, Granularity.QUARTER: 1}
DAYS_KEPT = timedelta(days=100)  # for single days, which are most rows: a quarter and the review after it
UNITS_AT_ONCE = 200
_DAY_AFTER_START = ExpressionWrapper(F("start") + 1, output_field=DateField())


def closed_periods(today: date) -> Sequence[Window]:
    """Closed days, weeks, months and quarters that may be recorded, the latest of each first, without duplicates."""
    periods: dict[Window, None] = {}
    for granularity, count in PERIODS_BACK.items():
        end = windows.whole_bucket(today, granularity).start
        for _ in range(count):
            period = windows.whole_bucket(end - timedelta(days=1), granularity)
            periods[period] = None
            end = period.start
    return tuple(periods)


def record_figures() -> int:
    """Record closed periods that are not recorded yet; returns the number of records written.

    Safe to run concurrently and to resume after a crash: each record is written once.
    """
    today = windows.local_today()
    FigureRecord.objects.filter(end__lt=today - DAYS_KEPT, end=_DAY_AFTER_START).delete()
    # Written while the clock ran ahead: of periods that were not over.
    FigureRecord.objects.filter(recorded_at__gt=timezone.now()).delete()
    periods = closed_periods(today)
    of_organisation = FigureRecord.objects.filter(unit=None, end__in={period.end for period in periods})
    recorded = set(of_organisation.values_list("metric", "version", "start", "end"))
    queries = [
        Query(key, period)
        for period in periods
        for key in HEADLINES
        if (key, get(key).version, *period) not in recorded
    ]
    return _record(queries) if queries else 0


def _record(queries: Sequence[Query]) -> int:
    """The organisation's records are written last: they mark those of its units as complete."""
    written, public = 0, public_access()
    units = list(Unit.objects.order_by("pk").values_list("pk", flat=True))
    for some in batched(units, UNITS_AT_ONCE):
        [by_unit] = read_with_known_people(public, units=[UnitQueries(queries, some)]).units
        rows = (row for unit, answers in by_unit.items() for row in _rows(answers, unit))
        written += _store(row for row in rows if row.sample_size)
    return written + _store(_rows(read_with_known_people(public, totals=queries).totals, None))


def people_now(queries: Sequence[Query], access: Access) -> Sequence[int]:
    """The number of people that a record of each query would have today, counting those whom the viewer may count."""
    return [answer.total[0].people for answer in read_with_known_people(access, totals=queries).totals]


def _rows(answers: Sequence[Answer], unit: int | None) -> Iterator[FigureRecord]:
    for answer in answers:
        figure, metric = answer.total[0], get(answer.query.key)
        yield FigureRecord(
            metric=metric.key,
            version=metric.version,
            unit_id=unit,
            start=figure.window.start,
            end=figure.window.end,
            value=figure.value,
            sample_size=figure.sample_size,
            people=figure.people,
            recorded_at=answer.computed_at,
        )


def _store(rows: Iterator[FigureRecord]) -> int:
    return len(FigureRecord.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True))
