"""The figures behind each chart of the delivery page, as JSON for the canvas and as CSV for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from core.csv_export import Cell
from insights.catalogue.lead_time_stages import STAGES, longest_wait
from insights.pages import presenter
from insights.pages.delivery import lead_time
from insights.pages.delivery.tabs import DELIVERY_PAGE, SECTIONS
from insights.pages.drawing import over_time
from insights.ui.charts import ChartData, Dataset
from insights.ui.filters import Filters


def stages_over_time(filters: Filters) -> ChartData:
    """A bar per bucket, with the window's longest wait on the baseline."""
    answers = DELIVERY_PAGE.read(filters, lead_time.QUERIES)
    longest = longest_wait(lead_time.stage_means(answers))
    names = sorted(STAGES, key=lambda name: name != longest)
    whole = answers.answer(STAGES["coding"][0]).series
    datasets = [
        Dataset(
            STAGES[name][1],
            "longest" if name == longest else name,
            "stage",
            [
                lead_time.of_all(figure, coding)
                for figure, coding in zip(answers.answer(STAGES[name][0]).series, whole, strict=True)
            ],
        )
        for name in names
    ]
    return over_time("stacked_bar", answers.answer(STAGES[names[0]][0]), datasets)


CHARTS: Mapping[str, Callable[[Filters], ChartData]] = {
    **presenter.charts(SECTIONS.values(), DELIVERY_PAGE),
    "stages": stages_over_time,
    "spread": lead_time.spread_chart,
}


def stages_table(filters: Filters) -> Iterator[list[Cell]]:
    """The stages of this and the previous window; stages before the first commit have no share."""
    answers = DELIVERY_PAGE.read(filters, lead_time.QUERIES)
    means = lead_time.stage_means(answers)
    yield ["Stage", "Mean (seconds)", "Share (percent)", "Window before (seconds)", "PRs", "PRs left out"]
    for name, (metric, label, _) in STAGES.items():
        figure, before = answers.figure(metric), answers.figure_before(metric)
        share = means[name] / sum(means.values()) * 100 if sum(means.values()) and name in means else None
        yield [label, figure.value, share, before.value, figure.sample_size, figure.left_out]
    for metric, label in lead_time.UPSTREAM.items():
        figure, before = answers.figure(metric), answers.figure_before(metric)
        yield [label, figure.value, None, before.value, figure.sample_size, figure.left_out]


TABLES: Mapping[str, Callable[[Filters], Iterator[list[Cell]]]] = {
    "stages_now": stages_table,
    **{name: partial(presenter.figures_csv, section=section, page=DELIVERY_PAGE) for name, section in SECTIONS.items()},
}
