"""A dashboard's page: its cards, shown by the common presenter, each with the figures that its reader may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from core.csv_export import Cell
from insights.dashboards.document import ORGANISATION, Placed, placed
from insights.dashboards.preview import access_as, read_reader
from insights.dashboards.sharing import may_change, shared_words
from insights.dashboards.writing import home_dashboard
from insights.models import Dashboard
from insights.pages import presenter
from insights.pages.answers import Answers, InsightsPage, OfferedFacet, figures_view
from insights.pages.change_token import current_token
from insights.pages.delivery.lead_time import stages_part, stages_table
from insights.pages.filter_bar import page_head
from insights.pages.findings import findings_part, findings_table
from insights.pages.presenter import OwnCard
from insights.pages.routes import PageRoutes
from insights.privacy.scope_access import access_in
from insights.query.errors import QueryError
from insights.query.query import WHOLE_ORGANISATION, Dimension, Scope
from insights.ui import wording
from insights.ui.cards import LINE, Lines, Section
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import EVERYBODY, scope_navigation
from orgtree.access.who_sees import names_of
from orgtree.models import Unit
from orgtree.trees.surroundings import Surroundings

FACETS = (
    OfferedFacet(Dimension.AGENT, "ai.sessions", "session", part="agents"),
    OfferedFacet(Dimension.REPOSITORY, "pr.throughput", "PR", part="repositories"),
)
# Cards without a metric, by their kind.
OWN = {
    "stages": OwnCard(part=stages_part, table=stages_table),
    "findings": OwnCard(part=findings_part, table=findings_table),
}
# Shown instead of a card whose figures a reader may not see, or whose unit no longer exists.
OF_ANOTHER_UNIT = "This card shows a unit whose figures are visible to its members and managers alone."
OF_EVERYBODY = "This card shows the whole organisation, whose figures are visible to executives and admins alone."
UNIT_GONE = "The unit of this card no longer exists."


class WithheldCardError(QueryError):
    """A card whose figures its reader may not see."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, message: str) -> None:
        super().__init__("unit", message)


@dataclass(frozen=True)
class Slot:
    """The place of a card in the grid; if `shown` is None, `reason` says why."""

    placed: Placed
    shown: presenter.Shown | None
    reason: str = ""
    note: str = ""  # whose figures it shows and when, if these are not the page's
    is_withheld: bool = False


def page_of(dashboard: Dashboard, *, is_draft: bool = False) -> InsightsPage:
    return InsightsPage("dashboard_edit" if is_draft else "dashboard", facets=FACETS, about=(str(dashboard.pk),))


def cards_of(dashboard: Dashboard, *, is_draft: bool = False) -> list[Placed]:
    """The published cards; before the first publication, or for a draft, the owner's arrangement."""
    return placed(dashboard.draft if is_draft or not dashboard.is_published else dashboard.published)


def filters_for(request: HttpRequest, cards: Iterable[Placed]) -> Filters:
    """The filters of a dashboard; a preview has the access of its reader, and names the reader in every link."""
    cards = list(cards)
    choices = presenter.orders(item.card for item in cards if item.card)
    if any(isinstance(item.card, Lines) for item in cards):
        choices.append(LINE)
    access = access_in(request)
    reader = read_reader(request.GET, access)
    if reader is None:
        return filters_of(request, choices)
    filters = filters_of(request, choices, access=access_as(access, reader))
    return replace(filters, carried=(*filters.carried, *reader.parameters))


@dataclass(frozen=True)
class Units:
    """The units that cards name, by slug, as far as they exist."""

    names: Mapping[str, tuple[int, str]]

    @classmethod
    def of(cls, cards: Iterable[Placed]) -> Units:
        slugs = {item.unit for item in cards} - {"", ORGANISATION}
        listed = Unit.objects.filter(slug__in=slugs).values_list("slug", "pk", "name") if slugs else ()
        return cls({slug: (pk, name) for slug, pk, name in listed})

    def narrowed(self, filters: Filters, item: Placed) -> Filters:
        """The filters with the card's own unit and window.  Raises WithheldCardError if the reader may not see that
        unit.
        """
        if item.window:
            filters = filters.with_range(item.window)
        if not item.unit:
            return filters
        visibility = filters.access.visibility
        if item.unit == ORGANISATION:
            if not visibility.whole:
                raise WithheldCardError(OF_EVERYBODY)
            return replace(filters, scope=WHOLE_ORGANISATION)
        unit = self.names.get(item.unit)
        if unit is None and visibility.whole:
            raise WithheldCardError(UNIT_GONE)
        if unit is None or not visibility.can_see(unit[0]):
            raise WithheldCardError(OF_ANOTHER_UNIT)
        return replace(filters, scope=Scope(unit=item.unit))

    def note(self, filters: Filters, item: Placed) -> str:
        parts = []
        if item.unit:
            parts.append(EVERYBODY if item.unit == ORGANISATION else self.names[item.unit][1])
        if item.window:
            own = filters.with_range(item.window)
            parts.append(own.span if item.window == "quarter" else f"last {own.span}")
        return " · ".join(parts)


def slots(
    page: InsightsPage, filters: Filters, cards: Sequence[Placed], *, around: Surroundings | None = None
) -> tuple[list[Slot], Answers]:
    """The cards with their figures, read in one call, and the answers for the page's own unit and window for
    its bar.
    """
    units = Units.of(cards)
    own: dict[str, Filters] = {}
    withheld: dict[str, str] = {}
    # By unit and window; the first are the page's own.
    groups: dict[tuple[str, str], list[Placed]] = {("", ""): []}
    for item in cards:
        try:
            own[item.id] = units.narrowed(filters, item)
            groups.setdefault((item.unit, item.window), []).append(item)
        except WithheldCardError as problem:
            withheld[item.id] = problem.message
    wanted = []
    for items in groups.values():
        narrowed = own[items[0].id] if items else filters
        wanted.append((narrowed, presenter.queries(section_of(items), narrowed)))
    answers = dict(zip(groups, page.read_scopes(wanted, around=around), strict=True))

    def slot(item: Placed) -> Slot:
        if item.id in withheld:
            return Slot(item, None, withheld[item.id], is_withheld=True)
        if item.card is None:
            return Slot(item, None, f"This card can no longer be shown: {item.problem}")
        shown = presenter.shown_card(item.card, answers[item.unit, item.window])
        return Slot(item, shown, note=units.note(filters, item))

    return [slot(item) for item in cards], answers["", ""]


def section_of(cards: Iterable[Placed]) -> Section:
    return Section("dashboard", "", "", tuple(item.card for item in cards if item.card))


def routes(request: HttpRequest, pk: int, *, is_draft: bool = False) -> PageRoutes:
    """The routes for charts and tables of a dashboard that the reader may see.  Raises Http404."""
    access = access_in(request)
    dashboard = get_object_or_404(
        Dashboard.objects.writable_by(access) if is_draft else Dashboard.objects.visible_to(access), pk=pk
    )
    cards = cards_of(dashboard, is_draft=is_draft)
    page, section, units = page_of(dashboard, is_draft=is_draft), section_of(cards), Units.of(cards)
    by_name = {item.id: item for item in cards}
    own = {item.id: OWN[item.kind] for item in cards if item.kind in OWN and item.card}

    def filters_of_card(name: str, filters: Filters) -> Filters:
        item = by_name.get(presenter.card_of(name))
        return units.narrowed(filters, item) if item else filters

    return PageRoutes(
        page,
        partial(filters_for, cards=cards),
        units=(),
        parts={
            **presenter.parts([section], page),
            **{name: card.part for name, card in own.items() if card.part},
        },
        charts=presenter.charts([section], page),
        tables={
            **presenter.tables([section], page),
            **{name: card.table for name, card in own.items() if card.table},
            "figures": partial(figures_csv, page=page, cards=cards, units=units),
        },
        filters_of=filters_of_card,
        file_name="headway-dashboard",
    )


def figures_csv(filters: Filters, *, page: InsightsPage, cards: Sequence[Placed], units: Units) -> Iterator[list[Cell]]:
    """The figures of its tiles, each for its own unit and window, as far as the reader may see them."""
    heading: list[Cell] | None = None
    for item in cards:
        try:
            narrowed = units.narrowed(filters, item)
        except WithheldCardError:
            continue
        if item.card and item.kind == "tile":
            first, *tiles = presenter.figures_csv(narrowed, section=section_of([item]), page=page)
            if heading is None:
                heading = ["Unit", "From", "To", *first]
                yield heading
            window = narrowed.window
            yield from ([narrowed.scope.unit or "", window.start, window.last_day, *tile] for tile in tiles)


@figures_view
def dashboard(request: HttpRequest, pk: int) -> HttpResponseBase:
    access, token = access_in(request), current_token(request)
    shown = get_object_or_404(Dashboard.objects.visible_to(access).select_related("owner"), pk=pk)
    cards = cards_of(shown)
    page, filters = page_of(shown), filters_for(request, cards)
    around = scope_navigation(request, filters)
    grid, answers = slots(page, filters, cards, around=around)
    home = home_dashboard(access)
    context = {
        "dashboard": shown,
        "pulse": token,
        **page_head(answers, around),
        "slots": grid,
        "shared": shared_words(shown),
        "about": _about(shown),
        "may_change": may_change(access, shown),
        "is_home": home is not None and home.pk == shown.pk,
        "figures_csv_url": page.chart_csv_url(filters, "figures"),
        "edit_url": reverse("dashboard_edit", args=[pk]),
    }
    return render(request, "insights/dashboards/dashboard.html", context)


def _about(dashboard: Dashboard) -> str:
    """The line below the title: Version 4, 1 Oct 14:10, by Nova Reyes."""
    owner = names_of([dashboard.owner]).get(dashboard.owner_id or 0, "") if dashboard.owner else ""
    by = f", by {owner}" if owner else ""
    if dashboard.published_at is None:
        return f"Changed {wording.moment(dashboard.changed_at)}{by}"
    return f"Version {dashboard.version}, {wording.moment(dashboard.published_at)}{by}"
