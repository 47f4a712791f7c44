"""The figures of an insights page, read from the metric core in one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property, wraps
from itertools import chain
from typing import NamedTuple

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from core.page_links import Picker, address
from core.views import Arguments, View, page_view
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.catalogue.rules import Figures
from insights.columns.source import PAGE
from insights.engine.connected import OWNS_NOTHING, telemetry_since
from insights.engine.live_rows import rows_of_answer
from insights.pages.annotations.labels import note_url
from insights.privacy.scope_access import access_in
from insights.privacy.visible import Freshness, visible_together
from insights.query import windows
from insights.query.query import Answer, Dimension, MetricValue, Query, Statistic, Window
from insights.ui import samples, tiles, wording
from insights.ui.agreements import Agreement, agreements_on
from insights.ui.cards import Section
from insights.ui.charts import Kind
from insights.ui.filters import DIMENSION_LABELS, FACETS, STATISTIC_LABELS, Choice, Filters
from insights.ui.hints import Hint, hints_of, metrics_of_rules
from insights.ui.labels import label_of
from insights.ui.samples import named_beside
from insights.ui.scope_bar import TileFigures, tile_figures, tile_queries
from insights.ui.shortfalls import BEHIND, Shortfall, shortfalls
from integrations.models import FactFamily
from orgtree.trees.surroundings import Surroundings

NOTHING_THERE = "Nothing in this window."
TAB = "tab"
COUNTED = ("lines", "tokens")  # units that may be part of a metric's name


class PageQuery(NamedTuple):
    """A metric in the page's window, split by `segment`; `compared` adds the previous window.

    `statistic` overrides the page's, because only means add up.  `whole` reads the window without its buckets, for
    lists of many values that are not drawn over time.
    """

    key: str
    segment: Dimension | None = None
    compared: bool = False
    unfiltered_by: Dimension | None = None  # read without this facet, to list its other values
    statistic: Statistic | None = None
    whole: bool = False


def figures_view(view: View[Arguments]) -> View[Arguments]:
    """Decorates a page that reads figures several times: all are as of one moment, and share look-ups."""

    @wraps(view)
    def of_one_moment(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponseBase:
        access_in(request)  # this may write, which is impossible inside the block
        with rows_of_answer(PAGE):
            return view(request, *args, **kwargs)

    return page_view(of_one_moment)


def compared(*keys: str) -> tuple[PageQuery, ...]:
    """Queries for the metrics, each with the previous window."""
    return tuple(PageQuery(key, compared=True) for key in keys)


def of_tiles(*keys: str) -> tuple[PageQuery, ...]:
    """Queries for the metrics, each with the previous window, and for the metrics in their samples and notes."""
    beside = dict.fromkeys(other for key in keys for other in named_beside(get(key)))
    return (*compared(*keys), *(PageQuery(key, whole=True) for key in beside if key not in keys))


def of_rules(*keys: str) -> tuple[PageQuery, ...]:
    """Queries for the metrics that the rules of these metrics use."""
    return compared(*metrics_of_rules(keys))


def value_of(figure: MetricValue) -> float | None:
    return figure.value


def facts_of(figure: MetricValue) -> float | None:
    """The number of facts behind the figure, which menus show for values that are not amounts."""
    return None if figure.withheld else figure.sample_size


class OfferedFacet(NamedTuple):
    """A facet's menu: its values with the count of metric `key`, in units of `noun`.

    With `part` the menu loads its content when it is opened.
    """

    dimension: Dimension
    key: str
    noun: str
    part: str = ""
    amount: Callable[[MetricValue], float | None] = value_of

    @property
    def query(self) -> PageQuery:
        return PageQuery(self.key, self.dimension, unfiltered_by=self.dimension, whole=True)


class Tab(NamedTuple):
    """Sections below each other; `holds` are ids on this tab to which addresses from before tabs existed point."""

    label: str
    sections: Sequence[Section]
    holds: str = ""


@dataclass(frozen=True)
class InsightsPage:
    """A page of figures, with the routes `name`, and `name`_part, `name`_chart and others (`page_urls`).

    A page with several tabs has the route `name`_tab as well; its parts, charts and tables are those of all its tabs.
    """

    name: str
    facets: Sequence[OfferedFacet] = ()
    extra_params: Mapping[str, str] = field(default_factory=dict)  # its own, which its links keep
    about: Sequence[str] = ()  # path arguments of all its routes, such as a metric's key
    tabs: Mapping[str, Tab] = field(default_factory=dict)  # by the word in the address; the first has none
    tab: str = ""

    @property
    def path(self) -> str:
        return address(f"{self.name}_tab", *self.about, self.tab) if self.tab else address(self.name, *self.about)

    @property
    def file_name(self) -> str:
        """The beginning of the names of its CSV files."""
        return f"headway-{'-'.join(self.about) or self.name}".replace(".", "-")

    def at(self, tab: str) -> InsightsPage:
        """The page opened at this tab.  Raises Http404."""
        if tab and tab not in self.tabs:
            raise Http404("No such tab.")
        return replace(self, tab=tab)

    def tab_links(self, filters: Filters) -> list[Picker]:
        """The links between the tabs; empty if there is only one."""
        tabs = self.tabs if len(self.tabs) > 1 else {}
        return [
            Picker(tab.label, self.at(word).url(filters), word == self.tab, note=tab.holds)
            for word, tab in tabs.items()
        ]

    @property
    def menus(self) -> Sequence[PageQuery]:
        """The queries of menus that load with the page."""
        return [offered.query for offered in self.facets if not offered.part]

    def url(self, filters: Filters) -> str:
        return filters.url(self.path, **self.extra_params)

    def part_url(self, filters: Filters, part: str) -> str:
        return self.route_url(filters, "part", part, **self.extra_params, **self.origin)

    @property
    def origin(self) -> Mapping[str, str]:
        """The parameter from which a part or a table knows the tab that its links lead back to."""
        return {TAB: self.tab} if self.tab else {}

    def chart_url(self, filters: Filters, chart: str) -> str:
        return self.route_url(filters, "chart", chart)

    def chart_csv_url(self, filters: Filters, chart: str) -> str:
        return self.route_url(filters, "chart_csv", chart)

    def route_url(self, filters: Filters, route: str, *arguments: str, **more: str) -> str:
        return filters.url(address(f"{self.name}_{route}", *self.about, *arguments), **more)

    def pickers(self, filters: Filters, choice: Choice) -> list[Picker]:
        """Links that change one picker and keep the other parameters."""
        return [
            Picker(
                label,
                self.url(filters.with_pick(choice, option)),
                filters.picked[choice.parameter] == option,
                key=f"{choice.parameter}-{option}",
            )
            for option, label in choice.options.items()
        ]

    def read(self, filters: Filters, queries: Iterable[PageQuery], *, around: Surroundings | None = None) -> Answers:
        """Reads all figures in one call of the engine, each query once; `around` adds those of the scope's tiles."""
        [answers] = self.read_scopes([(filters, queries)], around=around)
        return answers

    def read_scopes(
        self, wanted: Iterable[tuple[Filters, Iterable[PageQuery]]], *, around: Surroundings | None = None
    ) -> list[Answers]:
        """Reads answers for several scopes and windows like `read`, also in one call; the tiles are those of
        the first.
        """
        parts = [_ScopeQueries.of(filters, queries) for filters, queries in wanted]
        questions = _distinct(query for part in parts for query in part.series)
        wholes = _distinct(query for part in parts for query in part.totals)
        tile_totals, tile_units = tile_queries(parts[0].filters, around) if around else ((), ())
        together = visible_together(
            parts[0].filters.access,
            series=questions,
            totals=[*wholes, *tile_totals],
            units=tile_units,
            freshness=Freshness.OF_PAGES,
        )
        figures = tile_figures(together, totals=len(wholes))
        return [
            Answers(
                page=self,
                filters=part.filters,
                now={
                    item: together.totals[wholes.index(query)]
                    if item.whole
                    else together.series[questions.index(query)]
                    for item, query in part.now.items()
                },
                earlier={item: together.totals[wholes.index(query)] for item, query in part.earlier.items()},
                tile_figures=figures,
            )
            for part in parts
        ]


@dataclass(frozen=True)
class _ScopeQueries:
    """The queries of one scope and window, and those of the previous window."""

    filters: Filters
    now: Mapping[PageQuery, Query]
    earlier: Mapping[PageQuery, Query]

    @classmethod
    def of(cls, filters: Filters, queries: Iterable[PageQuery]) -> _ScopeQueries:
        items, previous = list(dict.fromkeys(queries)), filters.previous
        now = {item: _query(filters, item, filters.window) for item in items}
        return cls(filters, now, {item: _query(filters, item, previous) for item in items if item.compared})

    @property
    def series(self) -> list[Query]:
        return [query for item, query in self.now.items() if not item.whole]

    @property
    def totals(self) -> list[Query]:
        return [*self.earlier.values(), *(query for item, query in self.now.items() if item.whole)]


@dataclass(frozen=True)
class Answers:
    """The answers of one response, by metric and segment."""

    page: InsightsPage
    filters: Filters
    now: Mapping[PageQuery, Answer]
    earlier: Mapping[PageQuery, Answer]
    tile_figures: TileFigures = field(default_factory=dict)
    narrowed: Filters | None = None
    judged_by: Answers | None = None  # answers for a longer window, if this one is too short to show normal variation

    @property
    def counted(self) -> Filters:
        """The filters that the figures are based on: the page's, further narrowed by a choice of the section."""
        return self.narrowed or self.filters

    def answer(self, key: str, segment: Dimension | None = None) -> Answer:
        return next(
            answer
            for item, answer in self.now.items()
            if (item.key, item.segment) == (key, segment) and not item.unfiltered_by
        )

    def figure(self, key: str) -> MetricValue:
        return tiles.whole(self.answer(key))

    def by_segment(self, key: str, segment: Dimension) -> Mapping[str, MetricValue]:
        """Figures of the whole window by segment value."""
        return tiles.by_segment(self.answer(key, segment), segment)

    def split(self, key: str, segment: Dimension) -> Mapping[str, MetricValue]:
        """Figures of the whole window by segment value, highest first; those without a value left out."""
        known = [(name, figure) for name, figure in self.by_segment(key, segment).items() if figure.value is not None]
        return dict(sorted(known, key=lambda item: (-(item[1].value or 0), item[0])))

    def left_out(self, key: str, segment: Dimension) -> int:
        """The number of segments hidden because of too few people."""
        return sum(figure.withheld for figure in self.by_segment(key, segment).values())

    def present(self, offered: OfferedFacet) -> Mapping[str, float]:
        """The values of a facet in this window, chosen or not, highest first."""
        figures = tiles.by_segment(self.now[offered.query], offered.dimension)
        amounts = [(name, offered.amount(figure)) for name, figure in figures.items()]
        counted = [(name, amount) for name, amount in amounts if amount]
        return dict(sorted(counted, key=lambda item: (-item[1], item[0])))

    def figure_before(self, key: str) -> MetricValue:
        return next(tiles.whole(answer) for item, answer in self.earlier.items() if item.key == key)

    def change(self, key: str) -> tiles.Change | None:
        """The change of a metric that was read with `compared`."""
        earlier, series = tiles.earlier(self.filters.window, self.filters.previous), self.answer(key).series
        usual, long = (self.judged_by.answer(key).series, len(series)) if self.judged_by else (series, None)
        return tiles.change(get(key), self.figure(key), self.figure_before(key), earlier, usual, long=long)

    def tile(
        self,
        key: str,
        *,
        label: str | None = None,
        sample: str | None = None,
        sample_of: str = "",
        band: tiles.Band | None = None,
    ) -> tiles.Tile:
        """The tile of a metric that was read with `of_tiles`, in the metric's words, with its threshold and target.

        The sample can be that of another metric.  If facts may be missing because of the chosen facets, the tile says
        so instead of the sample or reason.
        """
        metric, answer, nothing = get(key), self.answer(key), self.nothing()
        figure, agreed = tiles.whole(answer), self.agreed.get(key)
        made = tiles.Tile(
            key=key,
            label=self._label(key, label),
            value=None,
            how_url=how_url(self.counted, key),
            rows_url="" if figure.withheld else rows_url(self.counted, key),
            agreed=agreed.on_tile(answer.query, figure.value) if agreed else None,
        )
        began = self._began_in_window(metric)
        if began and metric.per_period and self._periods_since(began) < 1:
            unit_of_time = self.filters.granularity.value
            reason = f"Needs a whole {unit_of_time} of data, which began on {wording.day(began)}."
            return replace(made, state="no_data", reason=reason)
        if figure.value is None:
            return replace(
                made,
                state=tiles.missing_state(figure),
                reason=figure.reason or "" if figure.withheld else nothing or figure.reason or "",
                reason_link=None if figure.withheld else self._remedy(figure),
            )
        printed = wording.reading(figure.value, metric.unit)
        if sample is None:
            sampled = sample_of or key
            sample = samples.sample_of(get(sampled), self.figure(sampled), self.figure_if_read)
        notes = (
            tiles.small_sample(metric, figure),
            tiles.lagging(answer),
            ", ".join(samples.notes_of(metric, figure, self.figure_if_read)),
            self.counted.ignored_filters(metric),
        )
        return replace(
            made,
            value=printed.value,
            unit=self._unit(metric, printed),
            spark=tiles.spark(answer) if figure.value else (),
            change=None if began else self.change(key),
            since=f"since {wording.day(began)}" if began else "",
            sample=sample if figure.value or not nothing else nothing,
            to_date=figure.to_date,
            note=next(filter(None, notes), "") or tiles.evidence_range(metric, figure),
            band=band,
        )

    def _began_in_window(self, metric: Metric) -> date | None:
        """The first day of telemetry, if it lies in the window and the metric is about agents: there is nothing earlier
        to compare with.
        """
        if FactFamily.AI not in metric.families or self.figure_before(metric.key).value:
            return None
        began = self._telemetry_since
        return began if began and self.filters.window.start < began < self.filters.window.end else None

    @cached_property
    def _telemetry_since(self) -> date | None:
        return telemetry_since()

    def _periods_since(self, began: date) -> float:
        window = Window(began, self.filters.window.end)
        return windows.periods(window, self.filters.granularity, today=self.filters.today)

    def figure_if_read(self, key: str) -> MetricValue | None:
        return next((tiles.whole(answer) for item, answer in self.now.items() if item[:2] == (key, None)), None)

    def _unit(self, metric: Metric, printed: wording.Reading) -> str:
        """The unit per week, month or quarter; empty if the name contains it."""
        if metric.per_period:
            return f"/ {self.filters.granularity.value}"
        return "" if printed.unit in COUNTED and printed.unit in metric.name.lower() else printed.unit

    def _remedy(self, figure: MetricValue) -> tiles.Link | None:
        if figure.reason == OWNS_NOTHING:
            return tiles.Link("Open ownership", reverse("ownership"))
        return self.widen()

    @cached_property
    def agreed(self) -> Mapping[str, Agreement]:
        """Agreements by metric, for all compared ones; read once per response."""
        return agreements_on([item.key for item in self.earlier], self.filters.scope, self.filters.access)

    def card(
        self,
        name: str,
        key: str,
        *,
        title: str,
        kind: Kind,
        span: tiles.Span,
        missing: MetricValue | None = None,
        pickers: Sequence[Picker] = (),
        caveat: str = "",
        change: tiles.Change | None = None,
    ) -> tiles.ChartCard:
        """The card of the chart `name` of the metric `key`; `missing` is a figure with the reason for no data."""
        reason = missing.reason if missing else ""
        if missing and not missing.withheld:
            reason = self.nothing() or reason or NOTHING_THERE
        return tiles.ChartCard(
            key=name,
            title=title,
            info=get(key).meaning,
            kind=kind,
            data_url=self.page.chart_url(self.filters, name),
            csv_url=self.page.chart_csv_url(self.filters, name),
            how_url=how_url(self.counted, key),
            rows_url=rows_url(self.counted, key),
            note_url="" if kind == "donut" else note_url(self.counted, key),
            pickers=pickers,
            caveat=caveat or self.counted.ignored_filters(get(key)),
            change=change,
            state="value" if missing is None else tiles.missing_state(missing),
            reason=reason or "",
            reason_link=None if missing is None or missing.withheld else self.widen(),
            span=span,
        )

    def hints(
        self, *keys: str, given: Mapping[str, float] | None = None, printed: Mapping[str, str] | None = None
    ) -> list[Hint]:
        """Hints by the rules of these metrics; `given` and `printed` are additional values from the page."""
        before = {item.key: tiles.whole(answer) for item, answer in self.earlier.items()}
        return hints_of(keys, Figures(self.figure_if_read, before.get, given or {}, printed or {}), self.filters)

    def _label(self, key: str, label: str | None) -> str:
        """The label, with the statistic appended unless it is the metric's own."""
        statistic = self.answer(key).query.statistic
        name = label or get(key).label
        return f"{name}, {STATISTIC_LABELS[statistic].lower()}" if statistic else name

    def part_url(self, name: str) -> str:
        return self.page.part_url(self.filters, name)

    def pickers(self, choice: Choice) -> list[Picker]:
        return self.page.pickers(self.filters, choice)

    def nothing(self) -> str:
        """The chosen facets as a reason for no data; empty if none is chosen."""
        chosen = [
            f"{FACETS[dimension]} {' or '.join(label_of(value, dimension) for value in values)}"
            for dimension, values in self.counted.facets.items()
        ]
        return f"Nothing in this window matches {wording.listed(chosen)}." if chosen else ""

    def widen(self) -> tiles.Link | None:
        """A link that clears the facets; None if none is chosen."""
        chosen = [name for dimension, name in FACETS.items() if self.filters.facets.get(dimension)]
        if not chosen:
            return None
        return tiles.Link(f"Clear {' and '.join(chosen).lower()}", self.page.url(self.filters.without_facets()))

    def shortfalls(self, keys: Iterable[str], *, but: Iterable[str] = ()) -> list[Shortfall]:
        """Shortfalls of these metrics, except those that `but` has as well, which are shown further up."""
        known = {item.key: tiles.whole(answer).value for item, answer in self.now.items() if item.key in BEHIND}
        metrics = [get(key) for key in dict.fromkeys(keys)]
        return shortfalls(
            metrics,
            self.filters.query(metrics[0].key, window=self.filters.window),
            self.filters.access,
            known=known,
            but=[get(key) for key in but],
        )

    def shortfalls_by_section(self, *sections: Sequence[PageQuery]) -> list[list[Shortfall]]:
        """Shortfalls of the metrics of each section; a shared one belongs to the first of them."""
        keys = [[item.key for item in queries] for queries in sections]
        split: list[list[Shortfall]] = [[] for _ in sections]
        for shortfall in self.shortfalls(chain.from_iterable(keys)):
            first = next(place for place, own in enumerate(keys) if not set(own).isdisjoint(shortfall.metrics))
            split[first].append(shortfall)
        return split

    @property
    def computed_at(self) -> datetime | None:
        """The time of the oldest answer; None if nothing was read."""
        return min((answer.computed_at for answer in self.now.values()), default=None)

    @property
    def days_lacking(self) -> int:
        """During a first sync: the number of days without facts so far."""
        return max((answer.days_lacking for answer in self.now.values()), default=0)


def _distinct(queries: Iterable[Query]) -> list[Query]:
    distinct: list[Query] = []
    for query in queries:
        if query not in distinct:
            distinct.append(query)
    return distinct


def facets_in_words(facets: Mapping[Dimension, Sequence[str]]) -> list[str]:
    """The chosen values of each facet, such as: Agent: Claude Code or Codex."""
    return [
        f"{DIMENSION_LABELS.get(dimension, dimension.value)}: "
        + " or ".join(label_of(value, dimension) for value in values)
        for dimension, values in facets.items()
    ]


def how_url(filters: Filters, key: str) -> str:
    return filters.url(address("metric_how", key))


def rows_url(filters: Filters, key: str, **facets: str) -> str:
    """The rows behind a metric; `facets` narrow them further, to one agent or model."""
    return filters.url(address("metric_rows", key), **facets)


def _query(filters: Filters, item: PageQuery, window: Window) -> Query:
    narrowed = filters.without(item.unfiltered_by) if item.unfiltered_by else filters
    segments = (item.segment,) if item.segment else ()
    return narrowed.query(item.key, *segments, window=window, statistic=item.statistic or filters.statistic)
