"""The scope of a page: the breadcrumb with its picker, a tile for each Org Tree, and chips for attributes.

Each link changes the scope and keeps the rest of the URL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, Protocol

from django.http import HttpRequest
from django.urls import reverse

from insights.engine.plan import resolve_scope
from insights.privacy.visible import AnswerSet, Freshness, UnitQueries, visible_together
from insights.query.errors import UnknownUnitError
from insights.query.query import WHOLE_ORGANISATION, MetricValue, Query
from insights.ui import wording
from insights.ui.filters import Filters, keep_context
from orgtree.trees.surroundings import Surroundings, TreeUnit, surroundings

EVERYBODY = "Whole organisation"
YOURSELF = "Your own data"
ACTIVE = "ai.sessions"  # its people are the active developers
RECENT_UNITS = "recent_units"  # in the account's session: slugs, the latest first
MOST_RECENT = 6


class NamedUnit(Protocol):
    """A unit of a tree, from the database or from a frozen document."""

    @property
    def name(self) -> str: ...


def unit_name(unit: NamedUnit | None) -> str:
    return unit.name if unit else EVERYBODY


Link = Callable[[Filters], str]
# The number of people who were active in the window, by unit (None: the whole organisation).
TileFigures = Mapping[int | None, MetricValue]


def scope_navigation(request: HttpRequest, filters: Filters, *, is_part: bool = False) -> Surroundings:
    """The unit's path, children and roots on the last past day of the window; adds it to the recent units.

    Stores the page's context in the session, unless the request `is_part` of a page or a panel, whose filters can be
    narrower. Raises QueryError if the scope names anything unknown, even for pages that read no figure.
    """
    scope = filters.scope
    around = surroundings(
        scope.unit, filters.access.visibility, on=last_day(filters), today=filters.today, counted=True
    )
    if scope.unit is not None and around.unit is None:
        raise UnknownUnitError(scope.unit)
    if scope.unassigned is not None or scope.where:
        resolve_scope(scope)
    if scope.unit is not None and (known := recent_units(request))[:1] != [scope.unit]:
        request.session[RECENT_UNITS] = [scope.unit, *(slug for slug in known if slug != scope.unit)][:MOST_RECENT]
    if not is_part:
        keep_context(request, filters)
    return around


def last_day(filters: Filters) -> date:
    """The last past day of the window: trees are shown as of that day."""
    return min(filters.window.last_day, filters.today)


def recent_units(request: HttpRequest) -> Sequence[str]:
    """Slugs of the units that this account opened, the latest first."""
    known = request.session.get(RECENT_UNITS)
    return [slug for slug in known if isinstance(slug, str)] if isinstance(known, list) else []


def tile_queries(filters: Filters, around: Surroundings) -> tuple[Sequence[Query], Sequence[UnitQueries]]:
    """The queries of the tiles: active people in the window, ignoring other filters."""
    query = Query(ACTIVE, filters.window, granularity=filters.granularity, scope=WHOLE_ORGANISATION)
    of_tops = UnitQueries([query], [top.pk for top in around.tops])
    return ([query] if filters.access.visibility.whole else []), [of_tops] if around.tops else []


def tile_figures(answers: AnswerSet, totals: int = 0) -> TileFigures:
    """The tiles' figures from the answers to `tile_queries`: their totals follow the first `totals`, and their units
    are the last.
    """
    active: dict[int | None, MetricValue] = {}
    if answers.totals[totals:]:
        active[None] = answers.totals[totals].total[0]
    for of_unit in answers.units[-1:]:
        active |= {unit: answers[0].total[0] for unit, answers in of_unit.items()}
    return active


def scope_bar_alone(
    filters: Filters, around: Surroundings, path: str, *, extra_params: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """The bar of a page that reads its own figures."""
    totals, units = tile_queries(filters, around)
    together = visible_together(filters.access, totals=totals, units=units, freshness=Freshness.OF_PAGES)
    return scope_bar(filters, around, tile_figures(together), path, extra_params=extra_params)


def scope_bar(
    filters: Filters,
    around: Surroundings,
    figures: TileFigures,
    path: str,
    *,
    extra_params: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """The scope bar of the page at `path`; `extra_params` are the page's own parameters, which links keep."""

    def link(changed: Filters) -> str:
        return changed.url(path, **extra_params)

    notes = {unit: _note(number, figures.get(unit)) for unit, number in around.people.items()}
    return {
        "crumbs": _crumbs(filters, around, link),
        "name": scope_name(filters, around),
        "tiles": [*_whole_tile(filters, notes, link), *_tree_tiles(filters, around, notes, link)],
        "chips": [
            _chip(filters, attribute, values, path, extra_params) for attribute, values in filters.scope.where.items()
        ],
        "picker_url": filters.url(reverse("unit_picker"), to=path, **extra_params),
        "attributes_url": filters.url(reverse("attribute_menu"), to=path, **extra_params),
    }


def scope_name(filters: Filters, around: Surroundings) -> str:
    """The name of the unit or of another scope, without the attributes."""
    scope = filters.scope
    if scope.unassigned is not None:
        slug = scope.unassigned
        return f"Not in any unit of {next((top.tree_name for top in around.tops if top.tree_slug == slug), slug)}"
    if around.unit is not None:
        return f"{YOURSELF} in {around.unit.name}" if scope.person_id is not None else around.unit.name
    return YOURSELF if scope.person_id is not None else EVERYBODY


def scope_words(filters: Filters, around: Surroundings) -> str:
    """The scope for use in a sentence: Payments, site Pune or Oslo."""
    narrowed = [f"{name} {' or '.join(values)}" for name, values in filters.scope.where.items()]
    return ", ".join([scope_name(filters, around), *narrowed])


def _crumbs(filters: Filters, around: Surroundings, link: Link) -> list[dict[str, str]]:
    """Links that lead to the scope; the last one, the scope itself, is not a link."""
    above: Sequence[TreeUnit] = around.path[:-1]
    if filters.scope.unassigned is not None:
        above = [top for top in around.tops if top.tree_slug == filters.scope.unassigned]
    crumbs = [(unit.name, link(filters.with_unit(unit.slug))) for unit in above]
    if filters.access.visibility.whole:
        crumbs.insert(0, (EVERYBODY, link(filters.with_unit(""))))
    is_everybody = filters.scope.unit_word is None and filters.scope.person_id is None
    if not (is_everybody and filters.access.visibility.whole):
        crumbs.append((scope_name(filters, around), ""))
    return [*({"label": label, "url": url} for label, url in crumbs[:-1]), {"label": crumbs[-1][0], "url": ""}]


def _whole_tile(filters: Filters, notes: Mapping[int | None, str], link: Link) -> Sequence[dict[str, Any]]:
    if not filters.access.visibility.whole:
        return ()
    chosen = filters.scope.unit_word is None and filters.scope.person_id is None
    return [
        {
            "key": "everybody",
            "name": EVERYBODY,
            "note": notes[None],
            "url": link(filters.with_unit("")),
            "chosen": chosen,
        }
    ]


def _tree_tiles(
    filters: Filters, around: Surroundings, notes: Mapping[int | None, str], link: Link
) -> Sequence[dict[str, Any]]:
    """A tile for each tree.  If the viewer sees several branches of a tree, each has a tile, and branches of different
    trees with the same people share one.
    """
    whole = filters.access.visibility.whole
    tops = [top.tree_slug for top in around.tops]
    here = {unit.pk for unit in around.path}
    same: dict[str, list[TreeUnit]] = {}
    for top in around.tops:
        same.setdefault(top.slug if whole else top.digest or top.slug, []).append(top)
    return [
        {
            "key": top.slug,
            "name": top.tree_name if tops.count(top.tree_slug) == 1 and whole else top.name,
            "note": notes[top.pk],
            "url": link(filters.with_unit(top.slug)),
            "chosen": any(one.pk in here for one in units) or top.tree_slug == filters.scope.unassigned,
        }
        for units in same.values()
        for top in [_first_of(units, filters)]
    ]


def _first_of(units: Sequence[TreeUnit], filters: Filters) -> TreeUnit:
    """The viewer's own unit among units of the same people, otherwise the first."""
    home = filters.access.visibility.home_unit if len(units) > 1 else None
    return next((unit for unit in units if unit.slug == home), units[0])


def _note(people: int, active: MetricValue | None) -> str:
    counted = wording.count(people, "person", "people")
    if active is None or active.withheld:
        return counted
    return f"{counted} · {active.people:,} active"


def _chip(
    filters: Filters, attribute: str, values: Sequence[str], path: str, extra_params: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "key": attribute,
        "name": attribute.replace("-", " ").replace("_", " ").capitalize(),
        "chosen": " or ".join(values),
        "menu_url": filters.url(reverse("attribute_menu"), to=path, of=attribute, **extra_params),
        "clear_url": filters.without_where(attribute).url(path, **extra_params),
    }
