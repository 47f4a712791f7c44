"""The words of a metric about a figure: the sample behind it, and what it leaves out, from the declaration's templates.

A template names parts of the figure: `{numerator}`, `{denominator}`, `{facts}` (the sample) and `{people}`.
`{facts:commit}` adds the noun, in singular or plural.  `{ai.session_span}` is the value of another metric that was read
with it, `{-ai.session_span}` is 100 minus such a percentage.  A part in brackets is left out if a value is unknown or
all are 0; a note is then left out as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from insights.catalogue.declarations import Metric, PerPersonAndPeriod, Ratio
from insights.catalogue.registry import get
from insights.query.query import MetricValue
from insights.ui import wording

OPTIONAL = re.compile(r"\[([^]]*)]")
PLACEHOLDER = re.compile(r"\{(-?)([a-z_.]+)(?::([^}]+))?}")
FigureOf = Callable[[str], MetricValue | None]


def named_beside(metric: Metric) -> Iterator[str]:
    """The keys of the other metrics that its sample and notes name."""
    for template in (metric.sample, *metric.notes):
        yield from (name for _, name, _ in PLACEHOLDER.findall(template) if "." in name)


def sample_of(metric: Metric, figure: MetricValue, beside: FigureOf) -> str:
    """The sample in words: 90 of 1,116 deployments; 412 PRs · 12 excluded"""
    if metric.sample:
        words = OPTIONAL.sub(lambda part: _filled(part[1], figure, beside), _outside(metric.sample, figure, beside))
    elif isinstance(metric, PerPersonAndPeriod):
        words = wording.counted(figure.people, "developer")
    elif isinstance(metric, Ratio) and metric.unit == "percent" and figure.numerator is not None:
        above, below = figure.numerator, figure.denominator or 0
        words = f"{wording.amount(above)} {'for' if above > below else 'of'} {wording.amount(below)}"
        if below == figure.sample_size:
            words = f"{words} {metric.fact if below == 1 else wording.plural_of(metric.fact)}"
    else:
        words = wording.counted(figure.sample_size, metric.fact)
    return f"{words} · {figure.left_out:,} excluded" if figure.left_out else words


def notes_of(metric: Metric, figure: MetricValue, beside: FigureOf) -> list[str]:
    """Notes on the records that the figure leaves out."""
    return list(filter(None, (_filled(template, figure, beside) for template in metric.notes)))


def _outside(template: str, figure: MetricValue, beside: FigureOf) -> str:
    """Fills in the parts of the template outside brackets."""
    parts = re.split(r"(\[[^]]*])", template)
    return "".join(part if part.startswith("[") else _substituted(part, figure, beside) for part in parts)


def _filled(template: str, figure: MetricValue, beside: FigureOf) -> str:
    """The template with its values; empty if one of them is unknown, or all are empty."""
    values = [_value(rest, name, figure, beside) for rest, name, _ in PLACEHOLDER.findall(template)]
    return _substituted(template, figure, beside) if None not in values and any(values) else ""


def _substituted(template: str, figure: MetricValue, beside: FigureOf) -> str:
    return PLACEHOLDER.sub(lambda found: _printed(found[1], found[2], found[3], figure, beside), template)


def _printed(rest: str, name: str, noun: str | None, figure: MetricValue, beside: FigureOf) -> str:
    value = _value(rest, name, figure, beside) or 0
    if noun:
        return wording.counted(value, noun)
    return str(wording.reading(value, get(name).unit)) if "." in name else wording.amount(value)


def _value(rest: str, name: str, figure: MetricValue, beside: FigureOf) -> float | None:
    if "." in name:
        other = beside(name)
        value = other.value if other else None
        return 100 - value if rest and value is not None else value
    parts = {
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "facts": figure.sample_size,
        "people": figure.people,
    }
    return parts[name]
