"""The figures behind each chart of the delivery page, as JSON for the canvas and as CSV for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from core.csv_export import Cell, csv_response
from insights.annotations.notes import with_notes
from insights.catalogue.registry import get
from insights.pages.answers import PageQuery
from insights.pages.delivery import efficiency, hygiene, quality, spread, stages
from insights.pages.delivery.answers import compared, read
from insights.pages.delivery.page import page_filters
from insights.pages.delivery.section_csv import section_rows
from insights.pages.drawing import WORK_TYPES, over_time, split_over_time, values_of
from insights.query.query import Dimension
from insights.ui.agreements import with_agreement
from insights.ui.bad_filter import explains_bad_filters
from insights.ui.charts import ChartData, ChartView, Dataset, Kind
from insights.ui.filters import Filters
from insights.ui.lead_time_stages import STAGES, longest_stage

# Labels of segment values; size classes have none.
NAMES = {**WORK_TYPES, "AI": "With an agent", "Non-AI": "Without"}


def stages_over_time(filters: Filters) -> ChartData:
    """A bar per bucket, with the window's longest stage on the baseline."""
    answers = read(filters, stages.QUERIES)
    longest = longest_stage(stages.stage_means(answers))
    names = sorted(STAGES, key=lambda name: name != longest)
    whole = answers.answer(STAGES["coding"][0]).series
    datasets = [
        Dataset(
            STAGES[name][1],
            "longest" if name == longest else name,
            "stage",
            [
                stages.of_all(figure, coding)
                for figure, coding in zip(answers.answer(STAGES[name][0]).series, whole, strict=True)
            ],
        )
        for name in names
    ]
    return over_time("stacked_bar", answers.answer(STAGES[names[0]][0]), datasets)


def cycle_time(filters: Filters) -> ChartData:
    picked = filters.picked[efficiency.CYCLE.parameter]
    if picked == efficiency.CYCLE.default:
        return _single("line", filters, "pr.cycle_time")
    return _split("line", filters, "pr.cycle_time", Dimension(picked))


def throughput(filters: Filters) -> ChartData:
    return _split("stacked_bar", filters, "pr.throughput", Dimension(filters.picked[efficiency.MERGED.parameter]))


def gaps(filters: Filters) -> ChartData:
    answers = read(filters, [PageQuery(key) for key in hygiene.GAPS])
    datasets = [Dataset(get(key).name, key, "sequence", values_of(answers.answer(key).series)) for key in hygiene.GAPS]
    return over_time("line", answers.answer(hygiene.GAPS[0]), datasets)


CHARTS: Mapping[str, Callable[[Filters], ChartData]] = {
    "stages": stages_over_time,
    "spread": spread.spread_chart,
    "cycle_time": cycle_time,
    "throughput": throughput,
    "wip": lambda filters: _single("area", filters, "wip.count"),
    "failures": lambda filters: _single("area", filters, "dora.change_failure_rate"),
    "incidents": lambda filters: _single("stacked_bar", filters, "incident.count"),
    "bugs": lambda filters: _single("area", filters, "bug.ratio"),
    "size": lambda filters: _single("line", filters, "pr.size"),
    "review_depth": lambda filters: _single("line", filters, "pr.review_depth"),
    "gaps": gaps,
}


def stages_table(filters: Filters) -> Iterator[list[Cell]]:
    """The stages of this and the previous window; stages before the first commit have no share."""
    answers = read(filters, stages.QUERIES)
    means = stages.stage_means(answers)
    yield ["Stage", "Mean (seconds)", "Share (percent)", "Window before (seconds)", "PRs", "PRs left out"]
    for name, (metric, label, _) in STAGES.items():
        figure, before = answers.figure(metric), answers.figure_before(metric)
        share = means[name] / sum(means.values()) * 100 if sum(means.values()) and name in means else None
        yield [label, figure.value, share, before.value, figure.sample_size, figure.left_out]
    for metric, label in stages.UPSTREAM.items():
        figure, before = answers.figure(metric), answers.figure_before(metric)
        yield [label, figure.value, None, before.value, figure.sample_size, figure.left_out]


def _section_table(keys: Sequence[str]) -> Callable[[Filters], Iterator[list[Cell]]]:
    return lambda filters: section_rows(read(filters, compared(keys)), keys)


TABLES: Mapping[str, Callable[[Filters], Iterator[list[Cell]]]] = {
    "stages_now": stages_table,
    "efficiency": _section_table(efficiency.KEYS),
    "quality": _section_table(quality.KEYS),
    "hygiene": _section_table(hygiene.KEYS),
}


class DeliveryChart(ChartView):
    def chart_data(self, request: HttpRequest) -> ChartData:
        return drawn(self.kwargs["name"], request)


@login_required
@require_GET
@explains_bad_filters
def delivery_chart(request: HttpRequest, name: str) -> HttpResponseBase:
    response: HttpResponseBase = DeliveryChart.as_view()(request, name=name)
    return response


@login_required
@require_GET
@explains_bad_filters
def delivery_chart_csv(request: HttpRequest, name: str) -> HttpResponseBase:
    rows = TABLES[name](page_filters(request)) if name in TABLES else drawn(name, request).rows()
    return csv_response(f"headway-delivery-{name.replace('_', '-')}", rows)


def drawn(name: str, request: HttpRequest) -> ChartData:
    """The chart of that name for the request's filters.  Raises Http404 and BadFilterError."""
    try:
        draw = CHARTS[name]
    except KeyError:
        raise Http404("No such chart.") from None
    filters = page_filters(request)
    return with_agreement(with_notes(draw(filters), filters.access), filters.access)


def _single(kind: Kind, filters: Filters, key: str) -> ChartData:
    answers = read(filters, [PageQuery(key)])
    answer = answers.answer(key)
    return over_time(kind, answer, [Dataset(get(key).name, key, "single", values_of(answer.series))])


def _split(kind: Kind, filters: Filters, key: str, dimension: Dimension) -> ChartData:
    answers = read(filters, [PageQuery(key, dimension)])
    return split_over_time(kind, answers, key, dimension, "sequence", names=NAMES)
