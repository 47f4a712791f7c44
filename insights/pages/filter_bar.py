"""The sticky filter bar of a page: each choice is a link that changes one parameter and keeps the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404

from insights.pages.answers import Answers, InsightsPage, OfferedFacet, facet_label
from insights.query.query import Dimension
from insights.ui import wording
from insights.ui.filters import FACETS, GRANULARITIES, GRANULARITY_NAMES, WEEK_RANGES, Filters, quarters_to_offer
from insights.ui.scope_bar import ScopeBar, scope_bar
from insights.ui.tiles import Picker
from orgtree.trees.surroundings import Surroundings

VALUES_LISTED = 30  # of a facet; rarer ones can be set in the URL


@dataclass(frozen=True)
class Option:
    label: str
    url: str
    active: bool
    note: str = ""


@dataclass(frozen=True)
class FacetMenu:
    name: str
    chosen: str  # the chosen values in words; empty where nothing is chosen
    options: Sequence[Option]
    clear_url: str
    part_url: str = ""  # loads the options when the menu is opened; empty if they are here


@dataclass(frozen=True)
class FilterBar:
    days: str
    range_label: str
    scope: ScopeBar
    ranges: Sequence[Option]
    quarters: Sequence[Option]
    granularities: Sequence[Option]
    facets: Sequence[FacetMenu]
    chosen_facets: int
    chosen_filters: int  # with attributes of people
    clear_url: str
    hidden_fields: Sequence[tuple[str, str]]  # of the form for a custom range
    first_day: str
    last_day: str
    action: str
    computed_at: datetime | None
    lacking: str  # data that is still to be synced


def filter_bar(answers: Answers, around: Surroundings) -> FilterBar:
    """`answers` contain the tiles' figures, and those of menus without a part."""
    filters, page = answers.filters, answers.page
    return FilterBar(
        days=wording.days(filters.window),
        range_label=filters.span,
        scope=scope_bar(filters, around, answers.tile_figures, page.path, extra_params=page.extra_params),
        ranges=[_range(page, filters, name, wording.count(weeks, "week")) for name, weeks in WEEK_RANGES.items()],
        quarters=[_range(page, filters, "quarter", "This quarter"), *_past_quarters(page, filters)],
        granularities=[
            Option(GRANULARITY_NAMES[one], page.url(filters.with_granularity(one)), filters.granularity is one)
            for one in GRANULARITIES
        ],
        facets=_menus(answers),
        chosen_facets=sum(len(values) for values in filters.facets.values()),
        chosen_filters=sum(map(len, [*filters.facets.values(), *filters.scope.where.values()])),
        clear_url=page.url(filters.without_facets()),
        hidden_fields=[*_without_range(filters), *page.extra_params.items()],
        first_day=filters.window.start.isoformat(),
        last_day=(filters.window.end - timedelta(days=1)).isoformat(),
        action=page.path,
        computed_at=answers.computed_at,
        lacking=f"{wording.count(answers.days_lacking, 'day')} still to come" if answers.days_lacking else "",
    )


def range_pickers(filters: Filters, url: Callable[[Filters], str]) -> list[Picker]:
    """The ranges of a page without the whole bar; `url` is the page's for these filters."""
    return [
        Picker(wording.count(weeks, "week"), url(filters.with_range(name)), filters.range == name)
        for name, weeks in WEEK_RANGES.items()
    ]


def _without_range(filters: Filters) -> list[tuple[str, str]]:
    return [(name, value) for name, value in filters.parameters() if name not in ("range", "from", "to")]


def facet_part(page: InsightsPage, filters: Filters, part: str) -> dict[str, Any]:
    """The context of a menu that loads when it is opened.  Raises Http404 for an unknown menu."""
    offered = next((facet for facet in page.facets if facet.part == part), None)
    if offered is None:
        raise Http404("No such menu.")
    present = page.read(filters, [offered.query]).present(offered)
    menu = replace(_menu(page, filters, offered.dimension), options=_options_present(page, filters, offered, present))
    return {"title": FACETS[offered.dimension], "menu": menu, "part": "insights/_part_facet.html"}


def _menus(answers: Answers) -> list[FacetMenu]:
    """The page's menus, and those of other chosen facets, so that they can be cleared."""
    page, filters = answers.page, answers.filters
    own = {offered.dimension for offered in page.facets}
    others = [dimension for dimension in filters.facets if dimension not in own]
    return [
        *(_menu_of_bar(answers, facet) for facet in page.facets),
        *(_menu(page, filters, other) for other in others),
    ]


def _menu_of_bar(answers: Answers, offered: OfferedFacet) -> FacetMenu:
    page, filters = answers.page, answers.filters
    menu = _menu(page, filters, offered.dimension)
    if offered.part:
        return replace(menu, part_url=answers.part_url(offered.part))
    return replace(menu, options=_options_present(page, filters, offered, answers.present(offered)))


def _menu(page: InsightsPage, filters: Filters, dimension: Dimension) -> FacetMenu:
    """A menu with only the chosen values."""
    chosen = filters.facets.get(dimension, ())
    return FacetMenu(
        name=FACETS[dimension],
        chosen=", ".join(facet_label(dimension, value) for value in chosen),
        options=[_option(page, filters, dimension, value) for value in chosen],
        clear_url=page.url(filters.without(dimension)),
    )


def _options_present(
    page: InsightsPage, filters: Filters, offered: OfferedFacet, present: Mapping[str, float]
) -> list[Option]:
    """The values in `present` with their amounts, and all chosen ones."""
    dimension = offered.dimension
    values = [value for value in present if value][:VALUES_LISTED]
    absent = [value for value in filters.facets.get(dimension, ()) if value not in values]
    return [
        *(_option(page, filters, dimension, value, _amount(present[value], offered.noun)) for value in values),
        *(
            _option(page, filters, dimension, value, "" if value in present else "not in this window")
            for value in absent
        ),
    ]


def _option(page: InsightsPage, filters: Filters, dimension: Dimension, value: str, note: str = "") -> Option:
    """A link that toggles the value."""
    return Option(
        label=facet_label(dimension, value),
        url=page.url(filters.with_toggled(dimension, value)),
        active=value in filters.facets.get(dimension, ()),
        note=note,
    )


def _past_quarters(page: InsightsPage, filters: Filters) -> list[Option]:
    return [
        _range(page, filters, name, f"{name[5:]} {name[:4]}", wording.days(filters.with_range(name).window))
        for name in quarters_to_offer(filters.today)[1:]
    ]


def _range(page: InsightsPage, filters: Filters, name: str, label: str, note: str = "") -> Option:
    return Option(label, page.url(filters.with_range(name)), filters.range == name, note)


def _amount(amount: float, noun: str) -> str:
    return f"{wording.compact(amount)} {noun if amount == 1 else noun + 's'}"
