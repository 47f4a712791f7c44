"""The dimensions by which facts are filtered and split, as SQL over a relation's row, which is aliased `source`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from insights.query.measures import Measure
from insights.query.query import Dimension
from integrations.enums import RequestPart

DIMENSION_COLUMNS: Mapping[Dimension, str] = {
    Dimension.AGENT: "agent",
    Dimension.MODEL: "model",
    Dimension.TOOL: "tool",
    Dimension.TOKEN_KIND: "token_kind",
    Dimension.OUTCOME: "ended_at",
    Dimension.REPOSITORY: "repository",
    Dimension.LANGUAGE: "language",
    Dimension.FILE_TYPE: "file_type",
    Dimension.METHOD: "method",
    Dimension.SERVICE: "service",
    Dimension.PROJECT: "project",
    Dimension.EPIC: "epic",
    Dimension.INITIATIVE: "initiative",
    Dimension.WORK_TYPE: "work_type",
    Dimension.SIZE_CLASS: "size_class",
    Dimension.COMPLEXITY_CLASS: "complexity_class",
    Dimension.LINES_KNOWN: "lines_written",
    Dimension.ASSISTANCE: "assistance",
    **{Dimension(part): str(part) for part in RequestPart},
}


_BESIDE = {Dimension.OUTCOME: ("committed", "covered"), Dimension.LINES_KNOWN: ("day",)}


def columns_of(dimension: Dimension) -> Collection[str]:
    """The columns of a relation that the dimension is computed from."""
    column = DIMENSION_COLUMNS[dimension]
    return {column, *_BESIDE.get(dimension, ())}


def value_of(dimension: Dimension) -> str:
    """The dimension's value in a row; a missing one is `unknown`.

    Outcomes depend on the parameter settled_before, and whether lines are known on judged_until, a day.
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
    return f"coalesce(nullif(source.{DIMENSION_COLUMNS[dimension]}, ''), 'unknown')"


def has_dimension(measure: Measure, dimension: Dimension) -> bool:
    """Whether the measure's relation has this dimension, and it applies to the measure."""
    column = DIMENSION_COLUMNS.get(dimension)
    return column is not None and column in measure.relation.columns and dimension not in measure.not_by
