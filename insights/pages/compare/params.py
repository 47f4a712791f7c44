"""The parameters of the comparison: units, metrics, and the sort column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.http import HttpRequest

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import metrics
from insights.pages.answers import InsightsPage
from insights.pages.delivery.answers import DELIVERY_PAGE
from insights.pages.units import BY_NAME, SORT, TREE, Column, ListedUnits, UnitsOfPage, listed_units, units_choice
from insights.query.errors import QueryError, UnknownUnitError
from insights.ui import wording
from insights.ui.filters import STATISTIC, Filters, filters_of
from orgtree.trees.surroundings import visible_units

METRICS, UNITS = "metrics", "units"
MOST_METRICS, MOST_UNITS = 8, 30
DEFAULT_METRICS = (
    *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"),
    *("dora.rework_rate", "pr.pickup_time", "pr.size", "ai.committed_code_share"),
)


@dataclass(frozen=True)
class CompareParams:
    """The state of the page; `units` are slugs, empty to compare the units below the scope."""

    filters: Filters
    metrics: Sequence[Metric]
    units: Sequence[str]
    sort: str  # a metric's key or `name`, with a minus for descending
    tree: str

    @property
    def page(self) -> InsightsPage:
        return InsightsPage("compare", facets=DELIVERY_PAGE.facets, extra_params=self.parameters())

    def parameters(self) -> Mapping[str, str]:
        """The parameters besides the filters; defaults are omitted."""
        keys = [metric.key for metric in self.metrics]
        values = {
            METRICS: "" if tuple(keys) == DEFAULT_METRICS else ",".join(keys),
            UNITS: ",".join(self.units),
            SORT: "" if self.sort == BY_NAME else self.sort,
            TREE: self.tree,
        }
        return {name: value for name, value in values.items() if value}

    def url(self, **changed: str) -> str:
        """The page's URL with changed parameters; empty ones are omitted."""
        parameters = {**self.parameters(), **changed}
        return self.filters.url(self.page.path, **{name: value for name, value in parameters.items() if value})

    def of_page(self) -> UnitsOfPage:
        return UnitsOfPage(
            filters=self.filters,
            columns=columns_of(self.metrics),
            page_url=self.page.path,
            unassigned_url="",
            csv_name="headway-compare",
            tree=self.tree,
            extra_params={name: value for name, value in self.parameters().items() if name != TREE},
        )


def read_params(request: HttpRequest) -> CompareParams:
    """Raises QueryError for invalid parameters."""
    chosen = _chosen_metrics(request)
    filters = filters_of(request, (STATISTIC, units_choice(columns_of(chosen))))
    units = _words(request, UNITS)
    if len(units) > MOST_UNITS:
        raise QueryError(UNITS, f"At most {MOST_UNITS} units can be compared.")
    return CompareParams(
        filters=replace(filters, choices=(STATISTIC,)),
        metrics=chosen,
        units=units,
        sort=filters.picked[SORT],
        tree=request.GET.get(TREE, ""),
    )


def comparable_metrics() -> Sequence[Metric]:
    """Metrics with a single figure per unit."""
    return [metric for metric in metrics() if not metric.always_by]


def columns_of(chosen: Sequence[Metric]) -> Sequence[Column]:
    return [Column(metric.key, metric.name, metric.key, metric.unit) for metric in chosen]


def compared_units(request: HttpRequest, params: CompareParams) -> ListedUnits:
    """The chosen units, or all below the page's.  Raises UnknownUnitError for an unknown or hidden one."""
    if not params.units:
        return listed_units(request, params.of_page())
    known = {unit.slug: unit for unit in visible_units(params.units, params.filters.access.visibility)}
    for slug in params.units:
        if slug not in known:
            raise UnknownUnitError(slug)
    return ListedUnits([known[slug] for slug in params.units], wording.count(len(params.units), "chosen unit"))


def _chosen_metrics(request: HttpRequest) -> Sequence[Metric]:
    by_key = {metric.key: metric for metric in comparable_metrics()}
    keys = _words(request, METRICS) or list(DEFAULT_METRICS)
    if len(keys) > MOST_METRICS:
        raise QueryError(METRICS, f"At most {MOST_METRICS} metrics can be compared.")
    for key in keys:
        if key not in by_key:
            raise QueryError(METRICS, f"There is no metric {key} that can be compared.")
    return [by_key[key] for key in keys]


def _words(request: HttpRequest, name: str) -> list[str]:
    """The values of a repeated parameter, as forms send it, or of a comma-separated one."""
    given = (word.strip() for value in request.GET.getlist(name) for word in value.split(","))
    return list(dict.fromkeys(word for word in given if word))
