"""The tab *Forecast*: the epics, versions, labels and projects of a scope with their dates, and those at risk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.urls import reverse

from core.csv_export import Cell
from insights.forecasts.forecasting import Dates, InitiativeForecast
from insights.forecasts.listing import (
    NOT_SOON,
    DeliveryRisk,
    ListedForecasts,
    TeamCalibration,
    forecast_document,
    late_words,
    listed_forecasts,
    moved_words,
    too_little_words,
)
from insights.formulas.forecast_calibration import Calibration, Verdict
from insights.pages.answers import Answers
from insights.pages.presenter import TemplateCard
from insights.ui import wording
from insights.ui.cards import Card, Own, Section
from insights.ui.filters import FACETS, Choice, Filters
from insights.ui.tiles import Link
from integrations.delivery.records.initiatives import InitiativeKind

KIND = Choice(
    "kind",
    {
        InitiativeKind.EPIC: "Epics",
        InitiativeKind.VERSION: "Versions",
        InitiativeKind.LABEL: "Labels",
        InitiativeKind.PROJECT: "Projects",
    },
)
WHOSE = Choice("items", {"all": "All items", "own": "Own items"})
NOUNS = {InitiativeKind.EPIC: "epic", InitiativeKind.VERSION: "version"} | {
    InitiativeKind.LABEL: "label",
    InitiativeKind.PROJECT: "project",
}

MOST_AT_HOME = 5
ABOUT_OPEN = "A {noun} has no end: the dates are those of the items that are open today, whatever is added."

FORECAST = Section(
    "forecast",
    "When will it ship?",
    "Dates and odds from what was finished before, with the scope growing as it did",
    cards=(Own("forecasts"),),
    picks=(("Forecast of", KIND), ("Count", WHOSE)),
)


def listed_in(filters: Filters) -> ListedForecasts:
    """The forecasts of the picked kind, as the viewer may see them."""
    kind = InitiativeKind(filters.picked[KIND.parameter])
    return listed_forecasts(
        kind, filters.access, people=filters.people_filter, own_only=is_own(filters), today=filters.today
    )


def is_own(filters: Filters) -> bool:
    return filters.picked[WHOSE.parameter] == "own"


def forecasts_card(answers: Answers, card: Card) -> TemplateCard:
    filters, kind = answers.filters, InitiativeKind(answers.filters.picked[KIND.parameter])
    listed = listed_in(filters)
    noun = NOUNS[kind]
    own: dict[str, Any] = {
        "noun": noun,
        **_void(kind),
        "void_link": _projects(filters) if kind.has_end else None,
        "title": f"Open {wording.plural_of(noun)}",
        "lines": [_line(made, listed, filters) for made in listed.forecasts],
        "risks": [risk_line(risk, filters) for risk in listed.risks],
        "has_planned": any(made.planned_on for made in listed.forecasts),
        "calibration": calibration_words(listed.calibration, f"these {wording.plural_of(noun)}"),
        "verdict": verdict_tag(listed.calibration),
        "by_team": [_team_line(one) for one in listed.by_team],
        "by_team_csv_url": answers.page.chart_csv_url(filters, "calibration"),
        "has_end": kind.has_end,
        "about_open": ABOUT_OPEN.format(noun=noun),
        "csv_url": answers.page.chart_csv_url(filters, "forecasts"),
        "ignored": [name.lower() for dimension, name in FACETS.items() if dimension in filters.facets],
    }
    return TemplateCard("forecasts", "insights/planning/_forecasts.html", own, getattr(card, "span", 12))


def shipping_part(filters: Filters) -> dict[str, Any]:
    """The context of insights/planning/_part_shipping.html: what is planned next, for the home page."""
    for kind in (InitiativeKind.EPIC, InitiativeKind.VERSION):
        picked = filters.with_pick(KIND, kind)
        listed = listed_in(picked)
        if listed.forecasts:
            break
    urgent = sorted(listed.forecasts, key=lambda made: (not made.is_at_risk, made.planned_on or date.max))
    return {
        "title": "When will it ship?",
        "part": "insights/planning/_part_shipping.html",
        "noun": NOUNS[kind],
        "nouns": wording.plural_of(NOUNS[kind]),
        "lines": [_line(made, listed, picked) for made in urgent[:MOST_AT_HOME]],
        "number": len(listed.forecasts),
        "at_risk": len(listed.at_risk),
        "all_url": picked.url(reverse("planning_tab", args=[FORECAST.key])),
        "void_link": _projects(filters),
    }


def _void(kind: InitiativeKind) -> dict[str, str]:
    """The words of an empty list."""
    how = {
        InitiativeKind.EPIC: "An epic is a work item that others name as their parent, in Jira or GitHub.",
        InitiativeKind.VERSION: "Versions are Jira's fix versions with items that are not done.",
        InitiativeKind.LABEL: "Labels come from the issue tracker.",
        InitiativeKind.PROJECT: "Projects come from the issue tracker.",
    }[kind]
    return {"void_title": f"No open {wording.plural_of(NOUNS[kind])}", "void_text": how}


def _projects(filters: Filters) -> Link:
    """A link to the projects, which have forecasts even without epics and versions."""
    url = filters.with_pick(KIND, InitiativeKind.PROJECT).url(reverse("planning_tab", args=[FORECAST.key]))
    return Link("Forecast projects", url)


def _line(made: InitiativeForecast, listed: ListedForecasts, filters: Filters) -> dict[str, Any]:
    one, odds = made.initiative, made.odds_by(made.planned_on) if made.planned_on else None
    return {
        "name": one.name,
        "reference": one.reference,
        "url": initiative_url(made, filters),
        "done": len(one.done),
        "items": one.items,
        "share": len(one.done) / one.items if one.items else 0.0,
        "added": f"{made.added_since_start:+,}" if made.added_since_start else "none",
        "weekly": f"{made.weekly:.1f}" if made.weekly else "–",
        "is_young": made.part is not None,
        "not_calibrated": not_calibrated_words(listed.not_calibrated.get(one.key)),
        "dates": date_words(made.dates) if made.dates else None,
        "too_little": too_little_words(made.forecast),
        "planned": wording.day(made.planned_on) if made.planned_on else "",
        "odds": wording.percent_of(odds, 1.0) if odds is not None else "",
        "tone": "" if odds is None else "bad" if odds < 0.5 else "watch" if made.is_at_risk else "good",
    }


def date_words(dates: Dates) -> tuple[str, str, str]:
    """The three dates as pages show them."""
    even, likely, safe = (
        NOT_SOON if day is None else wording.day(day) for day in (dates.even, dates.likely, dates.safe)
    )
    return even, likely, safe


def risk_line(risk: DeliveryRisk, filters: Filters) -> dict[str, Any]:
    """The words of a risk, and the link to its page."""
    return {
        "name": risk.name,
        "url": _page_of(InitiativeKind(risk.kind), risk.key, filters),
        "planned": wording.day(risk.planned_on),
        "likely": wording.day(risk.likely_on) if risk.likely_on else NOT_SOON,
        "late": late_words(risk),
        "odds": wording.percent_of(risk.odds, 1.0),
        "since": wording.day(risk.since) if risk.since else "",
        "why": moved_words(risk),
    }


def initiative_url(made: InitiativeForecast, filters: Filters) -> str:
    """The page of the initiative, with the current filters; `kind` is among them unless it is the default."""
    return _page_of(made.initiative.kind, made.initiative.key, filters)


def _page_of(kind: InitiativeKind, key: str, filters: Filters) -> str:
    return filters.with_pick(KIND, kind).url(reverse("initiative"), of=key)


def calibration_words(calibration: Calibration, whose: str) -> str:
    """A sentence on how many earlier dates held, and what that means."""
    if not calibration.of:
        return f"No forecast of {whose} can be checked yet: none has ended."
    held = f"{calibration.held} of {calibration.of} of the 85% dates of {whose} held"
    share = wording.percent_of(calibration.held, calibration.of)
    match calibration.verdict:
        case Verdict.UNKNOWN:
            return f"{held}: too few to say whether forecasts are calibrated."
        case Verdict.TOO_EARLY:
            return f"{held} ({share}): dates come too early here."
        case Verdict.TOO_LATE:
            return f"{held} ({share}): dates come too late here."
        case Verdict.CALIBRATED:
            return f"{held} ({share})."


def _team_line(team: TeamCalibration) -> dict[str, Any]:
    of = team.calibration
    return {
        "name": team.name,
        "held": f"{of.held} of {of.of}",
        "share": wording.percent_of(of.held, of.of),
        "verdict": "Too few to say" if of.verdict is Verdict.UNKNOWN else verdict_tag(of)[0],
        "tone": verdict_tag(of)[1],
        "warning": not_calibrated_words(of),
    }


def not_calibrated_words(of_team: Calibration | None) -> str:
    """The warning next to a date; empty if its team's dates held as often as they should, or are too few."""
    match of_team.verdict if of_team else None:
        case Verdict.TOO_EARLY:
            return "Not calibrated for this team: its dates come too early"
        case Verdict.TOO_LATE:
            return "Not calibrated for this team: its dates come too late"
        case _:
            return ""


def verdict_tag(calibration: Calibration) -> tuple[str, str]:
    """The word and the tone of the tag."""
    match calibration.verdict:
        case Verdict.UNKNOWN:
            return "Not checked yet", ""
        case Verdict.CALIBRATED:
            return "Calibrated", "good"
        case _:
            return "Not calibrated", "watch"


COLUMNS = (
    *("kind", "key", "name", "reference", "items_done", "items", "added_since_start", "finished_per_week"),
    "by_pace_of_team",
    *("date_50", "date_85", "date_95", "planned", "odds_of_planned", "working_days_late", "at_risk_since"),
    *("items_added_since_at_risk", "weekly_change_since_at_risk", "reason"),
)


def forecasts_csv(filters: Filters) -> Iterator[list[Cell]]:
    listed = listed_in(filters)
    yield list(COLUMNS)
    for made in listed.forecasts:
        document = forecast_document(made, listed.moved.get(made.initiative.key))
        yield [document[name] for name in COLUMNS]


def calibration_csv(filters: Filters) -> Iterator[list[Cell]]:
    """The calibration of all teams of the scope together in the first row, then of each."""
    listed = listed_in(filters)
    yield ["unit", "name", "held", "of", "share", "verdict"]
    whole = TeamCalibration(filters.people_filter.unit or "", "", listed.calibration)
    for one in (whole, *listed.by_team):
        of = one.calibration
        yield [one.unit, one.name, of.held, of.of, of.share, of.verdict.value]
