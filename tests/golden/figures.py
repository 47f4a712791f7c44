"""The engine's answers for whole windows and their buckets, and for units together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from insights.catalogue.registry import metrics
from insights.engine.read import UnitQueries, read_together
from insights.query import windows
from insights.query.query import Answer, Dimension, Query, Scope, Window
from orgtree.models import Unit
from tests.golden.lines import Part, days, figure_parts, measured, place
from tests.golden.questions import Organisation, filtered_queries, series_queries, split, total_queries

BATCH = 400  # queries answered together
TABLE_WEEKS = 12  # what pages show first


def figure_lines(organisation: Organisation) -> Iterator[str]:
    """The lines of every scope; then filtered by values from the answers of everybody."""
    values: dict[Dimension, set[str]] = defaultdict(set)
    for name, scope in organisation.scopes.items():
        series, totals = series_queries(organisation, scope), total_queries(organisation, scope)
        for answer in _answers(series=series):
            _note_values(answer, values)
            yield from _lines(organisation, name, answer, "series")
        for answer in _answers(totals=totals):
            yield from _lines(organisation, name, answer, "total")
    known = {dimension: sorted(of_dimension) for dimension, of_dimension in values.items()}
    for answer in _answers(series=filtered_queries(organisation, known)):
        yield from _lines(organisation, "everybody", answer, "series")


def side_by_side_lines(organisation: Organisation) -> Iterator[str]:
    """All units in one question, as tables of units ask: each metric, statistic and split of all the time.

    Of twelve weeks, and of people of whom an attribute holds, without splits.
    """
    whole, trailing = organisation.window, windows.trailing(TABLE_WEEKS)
    yield from _side_by_side(organisation, _in_all_statistics(whole, Scope(), with_splits=True), "")
    yield from _side_by_side(organisation, _in_all_statistics(trailing, Scope()), "")
    held = next((scope.where for scope in organisation.scopes.values() if scope.where), None)
    if held:
        queries = _in_all_statistics(whole, Scope(where=held))
        yield from _side_by_side(organisation, queries, ", people with an attribute")


def _side_by_side(organisation: Organisation, queries: Iterable[Query], note: str) -> Iterator[str]:
    units = dict(Unit.objects.values_list("pk", "slug"))
    for batch in _batches(queries):
        [by_unit] = read_together(units=[UnitQueries(batch, sorted(units))]).units
        for pk, slug in units.items():
            for answer in by_unit[pk]:
                yield from _lines(organisation, f"unit {slug}{note}", answer, "side by side")


def _in_all_statistics(window: Window, scope: Scope, *, with_splits: bool = False) -> Iterator[Query]:
    for metric in metrics():
        for statistic in (None, *metric.statistics):
            query = Query(metric.key, window, scope=scope, statistic=statistic)
            yield query
            yield from split(metric, query) if with_splits else ()


def _answers(*, series: Iterable[Query] = (), totals: Iterable[Query] = ()) -> Iterator[Answer]:
    for some in _batches(series):
        yield from read_together(series=some).series
    for some in _batches(totals):
        yield from read_together(totals=some).totals


def _batches(queries: Iterable[Query]) -> Iterator[Sequence[Query]]:
    remaining = iter(queries)
    while batch := tuple(islice(remaining, BATCH)):
        yield batch


def _lines(organisation: Organisation, scope: str, answer: Answer, question: str) -> Iterator[str]:
    query = answer.query
    for figure in answer.total:
        at = place(organisation.name, query, scope, question, segment=figure.segment)
        yield at.line(figure_parts(figure))
    for figure in answer.series:
        window = f"{days(query.window)} {query.granularity} {days(figure.window)}"
        at = place(organisation.name, query, scope, question, window=window, segment=figure.segment)
        yield at.line(figure_parts(figure))
    if answer.unmatched:
        unmatched: Mapping[str, Part] = {"value": measured(answer.unmatched)}
        yield place(organisation.name, query, scope, f"{question}, unmatched").line(unmatched)


def _note_values(answer: Answer, values: dict[Dimension, set[str]]) -> None:
    for figure in answer.total:
        for name, value in figure.segment.items():
            values[Dimension(name)].add(value)
