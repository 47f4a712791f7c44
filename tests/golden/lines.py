"""The format of a figure's line: see tests/golden/__init__.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from insights.query.query import MetricValue, Query, Window

ALL = "all"  # of a field that narrows nothing
NOTHING_FOUND = "nothing found"  # of a split of which there is no part

Part = float | int | str | None


@dataclass(frozen=True)
class Place:
    """The place of a figure in the text."""

    organisation: str
    metric: str
    statistic: str
    scope: str
    window: str
    segment: str
    question: str

    def line(self, parts: Mapping[str, Part]) -> str:
        """With what was answered.  Floats are measured, whole numbers are counted."""
        fields = (self.organisation, self.metric, self.statistic, self.scope, self.window, self.segment, self.question)
        answered = [f"{name}={_printed(part)}" for name, part in parts.items() if name == "value" or part]
        return "\t".join([*map(_on_one_line, fields), *answered])


def place(
    organisation: str,
    query: Query,
    scope: str,
    question: str,
    *,
    window: str | None = None,
    segment: Mapping[str, str] | None = None,
) -> Place:
    """The place of a figure that answers the query; for its whole window unless another is given."""
    return Place(
        organisation,
        query.key,
        str(query.statistic or "own"),
        scope,
        window or f"{days(query.window)} {query.granularity}",
        _segment(query, segment or {}),
        question,
    )


def figure_parts(figure: MetricValue) -> Mapping[str, Part]:
    """The engine's answer for one window and segment."""
    return {
        "value": measured(figure.value),
        "numerator": measured(figure.numerator),
        "denominator": measured(figure.denominator),
        "sample": figure.sample_size,
        "people": figure.people,
        "low": measured(figure.low),
        "high": measured(figure.high),
        "left_out": figure.left_out,
        "to_date": int(figure.to_date),
        **{f"mix {method}": measured(share) for method, share in sorted(figure.mix.items())},
        "reason": figure.reason,
    }


def measured(number: float | Decimal | None) -> float | None:
    """As a float: 3, Decimal("3.00") and 3.0 are printed in one way, as are 0 and −0.0."""
    return None if number is None else float(number) + 0.0


def days(window: Window) -> str:
    return f"{window.start}..{window.end}"


def sorted_text(lines: Iterable[str]) -> str:
    """One line a figure, in an order that does not depend on that of the questions."""
    return "".join(f"{line}\n" for line in sorted(lines))


def printable(part: Any) -> Part:
    """A field of any type: whole numbers are counts, other numbers are measured, days are texts."""
    if part is None or isinstance(part, (int, str)):
        return part
    return str(part) if isinstance(part, date) else measured(part)


def _segment(query: Query, segment: Mapping[str, str]) -> str:
    filters = [f"{name} is {' or '.join(values)}" for name, values in sorted(query.facets.items())]
    always = "" if query.segments else "always by "  # some metrics are split without being asked to
    split = [f"{always}{name}={value}" for name, value in segment.items()]
    if query.segments and not split:
        split = [f"{name}: {NOTHING_FOUND}" for name in query.segments]
    return ", ".join([*filters, *split]) or ALL


def _printed(part: Part) -> str:
    if part is None:
        return "-"
    return repr(part) if isinstance(part, float) else _on_one_line(str(part))


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
