"""The dimensions by which facts are filtered and split, as SQL over a relation's row, which is aliased `source`."""

from __future__ import annotations

from collections.abc import Collection

from insights.query.query import Dimension

# The column of any other dimension is named after it.
_COLUMNS = {Dimension.OUTCOME: "ended_at", Dimension.LINES_KNOWN: "lines_written"}
# The column that lists a fact's values over all its rows, one per line: a filter reads it if rows have no value of
# their own.
_LISTED = {Dimension.MODEL: "models"}
_BESIDE = {Dimension.OUTCOME: ("committed", "covered"), Dimension.LINES_KNOWN: ("day",)}


def column_of(dimension: Dimension) -> str:
    """The column that a relation must have to have the dimension."""
    return _COLUMNS.get(dimension, dimension.value)


def listed_in(dimension: Dimension) -> str:
    """The column that lists all values of a fact; empty if there is none."""
    return _LISTED.get(dimension, "")


def columns_of(dimension: Dimension) -> Collection[str]:
    """The columns of a relation that the dimension is computed from."""
    return {column_of(dimension), *_BESIDE.get(dimension, ())}


def value_of(dimension: Dimension) -> str:
    """SQL for the dimension's value in a row; a missing one is `unknown`.

    Outcomes depend on the parameter settled_before; whether lines are known depends on judged_until, a day.
    """
    if dimension is Dimension.OUTCOME:
        return (
            "CASE WHEN source.committed THEN 'committed' WHEN source.ended_at > $settled_before THEN 'pending' "
            "WHEN NOT source.covered THEN 'unknown' ELSE 'wasted' END"
        )
    if dimension is Dimension.LINES_KNOWN:
        return (
            "CASE WHEN source.lines_written IS NULL THEN 'unknown' WHEN source.day > $judged_until THEN 'pending' "
            "ELSE 'known' END"
        )
    return f"coalesce(nullif(source.{column_of(dimension)}, ''), 'unknown')"
