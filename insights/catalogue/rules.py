"""The rules of *What to look for*, which metrics declare: conditions on a window's figures, and what they suggest.

    look_for=(
        Rule(
            when=(base("ci.flaky_rate", "runs").at_least(100), value("ci.flaky_rate").at_least(5.0)),
            says="{ci.flaky_rate} of the runs failed first and passed on a retry.",
            check=rows("See the runs", "ci.flaky_rate"),
        ),
    )

A rule holds if all its conditions do; an unknown figure fulfils none.  A metric shows the first of its rules that
holds.  insights/ui/hints.py words them for pages and for the table in the docs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from insights.query.query import MetricValue

FigureOf = Callable[[str], MetricValue | None]
FRACTION, POINTS = "fraction", "points"  # units of bounds, in addition to those of metrics


@dataclass(frozen=True)
class Figures:
    """The figures that rules read; `given` are additional values from the page, as numbers and as text."""

    now: FigureOf
    before: FigureOf = lambda _key: None
    given: Mapping[str, float] = field(default_factory=dict)
    printed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Condition:
    """Bounds on a number taken from the figures of `metrics`, or given by the page under `name`.

    `words` is the condition in the docs, with `{bounds}`, and metrics' names as `{ai.spend}`.  `unit` is FRACTION,
    POINTS or the key of the metric whose unit the bounds use.
    """

    number: Callable[[Figures], float | None]
    words: str
    metrics: tuple[str, ...] = ()
    name: str = ""
    unit: str = ""
    lowest: float | None = None
    under: float | None = None
    highest: float | None = None
    most_either_way: float | None = None

    def at_least(self, bound: float) -> Condition:
        return replace(self, lowest=bound)

    def below(self, bound: float) -> Condition:
        return replace(self, under=bound)

    def at_most(self, bound: float) -> Condition:
        return replace(self, highest=bound)

    def within(self, bound: float) -> Condition:
        """The condition that the number differs from zero by at most the bound."""
        return replace(self, most_either_way=bound)

    @property
    def earlier(self) -> Condition:
        """The same condition on the previous window."""
        number, words = self.number, f"{self.words} in the window before"
        return replace(self, number=lambda figures: number(replace(figures, now=figures.before)), words=words)

    def holds(self, figures: Figures) -> bool:
        """Whether the number is within the bounds; an unknown number fulfils no condition."""
        known = self.number(figures)
        if known is None:
            return False
        number = round(known, 9)  # 105 is exactly 5 % more than 100, despite binary fractions
        return (
            (self.lowest is None or number >= self.lowest)
            and (self.under is None or number < self.under)
            and (self.highest is None or number <= self.highest)
            and (self.most_either_way is None or abs(number) <= self.most_either_way)
        )


def value(key: str) -> Condition:
    return Condition(lambda figures: _value(figures.now, key), f"{{{key}}} {{bounds}}", (key,), unit=key)


def facts(key: str, noun: str) -> Condition:
    """The number of facts behind the figure, named by `noun`."""

    def number(figures: Figures) -> float | None:
        figure = figures.now(key)
        return None if figure is None or figure.value is None else figure.sample_size

    return Condition(number, f"{{bounds}} {noun}", (key,))


def base(key: str, noun: str) -> Condition:
    """The denominator of a ratio, which counts what `noun` names."""

    def number(figures: Figures) -> float | None:
        figure = figures.now(key)
        return None if figure is None or figure.value is None else figure.denominator

    return Condition(number, f"{{bounds}} {noun}", (key,))


def total(*keys: str, noun: str) -> Condition:
    """The sum of several metrics, named by `noun`."""
    return Condition(lambda figures: _sum(figures, keys), f"{noun} {{bounds}}", keys, unit=keys[0])


def share(key: str, *of: str, noun: str = "") -> Condition:
    """The value's share, 0 to 1, of the sum of others; `noun` names that sum, by default by the other metric."""

    def number(figures: Figures) -> float | None:
        part, whole = _value(figures.now, key), _sum(figures, of)
        return None if part is None or not whole else part / whole

    words = f"{{{key}}} {{bounds}} of {noun or f'{{{of[0]}}}'}"
    return Condition(number, words, tuple(dict.fromkeys((key, *of))), "share", FRACTION)


def rise(key: str) -> Condition:
    """The rise of the value over the previous window, as a fraction: 0.25 means a quarter more."""

    def number(figures: Figures) -> float | None:
        now, before = _value(figures.now, key), _value(figures.before, key)
        return None if now is None or not before else now / before - 1

    return Condition(number, f"{{{key}}} {{bounds}}", (key,), "rise", FRACTION)


def points(key: str) -> Condition:
    """The rise of a percentage over the previous window, in percentage points."""

    def number(figures: Figures) -> float | None:
        now, before = _value(figures.now, key), _value(figures.before, key)
        return None if now is None or before is None else now - before

    return Condition(number, f"{{{key}}} {{bounds}}", (key,), "points", POINTS)


def given(name: str, words: str, *, unit: str = "") -> Condition:
    """A number that the page provides under that name."""
    return Condition(lambda figures: figures.given.get(name), f"{{bounds}} {words}", name=name, unit=unit)


def _value(figure_of: FigureOf, key: str) -> float | None:
    figure = figure_of(key)
    return figure.value if figure else None


def _sum(figures: Figures, keys: tuple[str, ...]) -> float:
    return sum(_value(figures.now, key) or 0 for key in keys)


class Check(NamedTuple):
    """The link with which to check a rule's hint: a route with its arguments, and `picks`, parameters added to the
    filters.
    """

    label: str
    route: str
    arguments: tuple[str, ...] = ()
    picks: tuple[tuple[str, str], ...] = ()


def rows(label: str, key: str) -> Check:
    """A check that opens the rows behind the metric."""
    return Check(label, "metric_rows", (key,))


def how(key: str) -> Check:
    """A check that shows how the metric is computed."""
    return Check("See how it is computed", "metric_how", (key,))


@dataclass(frozen=True)
class Rule:
    """A hint that is shown `when` all conditions hold.

    `says` is a template: `{ai.spend}` is a figure; `{rise}`, `{points}` and `{share}` are the number of the condition
    with that name; the page fills in other names.
    """

    when: tuple[Condition, ...]
    says: str
    check: Check

    def holds(self, figures: Figures) -> bool:
        return all(condition.holds(figures) for condition in self.when)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The keys of the metrics that the rule reads, each once."""
        return tuple(dict.fromkeys(key for condition in self.when for key in condition.metrics))
