"""A generic list for accounts, as a page and as a CSV file, from declared filters and columns.

The template extends `components/list_page.html`, and `card` is the template of its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views import View

from core.columns import Columns, Head
from core.csv_export import Cell, csv_response
from core.list_filters import SortFilter, ViewerFilters, YesFilter
from core.page_links import Picker, page_links, read_page, url_with
from core.views import page_view, record_view
from core.write_errors import FieldError

LONGEST_PARAMETER = 100  # characters


@dataclass(frozen=True)
class Chip:
    """A filter that a click sets or removes."""

    label: str
    url: str
    active: bool
    icon: str
    is_closed: bool = False  # by a click: it can only be removed


class ListPage(View):
    """The records that the viewer may see and requests.

    Each filter is a URL parameter.  A choice with `empty_label`, or with a value in `defaults`, is a row of options;
    `q` is a search box.
    """

    plural: ClassVar[str]  # what is listed; also the name of the page's URL, and with `_csv` that of its file
    noun: ClassVar[str] = ""  # the same as the page says it, where that differs
    filters: ClassVar[type[ViewerFilters]]
    template_name: ClassVar[str]
    card: str  # template of the rows
    columns: ClassVar[Columns] = Columns()  # of a table that can be sorted
    size: ClassVar[int] = 25  # rows of a page
    has_file: ClassVar[bool] = False
    defaults: ClassVar[Mapping[str, str]] = {}  # values of filters that the address does not name
    own: ClassVar[Sequence[str]] = ()  # parameters that narrow nothing, besides the sorting
    context_names: ClassVar[Sequence[str]] = ()  # filters that follow the page's context, not the list's parameters
    views: ClassVar[Mapping[str, str]] = {}  # labels of the ways to show it by `view`, the default one first
    is_file = False

    @property
    def access(self) -> Any:
        """The viewer's access."""
        raise NotImplementedError

    @property
    def today(self) -> date:
        return timezone.localdate()

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        decorate = page_view if initkwargs.get("is_file") else record_view
        return decorate(super().as_view(**initkwargs))

    @classmethod
    def as_file(cls) -> Any:
        """The view that serves the CSV file."""
        return cls.as_view(is_file=True)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if self.is_file:
            return csv_response(self.plural, self.file_rows(self.records()))
        return render(request, self.template_name, self.context())

    @cached_property
    def params(self) -> Mapping[str, str]:
        """The list's parameters in the URL."""
        names = dict.fromkeys((*self.own, *self.filters.base_filters))
        given = {
            name: self.request.GET.get(name, "").strip()[:LONGEST_PARAMETER]
            for name in names
            if name not in self.context_names
        }
        return {name: value for name, value in given.items() if value}

    @property
    def context_params(self) -> Sequence[tuple[str, str]]:
        """Parameters that the list shares with other pages, some of them repeated; its links carry them."""
        return []

    @cached_property
    def narrowed(self) -> ViewerFilters:
        return self.narrowed_by()

    def narrowed_by(self, **changed: str) -> ViewerFilters:
        """The filters of the address; `1` is another word for yes."""
        kinds = self.filters.base_filters
        given = {
            name: "yes" if value == "1" and isinstance(kinds.get(name), YesFilter) else value
            for name, value in self.params.items()
        }
        return self.filters.of_request({**self.defaults, **given, **changed}, self.access, today=self.today)

    @property
    def view(self) -> str:
        """The selected view of the list.  Raises FieldError."""
        view = self.params.get("view") or next(iter(self.views), "")
        if self.views and view not in self.views:
            raise FieldError("view", f"One of: {', '.join(self.views)}.")
        return view

    def url(self, route: str = "", **changed: str) -> str:
        """This list with other parameters; empty and default ones are left out."""
        usual = {**self.defaults, "view": next(iter(self.views), "")}
        carried = [pair for pair in self.context_params if pair[0] not in changed]
        own = {**self.params, **changed}.items()
        return url_with(
            reverse(route or self.plural), [pair for pair in (*carried, *own) if pair[1] != usual.get(pair[0])]
        )

    def context(self) -> dict[str, Any]:
        """The template's context.  Raises FieldError for unusable parameters."""
        narrowing = self.params.keys() - {*self.own, "sort"}
        searches = "q" in self.filters.base_filters
        hidden = [*self.context_params, *self.params.items()]
        return {
            "plural": self.plural,
            "noun": self.noun or self.plural,
            "view": self.view,
            "pickers": self.pickers(),
            "chips": self.chips(),
            "search": self.narrowed.chosen["q"] if searches else None,
            "hidden": [pair for pair in hidden if pair[0] != "q"],
            "csv_url": self.url(f"{self.plural}_csv", view="") if self.has_file else "",
            "is_narrowed": bool(narrowing),
            "all_url": self.url(**dict.fromkeys(narrowing, "")),
            "heads": self.heads(),
            **self.shown(),
        }

    def shown(self) -> dict[str, Any]:
        """The rows of the page that the address names, with links to the other pages."""
        page = self.page()
        return {
            "rows": self.rows(page),
            "card": self.card,
            "pages": page.paginator.num_pages,
            **page_links(page, lambda number: self.url(page=number)),
        }

    def page(self) -> Page[Any]:
        return Paginator(self.records(), self.size).get_page(read_page(self.request))

    def records(self) -> Any:
        """All filtered records, in order."""
        return self.narrowed.qs

    def rows(self, records: Iterable[Any]) -> Sequence[Any]:
        """The records as the card shows them."""
        return [*records]

    def file_rows(self, records: Any) -> Iterable[Sequence[Cell]]:
        """The rows of the CSV file, the header first."""
        raise NotImplementedError

    def heads(self) -> list[Head]:
        """Header cells of a table that can be sorted by the filter `sort`."""
        sort = self.filters.base_filters.get("sort")
        default = sort.default if isinstance(sort, SortFilter) else ""
        return self.columns.heads(self.params.get("sort", default), lambda word: self.url(sort=word))

    def pickers(self) -> list[tuple[str, list[Picker]]]:
        """Labels and options of the choices."""
        views = [("View", self.choice("view", self.views, self.view))] if self.views else []
        chosen = self.narrowed.chosen
        choices = self.filters.pickers(*self.defaults).items()
        labels = {name: str(self.filters.base_filters[name].label) for name, _ in choices}
        return [*views, *((labels[name], self.choice(name, options, chosen[name])) for name, options in choices)]

    def choice(self, name: str, labels: Mapping[str, str], chosen: str) -> list[Picker]:
        return [
            Picker(label=label, url=self.url(**{name: value}), active=value == chosen)
            for value, label in labels.items()
        ]

    def chips(self) -> list[Chip]:
        return []

    def switch(self, name: str, label: str, icon: str) -> Chip:
        """The chip of a filter that is `yes` or omitted."""
        is_on = name in self.params
        return Chip(label, self.url(**{name: "" if is_on else "yes"}), is_on, icon)
