"""Readiness: repositories with context files for agents, and how their sessions go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core.csv_export import Cell, csv_response
from insights.pages.ai.answers import read
from insights.pages.ai.repository_rows import rows_url
from insights.pages.answers import Answers, PageQuery
from insights.privacy.scope_access import access_in
from insights.privacy.withhold import is_withheld
from insights.query import windows
from insights.query.query import Dimension, MetricValue
from insights.ui import tiles, wording
from insights.ui.bad_filter import explains_bad_filters
from insights.ui.filters import WEEK_RANGES, BadFilterError, Filters, read_filters
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from integrations.code.readiness import RepositoryReadiness, SessionsNearby, readiness

QUERIES = (
    PageQuery("commit.count", Dimension.REPOSITORY),
    PageQuery("ai.committed_code_share", Dimension.REPOSITORY),
    PageQuery("ai.enabled_repositories"),
)
HIGH_WASTE_PERCENT, HIGH_ERROR_PERCENT = 30.0, 10.0
FILES_LISTED = 3
HIDDEN = SessionsNearby()  # placeholder for sessions of too few people, compared by identity
FEW_SESSIONS = 5  # fewer give no advice


@dataclass(frozen=True)
class RepositoryRow:
    """One repository's figures; None: not known."""

    name: str
    context_files: Sequence[str]
    since: str
    commits: float | None
    ai_share: float | None
    sessions: int | None
    spend: float | None
    wasted_share: float | None
    error_rate: float | None
    ship_rate: float | None
    advice: str


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    value: Callable[[RepositoryRow], float | None]
    printed: Callable[[float], str]


@dataclass(frozen=True)
class Heading:
    label: str
    url: str
    sorted: str  # "", "ascending" or "descending"
    number: bool = True


@dataclass(frozen=True)
class PrintedCell:
    """A figure, and where it is explained; empty where it is not known."""

    text: str
    rows_url: str
    label: str


@dataclass(frozen=True)
class PrintedRow:
    name: str
    commits_url: str
    context_files: Sequence[str]
    more_files: int
    since: str
    cells: Sequence[PrintedCell]
    advice: str


def _percent(value: float) -> str:
    return str(wording.reading(value, "percent"))


COLUMNS: Mapping[str, Column] = {
    column.key: column
    for column in (
        Column("commits", "Commits", lambda row: row.commits, wording.exact),
        Column("ai_share", "AI share", lambda row: row.ai_share, _percent),
        Column(
            "sessions", "Sessions", lambda row: None if row.sessions is None else float(row.sessions), wording.exact
        ),
        Column("spend", "Spend", lambda row: row.spend, wording.money),
        Column("wasted_share", "Wasted", lambda row: row.wasted_share, _percent),
        Column("error_rate", "Error rate", lambda row: row.error_rate, _percent),
        Column("ship_rate", "Ship rate", lambda row: row.ship_rate, _percent),
    )
}
BY_NAME, BY_FILES = "repository", "context_files"
DEFAULT_SORT = "-spend"


@login_required
@require_GET
@explains_bad_filters
def ai_repositories(request: HttpRequest) -> HttpResponseBase:
    filters = read_filters(request.GET, today=windows.local_today(), access=access_in(request)).without_facets()
    sort = _read_sort(request)
    around = scope_navigation(request, filters)
    answers = read(filters, QUERIES)
    rows = _sorted(_rows(answers), sort)
    enabled = answers.figure("ai.enabled_repositories")
    context = {
        "days": wording.days(filters.window),
        "scope": scope_bar(filters, around, {}, request.path, extra_params={"sort": sort}),
        "whose": scope_words(filters, around),
        "ranges": [
            tiles.Picker(wording.count(weeks, "week"), _url(filters.with_range(name), sort), filters.range == name)
            for name, weeks in WEEK_RANGES.items()
        ],
        "enabled": _enabled(enabled),
        "headings": _headings(filters, sort),
        "rows": [_printed(row, filters) for row in rows],
        "enabled_how_url": f"{reverse('metric_how', args=['ai.enabled_repositories'])}{filters.query_string()}",
        "enabled_rows_url": f"{reverse('metric_rows', args=['ai.enabled_repositories'])}{filters.query_string()}",
        "csv_url": _url(filters, sort, name="ai_repositories_csv"),
        "connect_link": tiles.Link("Connect a repository", reverse("connect_repository")),
    }
    return render(request, "insights/repositories/readiness.html", context)


@login_required
@require_GET
@explains_bad_filters
def ai_repositories_csv(request: HttpRequest) -> HttpResponseBase:
    filters = read_filters(request.GET, today=windows.local_today(), access=access_in(request)).without_facets()
    rows = _sorted(_rows(read(filters, QUERIES)), _read_sort(request))
    return csv_response("headway-ai-repositories", _csv_rows(rows))


def _csv_rows(rows: Sequence[RepositoryRow]) -> Iterator[list[Cell]]:
    yield [
        *("Repository", "Context files", "Since", "Commits", "AI share (percent)", "Sessions", "Spend (USD)"),
        *("Wasted (percent)", "Error rate (percent)", "Ship rate (percent)", "What to do"),
    ]
    for row in rows:
        figures = [column.value(row) for column in COLUMNS.values()]
        yield [row.name, " ".join(row.context_files), row.since, *figures, row.advice]


def _enabled(figure: MetricValue) -> str:
    if not figure.denominator:
        return "Agents wrote in no repository in this range."
    repositories = wording.count(int(figure.denominator), "repository", "repositories")
    return f"{figure.numerator or 0:,.0f} of the {repositories} in which agents wrote have a context file."


def _rows(answers: Answers) -> list[RepositoryRow]:
    commits = answers.split("commit.count", Dimension.REPOSITORY)
    shares = answers.split("ai.committed_code_share", Dimension.REPOSITORY)
    window = answers.filters.window
    return [
        _row(_without_few_people(repository, answers), commits.get(repository.name), shares.get(repository.name))
        for repository in readiness(window.start, window.end, answers.filters.people_filter)
    ]


def _without_few_people(repository: RepositoryReadiness, answers: Answers) -> RepositoryReadiness:
    """Without sessions of fewer people than the viewer may see."""
    # Sessions are figures of AI, which a unit does not see of its own few either, as it does how it delivers.
    query = replace(answers.answer("commit.count", Dimension.REPOSITORY).query, key="ai.spend")
    if not is_withheld(query, repository.nearby.people, answers.filters.access):
        return repository
    return replace(repository, nearby=HIDDEN)


def _row(repository: RepositoryReadiness, commits: MetricValue | None, share: MetricValue | None) -> RepositoryRow:
    nearby = repository.nearby
    wasted = _share(float(nearby.wasted_spend), float(nearby.settled_spend))
    errors = _share(nearby.tool_failures, nearby.tool_calls)
    return RepositoryRow(
        name=repository.name,
        context_files=[file.path for file in repository.context_files],
        since=wording.day(repository.context_files[0].present_from) if repository.context_files else "",
        commits=commits.value if commits else None,
        ai_share=share.value if share else None,
        sessions=None if nearby is HIDDEN else nearby.sessions,
        spend=float(nearby.spend) if nearby.sessions else None,
        wasted_share=wasted,
        error_rate=errors,
        ship_rate=_share(nearby.lines_shipped, nearby.lines_generated),
        advice=_advice(repository, wasted, errors),
    )


def _advice(repository: RepositoryReadiness, wasted: float | None, errors: float | None) -> str:
    """What to do about a repository; empty where nothing stands out."""
    if repository.nearby.sessions < FEW_SESSIONS:
        return ""
    wastes = wasted is not None and wasted >= HIGH_WASTE_PERCENT
    fails = errors is not None and errors >= HIGH_ERROR_PERCENT
    if not repository.context_files:
        return "Add AGENTS.md or CLAUDE.md: how to build, test and write here" + (
            ", and which tools fail" if fails else ""
        )
    if fails:
        return "See which tools fail, and state in the context file what to use instead"
    return "Look at sessions without a commit: were the tasks too large, or exploratory?" if wastes else ""


def _share(part: float, whole: float) -> float | None:
    return part / whole * 100 if whole else None


def _sorted(rows: list[RepositoryRow], sort: str) -> list[RepositoryRow]:
    """By the column that `sort` names, a leading minus sorts descending; unknown values come last."""
    key, descending = sort.removeprefix("-"), sort.startswith("-")
    if key == BY_NAME:
        return sorted(rows, key=lambda row: row.name, reverse=descending)
    if key == BY_FILES:
        return sorted(rows, key=lambda row: (len(row.context_files), row.name), reverse=descending)
    value = COLUMNS[key].value
    known = [row for row in rows if value(row) is not None]
    return [
        *sorted(known, key=lambda row: (value(row) or 0.0, row.name), reverse=descending),
        *(row for row in rows if value(row) is None),
    ]


def _headings(filters: Filters, sort: str) -> list[Heading]:
    words = {BY_NAME: "Repository", BY_FILES: "Context files", **{key: column.label for key, column in COLUMNS.items()}}
    return [
        Heading(
            label=label,
            url=_url(filters, key if sort == f"-{key}" or (sort != key and key == BY_NAME) else f"-{key}"),
            sorted={key: "ascending", f"-{key}": "descending"}.get(sort, ""),
            number=key in COLUMNS,
        )
        for key, label in words.items()
    ]


def _printed(row: RepositoryRow, filters: Filters) -> PrintedRow:
    values = [(column, column.value(row)) for column in COLUMNS.values()]
    return PrintedRow(
        name=row.name,
        commits_url=f"{reverse('attribution')}?{urlencode({'repository': row.name})}",
        context_files=row.context_files[:FILES_LISTED],
        more_files=max(0, len(row.context_files) - FILES_LISTED),
        since=row.since,
        cells=[
            PrintedCell(
                "" if value is None else column.printed(value),
                rows_url(row.name, column.key, filters),
                f"{column.label} of {row.name}",
            )
            for column, value in values
        ],
        advice=row.advice,
    )


def _read_sort(request: HttpRequest) -> str:
    written = request.GET.get("sort") or DEFAULT_SORT
    columns = (BY_NAME, BY_FILES, *COLUMNS)
    if written.removeprefix("-") not in columns:
        raise BadFilterError("sort", f"It can be {wording.listed(list(columns))}, with a minus for descending order.")
    return written


def _url(filters: Filters, sort: str, *, name: str = "ai_repositories") -> str:
    pairs = [*filters.parameters(), *([("sort", sort)] if sort != DEFAULT_SORT else [])]
    return f"{reverse(name)}{'?' + urlencode(pairs) if pairs else ''}"
