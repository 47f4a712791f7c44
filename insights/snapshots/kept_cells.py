"""Stored cells, many at a time: plain rows, because a page reads hundreds of them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection

from insights.metrics.declarations import Outcome
from insights.metrics.query import Statistic, Window


class Wanted(NamedTuple):
    """A metric's cells of a unit (None: the whole organisation) in these windows, split in these ways."""

    metric: str
    segment_names: Sequence[str]
    unit_id: int | None
    windows: Sequence[Window]


class Kept(NamedTuple):
    """A cell as it is read."""

    version: int
    segment_value: str
    unmatched: float | None
    outcome: Outcome


Cells = Mapping[tuple[str, int | None, Window, str], Sequence[Kept]]

STATISTICS = tuple(Statistic)


def read_cells(wanted: Iterable[Wanted]) -> Cells:
    """By metric, unit, window and segment name, in one query; more may be there than was wanted."""
    splits: set[tuple[str, str]] = set()
    spans: set[tuple[int | None, Window]] = set()
    for each in wanted:
        splits |= {(each.metric, name) for name in each.segment_names}
        spans |= {(each.unit_id, window) for window in each.windows}
    found: dict[tuple[str, int | None, Window, str], list[Kept]] = defaultdict(list)
    if not spans:
        return found
    of_whole = [window for unit_id, window in spans if unit_id is None]
    of_units = [(unit_id, window) for unit_id, window in spans if unit_id is not None]
    statements = [text for text, own in ((CELLS_OF_WHOLE, of_whole), (CELLS_OF_UNITS, of_units)) if own]
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(statements),
            {
                "metrics": [metric for metric, _ in splits],
                "segments": [name for _, name in splits],
                "whole_starts": [window.start for window in of_whole],
                "whole_ends": [window.end for window in of_whole],
                "units": [unit_id for unit_id, _ in of_units],
                "unit_starts": [window.start for _, window in of_units],
                "unit_ends": [window.end for _, window in of_units],
            },
        )
        for metric, unit_id, start, end, name, version, value, unmatched, *figures in cursor:
            found[metric, unit_id, Window(start, end), name].append(Kept(version, value, unmatched, _outcome(figures)))
    return found


_COLUMNS = """
    cell.metric, cell.unit_id, cell.start, cell."end", cell.segment_name,
    cell.version, cell.segment_value, cell.unmatched,
    cell.value, cell.numerator, cell.denominator, cell.sample_size, cell.people, cell.missing, cell.low,
    nullif(cell.mix, '{}')::text, cell.left_out, cell.median, cell.mean, cell.p75, cell.p90, cell.p95
"""
_SPLITS = """
    (cell.metric, cell.segment_name) IN (SELECT * FROM unnest(%(metrics)s::text[], %(segments)s::text[]))
"""
# Two statements: no index finds a null by comparing it.
CELLS_OF_WHOLE = f"""
    SELECT {_COLUMNS}
    FROM unnest(%(whole_starts)s::date[], %(whole_ends)s::date[]) AS span (starts, ends)
    JOIN insights_metriccell cell ON cell.start = span.starts AND cell."end" = span.ends AND cell.unit_id IS NULL
    WHERE {_SPLITS}
"""  # noqa: S608 — of the texts above
CELLS_OF_UNITS = f"""
    SELECT {_COLUMNS}
    FROM unnest(%(units)s::bigint[], %(unit_starts)s::date[], %(unit_ends)s::date[]) AS span (unit_id, starts, ends)
    JOIN insights_metriccell cell
      ON cell.start = span.starts AND cell."end" = span.ends AND cell.unit_id = span.unit_id
    WHERE {_SPLITS}
"""  # noqa: S608 — of the texts above


def _outcome(figures: Sequence[Any]) -> Outcome:
    value, numerator, denominator, sample_size, people, missing, low, mix, left_out, *statistics = figures
    return Outcome(
        value,
        numerator,
        denominator,
        sample_size,
        people,
        {statistic: each for statistic, each in zip(STATISTICS, statistics, strict=True) if each is not None},
        missing,
        low,
        json.loads(mix) if mix else {},
        left_out,
    )
