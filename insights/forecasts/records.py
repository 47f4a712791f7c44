"""Records of forecasts: made every night and, for the past, from what was known on each Monday.

Records of finished epics and versions are the back-tests behind the calibration that pages show; those of open ones say
since when a planned day has been missed.  The planned day of each, and since when it was planned, is recorded too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from insights.forecasts.forecasting import as_of, forecast_of, working_days
from insights.forecasts.teams import teams_of
from insights.formulas.forecast_calibration import Calibration, Verdict
from insights.formulas.working_days import WorkingDays
from insights.models import ForecastRecord, PlannedDay
from integrations.delivery.records.initiatives import Initiative, InitiativeKind, all_initiatives
from orgtree.access.access import aggregates_access
from orgtree.models import UnitPlacement

KINDS = tuple(kind for kind in InitiativeKind if kind.has_end)
SPRINT = "sprint"  # the kind of sprint records: insights/forecasts/sprint_records.py
YEAR = timedelta(days=365)
WEEKS_BACK = 52
SETTLED = timedelta(days=14)  # a scope that has been empty for this long is finished


def record_forecasts() -> int:
    """Record the forecasts of today and of Mondays that lack one; returns the number of records written.

    Updates the end in all records of an initiative: it is set once the initiative is finished, and removed if that is
    reopened.
    """
    today = timezone.localdate()
    calendar, written = working_days(today), 0
    for kind in KINDS:
        initiatives = record_planned_days(kind, today)
        teams = teams_of(initiatives, day=today, calendar=calendar)
        known: dict[str, set[date]] = {}
        for key, made_on in ForecastRecord.objects.filter(kind=kind).values_list("key", "made_on"):
            known.setdefault(key, set()).add(made_on)
        for initiative in initiatives:
            team = teams.get(initiative.key)
            missing = _records(initiative, known.get(initiative.key, set()), today=today, calendar=calendar)
            written += len(ForecastRecord.objects.bulk_create(missing, ignore_conflicts=True))
            stored = ForecastRecord.objects.filter(kind=kind, key=initiative.key)
            finished_on = end_of(initiative, today)
            stored.update(finished_on=finished_on, team=team.unit_id if team else None)
        of_others = ForecastRecord.objects.filter(kind=kind).exclude(key__in=[one.key for one in initiatives])
        of_others.delete()  # of initiatives that were deleted, or have not changed for a year
    ForecastRecord.objects.filter(made_on__lt=today - 2 * YEAR).delete()
    return written


def record_planned_days(kind: InitiativeKind, today: date) -> Sequence[Initiative]:
    """Record the planned days that changed up to the end of yesterday, and delete those of initiatives that no longer
    exist; returns the initiatives of the last year.
    """
    initiatives, day = all_initiatives(kind, aggregates_access(), since=today - YEAR), today - timedelta(days=1)
    known = _planned_days(kind, day)
    PlannedDay.objects.bulk_create(
        [
            PlannedDay(kind=kind, key=one.key, since=day, planned_on=one.planned_on)
            for one in initiatives
            if one.key not in known or known[one.key] != one.planned_on
        ],
        update_conflicts=True,
        unique_fields=["kind", "key", "since"],
        update_fields=["planned_on"],
    )
    PlannedDay.objects.filter(kind=kind).exclude(key__in=[one.key for one in initiatives]).delete()
    return initiatives


def planned_at(initiatives: Sequence[Initiative], kind: InitiativeKind, day: date) -> list[Initiative]:
    """The initiatives with the days for which they were planned at the end of the day; before the first recorded night,
    with the first planned day that is known.
    """
    known = _planned_days(kind, day)
    return [replace(one, planned_on=known.get(one.key, one.planned_on)) for one in initiatives]


def _planned_days(kind: InitiativeKind, day: date) -> Mapping[str, date | None]:
    """Key → the planned day at the end of the day, or the first one recorded after it."""
    rows = PlannedDay.objects.filter(kind=kind)
    later = rows.filter(since__gt=day).order_by("-since").values_list("key", "planned_on")
    until = rows.filter(since__lte=day).order_by("since").values_list("key", "planned_on")
    return {**dict(later), **dict(until)}


def end_of(initiative: Initiative, today: date) -> date | None:
    """Return the day on which nothing was left; None while items remain, or while more may still be added."""
    if initiative.remaining or not initiative.done:
        return None
    ended = max(*initiative.done, *initiative.dropped) if initiative.dropped else max(initiative.done)
    return ended if ended <= today - SETTLED else None


def _records(
    initiative: Initiative, known: set[date], *, today: date, calendar: WorkingDays
) -> Iterator[ForecastRecord]:
    """The missing records: of Mondays on which items were left, and of today."""
    start, end = initiative.started_on, end_of(initiative, today)
    if start is None:
        return
    monday = today - timedelta(days=today.weekday())
    days = {monday - timedelta(weeks=number) for number in range(WEEKS_BACK)}
    for day in sorted((days | {today}) - known):
        if day <= start or (end is not None and day >= end):
            continue
        then = as_of(initiative, day)
        if not then.remaining:
            continue
        made = forecast_of(then, today=day, calendar=calendar)
        if made.dates is None:
            continue
        yield ForecastRecord(
            kind=initiative.kind,
            key=initiative.key,
            made_on=day,
            even_on=made.dates.even,
            likely_on=made.dates.likely,
            safe_on=made.dates.safe,
            remaining=then.remaining,
            added=made.added_since_start,
            weekly=made.weekly,
        )


def records_of_unit(unit: str | None) -> QuerySet[ForecastRecord]:
    """The records of initiatives whose team is in the unit; of the whole organisation if it is None."""
    records = ForecastRecord.objects.filter(made_on__gte=timezone.localdate() - YEAR)
    if unit is None:
        return records
    below = UnitPlacement.objects.filter(ancestor__slug=unit, during__contains=timezone.localdate())
    return records.filter(Q(team__in=below.values("unit")) | Q(team__slug=unit))


def calibration_of(records: QuerySet[ForecastRecord]) -> Calibration:
    """The calibration over finished scopes, and those whose 85 % date has passed.

    For an initiative, every other Monday's record counts; for a sprint, each record.
    """
    return _calibration(held for _, held in _outcomes(records))


def calibrations_by_team(records: QuerySet[ForecastRecord]) -> Mapping[int, Calibration]:
    """Unit → the calibration of the initiatives of that team; teams without a date to check are left out."""
    outcomes: dict[int, list[bool]] = {}
    for team, held in _outcomes(records.exclude(team=None)):
        if team is not None:
            outcomes.setdefault(team, []).append(held)
    return {team: _calibration(held) for team, held in outcomes.items()}


def _outcomes(records: QuerySet[ForecastRecord]) -> Iterator[tuple[int | None, bool]]:
    """The team of each record that can be checked, and whether its 85 % date held."""
    passed = Q(finished_on=None, likely_on__lte=timezone.localdate() - SETTLED)
    for kind, team, made_on, likely_on, finished_on in records.filter(
        Q(finished_on__isnull=False) | passed
    ).values_list("kind", "team", "made_on", "likely_on", "finished_on"):
        if kind == SPRINT or (made_on.weekday() == 0 and made_on.isocalendar().week % 2 == 0):
            yield team, finished_on is not None and (likely_on is None or finished_on <= likely_on)


def _calibration(outcomes: Iterable[bool]) -> Calibration:
    held = [*outcomes]
    return Calibration(sum(held), len(held))


def teams_not_calibrated(kind: InitiativeKind) -> Mapping[int, Calibration]:
    """Unit → its calibration, if its dates come too early or too late."""
    found = calibrations_by_team(records_of_unit(None).filter(kind=kind))
    return {team: one for team, one in found.items() if one.verdict in (Verdict.TOO_EARLY, Verdict.TOO_LATE)}


@dataclass(frozen=True)
class Movement:
    """The first day on which an initiative missed its planned day, and what has changed since the record before."""

    since: date
    added: int  # items
    weekly: float  # change in items per week


def movements(kind: InitiativeKind, planned: Mapping[str, date], *, until: date) -> Mapping[str, Movement]:
    """Key → since when its 85 % date has been later than planned, for initiatives that miss it; `planned` is
    key → day.
    """
    stored: dict[str, list[ForecastRecord]] = {}
    for record in ForecastRecord.objects.filter(kind=kind, key__in=planned, made_on__lte=until).order_by("made_on"):
        stored.setdefault(record.key, []).append(record)
    found = {key: _movement(records, planned[key]) for key, records in stored.items()}
    return {key: movement for key, movement in found.items() if movement}


def _movement(records: Sequence[ForecastRecord], planned_on: date) -> Movement | None:
    first: ForecastRecord | None = None
    before: ForecastRecord | None = None
    for record in reversed(records):
        if record.likely_on is not None and record.likely_on <= planned_on:
            before = record
            break
        first = record
    if first is None:
        return None
    was = before or first
    return Movement(first.made_on, records[-1].added - was.added, records[-1].weekly - was.weekly)
