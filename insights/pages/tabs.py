"""A page of tabs, each a list of sections, from which its URLs, view, choices, charts, tables and parts follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path

from core.csv_export import Cell
from insights.pages import presenter
from insights.pages.answers import Answers, InsightsPage, PageQuery, figures_view, of_rules
from insights.pages.change_token import current_token
from insights.pages.filter_bar import page_head
from insights.pages.findings import findings_beside
from insights.pages.routes import Charts, PageRoutes, Parts, page_urls
from insights.pages.units import Column, units_choice, units_part
from insights.ui.cards import Chart, Section, Table, Units
from insights.ui.filters import Choice, Filters, filters_of
from insights.ui.scope_bar import scope_navigation
from orgtree.trees.surroundings import Surroundings

MOST_POINTS = 3  # of *What to look at*, so that they fit on one screen with the figures


@dataclass(frozen=True)
class OpenTab:
    """A tab with the answers for it."""

    answers: Answers
    sections: Sequence[tuple[Section, Answers]]  # with the answers for each section, narrowed by its choices
    around: Surroundings
    token: str  # of the facts, taken before they were read


@dataclass(frozen=True)
class TabbedPage:
    """A page with its additions to the declarations of its sections.

    `head` is read with every tab.  `verdict` is shown above the sections of the first one; `more` is the additional
    context of the template, and `instead` may return a response that replaces the page.
    """

    page: InsightsPage
    template: str
    columns: Sequence[Column] = ()  # of the table of units
    own: presenter.Additions = presenter.NOTHING
    head: Sequence[PageQuery] = ()
    own_choices: Sequence[Choice] = ()
    verdict: Callable[[Answers], presenter.Verdict | None] = lambda _answers: None
    more: Callable[[HttpRequest, OpenTab], Mapping[str, Any]] = lambda _request, _opened: {}
    instead: Callable[[HttpRequest, OpenTab], HttpResponseBase | None] = lambda _request, _opened: None

    def __post_init__(self) -> None:
        """Check that cards with the same name, and therefore the same address, show the same figures.  Raises
        ValueError.
        """
        shown: dict[str, tuple[object, ...]] = {}
        for card in (card for section in self.sections for card in section.cards):
            if isinstance(card, Chart | Table):
                figures = type(card), *(getattr(card, name, None) for name in ("metric", "metrics", "by"))
                if shown.setdefault(card.name, figures) != figures:
                    raise ValueError(f"Two cards with different figures are named {card.name}.")

    @cached_property
    def sections(self) -> Sequence[Section]:
        return [section for tab in self.page.tabs.values() for section in tab.sections]

    @property
    def urls(self) -> list[URLPattern]:
        """The routes of the page; the route of its tabs comes last, after all others below its address."""
        name, view = self.page.name, figures_view(self.view)
        return [
            path("", view, name=name),
            *page_urls(name, lambda _request: self.routes, has_units=bool(self.columns)),
            *([path("<slug:tab>/", view, name=f"{name}_tab")] if len(self.page.tabs) > 1 else []),
        ]

    def view(self, request: HttpRequest, tab: str = "") -> HttpResponseBase:
        opened = self.open(request, tab)
        return self.instead(request, opened) or self.response(request, opened)

    @cached_property
    def choices(self) -> Sequence[Choice]:
        of_cards = [choice for section in self.sections for choice in section.choices]
        cards = [card for section in self.sections for card in section.cards]
        listed: list[Choice] = []
        for choice in (*self.own_choices, *of_cards, *presenter.orders(cards), units_choice(self.columns)):
            if choice not in listed:
                listed.append(choice)
        return listed

    def filters(self, request: HttpRequest) -> Filters:
        return filters_of(request, self.choices)

    def open(self, request: HttpRequest, word: str) -> OpenTab:
        """The tab with its figures, read in one call.  Raises Http404 and QueryError."""
        token, page, filters = current_token(request), self.page.at(word), self.filters(request)
        around = scope_navigation(request, filters)
        wanted: dict[str, tuple[Filters, list[PageQuery]]] = {"": (filters, [*self.head, *page.menus])}
        for section in page.tabs[word].sections:
            narrowed = presenter.narrowed(section, filters)
            of_scope = wanted[""] if narrowed is filters else wanted.setdefault(section.key, (narrowed, []))
            of_scope[1].extend(self._queries(section, filters))
        answers = dict(zip(wanted, page.read_scopes(wanted.values(), around=around), strict=True))
        return OpenTab(
            answers[""],
            [
                (section, replace(answers[section.key], filters=filters, narrowed=answers[section.key].filters))
                if section.key in answers
                else (section, answers[""])
                for section in page.tabs[word].sections
            ],
            around,
            token,
        )

    def response(self, request: HttpRequest, tab: OpenTab) -> HttpResponseBase:
        """The page; each shortfall is shown in the first section that has it."""
        answers, filters = tab.answers, tab.answers.filters
        sections = [(section, of) for section, of in tab.sections if not self.own.hides(section, of)]
        has_units = any(isinstance(card, Units) for section, _ in sections for card in section.cards)
        units = units_part(request, answers.page, filters, tab.around) if has_units else None
        shown = [presenter.shown(section, of, units=units, own=self.own) for section, of in sections]
        queries = [self._queries(section, filters) for section, _ in sections]
        lacking = answers.shortfalls_by_section(*queries) if any(queries) else [()] * len(queries)
        context = {
            "pulse": tab.token,
            **page_head(answers, tab.around),
            "tabs": answers.page.tab_links(filters),
            "verdict": None if answers.page.tab else self.verdict(answers),
            "sections": [
                {**section, "shortfalls": of_section} for section, of_section in zip(shown, lacking, strict=True)
            ],
            **self.more(request, tab),
        }
        return render(request, self.template, context)

    def _queries(self, section: Section, filters: Filters) -> Sequence[PageQuery]:
        return presenter.queries(section, filters, self.own)

    @cached_property
    def parts(self) -> Parts:
        of_tabs = [presenter.parts(tab.sections, self.page.at(word)) for word, tab in self.page.tabs.items()]
        of_cards = {name: part for of_tab in of_tabs for name, part in of_tab.items()}
        own = {name: card.part for name, card in self.own.cards.items() if card.part}
        return {"look": self._look, **of_cards, **own}

    @cached_property
    def charts(self) -> Charts:
        own = {name: card.chart for name, card in self.own.cards.items() if card.chart}
        return {**presenter.charts(self.sections, self.page), **own}

    @cached_property
    def tables(self) -> Mapping[str, Callable[[Filters], Iterator[list[Cell]]]]:
        figures = {
            section.key: partial(presenter.figures_csv, section=section, page=self.page)
            for section in self.sections
            if section.has_table
        }
        own = {name: card.table for name, card in self.own.cards.items() if card.table}
        return {**figures, **presenter.tables(self.sections, self.page), **own}

    @cached_property
    def routes(self) -> PageRoutes:
        return PageRoutes(
            *(self.page, self.filters, self.columns, self.parts, self.charts, self.tables),
            filters_of=presenter.filters_of_card(self.sections),
        )

    def _look(self, filters: Filters) -> dict[str, Any]:
        """The first findings and hints of all tabs, for the card *What to look at*; each tab shows all of its own."""
        keys = [key for section in self.sections for key in presenter.rules_of(section, filters)]
        answers = self.page.read(filters, of_rules(*keys))
        has_data = any(figure.value is not None for answer in answers.now.values() for figure in answer.total)
        hints = answers.hints(*keys)
        findings = findings_beside(filters, keys)[: MOST_POINTS - min(len(hints), 1)]
        brief = [hint.brief for hint in hints[: MOST_POINTS - len(findings)]]
        look = {"findings": findings, "hints": brief, "has_data": has_data}
        return {"title": "What to look at", **look, "part": "insights/_part_look.html"}
