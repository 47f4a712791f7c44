"""The common presenter: turns the declaration of a section into its queries, cards, charts, CSV files and rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import Any, ClassVar, NamedTuple

from django.urls import reverse

from core.csv_export import Cell
from core.page_links import Picker
from insights.catalogue.registry import get
from insights.engine.compared_lines import ANY_AGENT
from insights.pages import lines
from insights.pages.answers import Answers, InsightsPage, PageQuery, compared, of_tiles, rows_url
from insights.pages.attribution.labels import mix_in_words
from insights.pages.compared import beside_non_ai, beside_non_ai_csv, line_name
from insights.pages.drawing import breakdown_of, highest_title, histogram_of, last_active, trend_of
from insights.pages.rows import greatest_rows, greatest_rows_csv
from insights.pages.splits import sort_of_split, split_context, split_csv
from insights.pages.units import (
    UNASSIGNED_PART,
    UnitsOfPage,
    columns_of,
    unassigned_context,
    units_choice,
    units_context,
    units_csv_rows,
)
from insights.query.query import Dimension, Granularity
from insights.ui import tiles, wording
from insights.ui.cards import (
    Breakdown,
    Card,
    Chart,
    Comparison,
    Distribution,
    Figures,
    LastActive,
    Later,
    Lines,
    Look,
    Own,
    Section,
    Slowest,
    SplitTable,
    Table,
    Text,
    Tile,
    Trend,
    Units,
    UnitTable,
)
from insights.ui.charts import ChartData
from insights.ui.filters import DIMENSION_LABELS, Choice, Filters
from insights.ui.hints import metrics_of_rules
from insights.ui.scope_bar import last_day
from insights.ui.tiles import ChartCard, Link
from orgtree.trees.surroundings import Surroundings, surroundings

WEEKLY = {Granularity.WEEK: "Weekly", Granularity.MONTH: "Monthly", Granularity.QUARTER: "Quarterly"}
COLUMNS = 12  # of the grid


class OwnCard(NamedTuple):
    """A page's own functions for a card, by the card's name; the presenter handles what they leave out.

    `show` returns None for no card, and needs the answers of `queries`; `part` returns the context of the part that
    loads later, `chart` the data of the chart, and `table` the rows of the CSV file.
    """

    show: Callable[[Answers, Card], Shown | None] | None = None
    queries: Callable[[Filters], Sequence[PageQuery]] = lambda _filters: ()
    part: Callable[[Filters], dict[str, Any]] | None = None
    chart: Callable[[Filters], ChartData] | None = None
    table: Callable[[Filters], Iterator[list[Cell]]] | None = None


class OwnSample(NamedTuple):
    """The sample of a tile in the page's words, and the queries that these need."""

    words: Callable[[Answers], str]
    queries: Sequence[PageQuery]


@dataclass(frozen=True)
class Additions:
    """A page's additions to its declarations: own cards by name, samples by metric, bands, ledes, and sections
    to hide.
    """

    cards: Mapping[str, OwnCard] = field(default_factory=dict)
    samples: Mapping[str, OwnSample] = field(default_factory=dict)
    band_of: Callable[[Answers, str], tiles.Band | None] = lambda _answers, _key: None
    lede_of: Callable[[Answers, Section], str] = lambda _answers, section: section.lede
    hides: Callable[[Section, Answers], bool] = lambda _section, _answers: False


NOTHING = Additions()


def queries(section: Section, filters: Filters, own: Additions = NOTHING) -> tuple[PageQuery, ...]:
    """The queries of the section that the page reads at once; charts and parts that load later run their own."""
    figures = [filters.metric(metric) for metric in section.figures]
    sampled = [filters.metric(card.sample_of) for card in section.cards if isinstance(card, Tile) and card.sample_of]
    needed = [key for card in section.cards for key in _needed(card, filters)]
    looked_at = metrics_of_rules(_rules_here(section, filters))
    by_line = [card.metric for card in section.cards if isinstance(card, Lines) and not card.is_brief]
    cards = [own.cards[name] for card in section.cards if (name := getattr(card, "name", "")) in own.cards]
    wanted = (
        *of_tiles(*dict.fromkeys((*figures, *sampled, *needed, *looked_at))),
        *(query for key in by_line for query in lines.queries(key)),
        *(query for card in cards for query in card.queries(filters)),
        *(query for key in figures if key in own.samples for query in own.samples[key].queries),
    )
    return tuple(dict.fromkeys(wanted))


def narrowed(section: Section, filters: Filters) -> Filters:
    """The filters with the facet that the section's choice picks."""
    if section.narrows is None:
        return filters
    choice, dimension = section.narrows
    picked = filters.picked[choice.parameter]
    return filters if picked == choice.default else replace(filters, facets={**filters.facets, dimension: (picked,)})


def _rules_here(section: Section, filters: Filters) -> tuple[str, ...]:
    """The metrics whose rules the section itself shows."""
    return () if any(isinstance(card, Look) for card in section.cards) else rules_of(section, filters)


def rules_of(section: Section, filters: Filters) -> tuple[str, ...]:
    """The metrics whose rules of *What to look for* apply in the section."""
    return (*(filters.metric(metric) for metric in section.figures), *section.look_for)


def _needed(card: Card, filters: Filters) -> Sequence[str]:
    match card:
        case Trend(needs=needs) | Breakdown(needs=needs) if needs:
            return needs
        case Trend() if get(filters.metric(card.metric)).always_by:
            return ()  # it has no figure but those of its lines
        case Trend() | Breakdown() | LastActive() | Distribution():
            return (filters.metric(card.metric),)
        case _:
            return ()


@dataclass(frozen=True)
class TileGroup:
    """Tiles in a row, as wide as the space that the cards before them leave."""

    key: str
    tiles: Sequence[tiles.Tile]
    columns: int
    template: ClassVar[str] = "insights/_tiles.html"

    @property
    def css(self) -> str:
        """The style class: rows of five or three tiles, or else of four or two."""
        rows = "hw-quad four" if self.columns == COLUMNS else "hw-quad"
        if len(self.tiles) % 3 == 0:
            rows = "hw-six"
        if len(self.tiles) % 5 == 0:
            rows = "hw-five"
        return f"s{self.columns} {rows}"


@dataclass(frozen=True)
class LaterCard:
    """A card that loads after the page; `links` lead to rows and to other tabs."""

    key: str
    title: str
    text: str
    url: str
    span: tiles.Span
    csv: Sequence[Link] = ()
    is_live: bool = True
    csv_url: str = ""  # of its only table
    is_folded: bool = False
    rows: Sequence[Link] = ()
    more: Link | None = None
    note: str = ""
    reading: str = ""
    template: ClassVar[str] = "insights/_later_card.html"


@dataclass(frozen=True)
class TemplateCard:
    """A card that is part of the page from the start, in a template whose context is `own`."""

    key: str
    template: str
    own: Mapping[str, Any]
    span: tiles.Span = 12


Shown = TileGroup | ChartCard | LaterCard | TemplateCard


def shown(
    section: Section, answers: Answers, *, units: Mapping[str, str] | None = None, own: Additions = NOTHING
) -> dict[str, Any]:
    """The context of insights/_section.html."""
    return {
        "key": section.key,
        "title": section.title,
        "lede": own.lede_of(answers, section),
        "fills_screen": section.fills_screen,
        "picks": [(label, _pickers(section, choice, answers)) for label, choice in section.picks],
        "csv_url": answers.page.chart_csv_url(answers.filters, section.key) if section.has_table else "",
        "cards": list(_cards(section, answers, units, own)),
        "is_swapped": bool(section.picks) or any(_is_shared(section, card) for card in section.cards),
        "hints": answers.hints(*_rules_here(section, answers.filters)),
        "links": [
            Link(label, replace(answers.filters, choices=[pick for _, pick in section.picks]).url(reverse(route)))
            for label, route in section.links
        ],
    }


def _pickers(section: Section, choice: Choice, answers: Answers) -> list[Picker]:
    """The options of a section's choice; for lines, only those that exist."""
    by_line = [card.metric for card in section.cards if isinstance(card, Lines) and card.line == choice]
    return lines.line_pickers(answers, choice, by_line) if by_line else answers.pickers(choice)


def _is_shared(section: Section, card: Card) -> bool:
    """Whether other cards also show the metric that is picked on the card."""
    picked = getattr(card, "metric", None)
    used = [getattr(other, name, None) for other in section.cards for name in ("metric", "sample_of")]
    return not isinstance(card, Tile) and isinstance(picked, Choice) and used.count(picked) > 1


def _is_picked_above(section: Section, card: Chart) -> bool:
    """Whether the card's metric is picked in the heading of its section."""
    metric = card.metric
    return isinstance(metric, Choice) and metric.parameter in {choice.parameter for _, choice in section.picks}


def _cards(section: Section, answers: Answers, units: Mapping[str, str] | None, own: Additions) -> Iterator[Shown]:
    taken = 0  # columns of the current row
    for is_tiles, run in groupby(section.cards, lambda card: isinstance(card, Tile) and card.span is None):
        if is_tiles:
            group = [tile(card, answers, own) for card in run if isinstance(card, Tile)]
            yield TileGroup(f"{section.key}-tiles", group, COLUMNS - taken)
            taken = 0
            continue
        for card in run:
            made = _shown_in(section, card, answers, units, own)
            if made:
                taken = (taken + (getattr(card, "span", None) or COLUMNS)) % COLUMNS
                yield made


def _shown_in(
    section: Section, card: Card, answers: Answers, units: Mapping[str, str] | None, own: Additions
) -> Shown | None:
    """A card of a section; None if there is nothing to show."""
    presented = own.cards.get(getattr(card, "name", ""))
    if presented and presented.show:
        return presented.show(answers, card)
    match card:
        case Figures(title=title, metrics=metrics):
            figures = [answers.tile(key, band=own.band_of(answers, key)) for key in metrics]
            return TemplateCard(
                f"{section.key}-more", "insights/_figures_card.html", {"title": title, "lines": figures}
            )
        case Look(span=span):
            return _later(Later("look", "What to look at", "Show what to look at", span), answers)
        case Units():
            return TemplateCard("units", "insights/_units_card.html", units) if units else None
        case Own(name=name):
            raise LookupError(f"No page presents the card {name}.")
        case Trend() | Lines() | Breakdown() | LastActive() | Distribution():
            swaps = f"#{section.key}" if section.picks or _is_shared(section, card) else ""
            made = chart_card(card, answers)
            return replace(made, swaps=swaps, pickers=() if _is_picked_above(section, card) else made.pickers)
        case _:
            return shown_card(card, answers, own)


def shown_card(card: Tile | Chart | Table | Text | Later, answers: Answers, own: Additions = NOTHING) -> Shown:
    """A card that does not depend on its section."""
    match card:
        case Tile():
            return tile_card(tile(card, answers, own), card.span or 3, card.name)
        case Trend() | Lines() | Breakdown() | LastActive() | Distribution():
            return chart_card(card, answers)
        case Text(name=name, title=title, text=text, span=span):
            return TemplateCard(name, "insights/_text_card.html", {"title": title, "text": text}, span)
        case Later():
            return _later(card, answers)
        case UnitTable() | SplitTable() | Comparison() | Slowest():
            title, text = _table_titles(card, answers.filters)
            url, csv_url = answers.part_url(card.name), answers.page.chart_csv_url(answers.filters, card.name)
            later = LaterCard(card.name.replace("_", "-"), title, text, url, card.span, csv_url=csv_url)
            return _with_links(card, later, answers) if isinstance(card, Comparison) else later


def tile_card(made: tiles.Tile, span: tiles.Span, name: str = "") -> TemplateCard:
    """A tile as a separate card."""
    return TemplateCard(name or made.key.replace(".", "-"), "insights/_tile_card.html", {"tile": made}, span)


def _with_links(card: Comparison, made: LaterCard, answers: Answers) -> LaterCard:
    page = answers.page.at(card.opens) if card.opens else None
    return replace(
        made,
        is_folded=card.is_folded,
        rows=[Link(label, rows_url(answers.counted, key)) for label, key in card.rows],
        more=Link(f"Open {page.tabs[card.opens].label}", page.url(answers.filters)) if page else None,
        note=card.note,
        reading=card.reading,
    )


def _table_titles(card: Table, filters: Filters) -> tuple[str, str]:
    """The title of a table, and the text of the link to it."""
    match card:
        case UnitTable():
            return card.title or "Unit by unit", "Show the units"
        case SplitTable(by=by):
            return card.title or f"By {DIMENSION_LABELS[by].lower()}", "Show the table"
        case Comparison():
            title = (card.title or "With and without agents").format(line=line_name(_line_of(card, filters)))
            return title, "Both groups, their differences and 95 % intervals"
        case Slowest():
            metric = get(filters.metric(card.metric))
            return card.title or f"{highest_title(metric)}: {metric.label}", "Show the rows"


def _line_of(card: Comparison, filters: Filters) -> str:
    return filters.picked[card.line.parameter] if card.line else ANY_AGENT


@dataclass(frozen=True)
class Verdict:
    """The sentence on the state of a page's figures, and what belongs to it."""

    lead: str
    rest: str = ""


def movement(answers: Answers, keys: Iterable[str]) -> str:
    """A sentence on which of these figures improved or got worse since the previous window.

    Empty if none can be compared, because a figure is missing, hidden or below its minimum sample.
    """
    moved: dict[str, list[str]] = {"better": [], "worse": [], "steady": []}
    for key in keys:
        metric = get(key)
        if not answers.filters.ignored_filters(metric) and (change := _change(answers, key)):
            moved.setdefault(change.judgement, []).append(_within_sentence(metric.label))
    window = tiles.earlier(answers.filters.window, answers.filters.previous)
    window = f"the {window}" if window.startswith("previous") else window
    parts = [_are(moved[judgement], judgement) for judgement in ("better", "worse") if moved[judgement]]
    if parts:
        first, *others = parts
        return "; ".join([f"{first[0].upper()}{first[1:]} than in {window}", *others]) + "."
    return f"No change against {window}." if moved["steady"] else ""


def moved(answers: Answers, key: str) -> str:
    """The change of a figure in brackets, after a space; empty if it did not move."""
    change = _change(answers, key)
    if change is None or change.arrow == "flat":
        return ""
    window = tiles.earlier(answers.filters.window, answers.filters.previous)
    return f" ({change.text} vs. {window})"


def _change(answers: Answers, key: str) -> tiles.Change | None:
    """The change since the previous window; None if a figure is missing, hidden or below its minimum sample."""
    metric, now, before = get(key), answers.figure(key), answers.figure_before(key)
    is_small = min(now.sample_size, before.sample_size) < metric.minimum_sample
    return None if is_small else answers.change(key)


def _are(labels: list[str], judgement: str) -> str:
    return f"{wording.listed(labels)} {'is' if len(labels) == 1 else 'are'} {judgement}"


def _within_sentence(label: str) -> str:
    """The label with a lower-case first letter, unless it is an abbreviation: recovery time, PR size."""
    return label if label[1:2].isupper() else f"{label[:1].lower()}{label[1:]}"


def tile(card: Tile, answers: Answers, own: Additions = NOTHING) -> tiles.Tile:
    key, filters = answers.filters.metric(card.metric), answers.filters
    return answers.tile(
        key,
        sample=own.samples[key].words(answers) if key in own.samples else None,
        sample_of=filters.metric(card.sample_of) if card.sample_of else "",
        band=own.band_of(answers, key),
    )


def chart_card(card: Chart, answers: Answers) -> ChartCard:
    """The card of a chart, with the reason if there is nothing to draw."""
    if isinstance(card, Lines):
        return lines.lines_card(card, answers)
    key = answers.filters.metric(card.metric)
    needed = _needed(card, answers.filters)
    figure = answers.figure(needed[0]) if needed else None
    name = getattr(card, "explained_by", "") or key
    change, caveat = None, ""
    match card:
        case Trend(kind=kind):
            lacking = bool(needed) and not _is_drawn(card, answers)
            caveat = mix_in_words(figure.mix) if figure else ""
        case Breakdown(caveat=caveat):
            kind, lacking = "donut", not (figure and figure.value)
        case LastActive():
            kind, change = "donut", answers.change(key)
            lacking = figure is None or figure.value is None or not figure.denominator
        case Distribution():
            kind, lacking = "stacked_bar", figure is None or figure.value is None
    picked = [choice for choice in (card.metric, getattr(card, "by", None)) if isinstance(choice, Choice)]
    return answers.card(
        card.name,
        name,
        title=(card.title or get(name).label).format(
            weekly=WEEKLY[answers.filters.granularity], metric=answers.filters.option(card.metric)
        ),
        kind=kind,
        span=card.span,
        missing=figure if lacking else None,
        pickers=[picker for choice in picked for picker in answers.pickers(choice)],
        caveat=caveat,
        change=change,
    )


def _is_drawn(card: Trend, answers: Answers) -> bool:
    if card.needs:
        return any(figure.value or figure.denominator for figure in map(answers.figure, card.needs))
    return answers.figure(answers.filters.metric(card.metric)).value is not None


def _later(card: Later, answers: Answers) -> LaterCard:
    csv = [Link(label, answers.page.chart_csv_url(answers.filters, name)) for name, label in card.csv]
    key = card.name.replace("_", "-")
    return LaterCard(
        *(key, card.title, card.text, answers.part_url(card.name), card.span, csv, card.is_live),
        is_folded=card.is_folded,
    )


def drawn(card: Chart, page: InsightsPage, filters: Filters) -> ChartData:
    key = filters.metric(card.metric)
    match card:
        case Trend():
            return trend_of(card, page, filters)
        case Lines():
            return lines.drawn(card, page, filters)
        case Breakdown():
            dimension = _dimension(card, filters)
            answers = page.read(filters, [PageQuery(key, dimension, whole=True)])
            return breakdown_of(answers, key, dimension)
        case LastActive():
            return last_active(page.read(filters, [PageQuery(key)]), key)
        case Distribution():
            return histogram_of(filters, get(key))


def _dimension(card: Breakdown, filters: Filters) -> Dimension:
    return Dimension(filters.picked[card.by.parameter]) if isinstance(card.by, Choice) else card.by


def drawn_cards(sections: Iterable[Section]) -> Mapping[str, Chart]:
    """The cards with charts, by name."""
    cards = (card for section in sections for card in section.cards)
    return {card.name: card for card in cards if isinstance(card, Chart)}


def charts(sections: Sequence[Section], page: InsightsPage) -> Mapping[str, Callable[[Filters], ChartData]]:
    """The function that draws each chart, by the name in its address; lines have a second one, with their bands."""
    cards = drawn_cards(sections).values()
    with_bands = {
        f"{card.name}{lines.WITH_BANDS}": partial(lines.drawn_with_bands, card, page)
        for card in cards
        if isinstance(card, Lines)
    }
    return {**{card.name: partial(drawn, card, page) for card in cards}, **with_bands}


def card_of(name: str) -> str:
    """The name of the card that a chart, a part or a table of this name belongs to."""
    return name.removesuffix(UNASSIGNED_PART).removesuffix(lines.WITH_BANDS)


def filters_of_card(sections: Iterable[Section]) -> Callable[[str, Filters], Filters]:
    """A function that returns the filters of a card: those of its section."""
    by_card = {getattr(card, "name", ""): section for section in sections for card in section.cards}

    def of_card(name: str, filters: Filters) -> Filters:
        section = by_card.get(card_of(name))
        return narrowed(section, filters) if section else filters

    return of_card


def parts(sections: Iterable[Section], page: InsightsPage) -> Mapping[str, Callable[[Filters], dict[str, Any]]]:
    """The function that returns the context of each table that loads after the page, by its name."""
    listed = [card for section in sections for card in section.cards if isinstance(card, Table)]
    unassigned = {
        f"{card.name}{UNASSIGNED_PART}": partial(_unassigned, card, page)
        for card in listed
        if isinstance(card, UnitTable)
    }
    return {**{card.name: partial(_part, card, page) for card in listed}, **unassigned}


def _unassigned(card: UnitTable, page: InsightsPage, filters: Filters) -> dict[str, Any]:
    of_page, around = units_of(card, page, filters)
    return unassigned_context(around, of_page)


def _part(card: Table, page: InsightsPage, filters: Filters) -> dict[str, Any]:
    titles = {"title": _table_titles(card, filters)[0]}
    match card:
        case UnitTable():
            of_page, around = units_of(card, page, filters)
            return {**units_context(around, of_page), **titles, "part": "insights/_units_table.html"}
        case SplitTable():
            return {**split_context(card, page, filters), **titles, "part": "insights/_part_split.html"}
        case Comparison(metrics=metrics):
            counted = filters.without_facets() if card.is_of_everything else filters
            shown = beside_non_ai(counted, _line_of(card, filters), metrics)
            return {"differences": shown, **titles, "part": "insights/_part_differences.html"}
        case Slowest():
            rows = greatest_rows(filters, get(filters.metric(card.metric)), size=card.most)
            return {**rows, **titles, "part": "insights/_part_greatest.html"}


def tables(sections: Iterable[Section], page: InsightsPage) -> Mapping[str, Callable[[Filters], Iterator[list[Cell]]]]:
    """The CSV file of each table that loads after the page, by its name."""
    return {
        card.name: partial(_csv, card, page)
        for section in sections
        for card in section.cards
        if isinstance(card, Table)
    }


def _csv(card: Table, page: InsightsPage, filters: Filters) -> Iterator[list[Cell]]:
    match card:
        case UnitTable():
            of_page, around = units_of(card, page, filters)
            return units_csv_rows(around, of_page)
        case SplitTable():
            return split_csv(card, page, filters)
        case Comparison(metrics=metrics):
            counted = filters.without_facets() if card.is_of_everything else filters
            return beside_non_ai_csv(counted, _line_of(card, filters), metrics)
        case Slowest():
            return greatest_rows_csv(filters, get(filters.metric(card.metric)))


def orders(cards: Iterable[Card]) -> list[Choice]:
    """The sort order of each table whose headings sort it."""
    return [order for card in cards if (order := _order_of(card))]


def _order_of(card: Card) -> Choice | None:
    match card:
        case UnitTable():
            return _sort_of(card)
        case SplitTable():
            return sort_of_split(card)
        case _:
            return None


def _sort_of(card: UnitTable) -> Choice:
    return units_choice(columns_of(card.metrics), f"{card.name}_sort")


def units_of(card: UnitTable, page: InsightsPage, filters: Filters) -> tuple[UnitsOfPage, Surroundings]:
    on, today = last_day(filters), filters.today
    around = surroundings(filters.scope.unit, filters.access.visibility, on=on, today=today)
    of_page = UnitsOfPage(
        *(page, filters, columns_of(card.metrics), ""), _sort_of(card).parameter, card.name, is_card=True
    )
    return of_page, around


def figures_csv(filters: Filters, *, section: Section, page: InsightsPage) -> Iterator[list[Cell]]:
    """A section's figures: one line per metric, with the previous window."""
    keys = [filters.metric(metric) for metric in section.figures]
    answers = page.read(filters, compared(*keys))
    yield ["Metric", "Key", "Unit", "Statistic", "Value", "Previous period", "Sample", "Excluded", "People", "Reason"]
    for key in keys:
        metric, figure, before = get(key), answers.figure(key), answers.figure_before(key)
        statistic = answers.answer(key).query.statistic or metric.statistic
        yield [
            metric.name,
            key,
            metric.unit.value,
            statistic.value if statistic else "",
            "hidden" if figure.withheld else figure.value,
            "hidden" if before.withheld else before.value,
            *(figure.sample_size, figure.left_out, figure.people, figure.reason or ""),
        ]
