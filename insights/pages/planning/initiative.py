"""The page of an initiative: when it will be finished, how many items by a day, and the effect of a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import csv_response
from core.views import page_view
from insights.forecasts.forecasting import InitiativeForecast
from insights.forecasts.initiative_work import agents_figures, unit_rows
from insights.forecasts.listing import delivery_risk, forecast_with_key, too_little_words
from insights.forecasts.questions import Question, Replies, read_question, reply
from insights.forecasts.records import calibration_of, movements
from insights.forecasts.teams import Team
from insights.formulas.forecast import HORIZON, LIKELY, RUNS, SAFE, WEEK, TooLittleHistory
from insights.formulas.forecast_window import Reason
from insights.models import ForecastRecord
from insights.pages.planning.forecasts import (
    ABOUT_OPEN,
    FORECAST,
    KIND,
    NOUNS,
    WHOSE,
    calibration_words,
    date_words,
    is_own,
    not_calibrated_words,
    risk_line,
    verdict_tag,
)
from insights.ui import wording
from insights.ui.filters import Filters, filters_of
from integrations.delivery.records.initiatives import InitiativeKind, work_of_units

MOST_BARS = 90


@page_view
def initiative_page(request: HttpRequest) -> HttpResponseBase:
    filters = filters_of(request, (KIND, WHOSE), facets=())
    made, team = forecast_in(filters, request.GET.get("of", ""))
    question = read_question(request.GET.dict(), made)
    return render(request, "insights/planning/initiative.html", _context(made, team, question, filters))


@page_view
def initiative_csv(request: HttpRequest) -> HttpResponseBase:
    """The initiative's items by team, as CSV."""
    made, _ = forecast_in(filters_of(request, (KIND, WHOSE), facets=()), request.GET.get("of", ""))
    return csv_response("headway-initiative", unit_rows(made.initiative))


def forecast_in(filters: Filters, key: str) -> tuple[InitiativeForecast, Team | None]:
    """The forecast of the initiative with that key, and its team.  Raises Http404 if it is not visible."""
    kind = InitiativeKind(filters.picked[KIND.parameter])
    found = forecast_with_key(
        kind, key, filters.access, people=filters.people_filter, own_only=is_own(filters), today=filters.today
    )
    if found is None:
        raise Http404("No such initiative.")
    return found


def _context(made: InitiativeForecast, team: Team | None, question: Question, filters: Filters) -> dict[str, Any]:
    one, replies = made.initiative, reply(made, question)
    calibration = calibration_of(_records(made, team))
    planned = {one.key: made.planned_on} if made.is_at_risk and made.planned_on else {}
    moved = movements(one.kind, planned, until=made.today).get(one.key)
    back = filters.with_pick(KIND, one.kind).url(f"{reverse('planning_tab', args=[FORECAST.key])}")
    odds = made.odds_by(made.planned_on) if made.planned_on else None
    return {
        "title": one.name,
        "noun": NOUNS[one.kind],
        "reference": one.reference,
        "record_url": reverse("work_item", args=[one.epic_id]) if one.epic_id else "",
        "back_url": back,
        "is_own": is_own(filters),
        "done": len(one.done),
        "items": one.items,
        "in_progress": one.in_progress,
        "added": made.added_since_start,
        "added_words": _growth(made.added_since_start),
        "started": wording.day(one.started_on) if one.started_on else "",
        "too_little": too_little_words(made.forecast),
        "is_finished": not one.remaining,
        "dates": date_words(made.dates) if made.dates else None,
        "planned": wording.day(made.planned_on) if made.planned_on else "",
        "odds": _percent(odds),
        "weekly": f"{made.weekly:.1f}" if made.weekly else "",
        "agents": [*_agents(made, filters)],
        "units": work_of_units(one),
        "units_csv_url": filters.with_pick(KIND, one.kind).url(reverse("initiative_csv"), of=one.key),
        "risk": risk_line(delivery_risk(made, made.planned_on, moved), filters)
        if made.is_at_risk and made.planned_on
        else None,
        "bars": _bars(made, question),
        "basis": basis_words(made, team),
        "calibration": calibration_words(
            calibration, "this team" if team else f"all {wording.plural_of(NOUNS[one.kind])}"
        )
        if one.kind.has_end
        else ABOUT_OPEN.format(noun=NOUNS[one.kind]),
        "not_calibrated": not_calibrated_words(calibration) if team and one.kind.has_end else "",
        "verdict": verdict_tag(calibration) if one.kind.has_end else None,
        "asks": f"When will {one.name} ship?"
        if one.kind.has_end
        else f"When are today’s items of {one.name} finished?",
        "question": question,
        "hidden": [(name, value) for name, value in filters.parameters() if name not in ("of", KIND.parameter)]
        + [(KIND.parameter, one.kind.value), ("of", one.key)],
        "reset_url": filters.with_pick(KIND, one.kind).url(reverse("initiative"), of=one.key),
        "changed": _changed(made, question, replies),
        "bars_odds": _percent(replies.odds_of_planned if replies and question.is_changed else odds),
        "answers": _answers(question, replies),
        "people": len(one.people),
        "can_limit": one.active_days is not None,
    }


def _records(made: InitiativeForecast, team: Team | None) -> QuerySet[ForecastRecord]:
    records = ForecastRecord.objects.filter(
        kind=made.initiative.kind, made_on__gte=made.today - timedelta(days=365), made_on__lt=made.today
    )
    return records.filter(team=team.unit_id) if team else records


def _agents(made: InitiativeForecast, filters: Filters) -> Iterator[tuple[str, str, str]]:
    """Labels, values and samples of what agents did for the initiative."""
    for figure in agents_figures(made.initiative, filters.query, filters.access):
        is_spend = figure.key == "ai.spend"
        label = "AI spend" if is_spend else "AI share"
        if figure.value is None:
            yield label, "", "Hidden: too few people"
        elif is_spend:
            yield label, wording.money(figure.value), f"by {wording.count(figure.of, 'person', 'people')}"
        else:
            sample = f"of {wording.count(figure.of, 'line')} in its pull requests"
            yield label, wording.percent_of(figure.value, 1), sample


def _growth(added: int) -> str:
    if not added:
        return "No items were added since work began"
    if added < 0:
        return f"{wording.count(-added, 'item')} fewer than when work began"
    return f"{wording.count(added, 'item')} added since work began"


def basis_words(made: InitiativeForecast, team: Team | None = None) -> str:
    """A sentence on the data behind the forecast."""
    if made.part and team:
        began = f" since {wording.day(made.initiative.started_on)}" if made.initiative.started_on else ""
        return (
            f"Too young for a pace of its own: {RUNS:,} runs on the pace of {team.name}, of whose "
            f"{wording.count(made.part.of, 'finished item')}{began} {made.part.finished} were this one’s. "
            "How its scope will grow is not known yet."
        )
    days = made.window.history.days
    span = wording.count(round(days / WEEK), "week")
    why = {
        Reason.WHOLE: "all of its history",
        Reason.LONGEST: "the window that predicts best",
        Reason.BETTER: "the window that predicted best: the pace has changed",
        Reason.TEAM_CHANGED: "because the team changed in size before that",
    }[made.window.reason]
    return f"{RUNS:,} runs on the last {span} of daily throughput and scope growth, {why}."


def _changed(made: InitiativeForecast, question: Question, replies: Replies | None) -> dict[str, str] | None:
    """The 85 % date with the changes, and by how much it moves."""
    if not question.is_changed or made.dates is None or replies is None:
        return None
    likely, before = replies.changed.likely, made.dates.likely
    moved, tone = "no change", ""
    if likely is None or before is None:
        if likely is not before:
            moved, tone = ("later", "bad") if likely is None else ("sooner", "good")
    elif days := made.calendar.until(before, likely):
        moved = f"{wording.count(abs(days), 'working day')} {'sooner' if days < 0 else 'later'}"
        tone = "good" if days < 0 else "bad"
    odds = replies.odds_of_planned
    return {
        "date": date_words(replies.changed)[1],
        "moved": moved,
        "tone": tone,
        "odds": _percent(odds),
    }


def _percent(odds: float | None) -> str:
    return "" if odds is None else wording.percent_of(odds, 1.0)


def _answers(question: Question, replies: Replies | None) -> dict[str, Any] | None:
    """The answers with the changes: *when* for a number of items, and *how many* by a day."""
    if replies is None:
        return None
    return {
        "items": wording.count(question.items, "more item"),
        "is_one": question.items == 1,
        "when": date_words(replies.when),
        "by": wording.day(question.by),
        "many": replies.many,
    }


def _bars(made: InitiativeForecast, question: Question) -> dict[str, Any] | None:
    """The odds of each working day (or week, if there are many) on which the initiative may be finished."""
    forecast = made.with_changes(question.changes) if question.is_changed else made.forecast
    if isinstance(forecast, TooLittleHistory) or not made.initiative.remaining:
        return None
    days = [forecast.day_at(odds) for odds in (0.5, LIKELY, SAFE)]
    planned = made.calendar.until(made.today, made.planned_on) if made.planned_on else None
    last = max([day for day in days if day is not None] or [MOST_BARS])
    last = min(int(forecast.days.max()), int(last * 1.25) + 1, HORIZON)
    if planned and planned > last:
        last = min(planned + 2, HORIZON)
    width = 1 if last <= MOST_BARS else WEEK
    odds = forecast.odds_of_days(last)
    chances = [float(odds[start : start + width].sum()) for start in range(0, last, width)]
    most = max(chances) or 1.0
    bars = [
        {
            "x": number * 10,
            "height": round(chance / most * 60, 2),
            "y": round(62 - chance / most * 60, 2),
            "tone": _tone(number * width + 1, days),
            "title": f"{_day(made, number * width + 1)}: {wording.percent_of(chance, 1)}",
        }
        for number, chance in enumerate(chances)
    ]
    return {
        "bars": bars,
        "width": len(bars) * 10,
        "planned_x": None if planned is None or planned < 1 else (planned - 1) // width * 10 + 5,
        "unit": "working day" if width == 1 else "week",
        "first": _day(made, 1),
        "last": _day(made, last),
        "legend": _legend(),
    }


def _day(made: InitiativeForecast, number: int) -> str:
    return wording.day(made.calendar.after(made.today, number))


def _tone(day: int, days: Sequence[int | None]) -> str:
    for name, limit in zip(("even", "likely", "safe"), days, strict=True):
        if limit is None or day <= limit:
            return name
    return "later"


def _legend() -> Sequence[tuple[str, str]]:
    return (("even", "up to 50%"), ("likely", "up to 85%"), ("safe", "up to 95%"), ("later", "later"))
