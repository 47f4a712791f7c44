"""What the sticky filter bar of a page shows: every choice as a link that changes one thing and keeps the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse

from insights import wording
from insights.filters import FACETS, GRANULARITIES, GRANULARITY_NAMES, WEEK_RANGES, Filters, quarters_to_offer
from insights.metrics.query import Dimension, Figure
from insights.views.ai.answers import Answers, facet_label
from insights.views.scope_bar import ScopeBar, scope_bar
from orgtree.queries.surroundings import Surroundings

VALUES_LISTED = 30  # of a facet; whoever needs a rarer one writes it into the address


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
    part_url: str = ""  # where the options come from when the menu is opened; empty where they are here


@dataclass(frozen=True)
class FilterBar:
    days: str
    span: str
    scope: ScopeBar
    ranges: Sequence[Option]
    quarters: Sequence[Option]
    granularities: Sequence[Option]
    facets: Sequence[FacetMenu]
    chosen_facets: int
    chosen_filters: int  # with attributes of people
    clear_url: str
    kept: Sequence[tuple[str, str]]  # hidden fields of the form for a custom range
    first_day: str
    last_day: str
    action: str
    computed_at: datetime


def filter_bar(answers: Answers, around: Surroundings) -> FilterBar:
    """The bar of the AI page; `answers` hold what the tiles and the facet menus list."""
    filters = answers.filters
    return FilterBar(
        days=wording.days(filters.window),
        span=filters.span,
        scope=scope_bar(filters, around, answers.tile_figures, reverse("ai")),
        ranges=[_range(filters, name, wording.count(weeks, "week")) for name, weeks in WEEK_RANGES.items()],
        quarters=[_range(filters, "quarter", "This quarter"), *_past_quarters(filters)],
        granularities=[
            Option(GRANULARITY_NAMES[one], _url(filters.with_granularity(one)), filters.granularity is one)
            for one in GRANULARITIES
        ],
        facets=[
            facet_menu(filters, Dimension.AGENT, answers.present("ai.sessions", Dimension.AGENT), "session"),
            facet_menu(filters, Dimension.MODEL, {}, "token", part_url=answers.part_url("models")),
        ],
        chosen_facets=sum(len(values) for values in filters.facets.values()),
        chosen_filters=sum(map(len, [*filters.facets.values(), *filters.scope.where.values()])),
        clear_url=_url(filters.without_facets()),
        kept=[(name, value) for name, value in filters.parameters() if name not in ("range", "from", "to")],
        first_day=filters.window.start.isoformat(),
        last_day=(filters.window.end - timedelta(days=1)).isoformat(),
        action=reverse("ai"),
        computed_at=answers.computed_at,
    )


def _past_quarters(filters: Filters) -> list[Option]:
    return [
        _range(filters, name, f"{name[5:]} {name[:4]}", wording.days(filters.with_range(name).window))
        for name in quarters_to_offer(filters.today)[1:]
    ]


def _range(filters: Filters, name: str, label: str, note: str = "") -> Option:
    return Option(label, _url(filters.with_range(name)), filters.range == name, note)


def facet_menu(
    filters: Filters, dimension: Dimension, present: Mapping[str, Figure], noun: str, *, part_url: str = ""
) -> FacetMenu:
    """The menu of a facet: the values in `present` with their amounts, and the chosen ones whatever there is."""
    chosen = filters.facets.get(dimension, ())
    values = list(present)[:VALUES_LISTED]
    values += [value for value in chosen if value not in values]
    return FacetMenu(
        name=FACETS[dimension],
        chosen=", ".join(facet_label(dimension, value) for value in chosen),
        options=[
            Option(
                label=facet_label(dimension, value),
                url=_url(filters.with_toggled(dimension, value)),
                active=value in chosen,
                note=_amount(present[value].value, noun) if value in present else "not in this window",
            )
            for value in values
            if value
        ],
        clear_url=_url(filters.without(dimension)),
        part_url=part_url,
    )


def _amount(amount: float | None, noun: str) -> str:
    return f"{wording.compact(amount or 0)} {noun if amount == 1 else noun + 's'}"


def _url(filters: Filters) -> str:
    return f"{reverse('ai')}{filters.query_string()}"
