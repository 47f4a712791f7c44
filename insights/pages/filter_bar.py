"""The sticky filter bar of a page: each choice is a link that changes one parameter and keeps the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from django.http import Http404
from django.urls import reverse

from core.page_links import Picker
from insights.pages.answers import Answers, InsightsPage, OfferedFacet, facets_in_words
from insights.query.query import Dimension, Granularity
from insights.ui import wording
from insights.ui.filters import FACETS, GRANULARITY, WEEK_RANGES, Filters, quarters_to_offer
from insights.ui.labels import label_of
from insights.ui.scope_bar import scope_bar, scope_words
from orgtree.trees.surroundings import Surroundings

VALUES_LISTED = 30  # of a facet: rarer ones can be set in the URL


def page_head(answers: Answers, around: Surroundings) -> dict[str, Any]:
    """The context of a page's filter bar and of the sentence below its title."""
    filters = answers.filters
    return {"filters": filters, "bar": filter_bar(answers, around), "whose": scope_words(filters, around)}


def head_of_window(
    filters: Filters,
    around: Surroundings,
    path: str,
    url: Callable[[Filters], str],
    extra_params: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """The context of a bar with only units and ranges; `url` is the page's address for other filters."""
    return {
        "scope": scope_bar(filters, around, {}, path, extra_params=extra_params),
        "whose": scope_words(filters, around),
        "days": wording.days(filters.window),
        "ranges": range_pickers(filters, url),
    }


def filter_bar(answers: Answers, around: Surroundings) -> dict[str, Any]:
    """The context of the filter bar; `answers` contain the tiles' figures, and those of menus without a part."""
    filters, page = answers.filters, answers.page
    own = {offered.dimension for offered in page.facets}
    return {
        "days": wording.days(filters.window),
        "range_label": filters.span,
        "scope": scope_bar(filters, around, answers.tile_figures, page.path, extra_params=page.extra_params),
        "ranges": range_pickers(filters, page.url),
        "quarters": _quarters(page, filters),
        "granularities": [
            Picker(
                name,
                page.url(filters.with_granularity(Granularity(option))),
                filters.granularity == option,
                key=f"granularity-{option}",
            )
            for option, name in GRANULARITY.options.items()
        ],
        "facets": [
            *(_menu_of_bar(answers, facet) for facet in page.facets),
            # Other chosen facets, so that they can be cleared.
            *(_menu(answers, dimension) for dimension in filters.facets if dimension not in own),
        ],
        "chosen_facets": sum(len(values) for values in filters.facets.values()),
        "chosen": chosen_words(filters),
        "clear_url": page.url(filters.without_facets()),
        "hidden_fields": [
            *((name, value) for name, value in filters.parameters() if name not in ("range", "from", "to")),
            *page.extra_params.items(),
        ],
        "first_day": filters.window.start.isoformat(),
        "last_day": filters.window.last_day.isoformat(),
        "action": page.path,
        "views_url": filters.url(reverse("saved_views_menu"), to=page.path, **page.extra_params),
        "computed_at": answers.computed_at,
        "lacking": wording.still_to_come(answers.days_lacking),
    }


def chosen_words(filters: Filters) -> str:
    """The filters that are set, for the folded bar, such as: Agent: Claude Code; Site: Pune or Oslo."""
    attributes = [
        f"{name.replace('-', ' ').replace('_', ' ').capitalize()}: {' or '.join(values)}"
        for name, values in filters.scope.where.items()
    ]
    return "; ".join([*facets_in_words(filters.facets), *attributes])


def range_pickers(filters: Filters, url: Callable[[Filters], str]) -> list[Picker]:
    """The ranges of a page without the whole bar; `url` is the page's URL for given filters."""
    return [
        Picker(wording.count(weeks, "week"), url(filters.with_range(name)), filters.range == name)
        for name, weeks in WEEK_RANGES.items()
    ]


def facet_part(page: InsightsPage, filters: Filters, part: str) -> dict[str, Any]:
    """The context of a menu that loads when it is opened.  Raises Http404 for an unknown menu."""
    offered = next((facet for facet in page.facets if facet.part == part), None)
    if offered is None:
        raise Http404("No such menu.")
    answers = page.read(filters, [offered.query])
    menu = _menu(answers, offered.dimension, options=_options_present(answers, offered))
    return {"title": FACETS[offered.dimension], "menu": menu, "part": "insights/_part_facet.html"}


def _menu_of_bar(answers: Answers, offered: OfferedFacet) -> dict[str, Any]:
    if offered.part:
        return _menu(answers, offered.dimension, part_url=answers.part_url(offered.part))
    return _menu(answers, offered.dimension, options=_options_present(answers, offered))


def _menu(answers: Answers, dimension: Dimension, **more: Any) -> dict[str, Any]:
    """A menu with only the chosen values, unless `more` has its options."""
    filters = answers.filters
    chosen = filters.facets.get(dimension, ())
    return {
        "name": FACETS[dimension],
        "chosen": ", ".join(label_of(value, dimension) for value in chosen),
        "options": [_option(answers, dimension, value) for value in chosen],
        "clear_url": answers.page.url(filters.without(dimension)),
        **more,
    }


def _options_present(answers: Answers, offered: OfferedFacet) -> list[Picker]:
    """The values in the window with their amounts, and all chosen values."""
    dimension, present = offered.dimension, answers.present(offered)
    values = [value for value in present if value][:VALUES_LISTED]
    absent = [value for value in answers.filters.facets.get(dimension, ()) if value not in values]
    return [
        *(_option(answers, dimension, value, _amount(present[value], offered.noun)) for value in values),
        *(_option(answers, dimension, value, "" if value in present else "not in this window") for value in absent),
    ]


def _option(answers: Answers, dimension: Dimension, value: str, note: str = "") -> Picker:
    """A link that toggles the value."""
    filters = answers.filters
    url = answers.page.url(filters.with_toggled(dimension, value))
    return Picker(label_of(value, dimension), url, value in filters.facets.get(dimension, ()), note)


def _quarters(page: InsightsPage, filters: Filters) -> list[Picker]:
    """This quarter, and past quarters with their days."""
    past = [
        (name, f"{name[5:]} {name[:4]}", wording.days(filters.with_range(name).window))
        for name in quarters_to_offer(filters.today)[1:]
    ]
    return [
        Picker(label, page.url(filters.with_range(name)), filters.range == name, note)
        for name, label, note in (("quarter", "This quarter", ""), *past)
    ]


def _amount(amount: float, noun: str) -> str:
    return f"{wording.compact(amount)} {noun if amount == 1 else noun + 's'}"
