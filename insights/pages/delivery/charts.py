"""The figures behind each chart of the delivery page, as JSON for the canvas and as CSV for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from core.csv_export import Cell
from insights.catalogue.lead_time_stages import STAGES, WAITS
from insights.pages import presenter
from insights.pages.delivery import lead_time
from insights.pages.delivery.tabs import DELIVERY_PAGE, SECTIONS
from insights.pages.drawing import over_time
from insights.ui import tiles
from insights.ui.charts import ChartData, Dataset
from insights.ui.filters import Filters


def stages_over_time(filters: Filters) -> ChartData:
    """A bar per bucket, with the window's bottleneck on the baseline."""
    answers = DELIVERY_PAGE.read(filters, lead_time.STAGE_QUERIES)
    held = lead_time.bottleneck_in(answers).held
    names = sorted(STAGES, key=lambda name: name != held)
    series = {name: answers.now[query].series for name, query in lead_time.VALUES.items()}
    datasets = [
        Dataset(
            STAGES[name][1],
            "longest" if name == held else name,
            "stage",
            [lead_time.of_all(figure, coding) for figure, coding in zip(series[name], series["coding"], strict=True)],
        )
        for name in names
    ]
    return over_time("stacked_bar", answers.now[lead_time.VALUES[names[0]]], datasets)


CHARTS: Mapping[str, Callable[[Filters], ChartData]] = {
    **presenter.charts(SECTIONS.values(), DELIVERY_PAGE),
    "stages": stages_over_time,
    "spread": lead_time.spread_chart,
}


def stages_table(filters: Filters) -> Iterator[list[Cell]]:
    """The stages of this and the previous window; stages before the first commit have no share."""
    answers = DELIVERY_PAGE.read(filters, lead_time.QUERIES)
    means, found = lead_time.stage_means(answers), lead_time.bottleneck_in(answers)
    heads = ["Mean without slowest 5% (seconds)", "Median (seconds)", "Mean (seconds)", "Share (percent)"]
    yield ["Stage", "Kind", *heads, "Previous period (seconds)", "PRs", "PRs excluded", "Bottleneck"]
    for name, (_, label, _) in STAGES.items():
        value, median, mean = (
            tiles.whole(answers.now[queries[name]])
            for queries in (lead_time.VALUES, lead_time.MEDIANS, lead_time.MEANS)
        )
        before = tiles.whole(answers.earlier[lead_time.VALUES[name]])
        share = means[name] / sum(means.values()) * 100 if sum(means.values()) and name in means else None
        held = ("only the slowest" if found.only_slowest else "yes") if name == found.stage else ""
        kind = lead_time.WAIT if name in WAITS else lead_time.WORK
        figures = [value.value, median.value, mean.value, share, before.value, value.sample_size, value.left_out]
        yield [label, kind, *figures, held]
    for metric, label in lead_time.UPSTREAM.items():
        figure, before = answers.figure(metric), answers.figure_before(metric)
        yield [label, "", figure.value, None, None, None, before.value, figure.sample_size, figure.left_out, ""]


TABLES: Mapping[str, Callable[[Filters], Iterator[list[Cell]]]] = {
    "stages_now": stages_table,
    **{name: partial(presenter.figures_csv, section=section, page=DELIVERY_PAGE) for name, section in SECTIONS.items()},
}
