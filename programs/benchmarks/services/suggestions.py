"""Suggests thresholds and targets; each suggestion names its source.

Sources nearest to the unit come first: its own past, comparable units, recommended programmes, published sets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import quantiles

from core.seconds import DAY
from insights.benchmarks.bands import Band, BenchmarkSet, benchmark_band
from insights.benchmarks.baselines import whole_buckets
from insights.benchmarks.sets import SETS, chosen_set
from insights.catalogue.declarations import Metric
from insights.privacy.visible import Freshness, visible_together
from insights.query import windows
from insights.query.enums import Better, UnitOfMeasure
from insights.query.query import Granularity, MetricValue, Scope, Window
from insights.ui import wording
from insights.ui.amounts import rounded, unit_scale
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.benchmarks.services.comparable_units import FewestUnits, Peers, comparable_units
from programs.benchmarks.services.current_values import BenchmarkQuery, CurrentValue, current_value_of, whole_buckets_of
from programs.models import Direction, Period

QUARTERS_LOOKED_AT = 5
FEWEST_QUARTERS = 2  # one quarter alone has no best
MOST_SETS = 3
STEPS = (0.2, 0.25)  # share of the current value
WHOLE = 100.0  # percent
MOST_DIGITS = 4

_Quarters = Mapping[
    Window, Sequence[MetricValue]
]  # whole quarters with their value, or with the buckets that begin in them


@dataclass(frozen=True)
class Suggestion:
    """Values in the metric's unit; None if the suggestion has no such value."""

    kind: str  # step, history, peers, ready-made or published
    title: str
    why: str
    threshold: float | None
    target: float | None


@dataclass(frozen=True)
class Suggestions:
    """`missing` says why there is no suggestion of some kinds."""

    here: CurrentValue
    found: Sequence[Suggestion]
    missing: Sequence[str]


@dataclass(frozen=True)
class Question:
    """A request for suggested benchmarks of a metric for a unit (None: the whole organisation)."""

    metric: Metric
    unit: Unit | None
    direction: Direction
    period: Period

    @property
    def scope(self) -> Scope:
        return Scope(self.unit.slug if self.unit else None)

    @property
    def query(self) -> BenchmarkQuery:
        return BenchmarkQuery(self.metric, self.period)

    def best(self, values: Sequence[float]) -> float:
        return max(values) if self.direction is Direction.HIGHER else min(values)

    def is_better(self, value: float, other: float) -> bool:
        return value > other if self.direction is Direction.HIGHER else value < other

    def words(self, value: float) -> str:
        period = f" {self.period.label.lower()}" if self.period else ""
        return f"{wording.reading(value, self.metric.unit)}{period}"

    def agreed(self, value: float) -> float:
        return rounded(value, self.metric.unit)


def suggestions_for(questions: Sequence[Question], access: Access, *, today: date) -> list[Suggestions]:
    """Suggested values for each question, in order; the number of queries does not grow with the questions.

    Raises QueryError if the viewer may not see a unit's figures.
    """
    own, peers = _own_figures(questions, access, today), _peers(questions, access, today)
    sets = [chosen_set(access.organisation.benchmark_set), *SETS.values()]
    return [
        _suggestions(
            question,
            stand,
            [_next_step(question, stand), _best_quarter(question, stand, past), beside, _ready_made(question)],
            sets,
        )
        for question, (stand, past), beside in zip(questions, own, peers, strict=True)
    ]


def _suggestions(
    question: Question, here: CurrentValue, answers: Sequence[Suggestion | str], sets: Sequence[BenchmarkSet]
) -> Suggestions:
    """All suggestions for a question, including those of published sets; an answer that is a text says why there is
    none.
    """
    published = _published(question, here, sets)
    missing = [answer for answer in answers if isinstance(answer, str) and answer]
    if not published:
        missing.append("No published set has comparable figures for this metric.")
    return Suggestions(here, [*(answer for answer in answers if isinstance(answer, Suggestion)), *published], missing)


def _next_step(question: Question, here: CurrentValue) -> Suggestion | str:
    """A fifth to a quarter better than the current value: enough to notice, and within a quarter's work."""
    metric, value = question.metric, here.value
    if value is None or value <= 0 or here.sample_size < metric.minimum_sample or metric.better is Better.NEITHER:
        return "The next step: needs a current value above 0 with enough data."
    higher = question.direction is Direction.HIGHER
    if higher and metric.unit is UnitOfMeasure.PERCENT and value * (1 + STEPS[-1]) > WHOLE:
        ends = [WHOLE - (WHOLE - value) * (1 - step) for step in STEPS]  # of what remains
    else:
        ends = [value * (1 + step if higher else 1 - step) for step in STEPS]
    target = _roundest(question, *sorted(ends))
    return Suggestion(
        "step",
        "The next step",
        f"20 to 25% better than the current value, {question.words(value)} "
        f"({wording.count(here.sample_size, metric.fact)}).",
        None,
        target,
    )


def _roundest(question: Question, low: float, high: float) -> float:
    """The value between the two with the fewest digits, in the unit in which it is written."""
    scale = unit_scale(high, question.metric.unit)
    for digits in range(1, MOST_DIGITS):
        value = float(f"{(low + high) / 2 / scale:.{digits}g}") * scale
        if low <= value <= high:
            return value
    return question.agreed((low + high) / 2)


def _best_quarter(question: Question, here: CurrentValue, quarters: _Quarters) -> Suggestion | str:
    """The unit's own best complete quarter."""
    metric = question.metric
    known: list[tuple[float, Window, int]] = []
    for quarter, figures in quarters.items():
        stand = current_value_of(figures)
        if stand.is_hidden:
            return f"Its own quarters: {stand.reason}"
        is_level = stand.value is not None and (stand.value > 0 or question.direction is Direction.HIGHER)
        if stand.value is not None and is_level and stand.sample_size >= metric.minimum_sample:
            known.append((stand.value, quarter, stand.sample_size))
    if len(known) < FEWEST_QUARTERS:
        return f"Its own best quarter: needs {FEWEST_QUARTERS} full quarters with enough data."
    best = question.best([value for value, _, _ in known])
    quarter, sample = next((quarter, sample) for value, quarter, sample in known if value == best)
    why = (
        f"Best of the last {len(known)} full quarters: {question.words(best)} in "
        f"{windows.quarter_name(quarter.start)} ({wording.count(sample, metric.fact)})."
    )
    if here.value is not None and question.is_better(here.value, best):
        why += f" The current value, {question.words(here.value)}, is already better."
    return Suggestion("history", "Its own best quarter", why, question.agreed(best), None)


def _own_figures(questions: Sequence[Question], access: Access, today: date) -> list[tuple[CurrentValue, _Quarters]]:
    """Reads each question's current value and past quarters, in one call."""
    year, latest = windows.trailing(52, today=today), whole_buckets(today, Granularity.QUARTER, QUARTERS_LOOKED_AT)
    quarters = [bucket.whole for bucket in windows.buckets(latest, Granularity.QUARTER)]
    totals, series = [], []
    for question in questions:
        here = question.query.query(question.scope, today)
        if question.period:
            series += [here, replace(here, window=year)]
        else:
            totals += [here, *(replace(here, window=quarter) for quarter in quarters)]
    answers = visible_together(access, series=series, totals=totals, freshness=Freshness.OF_PAGES)
    of_totals, of_series = iter(answers.totals), iter(answers.series)
    suggestions: list[tuple[CurrentValue, _Quarters]] = []
    for current in questions:
        stand = current_value_of(current.query.figures(next(of_series if current.period else of_totals), today))
        if current.period:
            suggestions.append((stand, _beginning_in_quarters(whole_buckets_of(next(of_series), today), year, today)))
        else:
            suggestions.append((stand, {quarter: next(of_totals).total for quarter in quarters}))
    return suggestions


def _beginning_in_quarters(figures: Sequence[MetricValue], year: Window, today: date) -> _Quarters:
    by_window: dict[Window, list[MetricValue]] = {}
    for figure in figures:
        quarter = windows.whole_bucket(figure.window.start, Granularity.QUARTER)
        if year.start <= quarter.start and quarter.end <= today:
            by_window.setdefault(quarter, []).append(figure)
    return by_window


def _peers(questions: Sequence[Question], access: Access, today: date) -> list[Suggestion | str]:
    """The median and the best quartile of comparable units, none of them named."""
    queries = [(question.unit, question.query) for question in questions if question.unit is not None]
    peers = iter(comparable_units(queries, access, today=today) if queries else ())
    return ["" if question.unit is None else _of_peers(question, next(peers)) for question in questions]


def _of_peers(question: Question, peers: Peers | FewestUnits) -> Suggestion | str:
    if isinstance(peers, FewestUnits):
        return (
            f"Comparable units: {peers.found} found, {peers.needed} needed (same level, half to twice the size, enough "
            "data)."
        )
    low, median, high = quantiles(peers.values, n=4, method="inclusive")
    best_quarter = high if question.direction is Direction.HIGHER else low
    return Suggestion(
        "peers",
        "Comparable units",
        f"{len(peers.values)} units at the same level with {peers.fewest_people} to {peers.most_people} people: "
        f"median {question.words(median)}, best quartile {question.words(best_quarter)} or better.",
        question.agreed(median),
        question.agreed(best_quarter),
    )


def _ready_made(question: Question) -> Suggestion | str:
    presets = ready_made_for(question.metric.key)
    if presets is None:
        return ""
    return Suggestion(
        "ready-made",
        "Ready-made target",
        f"{presets.words} Recommended by published improvement programmes.",
        presets.threshold,
        presets.target,
    )


def _published(question: Question, here: CurrentValue, sets: Sequence[BenchmarkSet]) -> list[Suggestion]:
    """Suggestions from published sets, the organisation's first; only from those that use the metric's own
    statistic.
    """
    if question.period or question.metric.better is Better.NEITHER:
        return []
    having = [from_set for from_set in sets if _is_comparable(from_set, question)]
    return [suggestion for fromkey in dict.fromkeys(having) if (suggestion := _of_set(fromkey, question, here))][
        :MOST_SETS
    ]


def _is_comparable(published: BenchmarkSet, question: Question) -> bool:
    bands = published.metrics.get(question.metric.key)
    return bands is not None and bands.are_of(question.metric, None)


def _of_set(published: BenchmarkSet, question: Question, here: CurrentValue) -> Suggestion | None:
    """The border of the next better band, and that of the best one."""
    borders = _borders(published, question)
    if not borders:
        return None
    best_names, best = borders[0]
    names, next_border = _next(borders, question, here)
    sentences = [f"{_capital(best_names)} begins at {question.words(best)}"]
    if next_border != best:
        sentences.append(f"{names} at {question.words(next_border)}")
    stands_at = ""
    if here.value is not None:
        band = benchmark_band(published, question.metric, here.value, None)
        where = f"in {band.label}" if band else "outside the set"
        stands_at = f" The current value is {question.words(here.value)}, {where}."
    source = published.source + (f", taken from {published.secondary}" if published.secondary else "")
    return Suggestion(
        "published",
        published.name,
        f"{', '.join(sentences)}.{stands_at} {source}. A guide, not a norm for a team.",
        question.agreed(next_border) if next_border != best else None,
        question.agreed(best),
    )


def _borders(published: BenchmarkSet, question: Question) -> list[tuple[str, float]]:
    """The bands that have a worse end, with that end; the best band first, in whatever order they are published."""
    higher = question.direction is Direction.HIGHER

    def border(band: Band) -> float:
        return band.start if higher else band.end

    borders = [
        (band.label, border(band))
        for band in published.metrics[question.metric.key].bands
        if math.isfinite(border(band)) and border(band) > 0
    ]
    return sorted(borders, key=lambda pair: pair[1], reverse=higher)


def _next(borders: Sequence[tuple[str, float]], question: Question, here: CurrentValue) -> tuple[str, float]:
    """The nearest border still to be reached, else the best; without a current value, the one before the best."""
    if here.value is None:
        return borders[min(1, len(borders) - 1)]
    ahead = [border for border in borders if question.is_better(border[1], here.value)]
    return ahead[-1] if ahead else borders[0]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


@dataclass(frozen=True)
class ReadyMade:
    """`threshold` and `target` are in the metric's unit; None if the programme names no such step."""

    key: str
    words: str
    threshold: float | None
    target: float | None


READY_MADE = (
    ReadyMade("pr.pickup_time", "A first review within two days.", 2 * DAY, None),
    ReadyMade("pr.review_time", "Reviewed within two days.", 2 * DAY, None),
    ReadyMade("sprint.scope_creep", "Scope creep below 35, then 25, then 15 %, over three quarters.", 35.0, 15.0),
    ReadyMade("ci.success_rate", "More than 80 % of pipelines succeed.", 80.0, None),
    ReadyMade("dora.change_failure_rate", "Less than 10 % of deployments fail users.", 10.0, None),
    ReadyMade("pr.linked_rate", "No pull request without a work item.", None, 100.0),
    ReadyMade("pr.unreviewed_rate", "No pull request is merged without a review.", None, 0.0),
)
"""A key that nothing measures yet is not offered.  “At least two thirds of pull requests small or medium” is left out,
because no metric measures that share."""


def ready_made_for(key: str) -> ReadyMade | None:
    return next((preset for preset in READY_MADE if preset.key == key), None)
