"""The objectives of a quarter: as a list, by alignment, and teams without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import csv_response
from core.page_links import Picker, page_links, read_page, url_with
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.errors import QueryError
from insights.ui import wording
from insights.ui.filters import Filters, filters_of, parameters_of
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from insights.ui.views import page_view, record_view
from orgtree.access.access import Access
from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.alignment.offers import branches, with_those_above
from programs.models import Objective, ObjectiveStatus, Quarter
from programs.objectives.pages.labels import TAGS, ObjectiveLine, StatusTag, objective_lines
from programs.objectives.queries.filters import ObjectiveFilters
from programs.objectives.queries.objectives import in_order_of_units, progress_of
from programs.objectives.services.csv_export import objective_rows
from programs.quarters.pages import Quarters, choices, elapsed_text, quarter_url, quarters
from programs.teams.queries import teams_missing_objective, teams_tree, units_above

PAGE_SIZE = 20
ROWS_OF_A_TREE = 40
TEAMS_ON_A_PAGE = 50
SETTINGS = "admin:programs_programsettings_changelist"  # where an admin says whose teams set objectives
TEAMS_NAMED = 6  # in the sentence above the list
LONGEST_SEARCH = 100
EVERYTHING = "Your units, the units above them, and the whole organisation"
WIDER = dict.fromkeys(("standing", "q", "mine", "drafts", "page"), "")  # what narrows the list, taken away
NOT_KNOWN = replace(TAGS[ObjectiveStatus.UNKNOWN], text="Unknown")  # without data, or withheld from the viewer
VIEWS = {"list": "List", "tree": "Alignment", "gaps": "Teams without one"}
OWN = ("quarter", "view", "standing", "q", "mine", "drafts", "page")


@dataclass(frozen=True)
class ObjectiveListParams:
    """Parsed parameters of the list page."""

    filters: Filters
    quarter: Quarter
    narrowed: ObjectiveFilters
    view: str
    own: Mapping[str, str]  # the parameters of this page, as they stand in its address
    scope: Mapping[str, str]  # what the address says of the unit; nothing: all that concerns the viewer

    def url(self, path: str = "", **changed: str) -> str:
        """This list with other parameters; an empty one is left out."""
        return url_with(path, {**self.scope, **self.own, **changed})


@dataclass(frozen=True)
class TreeLine:
    line: ObjectiveLine
    depth: int
    is_context: bool  # of the page before: shown for what stands below it


@record_view
def objectives(request: HttpRequest) -> HttpResponseBase:
    access, known = access_in(request), quarters(windows.local_today())
    params = read_params(request, access, known)
    quarter, today, chosen = params.quarter, params.filters.today, params.narrowed.chosen
    around = scope_navigation(request, params.filters)
    counts = params.narrowed.count_by_status()
    gaps = _gaps(quarter, access.visibility, today)
    shown = {"list": _list, "tree": _tree, "gaps": _gap_list}[params.view]
    context: dict[str, Any] = {
        "scope": scope_bar(params.filters, around, {}, request.path, extra_params=params.own),
        "whose": scope_words(params.filters, around) if params.scope or access.visibility.whole else EVERYTHING,
        "quarter": quarter,
        "quarter_days": wording.days(quarter.window),
        "passed": elapsed_text(quarter, today),
        "quarters": choices(known, quarter, lambda line: _quarter_link(params, known, line)),
        "frozen_url": quarter_url(quarter) if quarter.is_closed else "",
        "close_url": _close_url(quarter, known, access.visibility),
        "counts": _counts(params, counts),
        "view": params.view,
        "views": _views(params, gaps),
        "standing": chosen["standing"],
        "mine": _mine(params, access),
        "drafts": _drafts(params, access.visibility),
        "search": chosen["q"],
        "hidden": [
            (name, value) for name, value in [*params.scope.items(), *params.own.items()] if name not in ("q", "page")
        ],
        **_gap_notice(params, gaps),
        "new_url": _new_url(params, access.visibility),
        "csv_url": params.url(reverse("objectives_csv"), view="", page=""),
        "is_narrowed": bool(params.own.keys() & {"standing", "q", "mine", "drafts"}),
        "all_url": params.url(reverse("objectives"), **WIDER),
        **shown(request, params, access, counts, gaps),
    }
    return render(request, "programs/objectives/list.html", context)


def read_params(request: HttpRequest, access: Access, known: Quarters) -> ObjectiveListParams:
    """Raises QueryError for invalid parameters."""
    filters = filters_of(request, facets=())
    scope = {"unit": filters.scope.unit_word} if parameters_of(request).get("unit") and filters.scope.unit_word else {}
    own_params = {name: value for name in OWN[:-1] if (value := request.GET.get(name, "").strip()[:LONGEST_SEARCH])}
    view = own_params.get("view", "list")
    if view not in VIEWS:
        raise QueryError("view", f"One of: {', '.join(VIEWS)}.")
    quarter = known.starting(own_params.get("quarter", ""))
    yes = dict.fromkeys(own_params.keys() & {"mine", "drafts"}, "yes")
    unit = filters.scope.unit if scope and "mine" not in own_params else ""  # one's own are of whatever unit
    data = {**own_params, **yes, "unit": unit}
    narrowed = ObjectiveFilters(data, access, today=filters.today, in_quarter=quarter)
    return ObjectiveListParams(filters, quarter, narrowed, view, own_params, scope)


def listed_objectives(params: ObjectiveListParams) -> QuerySet[Objective]:
    return in_order_of_units(params.narrowed.qs)


def _list(
    request: HttpRequest,
    params: ObjectiveListParams,
    access: Access,
    counts: Mapping[str, int],
    _gaps: QuerySet[Unit] | None,
) -> dict[str, Any]:
    status = params.narrowed.chosen["standing"]
    total = counts.get(status, 0) if status else sum(counts.values())
    page = Paginator(range(total), PAGE_SIZE).get_page(read_page(request))
    first, last = max(0, page.start_index() - 1), page.end_index()
    listed = list(listed_objectives(params)[first:last]) if total else []
    return {
        "objectives": objective_lines(progress_of(listed, access, today=params.filters.today), params.filters.today),
        **page_links(page, lambda number: params.url(reverse("objectives"), page=number)),
    }


def _tree(
    request: HttpRequest,
    params: ObjectiveListParams,
    access: Access,
    _counts: Mapping[str, int],
    _gaps: QuerySet[Unit] | None,
) -> dict[str, Any]:
    tree = branches(listed_objectives(params).values_list("pk", "parent"))
    page = Paginator(tree, ROWS_OF_A_TREE).get_page(read_page(request))
    first, last = max(0, page.start_index() - 1), page.end_index()
    branch = with_those_above(tree, first, last)
    context = {branch.pk for branch in branch[: len(branch) - (last - first)]}
    rows = listed_objectives(params).in_bulk([branch.pk for branch in branch])
    listed = [rows[branch.pk] for branch in branch if branch.pk in rows]
    lines = objective_lines(progress_of(listed, access, today=params.filters.today), params.filters.today)
    by_pk = {line.objective.pk: line for line in lines}
    return {
        "tree": [TreeLine(by_pk[row.pk], min(row.depth, 6), row.pk in context) for row in branch if row.pk in by_pk],
        **page_links(page, lambda number: params.url(reverse("objectives"), page=number)),
    }


def _gap_list(
    request: HttpRequest,
    params: ObjectiveListParams,
    access: Access,
    _counts: Mapping[str, int],
    gaps: QuerySet[Unit] | None,
) -> dict[str, Any]:
    teams = gaps if gaps is not None else Unit.objects.none()
    page = Paginator(teams.select_related("leader"), TEAMS_ON_A_PAGE).get_page(read_page(request))
    above = units_above(page, params.filters.today)
    return {
        "teams": [(unit, above.get(unit.pk, "")) for unit in page],
        "is_led": gaps is not None,
        "teams_tree": teams_tree() if gaps is not None else None,
        "settings_url": reverse(SETTINGS) if getattr(request.user, "is_superuser", False) else "",
        **page_links(page, lambda number: params.url(reverse("objectives"), page=number)),
    }


def _gaps(quarter: Quarter, visibility: Visibility, today: date) -> QuerySet[Unit] | None:
    """Teams without an objective, for their leaders; None for others, and in closed quarters."""
    if quarter.is_closed or not visibility.leads_any:
        return None
    return teams_missing_objective(visibility, quarter, today)


def _gap_notice(params: ObjectiveListParams, gaps: QuerySet[Unit] | None) -> dict[str, Any]:
    """Above the list: how many teams lack theirs, and the first few by name."""
    if gaps is None or params.view != "list":
        return {}
    teams = list(gaps[: TEAMS_NAMED + 1])
    above = units_above(teams, params.filters.today)
    names = [f"{team.name} in {above[team.pk]}" if team.pk in above else team.name for team in teams]
    total = len(names) if len(names) <= TEAMS_NAMED else gaps.count()
    return {
        "gaps": total,
        "gap_names": names[:TEAMS_NAMED],
        "gaps_more": total - TEAMS_NAMED,
        "gaps_url": params.url(reverse("objectives"), view="gaps", **WIDER),
    }


def _counts(params: ObjectiveListParams, counts: Mapping[str, int]) -> list[tuple[StatusTag, int, str, bool]]:
    """Statuses with their number of objectives, the link to their list, and whether it is shown."""
    path, chosen = reverse("objectives"), params.narrowed.chosen["standing"]
    return [
        (
            TAGS[status] if status != ObjectiveStatus.UNKNOWN else NOT_KNOWN,
            counts.get(status, 0),
            params.url(path, standing="" if status == chosen else status, page=""),
            status == chosen,
        )
        for status in ObjectiveStatus.values
    ]


def _views(params: ObjectiveListParams, gaps: QuerySet[Unit] | None) -> list[Picker]:
    names = {view: label for view, label in VIEWS.items() if view != "gaps" or gaps is not None}
    path = reverse("objectives")
    return [
        Picker(
            label=name, url=params.url(path, view="" if view == "list" else view, page=""), active=view == params.view
        )
        for view, name in names.items()
    ]


def _mine(params: ObjectiveListParams, access: Access) -> Picker | None:
    """Nothing for an account that is no person."""
    if access.visibility.person_id is None:
        return None
    is_on = "mine" in params.own
    url = params.url(reverse("objectives"), mine="" if is_on else "1", page="")
    return Picker(label="My objectives", url=url, active=is_on)


def _drafts(params: ObjectiveListParams, visibility: Visibility) -> Picker | None:
    """Drafts are seen by whoever answers for a unit."""
    if not visibility.leads_any:
        return None
    is_on = "drafts" in params.own
    url = params.url(reverse("objectives"), drafts="" if is_on else "1", page="")
    return Picker(label="Drafts", url=url, active=is_on)


def _quarter_link(params: ObjectiveListParams, known: Quarters, quarter: Quarter) -> str:
    named = "" if quarter == known.current else quarter.start.isoformat()
    return params.url(reverse("objectives"), quarter=named, page="")


def _close_url(quarter: Quarter, known: Quarters, visibility: Visibility) -> str:
    """For those who close it, from its first day on: it can be looked at before it is over."""
    can_be_closed = not quarter.is_closed and quarter.start <= known.today
    return reverse("quarter_close", args=[quarter.start]) if can_be_closed and visibility.leads_whole else ""


def _new_url(params: ObjectiveListParams, visibility: Visibility) -> str:
    if params.quarter.is_closed or not visibility.leads_any:
        return ""
    unit = params.narrowed.chosen["unit"]
    if unit and not (visibility.leads_whole or visibility.slugs.get(unit) in visibility.managed_ids):
        return ""
    return url_with(reverse("objective_new"), {"unit": unit, "quarter": params.quarter.start})


@page_view
def objectives_csv(request: HttpRequest) -> HttpResponseBase:
    """The filtered list, all pages."""
    access = access_in(request)
    params = read_params(request, access, quarters(windows.local_today()))
    objectives = list(listed_objectives(params))
    return csv_response("objectives", objective_rows(objectives, access, params.filters.today))
