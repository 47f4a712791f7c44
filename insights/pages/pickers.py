"""The menus of the scope bar, which load when opened: units, attributes and their values.

Their URLs contain the filters of the page, and its path as `to`, to which the links lead back.  Without JavaScript the
menus are pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve, reverse

from core.page_links import url_with
from core.views import part_view
from insights.privacy.scope_access import ME, access_in
from insights.query import windows
from insights.query.errors import QueryError
from insights.query.parameters import pairs
from insights.ui import wording
from insights.ui.scope_bar import EVERYBODY, YOURSELF, recent_units
from insights.ui.views import render_part
from orgtree.trees.search import (
    MOST_UNITS,
    MOST_VALUES,
    UnitChoice,
    attributes_in_use,
    units_below,
    units_matching,
    units_named,
    values_of,
)
from orgtree.trees.surroundings import surroundings

LONGEST_SEARCH = 100
HOME = "/"
PAGES_WITH_FILTERS = ("/insights/", "/programs/")  # and home
WITHOUT_OWN = dict.fromkeys(("to", "q", "under", "of", "page"), "")  # the parameters of the menus, left out


@part_view
def unit_picker(request: HttpRequest) -> HttpResponseBase:
    """Recently used units and the tops of the trees; `q` searches, `under` lists the children of a unit."""
    page = _page(request)
    search = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    under = request.GET.get("under", "")
    lists = _lists(request, search, under)
    context = {
        "part": "insights/_unit_lists.html" if search or under or "q" in request.GET else "insights/_unit_picker.html",
        "title": "Choose a unit",
        "lists": [unit_list for unit_list in lists if unit_list["units"]],
        "search": search,
        "under": under,
        "nothing": f"No unit matches “{search}”." if search else "No Org Trees yet.",
        "is_cut": bool(search) and any(len(unit_list["units"]) == MOST_UNITS for unit_list in lists),
        "search_url": reverse("unit_picker"),
        "hidden_fields": [(name, value) for name, value in request.GET.items() if name not in ("q", "under")],
        "everybody_url": _to(page, request.GET, unit="") if access_in(request).visibility.whole else "",
        "own_url": _to(page, request.GET, person=ME) if access_in(request).visibility.person_id is not None else "",
        "everybody": EVERYBODY,
        "yourself": YOURSELF,
    }
    return render_part(request, context)


def _lists(request: HttpRequest, search: str, under: str) -> Sequence[dict[str, Any]]:
    visibility, today, page = access_in(request).visibility, windows.local_today(), _page(request)

    def listed(title: str, units: Sequence[UnitChoice], note: Callable[[UnitChoice], str]) -> dict[str, Any]:
        return {"title": title, "units": [_line(unit, note(unit), request.GET, page) for unit in units]}

    def where(unit: UnitChoice) -> str:
        return unit.location

    if under:
        return [listed("", units_below(under, visibility, on=today), lambda unit: "")]
    if search:
        return [listed("", units_matching(search, visibility, on=today), where)]
    tops = surroundings(None, visibility, on=today, today=today).tops
    return [
        listed("Recently used", units_named(recent_units(request), visibility, on=today), where),
        listed("Org Trees", units_named([top.slug for top in tops], visibility, on=today), where),
    ]


def _line(unit: UnitChoice, note: str, given: QueryDict, page: str) -> dict[str, Any]:
    return {
        "name": unit.name,
        "note": note,
        "url": _to(page, given, unit=unit.slug),
        "open_url": url_with(reverse("unit_picker"), _with(given, q="", under=unit.slug)) if unit.has_units else "",
    }


@part_view
def attribute_menu(request: HttpRequest) -> HttpResponseBase:
    """The attributes of people; with `of`, today's values of that attribute."""
    page, chosen = _page(request), pairs("where", request.GET.getlist("where"))
    of = request.GET.get("of", "")
    options = _values(request, of, chosen.get(of, ()), page) if of else _attributes(request, chosen)
    context = {
        "part": "insights/_attribute_menu.html",
        "title": "Choose people",
        "options": options,
        "is_cut": len(options) >= MOST_VALUES,
        "nothing": "Nobody has a value today." if of else "No attributes of people yet.",
    }
    return render_part(request, context)


def _attributes(request: HttpRequest, chosen: Any) -> Sequence[dict[str, Any]]:
    return [
        {
            "label": attribute.name,
            "note": "",
            "url": url_with(reverse("attribute_menu"), _with(request.GET, of=attribute.slug)),
            "active": attribute.slug in chosen,
            "opens": True,
        }
        for attribute in attributes_in_use()
    ]


def _values(request: HttpRequest, of: str, chosen: Sequence[str], page: str) -> Sequence[dict[str, Any]]:
    access = access_in(request)
    known = dict(values_of(of, access.visibility, on=windows.local_today()))
    values = [*known, *(value for value in chosen if value not in known)]
    return [
        {
            "label": value,
            "note": _people(known.get(value, 0), access.minimum_group_size, named=access.shows_small_groups),
            "url": _with_toggled(page, request.GET, f"{of}={value}"),
            "active": value in chosen,
        }
        for value in values
    ]


def _people(number: int, minimum: int, *, named: bool) -> str:
    if not number:
        return "nobody today"
    return wording.count(number, "person", "people") if named or number >= minimum else ""


def _with_toggled(page: str, given: QueryDict, pair: str) -> str:
    parameters = _with(given, **WITHOUT_OWN)
    chosen = parameters.getlist("where")
    parameters.setlist("where", [value for value in chosen if value != pair] if pair in chosen else [*chosen, pair])
    return url_with(page, parameters)


def _to(page: str, given: QueryDict, **scope: str) -> str:
    """The page's URL with another unit or person, and all other filters."""
    return url_with(page, _with(given, **{**WITHOUT_OWN, "unit": "", "person": "", **scope}))


def _with(given: QueryDict, **changed: str) -> QueryDict:
    """A copy with other parameters; URLs leave out empty ones."""
    parameters = given.copy()
    for name, value in changed.items():
        parameters[name] = value
    return parameters


def _page(request: HttpRequest) -> str:
    """The path of the page that the links lead to.  Raises QueryError for anything but a page with filters."""
    path = request.GET.get("to", "")
    try:
        match = resolve(path) if path == HOME or path.startswith(PAGES_WITH_FILTERS) else None
    except Resolver404:
        match = None
    if match is None:
        raise QueryError("to", "It must be the path of a page, such as /insights/ai/.")
    return path
