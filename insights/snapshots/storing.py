"""Writing cells into their table, as lines of COPY: a fill writes millions of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from django.db import connection

from insights.metrics.declarations import Metric, Outcome
from insights.metrics.query import Dimension, Statistic, Window

NULL = r"\N"
LINES_AT_ONCE = 1000

# The period stands first: of a window that is kept under several, the rest of the line is the same.
COLUMNS = (
    *("period", "metric", "version", "unit_id", "start", "end", "segment_name", "segment_value"),
    *("value", "numerator", "denominator", "sample_size", "people", "missing", "unmatched", "low", "mix", "left_out"),
    *(statistic.value for statistic in Statistic),
    "computed_at",
)
_NO_STATISTICS = "\t".join(NULL for _ in Statistic)
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class Computed(NamedTuple):
    """A metric's figures for a unit (None: the whole organisation), a window and a segment value (or "")."""

    metric: Metric
    unit_id: int | None
    window: Window
    segment_value: str
    unmatched: float | None
    outcome: Outcome


def store(
    cells: Iterable[Computed], periods: Mapping[Window, Sequence[str]], split: tuple[Dimension, ...], at: datetime
) -> int:
    """Add the cells as computed at that moment, once for each period of their windows; how many there are."""
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    lines = _Lines(split[0].value if split else "", at)
    all_lines = (period + line for cell in cells for line in [lines.of(cell)] for period in periods[cell.window])
    written = 0
    with connection.cursor() as cursor, cursor.copy(f"COPY insights_metriccell ({names}) FROM STDIN") as copy:
        while some := list(islice(all_lines, LINES_AT_ONCE)):
            copy.write("".join(some))
            written += len(some)
    return written


class _Lines:
    """The lines of one split, without the period with which each begins."""

    def __init__(self, segment_name: str, at: datetime) -> None:
        self._segment_name = segment_name
        self._end = f"\t{at.isoformat()}\n"
        self._days: dict[Window, str] = {}

    def of(self, cell: Computed) -> str:
        """See https://www.postgresql.org/docs/current/sql-copy.html for the format."""
        metric, unit_id, window, segment_value, unmatched, outcome = cell
        days = self._days.get(window)
        if days is None:
            days = self._days[window] = f"{window.start}\t{window.end}"
        value, numerator, denominator, sample_size, people, statistics, missing, low, mix, left_out = outcome
        return (
            f"\t{metric.key}\t{metric.version}\t{NULL if unit_id is None else unit_id}\t{days}"
            f"\t{self._segment_name}\t{segment_value.translate(_ESCAPED)}"
            f"\t{NULL if value is None else value}\t{NULL if numerator is None else numerator}"
            f"\t{NULL if denominator is None else denominator}\t{sample_size}\t{people}\t{'t' if missing else 'f'}"
            f"\t{NULL if unmatched is None else unmatched}\t{NULL if low is None else low}"
            f"\t{json.dumps(dict(mix)).translate(_ESCAPED) if mix else '{}'}\t{left_out}"
            f"\t{_told(statistics) if statistics else _NO_STATISTICS}{self._end}"
        )


def _told(statistics: Mapping[Statistic, float]) -> str:
    return "\t".join(str(statistics.get(statistic, NULL)) for statistic in Statistic)
