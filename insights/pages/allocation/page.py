"""The page `/insights/allocation/`: its declaration, its view, and actual shares against their targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from core.csv_export import Cell
from core.page_links import url_with
from insights.pages.allocation.tabs import ALLOCATION_PAGE, WEIGHTED
from insights.pages.answers import Answers, PageQuery
from insights.pages.drawing import over_time, series_by_value
from insights.pages.presenter import Additions, OwnCard, TemplateCard, Verdict
from insights.pages.tabs import OpenTab, TabbedPage
from insights.query.query import Dimension, MetricValue
from insights.query.windows import quarter_name, quarter_of
from insights.ui import wording
from insights.ui.cards import Card
from insights.ui.charts import ChartData, Dataset, Line
from insights.ui.filters import Filters
from insights.ui.scope_bar import last_day
from insights.ui.tiles import ChartCard
from integrations.delivery.allocation.targets import Targets, targets_in_force
from integrations.models import AllocationRule, InvestmentCategory
from integrations.models.allocation import UNLINKED, UNMATCHED
from orgtree.models import Unit
from orgtree.trees.distinct_names import distinct_names
from orgtree.trees.surroundings import surroundings

QUARTERS, MOST_TEAMS = 4, 30
CLOSE = 5.0  # percentage points within which a share meets its target


@dataclass(frozen=True)
class ShareLine:
    """A category's share and target; `gap` is in percentage points."""

    name: str
    share: float | None
    target: float | None
    withheld: bool = False

    @property
    def gap(self) -> float | None:
        return None if self.share is None or self.target is None else self.share - self.target

    @property
    def bar(self) -> dict[str, Any]:
        target = None if self.target is None else self.target / 100
        words = f"{self.actual}, target {self.target:g}%" if self.target is not None else self.actual
        return {
            "key": "",
            "solid": (self.share or 0) / 100,
            "hatched": 0,
            "pace": target,
            "words": f"{self.name}: {words}",
        }

    @property
    def actual(self) -> str:
        if self.withheld:
            return "Hidden"
        return "–" if self.share is None else f"{self.share:.0f}%"

    @property
    def target_words(self) -> str:
        return "–" if self.target is None else f"{self.target:g}%"

    @property
    def gap_words(self) -> str:
        if self.gap is None:
            return ""
        points = round(self.gap)
        return "on target" if abs(self.gap) < CLOSE else f"{points:+d} points".replace("-", "−")

    @property
    def tone(self) -> str:
        return "" if self.gap is None else "good" if abs(self.gap) < CLOSE else "watch"


def _more(_request: HttpRequest, opened: OpenTab) -> dict[str, Any]:
    return {
        "rules_url": url_with(reverse("allocation_rules"), {"unit": opened.answers.filters.scope.unit}),
        "has_rules": AllocationRule.objects.exists(),
    }


def _split(filters: Filters) -> tuple[PageQuery, ...]:
    return (PageQuery(filters.metric(WEIGHTED), Dimension.INVESTMENT),)


def share_lines(answers: Answers, targets: Targets) -> list[ShareLine]:
    """Every category with time or a target, in the categories' order; then time without a category."""
    figures = answers.by_segment(answers.filters.metric(WEIGHTED), Dimension.INVESTMENT)
    listed = [(category.name, targets.shares.get(category.pk)) for category in InvestmentCategory.objects.all()]
    others = [(name, None) for name in (UNMATCHED, UNLINKED) if name in figures]
    is_read = any(figure.value is not None for figure in figures.values())
    return [_line(name, share, figures.get(name), is_read=is_read) for name, share in (*listed, *others)]


def _line(name: str, target: Decimal | None, figure: MetricValue | None, *, is_read: bool) -> ShareLine:
    aim = None if target is None else float(target)
    if figure is None:
        return ShareLine(name, 0.0 if is_read else None, aim)
    return ShareLine(name, figure.value, aim, figure.withheld)


def _targets(filters: Filters) -> tuple[Targets, Unit | None]:
    unit = Unit.objects.filter(slug=filters.scope.unit).first() if filters.scope.unit else None
    return targets_in_force(unit, quarter_of(last_day(filters)).start), unit


def against_target_card(answers: Answers, card: Card) -> TemplateCard:
    filters = answers.filters
    targets, unit = _targets(filters)
    quarter = quarter_of(last_day(filters)).start
    whose = targets.unit.name if targets.unit else "the whole organisation"
    may_set = filters.access.visibility.leads(unit.pk if unit else None) and filters.scope.person_id is None
    lines = share_lines(answers, targets)
    figures = answers.by_segment(filters.metric(WEIGHTED), Dimension.INVESTMENT)
    own: dict[str, Any] = {
        "lines": lines,
        "quarter": quarter_name(quarter),
        "source": f"Targets of {whose}, {quarter_name(quarter)}" if targets.shares else "",
        "is_inherited": bool(targets.shares) and targets.unit != unit,
        "withheld": any(line.withheld for line in lines),
        "reason": next((figure.reason for figure in figures.values() if figure.withheld), ""),
        "csv_url": answers.page.chart_csv_url(filters, "against_target"),
        "set_url": url_with(
            reverse("allocation_targets"),
            {"unit": unit.slug if unit else "", "quarter": quarter.isoformat()},
        )
        if may_set
        else "",
    }
    return TemplateCard("against_target", "insights/allocation/_against_target.html", own, getattr(card, "span", 7))


def against_target_csv(filters: Filters) -> Iterator[list[Cell]]:
    answers = ALLOCATION_PAGE.read(filters, _split(filters))
    yield ["Category", "Share (percent)", "Target (percent)", "Gap (points)"]
    for line in share_lines(answers, _targets(filters)[0]):
        yield [line.name, "hidden" if line.withheld else line.share, line.target, line.gap]


def _quarters(filters: Filters) -> Iterator[tuple[str, list[ShareLine]]]:
    """The last quarters, the oldest first, with their shares and targets."""
    windows = [quarter_of(last_day(filters))]
    while len(windows) < QUARTERS:
        windows.insert(0, quarter_of(windows[0].start - timedelta(days=1)))
    scopes = [replace(filters, range="custom", window=window) for window in windows]
    for scope, lines in zip(scopes, _shares_of(scopes), strict=True):
        yield quarter_name(scope.window.start), lines


def _teams(filters: Filters) -> Iterator[tuple[str, list[ShareLine]]]:
    """The units below the page's unit, each with its shares and its own targets."""
    visibility, day = filters.access.visibility, last_day(filters)
    around = surroundings(filters.scope.unit, visibility, on=day, today=filters.today)
    units = (around.children if around.unit else around.tops)[:MOST_TEAMS]
    scopes = [replace(filters, scope=replace(filters.scope, unit=unit.slug)) for unit in units]
    names = distinct_names(unit.slug for unit in units)
    for unit, lines in zip(units, _shares_of(scopes), strict=True):
        yield names[unit.slug], lines


def _shares_of(scopes: Sequence[Filters]) -> Iterator[list[ShareLine]]:
    if not scopes:
        return
    read = ALLOCATION_PAGE.read_scopes([(filters, _split(filters)) for filters in scopes])
    for filters, answers in zip(scopes, read, strict=True):
        yield share_lines(answers, _targets(filters)[0])


def _compared(rows: Iterator[tuple[str, list[ShareLine]]], title: str, of: str) -> dict[str, Any]:
    """The part of a card: `of` names the rows, and the columns are the categories."""
    listed = [*rows]
    names = list(dict.fromkeys(line.name for _, lines in listed for line in lines))
    by_name = [(name, {line.name: line for line in lines}) for name, lines in listed]
    return {
        "title": title,
        "part": "insights/allocation/_part_targets.html",
        "of": of,
        "categories": names,
        "rows": [(name, [lines.get(category) for category in names]) for name, lines in by_name],
    }


def _compared_csv(rows: Iterator[tuple[str, list[ShareLine]]], of: str) -> Iterator[list[Cell]]:
    yield [of, "Category", "Share (percent)", "Target (percent)", "Gap (points)"]
    for name, lines in rows:
        for line in lines:
            yield [name, line.name, "hidden" if line.withheld else line.share, line.target, line.gap]


def _farthest(lines: Sequence[ShareLine]) -> ShareLine | None:
    """The category that is farthest from its target; None if none has both a share and a target."""
    return max((line for line in lines if line.gap is not None), key=lambda line: abs(line.gap or 0), default=None)


def target_over_time_card(answers: Answers, card: Card) -> ChartCard:
    """The category that is farthest from its target, week by week, with the target as a line."""
    filters, name = answers.filters, "target_over_time"
    line = _farthest(share_lines(answers, _targets(filters)[0]))
    quarter = quarter_name(quarter_of(last_day(filters)).start)
    return ChartCard(
        key=name,
        title=f"{line.name} over time, against its target" if line else "Over time, against the target",
        info="The category farthest from its target in this window, and the target of the quarter of its last day.",
        kind="line",
        data_url=answers.page.chart_url(filters, name),
        csv_url=answers.page.chart_csv_url(filters, name),
        state="value" if line else "no_data",
        reason="" if line else f"There is no share with a target in {quarter}.",
        span=getattr(card, "span", 5),
    )


def target_over_time(filters: Filters) -> ChartData:
    answers = ALLOCATION_PAGE.read(filters, _split(filters))
    query = _split(filters)[0]
    answer = answers.answer(query.key, query.segment)
    line = _farthest(share_lines(answers, _targets(filters)[0]))
    if line is None or line.target is None:
        return over_time("line", answer, [])
    # In a bucket with time in other categories only, this one has none.
    read = {figure.window.start for figure in answer.series if figure.value is not None}
    starts = dict.fromkeys(figure.window.start for figure in answer.series)
    figures = series_by_value(answer, Dimension.INVESTMENT)[line.name]
    values = [
        (0.0 if start in read else None) if figure is None else figure.value
        for start, figure in zip(starts, figures, strict=True)
    ]
    drawn = over_time("line", answer, [Dataset(line.name, line.name, "single", values)])
    return replace(drawn, benchmarks=[Line(line.target, f"Target {line.target_words}", "target")])


def _verdict(answers: Answers) -> Verdict | None:
    """The category that is farthest from its target, otherwise the greatest; and the time that is not linked to
    anything.
    """
    targets, _ = _targets(answers.filters)
    lines = [line for line in share_lines(answers, targets) if line.share is not None]
    if not lines:
        return None
    greatest = max(lines, key=lambda line: line.share or 0)
    lead = f"{greatest.actual} of the {WORDS[answers.filters.picked[WEIGHTED.parameter]]} went to {_named(greatest)}."
    worst = _farthest(lines)
    rest = ""
    if worst and abs(worst.gap or 0) >= CLOSE:
        side = "above" if (worst.gap or 0) > 0 else "below"
        points = wording.count(abs(round(worst.gap or 0)), "point")
        rest = f"The share of {worst.name} is {points} {side} its target of {worst.target_words}."
    elif worst:
        rest = "Every category is within 5 points of its target."
    return Verdict(lead, rest)


WORDS = {"time": "time", "items": "completed items", "points": "completed points"}


def _named(line: ShareLine) -> str:
    if line.name == UNLINKED:
        return "work that no item is linked to"
    return "work that no rule matches" if line.name == UNMATCHED else line.name.lower()


ALLOCATION = TabbedPage(
    ALLOCATION_PAGE,
    "insights/allocation/allocation.html",
    own=Additions(
        cards={
            "against_target": OwnCard(against_target_card, _split, table=against_target_csv),
            "target_over_time": OwnCard(target_over_time_card, _split, chart=target_over_time),
            "quarters": OwnCard(
                part=lambda filters: _compared(_quarters(filters), "Quarter by quarter", "Quarter"),
                table=lambda filters: _compared_csv(_quarters(filters), "Quarter"),
            ),
            "team_targets": OwnCard(
                part=lambda filters: _compared(_teams(filters), "Against their targets", "Unit"),
                table=lambda filters: _compared_csv(_teams(filters), "Unit"),
            ),
        },
    ),
    verdict=_verdict,
    more=_more,
)
