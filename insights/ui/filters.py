"""The state of an insights page: range, granularity, facets and the pickers of its charts, all in the URL.

A page reads it with `filters_of`, and makes links with `Filters.url`.  Its context (unit, window, granularity and
facets) is part of every link and is stored in the session.  A link names its window, and thereby the whole context:
whoever opens it sees the same.  If an address has no window, the parts that it lacks come from the session.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from core.page_links import url_with
from core.views import CONTEXT
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.privacy.scope_access import ME, access_in, default_scope, own_person
from insights.query import windows
from insights.query.errors import QueryError
from insights.query.parameters import EARLIEST, facet_values, pairs, read_day
from insights.query.query import Dimension, Granularity, Query, Scope, Statistic, Window
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.organisation.fiscal_calendar import first_month
from orgtree.trees.people_filter import PeopleFilter

WEEK_RANGES = {f"{weeks}w": weeks for weeks in windows.TRAILING_WEEKS}
DEFAULT_RANGE = f"{windows.DEFAULT_WEEKS}w"
DEFAULT_GRANULARITY = Granularity.WEEK
FACETS = {
    Dimension.AGENT: "Agent",
    Dimension.MODEL: "Model",
    Dimension.REPOSITORY: "Repository",
    Dimension.SERVICE: "Service",
    Dimension.PROJECT: "Project",
    Dimension.WORK_TYPE: "Work type",
    Dimension.SIZE_CLASS: "Size",
    Dimension.COMPLEXITY_CLASS: "Complexity",
}
# Pages have no filters for these, but the rows of one part of a chart do.
FACETS_OF_ROWS = {
    Dimension.LANGUAGE: "Language",
    Dimension.SEVERITY: "Severity",
    Dimension.FILE_TYPE: "File type",
    Dimension.TOKEN_KIND: "Token kind",
    Dimension.OUTCOME: "Outcome",
    Dimension.LINES_KNOWN: "Lines known",
    Dimension.TOOL: "Tool",
    Dimension.SPRINT: "Sprint",
    Dimension.EPIC: "Epic",
    Dimension.INITIATIVE: "Initiative",
    Dimension.INVESTMENT: "Investment category",
    Dimension.ASSISTANCE: "Assistance",
    Dimension.SKILL: "Skill",
    Dimension.SUB_AGENT: "Sub-agent",
    Dimension.PLUGIN: "Plugin",
    Dimension.MCP_SERVER: "MCP server",
    Dimension.EFFORT: "Reasoning effort",
    Dimension.QUERY_SOURCE: "Query source",
    Dimension.PROVIDER: "Provider",
    Dimension.CAUSE: "Cause",
    Dimension.KNOWN_FROM: "Known from",
    Dimension.PHASE: "Adoption phase",
    Dimension.VENDOR_TEAM: "Vendor’s team",
}
DIMENSION_LABELS = {**FACETS, **FACETS_OF_ROWS}
QUARTERS_OFFERED = 5
SCOPE_PARAMETERS = ("unit", "person", "where")
WINDOW_PARAMETERS = ("range", "from", "to", "through")

LONGEST_WINDOW = timedelta(days=5 * 366)  # every bucket of the window is listed: about 260 weeks
LONGEST_FACET_VALUE = 200
MOST_FACET_VALUES = 50
QUARTER = re.compile(r"(\d{4})-[qQ]([1-4])")


@dataclass(frozen=True)
class Choice:
    """A picker of the page: a parameter and its allowed values, the first of which is the default.

    A choice between metrics maps each value to a metric; one between the statistics of a metric names that metric.
    """

    parameter: str
    options: Mapping[str, str]  # value in the URL → label
    metrics: Mapping[str, str] = field(default_factory=dict)  # value in the URL → key
    statistic_of: str = ""  # key

    @property
    def default(self) -> str:
        return next(iter(self.options))


GRANULARITY = Choice(
    "granularity", {Granularity.WEEK: "Week", Granularity.MONTH: "Month", Granularity.QUARTER: "Quarter"}
)
STATISTIC_LABELS: Mapping[Statistic, str] = {
    Statistic.MEDIAN: "Median",
    Statistic.MEAN: "Mean",
    Statistic.TRIMMED_MEAN: "Mean without slowest 5%",
    Statistic.P75: "P75",
    Statistic.P85: "P85",
    Statistic.P90: "P90",
    Statistic.P95: "P95",
}
# For all durations on a page: some have no trimmed mean, and P85 is for forecasts.
STATISTIC = Choice(
    "statistic",
    {
        statistic: label
        for statistic, label in STATISTIC_LABELS.items()
        if statistic not in (Statistic.TRIMMED_MEAN, Statistic.P85)
    },
)


def statistic_of_metric(metric: Metric) -> Choice | None:
    """The statistics of one metric that can be picked, its own first; None if it has a single value."""
    if not metric.statistics:
        return None
    own = metric.statistic or metric.statistics[0]
    order = sorted(metric.statistics, key=lambda statistic: statistic is not own)
    return Choice(STATISTIC.parameter, {statistic: STATISTIC_LABELS[statistic] for statistic in order})


@dataclass(frozen=True)
class Filters:
    range: str  # "12w", "quarter", "2026-Q3" or "custom"
    window: Window
    today: date
    access: Access  # of the viewer: every figure is read with it
    scope: Scope  # as requested, or the viewer's default
    granularity: Granularity = DEFAULT_GRANULARITY
    facets: Mapping[Dimension, tuple[str, ...]] = field(default_factory=dict)
    picked: Mapping[str, str] = field(default_factory=dict)  # parameter of a Choice → option, defaults included
    choices: Sequence[Choice] = ()
    carried: Sequence[tuple[str, str]] = ()  # parameters of facets that this page lacks, for the links to others

    @property
    def previous(self) -> Window:
        return windows.previous(self.window, today=self.today)

    @property
    def statistic(self) -> Statistic | None:
        """The picked statistic of durations; None: each metric's own."""
        for choice in self.choices:
            if choice.parameter == STATISTIC.parameter and self.picked[choice.parameter] != choice.default:
                return Statistic(self.picked[choice.parameter])
        return None

    def metric(self, of: str | Choice) -> str:
        """The key of a metric, which may be picked."""
        return of if isinstance(of, str) else of.metrics[self.picked[of.parameter]]

    def option(self, of: str | Choice) -> str:
        """The label of the picked option, or of a metric."""
        return get(of).label if isinstance(of, str) else of.options[self.picked[of.parameter]]

    @property
    def span(self) -> str:
        """The length of the window in words: 12 weeks, this quarter."""
        return {"quarter": "this quarter"}.get(self.range, wording.span(self.window))

    def query(
        self, key: str, *segments: Dimension, window: Window | None = None, statistic: Statistic | None = None
    ) -> Query:
        """The query, without facets that the metric does not support, and without a statistic if it has none."""
        metric = get(key)
        return Query(
            key=key,
            window=window or self.window,
            granularity=self.granularity,
            scope=self.scope,
            facets={name: chosen for name, chosen in self.facets.items() if name in metric.facets},
            segments=segments,
            statistic=(statistic or self._statistic_of(key)) if metric.statistics else None,
        )

    def _statistic_of(self, key: str) -> Statistic | None:
        """The picked statistic, if the page has a choice for this metric alone."""
        picked = (self.picked[choice.parameter] for choice in self.choices if choice.statistic_of == key)
        return next(map(Statistic, picked), None)

    @property
    def people_filter(self) -> PeopleFilter:
        """The scope as a filter of people, for lists without a figure."""
        return PeopleFilter(self.scope.unit, self.scope.unassigned, self.scope.person_id, self.scope.where)

    def parameters(self) -> list[tuple[str, str]]:
        return list(self._parameters)

    @cached_property
    def _parameters(self) -> Sequence[tuple[str, str]]:
        """Cached: a page has a hundred links with the same filters."""
        return [
            *self.context_parameters(),
            *((name.value, value) for name in FACETS_OF_ROWS for value in self.facets.get(name, ())),
            *dict.fromkeys(  # cards can share a choice between metrics, and its parameter
                (choice.parameter, self.picked[choice.parameter])
                for choice in self.choices
                if self.picked[choice.parameter] != choice.default
            ),
        ]

    def context_parameters(self) -> list[tuple[str, str]]:
        """The parameters that other pages understand as well; always with the window."""
        pairs: list[tuple[str, str]] = self.scope_parameters()
        if self.range == "custom":
            pairs += [("from", self.window.start.isoformat()), ("to", self.window.end.isoformat())]
        else:
            pairs.append(("range", self.range))
        if self.granularity != DEFAULT_GRANULARITY:
            pairs.append(("granularity", self.granularity.value))
        pairs += [(name.value, value) for name in FACETS for value in self.facets.get(name, ())]
        return [*pairs, *self.carried]

    def scope_parameters(self) -> list[tuple[str, str]]:
        """The parameters of the scope."""
        pairs = [("unit", self.scope.unit_word)] if self.scope.unit_word else []
        if self.scope.person_id is not None:
            pairs.append(("person", ME))
        for name, values in self.scope.where.items():
            for value in values:
                pairs.append(("where", f"{name}={value}"))
        return pairs

    def url(self, path: str, **more: str) -> str:
        """The URL of `path` with these filters, followed by `more` parameters; empty ones are left out."""
        return url_with(path, [*self._parameters, *more.items()])

    def with_unit(self, word: str) -> Filters:
        """The filters with the unit that `unit=` would name (empty: the whole organisation), and the same
        attributes.
        """
        return replace(self, scope=Scope.of_unit(word, where=self.scope.where))

    def without_where(self, attribute: str) -> Filters:
        left = {name: values for name, values in self.scope.where.items() if name != attribute}
        return replace(self, scope=replace(self.scope, where=left))

    def with_range(self, name: str) -> Filters:
        return replace(self, range=name, window=_named_window(name, self.today))

    def with_granularity(self, granularity: Granularity) -> Filters:
        return replace(self, granularity=granularity)

    def with_pick(self, choice: Choice, option: str) -> Filters:
        return replace(self, picked={**self.picked, choice.parameter: option})

    def with_toggled(self, dimension: Dimension, value: str) -> Filters:
        chosen = self.facets.get(dimension, ())
        left = tuple(other for other in chosen if other != value) if value in chosen else (*chosen, value)
        return self._with_facet(dimension, left)

    def without(self, dimension: Dimension) -> Filters:
        return self._with_facet(dimension, ())

    def without_facets(self) -> Filters:
        return replace(self, facets={})

    def ignored_filters(self, metric: Metric) -> str:
        """The suffix “of every repository”: the chosen facets that the metric does not support; empty if it supports
        all.
        """
        names = [
            name for dimension, name in FACETS.items() if dimension in self.facets and dimension not in metric.facets
        ]
        return f"Of every {' and '.join(names).lower()}" if names else ""

    def _with_facet(self, dimension: Dimension, values: tuple[str, ...]) -> Filters:
        facets = {name: chosen for name, chosen in self.facets.items() if name != dimension}
        return replace(self, facets={**facets, dimension: values} if values else facets)


def read_filters(
    parameters: QueryDict,
    *,
    today: date,
    access: Access,
    choices: Sequence[Choice] = (),
    facets: Iterable[Dimension] = tuple(FACETS),
) -> Filters:
    """The state that a URL describes.  Raises QueryError for the first invalid parameter.

    Parameters of other pages are ignored, but links keep their facets.  An empty value means the default, as forms
    send it.
    """
    facets = tuple(facets)
    name, window = _read_window(parameters, today)
    if window.start > today:
        raise QueryError("from" if name == "custom" else "range", "The range starts in the future.")
    return Filters(
        range=name,
        window=window,
        today=today,
        access=access,
        scope=default_scope(_read_scope(parameters, access), access),
        granularity=Granularity(_read_choice(parameters, GRANULARITY)),
        facets=_read_facets(parameters, facets),
        picked={choice.parameter: _read_choice(parameters, choice) for choice in choices},
        choices=tuple(choices),
        carried=_carried(parameters, [name for name in FACETS if name not in facets]),
    )


def filters_of(
    request: HttpRequest,
    choices: Sequence[Choice] = (),
    *,
    facets: Iterable[Dimension] = tuple(FACETS),
    access: Access | None = None,
) -> Filters:
    """The state of the request's page as of today, for its viewer, or with a narrower `access`.  Raises QueryError."""
    access, today = access or access_in(request), windows.local_today()
    return read_filters(parameters_of(request), today=today, access=access, choices=choices, facets=facets)


def parameters_of(request: HttpRequest) -> QueryDict:
    """The parameters of the address; if it has no window, completed with those of the session."""
    given = request.GET
    session = getattr(request, "session", None)  # requests in tests and of error pages may have none
    if session is None or any(name in given for name in WINDOW_PARAMETERS):
        return given
    kept, complete = QueryDict(str(session.get(CONTEXT, ""))), given.copy()
    for names in (SCOPE_PARAMETERS, WINDOW_PARAMETERS, (GRANULARITY.parameter,), tuple(FACETS)):
        if not any(name in given for name in names):
            for name in names:
                if name in kept:
                    complete.setlist(name, kept.getlist(name))
    return complete


def context_of(request: HttpRequest) -> list[tuple[str, str]]:
    """The parameters of the context alone, for links to other pages; empty if all are defaults."""
    given = parameters_of(request)
    names = (*SCOPE_PARAMETERS, *WINDOW_PARAMETERS, GRANULARITY.parameter, *FACETS)
    return [(name, value) for name in names for value in given.getlist(name) if value]


def keep_context(request: HttpRequest, filters: Filters) -> None:
    """Store the context in the session if it differs; a scope that nobody chose is left out."""
    pairs = filters.context_parameters()
    given = parameters_of(request)
    if not any(name in given for name in SCOPE_PARAMETERS):
        pairs = [pair for pair in pairs if pair[0] not in SCOPE_PARAMETERS]
    kept = "" if pairs == [("range", DEFAULT_RANGE)] else urlencode(pairs)
    if request.session.get(CONTEXT, "") != kept:
        request.session[CONTEXT] = kept


def quarters_to_offer(today: date) -> list[str]:
    """The quarter of `today` and earlier ones, the latest first, as values of the range parameter."""
    names = []
    start = windows.quarter_of(today).start
    for _ in range(QUARTERS_OFFERED):
        names.append(windows.quarter_name(start))
        start = windows.quarter_of(start - timedelta(days=1)).start
    return names


def quarter_window(year: int, number: int) -> Window:
    """The days of a fiscal quarter by the year in which its fiscal year ends, and its number from 1."""
    begins = first_month()
    month = begins - 1 + (number - 1) * 3
    return windows.quarter_of(date(year - (1 if begins > 1 else 0) + month // 12, month % 12 + 1, 1))


def _read_window(parameters: QueryDict, today: date) -> tuple[str, Window]:
    name = parameters.get("range") or ""
    if name in ("", "custom") and any(parameters.get(key) for key in ("from", "to", "through")):
        return "custom", _read_custom_window(parameters)
    if name == "custom":
        raise QueryError("from", "A custom range needs a first day: from=2026-07-01.")
    name = name.upper() if QUARTER.fullmatch(name) else name or DEFAULT_RANGE
    return name, _named_window(name, today)


def _named_window(name: str, today: date) -> Window:
    if name in WEEK_RANGES:
        return windows.trailing(WEEK_RANGES[name], today=today)
    if name == "quarter":
        return windows.quarter_of(today)
    if match := QUARTER.fullmatch(name):
        year, number = int(match[1]), int(match[2])
        if EARLIEST.year < year <= today.year + 1:
            return quarter_window(year, number)
    raise QueryError("range", f"It can be {', '.join(WEEK_RANGES)}, quarter, or a quarter such as 2026-Q3.")


def _read_custom_window(parameters: QueryDict) -> Window:
    """The window from `from` and `to` as in the API (`to` is exclusive), or from `from` and `through` as in forms."""
    start = _custom_day(parameters, "from")
    end_name = "to" if parameters.get("to") else "through"
    end = _custom_day(parameters, end_name)
    if end_name == "through":
        end += timedelta(days=1)
    if start >= end:
        raise QueryError(end_name, f"The range must end after it starts, on {wording.day(start)}.")
    if end - start > LONGEST_WINDOW:
        raise QueryError(end_name, f"A range can hold at most {LONGEST_WINDOW.days:,} days.")
    return Window(start, end)


def _custom_day(parameters: QueryDict, name: str) -> date:
    if written := parameters.get(name):
        return read_day(name, written)
    raise QueryError(name, f"A custom range needs both ends: {name}=2026-07-01.")


def _read_scope(parameters: QueryDict, access: Access) -> Scope:
    """Parses `unit=`, `where=attribute=value` and `person=me`; the viewer may not be allowed to see the scope."""
    where = pairs("where", [value for value in parameters.getlist("where") if value])
    return Scope.of_unit(
        parameters.get("unit") or "", where=where, person_id=own_person(parameters.get("person") or "", access)
    )


def _read_facets(parameters: QueryDict, dimensions: Iterable[Dimension]) -> dict[Dimension, tuple[str, ...]]:
    facets = {}
    for dimension in dimensions:
        values = tuple(dict.fromkeys(value for value in parameters.getlist(dimension.value) if value))
        if len(values) > MOST_FACET_VALUES:
            raise QueryError(dimension.value, f"At most {MOST_FACET_VALUES} values can be chosen.")
        if any(len(value) > LONGEST_FACET_VALUE or "\x00" in value for value in values):
            raise QueryError(dimension.value, f"A value has at most {LONGEST_FACET_VALUE} printable characters.")
        if values:
            facets[dimension] = facet_values(dimension, values)
    return facets


def _carried(parameters: QueryDict, dimensions: Iterable[Dimension]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (dimension.value, value)
        for dimension in dimensions
        for value in parameters.getlist(dimension.value)[:MOST_FACET_VALUES]
        if value and len(value) <= LONGEST_FACET_VALUE and "\x00" not in value
    )


def _read_choice(parameters: QueryDict, choice: Choice) -> str:
    written = parameters.get(choice.parameter) or choice.default
    if written not in choice.options:
        raise QueryError(choice.parameter, f"It can be {wording.listed(list(choice.options))}.")
    return written
