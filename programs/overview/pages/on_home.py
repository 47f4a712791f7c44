"""The program's sections of the home page: everybody's work and objectives, and the summary for leadership."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse

from core.page_links import url_with
from insights.catalogue.registry import get
from insights.query.query import Scope
from insights.ui import wording
from insights.ui.filters import Filters
from insights.ui.offers import OfferedSection
from orgtree.access.access import Access
from programs.benchmarks.pages.labels import Gap, gap_of
from programs.benchmarks.queries.benchmarks import EffectiveBenchmark
from programs.benchmarks.services.current_values import CurrentValue
from programs.closing.services.frozen import FrozenDocumentError
from programs.models import Ticket
from programs.objectives.pages.labels import objective_lines
from programs.objectives.queries.filters import ObjectiveFilters
from programs.objectives.queries.objectives import progress_of
from programs.overview.pages.my_work import my_work
from programs.overview.services.leadership import (
    FOUR_KEYS,
    OverdueOfUnit,
    four_keys_of_teams,
    is_qbr_signed,
    latest_qbrs,
    objectives_at_risk,
    overdue_by_unit,
    ran_in,
)
from programs.overview.services.my_work import own_objectives
from programs.quarters.fiscal_quarters import current_quarter, preceding
from programs.report.queries import chosen_report, document_of
from programs.teams.queries import teams_on, teams_without_objective

MOST_OBJECTIVES = 200  # looked at
AT_RISK_LISTED, GAPS_LISTED, OVERDUE_LISTED, QBRS_LISTED = 3, 5, 5, 4
QBRS_READ = 100  # to find the whole organisation's one among them
STYLE_SHEETS = ("css/components/objectives.css", "css/components/tickets.css", "css/components/program.css")
OBJECTIVES_LISTED = 3
WORK_LISTED = 5


@dataclass(frozen=True)
class KeyCell:
    """A team's value of one of the four keys, with its target and whether it is met."""

    value: str
    reason: str
    url: str
    aim: str  # the target, or the threshold if there is no target
    gap: Gap | None


@dataclass(frozen=True)
class TeamLine:
    name: str
    url: str
    cells: Sequence[KeyCell]


def decisions_on_home(filters: Filters) -> OfferedSection | None:
    """The section of decisions on the home page, loaded later; None for viewers who do not lead everything."""
    return _later(filters, "decisions")


def teams_on_home(filters: Filters) -> OfferedSection | None:
    """The section of all teams on the home page, loaded later; None for viewers who do not lead everything."""
    return _later(filters, "teams")


def _later(filters: Filters, part: str) -> OfferedSection | None:
    if not filters.access.visibility.leads_whole:
        return None
    place = {"url": filters.url(reverse("program_part", args=[part]))}
    return OfferedSection("programs/overview/_leadership_later.html", place, style_sheets=STYLE_SHEETS)


def teams_at_home(filters: Filters) -> dict[str, Any] | None:
    """The four keys of each team against their targets."""
    if not filters.access.visibility.leads_whole:
        return None
    teams, total = four_keys_of_teams(filters.access, today=filters.today)
    return {
        "keys": [get(key).label for key in FOUR_KEYS],
        "teams": [
            TeamLine(
                figures.team.name,
                filters.with_unit(figures.team.slug).url(reverse("delivery")),
                [
                    _cell(filters.with_unit(figures.team.slug), key, value, benchmark)
                    for key, value, benchmark in zip(FOUR_KEYS, figures.values, figures.benchmarks, strict=True)
                ],
            )
            for figures in teams
        ],
        "more_teams": total - len(teams),
        "compare_url": reverse("compare"),
    }


def decisions_at_home(filters: Filters) -> dict[str, Any] | None:
    """Objectives at risk, teams without a mandatory objective, and overdue action plans."""
    access, today, quarter = filters.access, filters.today, current_quarter()
    if not access.visibility.leads_whole:
        return None
    published = ObjectiveFilters.of_quarter(quarter, {}, access, today=today).qs[:MOST_OBJECTIVES]
    at_risk = objectives_at_risk(progress_of(list(published), access, today=today))
    quarter_before, qbrs = preceding(quarter), latest_qbrs(access, most=QBRS_READ)
    without = list(teams_without_objective(quarter, access.visibility, today=today)[: GAPS_LISTED + 1])
    overdue = overdue_by_unit(access, today=today)
    return {
        "quarter": quarter,
        "report": _report(access, today),
        "qbrs": [(str(qbr), qbr.get_state_display(), reverse("qbr", args=[qbr.pk])) for qbr in qbrs[:QBRS_LISTED]],
        "qbr_due": str(quarter_before) if ran_in(quarter_before) and not is_qbr_signed(qbrs, quarter_before) else "",
        "qbrs_url": reverse("qbrs"),
        "at_risk": objective_lines(at_risk[:AT_RISK_LISTED], today),
        "has_objectives": bool(published),
        "objectives_url": reverse("objectives"),
        "more_at_risk": max(0, len(at_risk) - AT_RISK_LISTED),
        "gaps": [(unit.name, f"{reverse('objective_new')}?unit={unit.slug}") for unit in without[:GAPS_LISTED]],
        "has_more_gaps": len(without) > GAPS_LISTED,
        "has_teams": bool(without) or teams_on(today).exists(),
        "gaps_url": f"{reverse('objectives')}?view=gaps",
        "overdue": [_overdue(of_unit) for of_unit in overdue[:OVERDUE_LISTED]],
        "has_tickets": bool(overdue) or Ticket.objects.within(access.visibility).exists(),
        "overdue_total": sum(of_unit.number for of_unit in overdue),
        "overdue_url": f"{reverse('tickets')}?state=overdue",
    }


def _report(access: Access, today: date) -> tuple[str, str]:
    """The headline and address of the last quarter's frozen report; empty if the viewer can read none."""
    choice = chosen_report(Scope(), "", access, today)
    if choice.report is None:
        return "", ""
    try:
        headline = str(document_of(choice, access, today).headline)
    except FrozenDocumentError:
        return "", ""
    return headline or f"Report of {choice.name}", url_with(reverse("report"), choice.parameters)


def _cell(filters: Filters, key: str, value: CurrentValue, benchmark: EffectiveBenchmark | None) -> KeyCell:
    version = benchmark.version if benchmark else None
    lead, aim = "target", version.target if version else None
    if version and aim is None:
        lead, aim = "threshold", version.threshold
    unit, shown = get(key).unit, value.value
    return KeyCell(
        value="" if shown is None else str(wording.reading(shown, unit)),
        reason=value.reason,
        url=filters.url(reverse("metric_page", args=[key])),
        aim="" if aim is None or shown is None else f"{lead} {wording.beside(aim, shown, unit)}",
        gap=gap_of(value, version) if version else None,
    )


def _overdue(of_unit: OverdueOfUnit) -> tuple[str, int, str]:
    unit = f"&unit={of_unit.slug}" if of_unit.slug else ""
    return of_unit.name, of_unit.number, f"{reverse('tickets')}?state=overdue{unit}"


def program_on_home(filters: Filters) -> OfferedSection | None:
    """The section of work and objectives on the home page, loaded later."""
    return OfferedSection(
        "programs/overview/_on_home_later.html",
        {"url": filters.url(reverse("program_part", args=["home"]))},
        style_sheets=("css/components/objectives.css", "css/components/program.css"),
    )


def program_at_home(filters: Filters) -> dict[str, Any] | None:
    """The viewer's work and objectives; None if there are none.

    Managers see the objectives of their units, in whichever tree, and those that are missing; members the published
    ones of their units and of the units above; executives only their own work, because objectives at risk have a
    section of their own.
    """
    access, today, quarter = filters.access, filters.today, current_quarter()
    leads, leads_whole = access.visibility.leads_any, access.visibility.leads_whole
    narrowed = {"teams": "yes"} if leads else {}
    objectives = ObjectiveFilters.of_quarter(quarter, narrowed, access, today=today)
    listed = [] if leads_whole else list(objectives.qs[: OBJECTIVES_LISTED + 1])
    own = own_objectives(access.visibility, quarter)
    progress = progress_of([*listed, *(objective for objective in own if objective not in listed)], access, today=today)
    work = my_work(access.visibility, quarter, progress, today, listed=WORK_LISTED)
    if not listed and not work.lines:
        return None
    return {
        "work": work,
        "quarter": quarter,
        "has_objectives": not leads_whole,
        "objectives": objective_lines(progress[: min(len(listed), OBJECTIVES_LISTED)], today),
        "has_more": len(listed) > OBJECTIVES_LISTED,
        "objectives_url": reverse("objectives"),
        "new_objective_url": reverse("objective_new") if leads else "",
    }
