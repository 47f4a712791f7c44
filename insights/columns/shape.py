"""What of a relation is copied: its columns, their types in DuckDB, and the hash of both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from django.conf import settings

from insights.columns.rows import TYPES, types_in_postgresql
from insights.metrics.declarations import Metric
from insights.metrics.measures import Measure
from insights.metrics.registry import metrics
from integrations.facts.relation import STANDING_ON, Relation
from integrations.models import FactFamily

FORMAT = "1"  # of the files; another number has all of them built again
# What a page shows of a row beside its figures; it is looked up in PostgreSQL.
DESCRIBING = frozenset({"path", "reference", "sha", "subject", "title", "url"})
SERVICES_OF_PULL_REQUESTS = "integrations_touchedservice"
_RANGES_OF_DAYS = frozenset({3912, 4535})  # daterange, datemultirange


@dataclass(frozen=True)
class Shape:
    """The columns of a relation's copy by name, in their order, with their types in DuckDB."""

    types: Mapping[str, str]
    hash: str
    knows_clock: bool  # rows of a day are there from that day on, without a change of any fact


@cache
def shape_of(relation: Relation) -> Shape | None:
    """None: rows that stand on days other than their own are not copied, and always read from PostgreSQL.

    A change of facts names the days on which something is other than before.  A stock, or a person with the days on
    which they were there, counts on such days without a row of its own there.  A deployment says which services the
    pull requests in it are of, on days long past, and names only its own.
    """
    if relation.stock is not None or SERVICES_OF_PULL_REQUESTS in relation.sql:
        return None
    names = sorted(relation.columns - DESCRIBING - {STANDING_ON})
    codes = types_in_postgresql(relation.sql)
    if any(codes[name] in _RANGES_OF_DAYS for name in names):
        return None
    types = {name: TYPES.get(codes[name], "VARCHAR") for name in names}
    text = "\n".join((FORMAT, settings.TIME_ZONE, relation.sql, *(f"{name} {kind}" for name, kind in types.items())))
    return Shape(types, hashlib.sha256(text.encode()).hexdigest(), "now()" in relation.sql)


@cache
def copied_relations() -> Mapping[str, Relation]:
    """By name, those that any metric is computed from and that are copied."""
    return relations_of(metrics())


def relations_of(computed: Iterable[Metric]) -> Mapping[str, Relation]:
    """The same of these metrics."""
    found = {measure.relation.name: measure.relation for metric in computed for measure in _finer(metric.measures)}
    return {name: relation for name, relation in sorted(found.items()) if shape_of(relation)}


def _finer(measures: tuple[Measure, ...]) -> Iterator[Measure]:
    for measure in measures:
        yield measure
        yield from _finer(tuple(finer for _, finer in measure.instead))
        if measure.told_by is not None:
            yield from _finer((measure.told_by,))


def families_of(relation: Relation) -> frozenset[FactFamily]:
    """A change of facts of these changes its rows."""
    return relation.also | {relation.family}
