"""Back-tests of sprints: the forecasts that would have been made while they were open, and whether those dates held.

The origins of a sprint are the day on which its commitment was final, and each later Monday before its close.  The
scope is what was in the sprint and not done at the end of that day, without what was removed later; a date held if all
of it was done by then, in this sprint or a later one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from core import sql
from insights.forecasts.forecasting import history_of_board, seed_of_sprint, working_days
from insights.forecasts.records import SPRINT, YEAR, calibration_of
from insights.formulas.forecast import EVEN, LIKELY, SAFE, WEEK, TooLittleHistory, when_finished
from insights.formulas.forecast_calibration import Calibration
from insights.formulas.working_days import WorkingDays
from insights.models import ForecastRecord
from integrations.delivery.records.sprint import delivered_on_board
from integrations.models import Sprint

_SCOPES = """
    SELECT origin.sprint_id, origin.day, count(*),
           CASE WHEN count(*) = count(figures.done_on) THEN max(figures.done_on) END
    FROM unnest(%(sprints)s::bigint[], %(days)s::date[], %(moments)s::timestamptz[]) AS origin (sprint_id, day, at)
    JOIN integrations_sprintitem part ON part.sprint_id = origin.sprint_id
    JOIN integrations_workitemfigures figures ON figures.work_item_id = part.work_item_id
    WHERE part.outcome <> 'removed' AND part.inside @> origin.at
      AND NOT (figures.done_during + figures.dropped_during) @> origin.at
      AND NOT figures.dropped_during @> now()
    GROUP BY origin.sprint_id, origin.day
"""


@dataclass(frozen=True)
class Scope:
    """The number of items open in a sprint at the end of a day, and the day on which the last was done; None while one
    is not.
    """

    sprint: int
    day: date
    remaining: int
    finished_on: date | None


def record_sprints(*, today: date | None = None) -> int:
    """Record the forecasts of sprints that were closed in the last year; returns the number of records written.

    A record whose scope has changed since is made again; one of a sprint that is no longer closed is deleted.
    """
    today = today or timezone.localdate()
    calendar, written, current = working_days(today), 0, set()
    closed = Sprint.objects.filter(deleted_at=None, figures__closed_on__gt=today - YEAR, figures__closed_on__lte=today)
    for connection, board in closed.order_by("connection", "board").values_list("connection", "board").distinct():
        sprints = list(closed.filter(connection=connection, board=board).select_related("figures"))
        delivered = delivered_on_board(connection, board, since=today - 2 * YEAR)
        stored = _stored([sprint.pk for sprint in sprints])
        made = []
        for scope in _scopes(sprints):
            known = stored.pop((str(scope.sprint), scope.day), None)
            if known is not None and known.remaining == scope.remaining:
                if known.finished_on != scope.finished_on:
                    ForecastRecord.objects.filter(pk=known.pk).update(finished_on=scope.finished_on)
                continue
            if known is not None:
                stored[str(scope.sprint), scope.day] = known
            if record := _record(scope, delivered, calendar):
                made.append(record)
        ForecastRecord.objects.filter(pk__in=[record.pk for record in stored.values()]).delete()
        written += len(ForecastRecord.objects.bulk_create(made))
        current |= {str(sprint.pk) for sprint in sprints}
    ForecastRecord.objects.filter(kind=SPRINT).exclude(key__in=current).delete()
    return written


def calibration_of_board(sprints: Sequence[int]) -> Calibration:
    """The calibration by the closed sprints among these."""
    return calibration_of(ForecastRecord.objects.filter(kind=SPRINT, key__in=[str(sprint) for sprint in sprints]))


def _stored(sprints: Sequence[int]) -> dict[tuple[str, date], ForecastRecord]:
    records = ForecastRecord.objects.filter(kind=SPRINT, key__in=[str(sprint) for sprint in sprints])
    return {(record.key, record.made_on): record for record in records}


def _scopes(sprints: Sequence[Sprint]) -> Sequence[Scope]:
    origins = [(sprint.pk, day) for sprint in sprints for day in _origins(sprint)]
    zone = timezone.get_default_timezone()
    parameters: Mapping[str, Sequence[object]] = {
        "sprints": [sprint for sprint, _ in origins],
        "days": [day for _, day in origins],
        "moments": [datetime.combine(day + timedelta(days=1), time(), zone) for _, day in origins],
    }
    return [Scope(*row) for row in sql.rows(_SCOPES, parameters)]


def _origins(sprint: Sprint) -> Iterator[date]:
    closed_on = sprint.figures.closed_on
    day = timezone.localtime(sprint.figures.grace_ends_at).date()
    while closed_on is not None and day < closed_on:
        yield day
        day += timedelta(days=7 - day.weekday())


def _record(scope: Scope, delivered: Sequence[date], calendar: WorkingDays) -> ForecastRecord | None:
    """The forecast that was possible on that day; None if there was too little history."""
    history = history_of_board(delivered, end=scope.day + timedelta(days=1), calendar=calendar)
    forecast = when_finished(history, scope.remaining, seed=seed_of_sprint(scope.sprint))
    if isinstance(forecast, TooLittleHistory):
        return None
    numbers = [forecast.day_at(odds) for odds in (EVEN, LIKELY, SAFE)]
    even, likely, safe = (None if number is None else calendar.after(scope.day, number) for number in numbers)
    return ForecastRecord(
        kind=SPRINT,
        key=str(scope.sprint),
        made_on=scope.day,
        even_on=even,
        likely_on=likely,
        safe_on=safe,
        remaining=scope.remaining,
        added=0,
        weekly=history.total / history.days * WEEK,
        finished_on=scope.finished_on,
    )
