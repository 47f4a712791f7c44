"""The rows behind before/after adoption and behind the usage cohorts; also as CSV."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from core.page_links import PAGE_SIZE, Picker, links_of_page, read_page
from core.views import page_view, part_view
from insights.engine.adoption.developers import AdoptionRowsQuery, Panel, RowKind
from insights.engine.contributions import LARGEST_PAGE, RowsPage
from insights.engine.live_rows import rows_of_answer
from insights.pages.ai.effect import FIGURE_TITLES, adoption_rows_url, effect_query
from insights.pages.ai.page import AI
from insights.pages.ai.tabs import WORK
from insights.pages.rows import NOT_IN_PANEL, row_table, rows_context, rows_file
from insights.privacy.adoption import AdoptionRows, visible_adoption_rows
from insights.query.errors import QueryError
from insights.ui import wording
from insights.ui.filters import Filters
from insights.ui.metric_panel import is_panel
from insights.ui.scope_bar import scope_navigation, scope_words

LIST_NAMES = {
    RowKind.DEVELOPERS: "Developers",
    RowKind.PULL_REQUESTS: "Pull requests",
    RowKind.SESSIONS: "Sessions",
    RowKind.DAYS: "Days at work",
}
RECORD_PAGES = {RowKind.PULL_REQUESTS: "pull_request", RowKind.SESSIONS: "ai_session"}
EVERYBODY = "Everybody"
# The inputs of a developer's figures do not fit into the side panel; the page and the CSV have them.
BEHIND_A_DEVELOPER = frozenset(
    {"merged_before", "weeks_before", "merged_after", "weeks_after", "session_days", "sessions"}
)
FORMULAS = {
    Panel.MERGED: (
        "Pull requests merged per week, before and after: the mean over developers of each developer's pull requests "
        "÷ weeks. Difference: mean change of adopters − mean change of the others. The interval resamples developers "
        "of both groups with replacement."
    ),
    Panel.CYCLE: (
        "Seconds from open to merge, before and after: the mean over developers of each developer's mean. Difference: "
        "mean change of adopters − mean change of the others. The interval resamples developers of both groups with "
        "replacement."
    ),
    Panel.USE: (
        "Days with a session ÷ weeks with any activity of the developer: none 0, light below 1, moderate below 3, "
        "heavy 3 or more."
    ),
}


@dataclass(frozen=True)
class AdoptionRowsParams:
    filters: Filters
    rows: AdoptionRowsQuery


@part_view
def adoption_rows(request: HttpRequest) -> HttpResponseBase:
    params, page = _read_params(request), read_page(request)
    url = partial(adoption_rows_url, params.filters, params.rows)
    with rows_of_answer():
        shown = _rows(params).page(page, PAGE_SIZE)
    title = FIGURE_TITLES[params.rows.figure]
    listed_rows = row_table(
        _for_panel(shown, params.rows.listed) if is_panel(request) else shown,
        folds=False,
        without=NOT_IN_PANEL if is_panel(request) else frozenset(),
        record_page=RECORD_PAGES.get(params.rows.listed, ""),
    )
    table = replace(listed_rows, caption=f"Rows of {title}")
    context = {
        **rows_context(request, params.filters, shown, table, lambda filters: adoption_rows_url(filters, params.rows)),
        "title": title,
        "formula": FORMULAS[params.rows.figure],
        "whose": scope_words(params.filters, scope_navigation(request, params.filters, is_part=True)),
        "work": _work(params.filters),
        "groups": _groups(params),
        "lists": [
            Picker(
                LIST_NAMES[listed],
                adoption_rows_url(params.filters, replace(params.rows, listed=listed)),
                listed is params.rows.listed,
            )
            for listed in params.rows.lists
        ],
        **links_of_page(page, shown.rows, shown.total, lambda number: url(page=number), size=PAGE_SIZE),
        "csv_url": url(name="adoption_rows_csv"),
        "page_url": url(page=request.GET.get("page", "")),
    }
    return render(request, "insights/adoption/rows.html", context)


def _for_panel(rows: RowsPage, listed: RowKind) -> RowsPage:
    if listed is not RowKind.DEVELOPERS:
        return rows
    return replace(rows, columns=[column for column in rows.columns if column.name not in BEHIND_A_DEVELOPER])


@page_view
def adoption_rows_csv(request: HttpRequest) -> HttpResponseBase:
    params = _read_params(request)
    name = f"headway-adoption-{params.rows.figure}-{params.rows.listed}".replace("_", "-")
    rows = _rows(params)
    return rows_file(name, lambda page: rows.page(page, LARGEST_PAGE))


def _read_params(request: HttpRequest) -> AdoptionRowsParams:
    """The request's parameters.  Raises QueryError."""
    filters = AI.filters(request)
    of, group, listed = (request.GET.get(name) or "" for name in ("of", "group", "list"))
    of = of or Panel.MERGED
    if of not in list(Panel):
        raise QueryError("of", f"It can be {wording.listed(list(Panel))}.")
    defaults = AdoptionRowsQuery(Panel(of))
    if group and group not in defaults.groups:
        raise QueryError("group", f"It can be {wording.listed([*defaults.groups])}.")
    if listed and listed not in defaults.lists:
        raise QueryError("list", f"It can be {wording.listed([*defaults.lists])}.")
    return AdoptionRowsParams(filters, AdoptionRowsQuery(defaults.figure, group, RowKind(listed or RowKind.DEVELOPERS)))


def _rows(params: AdoptionRowsParams) -> AdoptionRows:
    return visible_adoption_rows(effect_query(params.filters), params.rows, params.filters.access)


def _groups(params: AdoptionRowsParams) -> list[Picker]:
    names = {"": EVERYBODY, **params.rows.groups}
    return [
        Picker(label, adoption_rows_url(params.filters, replace(params.rows, group=name)), name == params.rows.group)
        for name, label in names.items()
    ]


def _work(filters: Filters) -> str:
    """The picked work type; empty for all work."""
    picked = filters.picked[WORK.parameter]
    return "" if picked == WORK.default else WORK.options[picked]
