"""The open initiatives of a scope with their forecasts, those at risk first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from insights.forecasts.forecasting import (
    Dates,
    InitiativeForecast,
    as_of,
    forecast_of,
    history_of,
    is_young,
    working_days,
)
from insights.forecasts.records import (
    Movement,
    calibration_of,
    calibrations_by_team,
    movements,
    planned_at,
    records_of_unit,
    teams_not_calibrated,
)
from insights.forecasts.teams import Team, finished_by, teams_of
from insights.formulas.forecast import FEWEST_FINISHED, LIKELY, TooLittleHistory
from insights.formulas.forecast_calibration import Calibration
from insights.query import windows
from insights.ui import wording
from integrations.delivery.records.initiatives import (
    Initiative,
    InitiativeKind,
    all_initiatives,
    initiative,
    open_initiatives,
)
from orgtree.access.access import Access
from orgtree.models import Unit
from orgtree.trees.people_filter import PeopleFilter

STALE = timedelta(days=90)  # an initiative that nobody added to or worked on for this long is left out
NOT_SOON = "Not within 2 years"


@dataclass(frozen=True)
class DeliveryRisk:
    """An initiative whose 85 % date misses its planned day: by how much, since when, and what moved it.

    If `likely_on` and `days_late` are None, the date is not within two years.
    """

    kind: str
    key: str
    name: str
    reference: str
    planned_on: date
    likely_on: date | None
    days_late: int | None
    odds: float
    since: date | None
    added: int  # in items, since it was last on time
    weekly: float  # change in items per week since then


@dataclass(frozen=True)
class TeamCalibration:
    """The calibration of a team: how many of its initiatives' earlier dates held."""

    unit: str  # its slug
    name: str
    calibration: Calibration


@dataclass(frozen=True)
class ListedForecasts:
    """The open initiatives of a scope: their forecasts, what moved those at risk, and how well earlier dates held.

    `by_team` are the scope's teams with dates that can be checked, by name.  `not_calibrated` has, by the keys of their
    initiatives, the calibrations of teams whose dates come too early or too late.
    """

    forecasts: Sequence[InitiativeForecast]
    moved: Mapping[str, Movement]
    calibration: Calibration
    by_team: Sequence[TeamCalibration]
    not_calibrated: Mapping[str, Calibration]

    @property
    def at_risk(self) -> Sequence[InitiativeForecast]:
        return [made for made in self.forecasts if made.is_at_risk]

    @property
    def risks(self) -> Sequence[DeliveryRisk]:
        moved = self.moved
        return [
            delivery_risk(made, made.planned_on, moved.get(made.initiative.key))
            for made in self.at_risk
            if made.planned_on is not None
        ]


def listed_forecasts(
    kind: InitiativeKind, access: Access, *, people: PeopleFilter, own_only: bool, today: date
) -> ListedForecasts:
    """The initiatives on which these people worked; with `own_only`, only these people's items count.

    If `today` is an earlier day, they are as they were at its end, planned days included.
    """
    initiatives = _open_on(today, kind, access, people=people, own_only=own_only)
    of_teams = _forecasts(initiatives, today)
    made = [forecast for forecast, _ in of_teams]
    off = teams_not_calibrated(kind)
    made.sort(key=lambda one: (not one.is_at_risk, -(one.days_late or 0)))
    planned = {one.initiative.key: one.planned_on for one in made if one.is_at_risk and one.planned_on}
    records = records_of_unit(people.unit).filter(kind=kind)
    return ListedForecasts(
        made,
        movements(kind, planned, until=today),
        calibration_of(records),
        _by_team(calibrations_by_team(records), access),
        {one.initiative.key: off[team.unit_id] for one, team in of_teams if team and team.unit_id in off},
    )


def _open_on(
    day: date, kind: InitiativeKind, access: Access, *, people: PeopleFilter, own_only: bool
) -> Sequence[Initiative]:
    if day >= windows.local_today():
        return open_initiatives(kind, access, people=people, own_only=own_only, since=day - STALE)
    found = all_initiatives(kind, access, people=people, own_only=own_only, since=day - STALE)
    open_then = [then for one in found if (then := as_of(one, day)).remaining and then.started_on]
    return planned_at(open_then, kind, day)


def _by_team(calibrations: Mapping[int, Calibration], access: Access) -> Sequence[TeamCalibration]:
    """Return the calibrations of the teams that the viewer may see, by name."""
    visible = access.visibility.unit_ids
    teams = Unit.objects.filter(pk__in=calibrations.keys() if visible is None else calibrations.keys() & visible)
    return [TeamCalibration(one.slug, one.name, calibrations[one.pk]) for one in teams.order_by("name", "pk")]


def delivery_risk(made: InitiativeForecast, planned_on: date, moved: Movement | None) -> DeliveryRisk:
    """The risk of a forecast whose 85 % date is later than planned."""
    return DeliveryRisk(
        kind=made.initiative.kind.value,
        key=made.initiative.key,
        name=made.initiative.name,
        reference=made.initiative.reference,
        planned_on=planned_on,
        likely_on=made.dates.likely if made.dates else None,
        days_late=made.days_late,
        odds=made.odds_by(planned_on) or 0.0,
        since=moved.since if moved else None,
        added=moved.added if moved else 0,
        weekly=moved.weekly if moved else 0.0,
    )


def delivery_risks(access: Access, *, people: PeopleFilter, today: date) -> Sequence[DeliveryRisk]:
    """The epics and versions that miss their planned day, the latest first."""
    listed = [
        risk
        for kind in InitiativeKind
        if kind.has_end
        for risk in listed_forecasts(kind, access, people=people, own_only=False, today=today).risks
    ]
    return sorted(listed, key=lambda risk: (risk.days_late is not None, -(risk.days_late or 0), risk.planned_on))


def forecast_with_key(
    kind: InitiativeKind, key: str, access: Access, *, people: PeopleFilter, own_only: bool, today: date
) -> tuple[InitiativeForecast, Team | None] | None:
    """The forecast of one initiative and its team; None if the viewer may open none of its items."""
    if not key or "\x00" in key:
        return None
    found = initiative(kind, key, access, people=people, own_only=own_only)
    return _forecasts([found], today)[0] if found else None


def _forecasts(initiatives: Sequence[Initiative], today: date) -> list[tuple[InitiativeForecast, Team | None]]:
    calendar = working_days(today)
    teams = teams_of(initiatives, day=today, calendar=calendar)
    young = {
        teams[one.key].unit_id
        for one in initiatives
        if one.key in teams and is_young(history_of(one, today=today, calendar=calendar))
    }
    finished = finished_by(young, day=today, calendar=calendar)
    made = []
    for one in initiatives:
        team = teams.get(one.key)
        forecast = forecast_of(
            one,
            today=today,
            calendar=calendar,
            team_sizes=team.sizes if team else (),
            team_finished=finished.get(team.unit_id, ()) if team else (),
        )
        made.append((forecast, team))
    return made


def too_little_words(forecast: object) -> str:
    """The reason why there is no date; empty if there is one."""
    if not isinstance(forecast, TooLittleHistory):
        return ""
    if forecast.finished < FEWEST_FINISHED:
        return f"Too little history: {forecast.finished} of {FEWEST_FINISHED} finished items"
    return f"Too little history: {wording.count(forecast.days, 'working day')} since work began"


def late_words(risk: DeliveryRisk) -> str:
    return "more than 2 years" if risk.days_late is None else wording.count(risk.days_late, "working day")


def moved_words(risk: DeliveryRisk) -> str:
    """The changes since it was last on time, in words; empty if none are known."""
    reasons = []
    if risk.added > 0:
        reasons.append(f"{wording.count(risk.added, 'item')} added since then")
    if round(risk.weekly, 1) < 0:
        reasons.append(f"{-risk.weekly:.1f} fewer finished a week")
    return wording.listed(reasons)


def forecast_document(made: InitiativeForecast, moved: Movement | None) -> dict[str, Any]:
    """The forecast for CSV and API; null if there is no date."""
    one, dates = made.initiative, made.dates or Dates(None, None, None)
    not_soon = "" if dates.likely else f"{NOT_SOON} with odds of {LIKELY:.0%}"
    return {
        "kind": one.kind.value,
        "key": one.key,
        "name": one.name,
        "reference": one.reference,
        "items_done": len(one.done),
        "items": one.items,
        "added_since_start": made.added_since_start,
        "finished_per_week": round(made.weekly, 2),
        "by_pace_of_team": made.part is not None,
        "date_50": dates.even,
        "date_85": dates.likely,
        "date_95": dates.safe,
        "planned": made.planned_on,
        "odds_of_planned": made.odds_by(made.planned_on) if made.planned_on else None,
        "working_days_late": made.days_late if made.is_at_risk else None,
        "at_risk_since": moved.since if moved else None,
        "items_added_since_at_risk": moved.added if moved else None,
        "weekly_change_since_at_risk": round(moved.weekly, 2) if moved else None,
        "reason": too_little_words(made.forecast) or not_soon,
    }
