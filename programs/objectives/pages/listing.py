"""Objectives of a quarter: as a list with their key results, below those that they serve, and teams without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from insights.ui.bad_filter import explains_bad_filters
from insights.ui.filters import BadFilterError, Filters, read_filters
from insights.ui.page_numbers import read_page
from insights.ui.scope_bar import look_around, scope_bar, scope_words
from insights.ui.tiles import Picker
from orgtree.access.access import Access
from orgtree.models import Unit
from orgtree.models.sight import Sight
from programs.alignment.branches import branches, with_those_above
from programs.models import Objective, Quarter, Standing
from programs.objectives.pages.words import TAGS, ObjectiveLine, StandingTag, objective_lines
from programs.objectives.queries.objectives import ObjectiveFilter, filtered, in_order_of_units, progress_of
from programs.objectives.queries.status_counts import standing_counts
from programs.quarters.pages import Quarters, choices, passed_words, quarter_url, quarters
from programs.teams.queries import teams_tree, teams_without_objective, units_above

PAGE_SIZE = 20
ROWS_OF_A_TREE = 40
TEAMS_ON_A_PAGE = 50
SETTINGS = "admin:programs_programsettings_changelist"  # where an admin says whose teams set objectives
TEAMS_NAMED = 6  # in the sentence above the list
LONGEST_SEARCH = 100
EVERYTHING = "All that concerns you: your units, what stands above them, and the whole organisation"
WIDER = dict.fromkeys(("standing", "q", "mine", "drafts", "page"), "")  # what narrows the list, taken away
NOT_KNOWN = replace(TAGS[Standing.UNKNOWN], text="Not known")  # without data, or withheld from the viewer
OWN = ("quarter", "view", "standing", "q", "mine", "drafts", "page")


@dataclass(frozen=True)
class Asked:
    """What the address of a list asks for."""

    filters: Filters
    narrowed: ObjectiveFilter
    view: str
    own: Mapping[str, str]  # the parameters of this page, as they stand in its address
    scope: Mapping[str, str]  # what the address says of the unit; nothing: all that concerns the viewer

    def url(self, path: str = "", **changed: str) -> str:
        """This list with other parameters; an empty one is left out."""
        said = {**self.scope, **self.own, **changed}
        kept = {name: value for name, value in said.items() if value}
        return f"{path}?{urlencode(kept)}" if kept else path or "?"


@dataclass(frozen=True)
class Count:
    """How many objectives stand so, and the list of them."""

    tag: StandingTag
    number: int
    url: str
    active: bool


@dataclass(frozen=True)
class TreeLine:
    line: ObjectiveLine
    depth: int
    is_context: bool  # of the page before: shown for what stands below it


@dataclass(frozen=True)
class Gap:
    """A team without its objective of the quarter; `above` is the unit in which it stands."""

    name: str
    above: str
    leader: str
    new_url: str


@login_required
@never_cache
@require_GET
@explains_bad_filters
def objectives(request: HttpRequest) -> HttpResponseBase:
    access, known = access_in(request), quarters(windows.local_today())
    asked = read_asked(request, access, known)
    quarter, today = asked.narrowed.quarter, asked.filters.today
    around = look_around(request, asked.filters)
    counts = standing_counts(asked.narrowed, access, today=today)
    gaps = _gaps(quarter, access.sight, today)
    shown = {"list": _list, "tree": _tree, "gaps": _gap_list}[asked.view]
    context: dict[str, Any] = {
        "scope": scope_bar(asked.filters, around, {}, request.path, kept=asked.own),
        "whose": scope_words(asked.filters, around) if asked.scope or access.sight.whole else EVERYTHING,
        "quarter": quarter,
        "quarter_days": wording.days(quarter.window),
        "passed": passed_words(quarter, today),
        "quarters": choices(known, quarter, lambda each: _quarter_link(asked, known, each)),
        "frozen_url": quarter_url(quarter) if quarter.is_closed else "",
        "close_url": _close_url(quarter, known, access.sight),
        "counts": _counts(asked, counts),
        "total": sum(counts.values()),
        "view": asked.view,
        "views": _views(asked, gaps),
        "standing": asked.narrowed.standing,
        "mine": _mine(asked, access),
        "drafts": _drafts(asked, access.sight),
        "search": asked.narrowed.search,
        "hidden": [
            (name, value) for name, value in [*asked.scope.items(), *asked.own.items()] if name not in ("q", "page")
        ],
        **_gap_notice(asked, gaps),
        "new_url": _new_url(asked, access.sight),
        "csv_url": asked.url(reverse("objectives_csv"), view="", page=""),
        "is_narrowed": bool(asked.own.keys() & {"standing", "q", "mine", "drafts"}),
        "all_url": asked.url(reverse("objectives"), **WIDER),
        **shown(request, asked, access, counts, gaps),
    }
    return render(request, "programs/objectives/list.html", context)


def read_asked(request: HttpRequest, access: Access, known: Quarters) -> Asked:
    """Raises BadFilterError for what the address cannot mean."""
    filters = read_filters(request.GET, today=known.today, access=access).without_facets()
    scope = {"unit": filters.scope.unit_word} if request.GET.get("unit") and filters.scope.unit_word else {}
    said = {name: value for name in OWN[:-1] if (value := request.GET.get(name, "").strip()[:LONGEST_SEARCH])}
    own_person = access.sight.person_id if access.sight.person_id is not None else 0
    narrowed = ObjectiveFilter(
        quarter=known.starting(said.get("quarter", "")),
        unit=filters.scope.unit if scope and "mine" not in said else None,  # one's own are of whatever unit
        standing=_one_of("standing", said.get("standing", ""), ["", *Standing.values]),
        search=said.get("q", ""),
        owner=own_person if "mine" in said else None,
        drafts="drafts" in said,
    )
    return Asked(filters, narrowed, _one_of("view", said.get("view", "list"), ["list", "tree", "gaps"]), said, scope)


def _one_of(parameter: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise BadFilterError(parameter, f"{parameter}= is one of: {', '.join(filter(None, known))}.")
    return value


def found_objectives(asked: Asked, access: Access) -> QuerySet[Objective]:
    return in_order_of_units(filtered(asked.narrowed, access, today=asked.filters.today))


def _list(
    request: HttpRequest, asked: Asked, access: Access, counts: Mapping[str, int], _gaps: QuerySet[Unit] | None
) -> dict[str, Any]:
    standing = asked.narrowed.standing
    total = counts.get(standing, 0) if standing else sum(counts.values())
    page = Paginator(range(total), PAGE_SIZE).get_page(read_page(request))
    first, last = max(0, page.start_index() - 1), page.end_index()
    listed = list(found_objectives(asked, access)[first:last]) if total else []
    return {
        "objectives": objective_lines(progress_of(listed, access, today=asked.filters.today), asked.filters.today),
        **_paging(asked, page, total),
    }


def _tree(
    request: HttpRequest, asked: Asked, access: Access, _counts: Mapping[str, int], _gaps: QuerySet[Unit] | None
) -> dict[str, Any]:
    tree = branches(found_objectives(asked, access).values_list("pk", "parent"))
    page = Paginator(tree, ROWS_OF_A_TREE).get_page(read_page(request))
    first, last = max(0, page.start_index() - 1), page.end_index()
    stretch = with_those_above(tree, first, last)
    context = {branch.pk for branch in stretch[: len(stretch) - (last - first)]}
    rows = found_objectives(asked, access).in_bulk([branch.pk for branch in stretch])
    listed = [rows[branch.pk] for branch in stretch if branch.pk in rows]
    lines = objective_lines(progress_of(listed, access, today=asked.filters.today), asked.filters.today)
    by_pk = {line.pk: line for line in lines}
    return {
        "tree": [
            TreeLine(by_pk[each.pk], min(each.depth, 6), each.pk in context) for each in stretch if each.pk in by_pk
        ],
        **_paging(asked, page, len(tree)),
    }


def _gap_list(
    request: HttpRequest, asked: Asked, access: Access, _counts: Mapping[str, int], gaps: QuerySet[Unit] | None
) -> dict[str, Any]:
    found = gaps if gaps is not None else Unit.objects.none()
    page = Paginator(found.select_related("leader"), TEAMS_ON_A_PAGE).get_page(read_page(request))
    above = units_above(page, asked.filters.today)
    new_url = reverse("objective_new")
    quarter = asked.narrowed.quarter.start.isoformat()
    return {
        "teams": [
            Gap(
                each.name,
                above.get(each.pk, ""),
                each.leader.full_name if each.leader else "",
                f"{new_url}?{urlencode({'unit': each.slug, 'quarter': quarter, 'mandatory': '1'})}",
            )
            for each in page
        ],
        "is_led": gaps is not None,
        "teams_tree": teams_tree() if gaps is not None else None,
        "settings_url": reverse(SETTINGS) if getattr(request.user, "is_superuser", False) else "",
        **_paging(asked, page, page.paginator.count),
    }


def _paging(asked: Asked, page: Any, total: int) -> dict[str, Any]:
    path = reverse("objectives")
    return {
        "first": page.start_index(),
        "last": page.end_index(),
        "listed_total": f"{total:,}",
        "previous_url": asked.url(path, page=str(page.previous_page_number())) if page.has_previous() else "",
        "next_url": asked.url(path, page=str(page.next_page_number())) if page.has_next() else "",
    }


def _gaps(quarter: Quarter, sight: Sight, today: date) -> QuerySet[Unit] | None:
    """Teams that lack their objective, for whoever leads them; None for others, and once the quarter is closed."""
    if quarter.is_closed or not sight.leads_any:
        return None
    found = teams_without_objective(quarter, sight, today=today).order_by("name", "pk")
    return found if sight.leads_whole else found.filter(pk__in=sight.managed_ids)


def _gap_notice(asked: Asked, gaps: QuerySet[Unit] | None) -> dict[str, Any]:
    """Above the list: how many teams lack theirs, and the first few by name."""
    if gaps is None or asked.view != "list":
        return {}
    teams = list(gaps[: TEAMS_NAMED + 1])
    above = units_above(teams, asked.filters.today)
    names = [f"{team.name} in {above[team.pk]}" if team.pk in above else team.name for team in teams]
    total = len(names) if len(names) <= TEAMS_NAMED else gaps.count()
    return {
        "gaps": total,
        "gap_names": names[:TEAMS_NAMED],
        "gaps_more": total - TEAMS_NAMED,
        "gaps_url": asked.url(reverse("objectives"), view="gaps", **WIDER),
    }


def _counts(asked: Asked, counts: Mapping[str, int]) -> list[Count]:
    path, chosen = reverse("objectives"), asked.narrowed.standing
    return [
        Count(
            TAGS[standing] if standing != Standing.UNKNOWN else NOT_KNOWN,
            counts.get(standing, 0),
            asked.url(path, standing="" if standing == chosen else standing, page=""),
            standing == chosen,
        )
        for standing in Standing.values
    ]


def _views(asked: Asked, gaps: QuerySet[Unit] | None) -> list[Picker]:
    names = {"list": "List", "tree": "Alignment", **({"gaps": "Teams without one"} if gaps is not None else {})}
    path = reverse("objectives")
    return [
        Picker(label=name, url=asked.url(path, view="" if view == "list" else view, page=""), active=view == asked.view)
        for view, name in names.items()
    ]


def _mine(asked: Asked, access: Access) -> Picker | None:
    """Nothing for an account that is no person."""
    if access.sight.person_id is None:
        return None
    is_on = asked.narrowed.owner is not None
    url = asked.url(reverse("objectives"), mine="" if is_on else "1", page="")
    return Picker(label="My objectives", url=url, active=is_on)


def _drafts(asked: Asked, sight: Sight) -> Picker | None:
    """Drafts are seen by whoever answers for a unit."""
    if not sight.leads_any:
        return None
    is_on = asked.narrowed.drafts
    url = asked.url(reverse("objectives"), drafts="" if is_on else "1", page="")
    return Picker(label="Drafts", url=url, active=is_on)


def _quarter_link(asked: Asked, known: Quarters, quarter: Quarter) -> str:
    named = "" if quarter == known.current else quarter.start.isoformat()
    return asked.url(reverse("objectives"), quarter=named, page="")


def _close_url(quarter: Quarter, known: Quarters, sight: Sight) -> str:
    """For those who close it, from its first day on: it can be looked at before it is over."""
    can_be_closed = not quarter.is_closed and quarter.start <= known.today
    return reverse("quarter_close", args=[quarter.start]) if can_be_closed and sight.leads_whole else ""


def _new_url(asked: Asked, sight: Sight) -> str:
    if asked.narrowed.quarter.is_closed or not sight.leads_any:
        return ""
    unit = asked.narrowed.unit
    if unit is not None and not (sight.leads_whole or sight.slugs.get(unit) in sight.managed_ids):
        return ""
    said = {"unit": unit or "", "quarter": asked.narrowed.quarter.start.isoformat()}
    return f"{reverse('objective_new')}?{urlencode({name: value for name, value in said.items() if value})}"
