"""The content of a digest: figures, findings and the program's status, as the account may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.http import QueryDict
from django.urls import reverse

from core.page_links import url_with
from insights.forecasts.listing import listed_forecasts
from insights.pages.ai.tabs import AI_PAGE
from insights.pages.answers import PageQuery, compared
from insights.pages.findings import lines_of
from insights.pages.planning.forecasts import date_words, initiative_url
from insights.pages.presenter import movement
from insights.privacy.scope_access import check_scope
from insights.query import windows
from insights.query.query import Scope, Window
from insights.ui import wording
from insights.ui.filters import Filters, read_filters
from insights.ui.scope_bar import unit_name
from insights.ui.tiles import Tile, earlier
from integrations.delivery.records.initiatives import InitiativeKind
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.models import DigestContent, DigestFigure, DigestLine, Rhythm
from programs.objectives.queries.filters import ObjectiveFilters
from programs.objectives.queries.objectives import progress_of
from programs.quarters.fiscal_quarters import quarter_of
from programs.tickets.queries import TicketFilters

DORA = (
    *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"),
    "dora.rework_rate",
)
METRICS = {
    Rhythm.WEEKLY: (*DORA, "ai.adoption_rate", "ai.spend"),
    Rhythm.FORTNIGHTLY: (
        *(
            "pr.cycle_time",
            "pr.pickup_time",
            "pr.size",
            "wip.count",
            "wip.age",
            "ai.adoption_rate",
            "pr.rewritten_rate",
        ),
    ),
    Rhythm.QUARTERLY: (
        *(*DORA, "pr.cycle_time", "pr.merged_per_developer", "pr.rewritten_rate", "capacity.after_hours_share"),
        *("ai.adoption_rate", "ai.committed_code_share", "ai.spend", "ai.spend_per_merged_pr"),
    ),
}
TITLES = {
    Rhythm.WEEKLY: "Your week",
    Rhythm.FORTNIGHTLY: "Your two weeks",
    Rhythm.QUARTERLY: "Your quarter",
}
USUAL = timedelta(weeks=13)  # the history that shows a figure's normal variation from week to week
MOST_FINDINGS, MOST_OBJECTIVES, MOST_INITIATIVES = 3, 5, 5


def content_of(rhythm: Rhythm, unit: Unit | None, period: Window, access: Access) -> DigestContent:
    """Reads everything as of now.  Raises QueryError if the account may no longer see the unit."""
    check_scope(Scope(unit.slug if unit else None), access)
    filters = _filters(unit, period, access)
    keys, is_quarter = METRICS[rhythm], rhythm is Rhythm.QUARTERLY
    answers = AI_PAGE.read(filters, compared(*keys))
    if not is_quarter:
        weeks = _filters(unit, Window(period.end - USUAL, period.end), access)
        answers = replace(answers, judged_by=AI_PAGE.read(weeks, [PageQuery(key) for key in keys]))
    tiles = [answers.tile(key) for key in keys]
    return DigestContent(
        title=TITLES[rhythm],
        whose=unit_name(unit),
        period=wording.days(period),
        lead=movement(answers, keys),
        compared=earlier(filters.window, filters.previous),
        figures=[_figure(tile, filters) for tile in tiles if tile.value is not None],
        missing=_missing([tile for tile in tiles if tile.value is None]),
        findings=_findings(access),
        program=_tickets(filters),
        outcomes=[*_objectives(filters, period), *_initiatives(filters)] if is_quarter else (),
    )


def _filters(unit: Unit | None, window: Window, access: Access) -> Filters:
    parameters = QueryDict(mutable=True)
    parameters.update({"unit": unit.slug if unit else "", "from": str(window.start), "to": str(window.end)})
    return read_filters(parameters, today=windows.local_today(), access=access)


def _figure(tile: Tile, filters: Filters) -> DigestFigure:
    return DigestFigure(
        label=tile.label,
        value=" ".join(filter(None, (tile.value, tile.unit))),
        change=tile.change.text if tile.change else tile.since,
        judged=tile.change.judged if tile.change else "",
        path=filters.url(reverse("metric_page", args=[tile.key])),
    )


def _missing(tiles: Sequence[Tile]) -> list[str]:
    """One sentence for each reason why figures have no value."""
    labels: dict[str, list[str]] = {}
    for tile in tiles:
        labels.setdefault(tile.reason or "No data.", []).append(tile.label)
    return [f"{wording.listed(names)}: {reason}" for reason, names in labels.items()]


def _findings(access: Access) -> list[DigestLine]:
    found = [(line["words"], line["url"]) for line in lines_of(access, most=MOST_FINDINGS)]
    return [DigestLine(words.title, url, words.cost) for words, url in found]


def _tickets(filters: Filters) -> list[DigestLine]:
    """A line with the number of open tickets of the unit and its descendants, and of overdue ones; empty if there are
    none.
    """

    def counted(state: str) -> int:
        tickets = TicketFilters({"unit": filters.scope.unit or "", "state": state}, filters.access, today=filters.today)
        return int(tickets.qs.count())

    overdue, open_ = counted("overdue"), counted("standing")
    url = url_with(reverse("tickets"), {"unit": filters.scope.unit or "", "state": "overdue" if overdue else ""})
    if not open_:
        return []
    late = f", {overdue:,} of them overdue" if overdue else ", none of them overdue"
    return [DigestLine(f"{wording.count(open_, 'action ticket')} open{late}.", url)]


def _objectives(filters: Filters, period: Window) -> list[DigestLine]:
    quarter = quarter_of(period.start)
    if quarter._state.adding:
        return []
    found = ObjectiveFilters.of_quarter(
        quarter, {"unit": filters.scope.unit or ""}, filters.access, today=filters.today
    ).qs[:MOST_OBJECTIVES]
    return [
        DigestLine(
            one.objective.title,
            reverse("objective", args=[one.objective.pk]),
            "Hidden." if one.is_status_hidden else f"{one.shown.label}. {one.why}".strip(),
        )
        for one in progress_of([*found], filters.access, today=filters.today)
    ]


def _initiatives(filters: Filters) -> list[DigestLine]:
    """Epics with a planned date, those at risk first, with their likely completion date."""
    listed = listed_forecasts(
        InitiativeKind.EPIC, filters.access, people=filters.people_filter, own_only=False, today=filters.today
    )
    planned = [(made, made.planned_on, made.dates) for made in listed.forecasts if made.planned_on and made.dates]
    planned.sort(key=lambda one: (not one[0].is_at_risk, one[1]))
    return [
        DigestLine(
            made.initiative.name,
            initiative_url(made, filters),
            f"Planned for {wording.day(day)}; likely by {date_words(dates)[1]}."
            f"{' At risk.' if made.is_at_risk else ''}",
        )
        for made, day, dates in planned[:MOST_INITIATIVES]
    ]
