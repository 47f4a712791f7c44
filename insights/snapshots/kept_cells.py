"""Stored cells, many at a time: plain rows, because a page reads hundreds of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from django.db import connection

from insights.engine.scan import Cell
from insights.metrics.figures import Figures, FigureValues
from insights.metrics.query import Window


class Wanted(NamedTuple):
    """The cells of a group, of a unit (None: the whole organisation) in a window."""

    group_id: int
    unit_id: int | None
    window: Window


class Kept(NamedTuple):
    """What of a cell is read."""

    segment_value: str
    figures: Figures


Cells = Mapping[Wanted, Collection[Kept]]


def as_scanned(kept: Kept, starts: Mapping[str, int]) -> Cell:
    """The cell as its statement found it."""
    figures = kept.figures
    return Cell(FigureValues(figures, starts), figures.facts, figures.matched_facts)


def read_cells(wanted: Iterable[Wanted]) -> Cells:
    """The cells by what was wanted, in one query; more may be there than that, and what has none is not."""
    groups: set[int] = set()
    of_whole: set[Window] = set()
    of_units: set[tuple[int, Window]] = set()
    for group_id, unit_id, window in wanted:
        groups.add(group_id)
        if unit_id is None:
            of_whole.add(window)
        else:
            of_units.add((unit_id, window))
    found: dict[Wanted, dict[str, Kept]] = defaultdict(dict)  # a span may be kept under two periods
    statements = [text for text, own in ((CELLS_OF_WHOLE, of_whole), (CELLS_OF_UNITS, of_units)) if own]
    if not statements:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(statements),
            {
                "groups": list(groups),
                "whole_starts": [window.start for window in of_whole],
                "whole_ends": [window.end for window in of_whole],
                "units": [unit_id for unit_id, _ in of_units],
                "unit_starts": [window.start for _, window in of_units],
                "unit_ends": [window.end for _, window in of_units],
            },
        )
        for group_id, unit_id, start, end, value, facts, matched, people, numbers in cursor:
            cell = Kept(value, Figures(facts, matched, people, numbers))
            found[Wanted(group_id, unit_id, Window(start, end))][value] = cell
    return {each: of_values.values() for each, of_values in found.items()}


_COLUMNS = """
    cell.group_id, cell.unit_id, cell.start, cell."end", cell.segment_value,
    cell.facts, cell.matched_facts, cell.people, cell.figures
"""
# Two statements: no index finds a null by comparing it.
CELLS_OF_WHOLE = f"""
    SELECT {_COLUMNS}
    FROM unnest(%(whole_starts)s::date[], %(whole_ends)s::date[]) AS span (starts, ends)
    JOIN insights_metriccell cell ON cell.start = span.starts AND cell."end" = span.ends AND cell.unit_id IS NULL
    WHERE cell.group_id = ANY(%(groups)s)
"""  # noqa: S608 — of the text above
CELLS_OF_UNITS = f"""
    SELECT {_COLUMNS}
    FROM unnest(%(units)s::bigint[], %(unit_starts)s::date[], %(unit_ends)s::date[]) AS span (unit_id, starts, ends)
    JOIN insights_metriccell cell
      ON cell.start = span.starts AND cell."end" = span.ends AND cell.unit_id = span.unit_id
    WHERE cell.group_id = ANY(%(groups)s)
"""  # noqa: S608 — of the text above
