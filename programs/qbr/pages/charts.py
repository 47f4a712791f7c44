"""Charts of a business review as data for SVG: shares from 0 to 1, and texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from insights.catalogue.lead_time_stages import Bottleneck, NoBottleneck
from insights.ui import wording
from programs.qbr.pages.figures import short_name, shown_amount
from programs.qbr.services.document import CategoryAmount, Chart, Part, PeriodAmount, QbrDocument, Week
from programs.qbr.services.sections import AGENTS, CATEGORIES, PERIODS, STAGES_CHART, UNITS, WEEK
from programs.templatetags.sheets import Bar

FEWEST_PERIODS = 2  # a single period is no trend


@dataclass(frozen=True)
class Row:
    label: str
    bars: Sequence[Bar]
    is_now: bool


@dataclass(frozen=True)
class ChartCard:
    """`kind` names the template; `words` is the chart in a sentence, for readers who cannot see it."""

    kind: str
    title: str
    rows: Sequence[Row]
    words: str
    note: str = ""

    @property
    def bars(self) -> Sequence[Bar]:
        return self.rows[0].bars if self.rows else ()


def chart_card(chart: Chart, document: QbrDocument) -> ChartCard | None:
    """The card of a chart; None if there is nothing to draw."""
    return DRAWN[chart.kind](chart, document)


def _stages(chart: Chart, document: QbrDocument) -> ChartCard | None:
    names = (document.period.name, document.before.name)
    known = [(name, parts) for name, parts in zip(names, chart.rows, strict=True) if parts]
    if not known or known[0][0] != document.period.name:
        return None
    found = chart.bottleneck or Bottleneck("")
    widest = max(_sum(parts) for _, parts in known) or 1.0
    values = [part.value or 0.0 for _, parts in known for part in parts]
    printed = iter(wording.alike(values, "seconds"))
    labels = [[next(printed) for _ in parts] for _, parts in known]
    rows = [
        Row(
            short_name(name),
            _stacked(parts, of_parts, widest, found.held),
            is_now=name == document.period.name,
        )
        for (name, parts), of_parts in reversed(list(zip(known, labels, strict=True)))
    ]
    label = next((part.label for part in chart.parts if part.key == found.stage), "")
    title = f"{label} is the bottleneck of lead time" if found.held else "Lead time by stage"
    only_slowest = f" Only the slowest changes make {label.lower()} the longest wait." if found.only_slowest else ""
    means = "Means" if found.reason is NoBottleneck.MEANS_ALONE else "Means without the slowest 5%"
    return ChartCard("stages", title, rows, _sentence(rows), f"{means}, so that stages add up.{only_slowest}")


def _stacked(parts: Sequence[Part], printed: Sequence[wording.Reading], widest: float, longest: str) -> list[Bar]:
    values = [part.value or 0.0 for part in parts]
    starts = accumulate((value / widest for value in values), initial=0.0)
    return [
        Bar(part.key, part.label, str(text), start, value / widest, part.key == longest)
        for start, part, value, text in zip(starts, parts, values, printed, strict=False)
    ]


def _by_unit(chart: Chart, document: QbrDocument) -> ChartCard | None:
    figure, parts = chart.figure, [part for part in chart.parts if part.value is not None]
    hidden = len(chart.parts) - len(parts)
    if not parts:
        return None
    values = [part.value or 0.0 for part in parts]
    worst = {"lower": max(values), "higher": min(values)}.get(figure.better)
    printed = dict(zip([part.key for part in parts], wording.alike(values, figure.unit), strict=True))
    order = sorted(parts, key=lambda part: (part.value or 0.0) * (-1 if figure.better == "higher" else 1))
    longest = max(values) or 1.0
    bars = [
        Bar(
            part.key,
            part.label,
            str(printed[part.key]),
            0.0,
            max(0.0, part.value or 0.0) / longest,
            is_hot=len(set(values)) > 1 and part.value == worst,
        )
        for part in order
    ]
    rows = [Row("", bars, is_now=True)]
    return ChartCard("bars", f"{figure.name} by team", rows, _sentence(rows), _hidden(hidden))


def _by_agent(chart: Chart, document: QbrDocument) -> ChartCard | None:
    figure, parts = chart.figure, [part for part in chart.parts if part.value]
    hidden = sum(part.hidden for part in chart.parts)
    if not parts:
        return None
    total = sum(part.value or 0.0 for part in parts)
    longest = max(part.value or 0.0 for part in parts)
    bars = [
        Bar(
            part.key or "other",
            part.label,
            shown_amount(part, figure.unit),
            0.0,
            (part.value or 0.0) / longest,
            note=wording.percent_of(part.value or 0.0, total),
        )
        for part in sorted(parts, key=lambda part: -(part.value or 0.0))
    ]
    rows = [Row("", bars, is_now=True)]
    return ChartCard("agents", f"{figure.name} by agent", rows, _sentence(rows), _hidden(hidden))


def _by_category(chart: Chart, document: QbrDocument) -> ChartCard | None:
    """Shares of all time by category, each with its target."""
    parts, whole = [part for part in chart.parts if isinstance(part, CategoryAmount)], chart.figure.now.value
    if not whole:
        return None
    bars = [
        Bar(
            part.key,
            part.label,
            wording.percent_of(part.value, whole) if part.value is not None else "Hidden",
            0.0,
            (part.value or 0.0) / whole,
            note="" if part.target is None else f"target {part.target:g}%",
            mark=None if part.target is None else part.target / 100,
        )
        for part in parts
    ]
    has_targets = any(part.target is not None for part in parts)
    words = ", ".join(f"{bar.label} {bar.value}{f' ({bar.note})' if bar.note else ''}" for bar in bars)
    title = "Time by category, and its target" if has_targets else "Time by category"
    hidden = sum(part.hidden for part in parts)
    note = _hidden(hidden) or ("" if has_targets else "No targets were set for this quarter.")
    return ChartCard("mix", title, [Row("", bars, is_now=True)], words, note)


def _by_week(chart: Chart, document: QbrDocument) -> ChartCard | None:
    figure, parts = chart.figure, [part for part in chart.parts if isinstance(part, Week)]
    values = [part.value for part in parts if part.value is not None]
    if not values:
        return None
    highest, width = max(values) or 1.0, 1 / len(parts)
    bars = [
        Bar(
            "to-date" if part.to_date else "week",
            f"{part.day.day} {part.day:%b}",
            shown_amount(part, figure.unit) if part.value is not None else "",
            index * width,
            max(0.0, part.value or 0.0) / highest,
        )
        for index, part in enumerate(parts)
    ]
    rows = [Row("", bars, is_now=True)]
    hidden = sum(part.hidden for part in parts)
    return ChartCard("weeks", f"{figure.name} by week", rows, _sentence(rows), _hidden(hidden))


def _by_period(chart: Chart, document: QbrDocument) -> ChartCard | None:
    """Columns by period; the title names their unit of measure."""
    figure, parts = chart.figure, [part for part in chart.parts if isinstance(part, PeriodAmount)]
    values = [part.value for part in parts if part.value is not None]
    if len(values) < FEWEST_PERIODS:
        return None
    highest, width = max(values) or 1.0, 1 / len(parts)
    printed = iter(wording.alike(values, figure.unit))
    readings = [next(printed) if part.value is not None else None for part in parts]
    unit = next(reading.unit for reading in readings if reading)
    bars = [
        Bar(
            "to-date" if part.to_date else "week",
            short_name(part.period),
            reading.value if reading else "",
            index * width,
            max(0.0, part.value or 0.0) / highest,
        )
        for index, (part, reading) in enumerate(zip(parts, readings, strict=True))
    ]
    rows = [Row("", bars, is_now=True)]
    hidden = sum(part.hidden for part in parts)
    to_date = f"{parts[-1].period} is to date." if parts[-1].to_date else ""
    title = f"{figure.name}, {unit.replace('/', 'per')}" if unit else figure.name
    return ChartCard("weeks", title, rows, _sentence(rows), " ".join(filter(None, (to_date, _hidden(hidden)))))


def _sum(parts: Sequence[Part]) -> float:
    return sum(part.value or 0.0 for part in parts)


def _hidden(number: int) -> str:
    return f"{wording.count(number, 'value')} hidden: few people are behind it." if number else ""


def _sentence(rows: Sequence[Row]) -> str:
    return "; ".join(
        f"{row.label}: {', '.join(f'{bar.label} {bar.value}' for bar in row.bars if bar.value)}".removeprefix(": ")
        for row in rows
    )


DRAWN: Mapping[str, Callable[[Chart, QbrDocument], ChartCard | None]] = {
    STAGES_CHART: _stages,
    UNITS: _by_unit,
    WEEK: _by_week,
    PERIODS: _by_period,
    AGENTS: _by_agent,
    CATEGORIES: _by_category,
}
