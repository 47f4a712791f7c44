"""What of a relation is copied: its columns, their types in DuckDB, and the hash of both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from django.conf import settings

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import metrics
from insights.columns.rows import types_of
from insights.query.measures import Measure, PeopleOfWindow
from insights.query.query import Window
from integrations.facts.relation import STANDING_ON, Relation
from integrations.models import FactFamily

FORMAT = "1"  # of the files; another number has all of them built again
# What a page shows of a row beside its figures; it is looked up in PostgreSQL.
DESCRIBING = frozenset({"path", "reference", "sha", "subject", "title", "url"})


@dataclass(frozen=True)
class Shape:
    """The columns of a relation's copy by name, in their order, with their types in DuckDB.

    `known_days` says of how many days, from that of its building, a partition is true; None: of all.  Rows of some
    relations are there from their day on, without a change of any fact.  A stock's may stand without an end, and would
    be in every partition to come.
    """

    types: Mapping[str, str]
    hash: str
    known_days: int | None

    def known(self, days: Window, built_on: date) -> Window:
        """Of which of these days a partition is true that was built on that day; none: it ends where it starts."""
        if self.known_days is None:
            return days
        return Window(days.start, max(days.start, min(days.end, built_on + timedelta(days=self.known_days))))


@cache
def shape_of(relation: Relation) -> Shape:
    left_out = {*DESCRIBING, STANDING_ON, relation.stock.days} if relation.stock else DESCRIBING
    found = types_of(relation)
    types = {name: found[name] for name in sorted(found.keys() - left_out)}
    known_days = 1 if relation.stock else 0 if "now()" in relation.sql else None
    described = (*(f"{name} {kind}" for name, kind in types.items()), f"known days: {known_days}")
    text = "\n".join((FORMAT, settings.TIME_ZONE, relation.sql, *described))
    return Shape(types, hashlib.sha256(text.encode()).hexdigest(), known_days)


@cache
def copied_relations() -> Mapping[str, Relation]:
    """By name, those whose rows any metric is computed from.

    People who are there are no rows on days: tables of DuckDB hold them (insights/engine/tables.py).
    """
    return relations_of(metrics())


def relations_of(computed: Iterable[Metric]) -> Mapping[str, Relation]:
    """The same of these metrics."""
    found = {measure.relation.name: measure.relation for metric in computed for measure in _finer(metric.measures)}
    return dict(sorted(found.items()))


def _finer(measures: tuple[Measure, ...]) -> Iterator[Measure]:
    for measure in measures:
        if not isinstance(measure, PeopleOfWindow):
            yield measure
        yield from _finer(tuple(finer for _, finer in measure.instead))
        if measure.told_by is not None:
            yield from _finer((measure.told_by,))


def families_of(relation: Relation) -> frozenset[FactFamily]:
    """A change of facts of these changes its rows."""
    return relation.also | {relation.family}
