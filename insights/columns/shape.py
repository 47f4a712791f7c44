"""The shape of a relation's copy: its columns, their DuckDB types, and a hash of both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from django.conf import settings

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import declared_metrics
from insights.columns.rows import types_of
from insights.query.measures import PeopleOfWindow
from insights.query.query import Window
from integrations.facts.hand_kept import HAND_KEPT_VALUES
from integrations.facts.relation import STOCK_DAY, Relation
from integrations.models import FactFamily

FORMAT = "1"  # of the files; a new number forces all of them to be rebuilt
# Descriptive columns, which pages look up in PostgreSQL.
DESCRIBING = frozenset({"entered_by", "entered_via", "note", "path", "reference", "sha", "subject", "title", "url"})


@dataclass(frozen=True)
class Shape:
    """The columns of a relation's copy by name, in order, with their DuckDB types.

    `known_days` is the number of days, from its build day on, for which a partition is valid; None: all days.  It is
    limited because rows of some relations appear on their day without a change of facts, and open-ended rows of a stock
    would be in every future partition.
    """

    types: Mapping[str, str]
    hash: str
    known_days: int | None

    def known(self, days: Window, built_on: date) -> Window:
        """The days for which a partition built on that day is valid; possibly an empty window."""
        if self.known_days is None:
            return days
        return Window(days.start, max(days.start, min(days.end, built_on + timedelta(days=self.known_days))))


@cache
def shape_of(relation: Relation) -> Shape:
    left_out = {*DESCRIBING, STOCK_DAY, relation.stock.days} if relation.stock else DESCRIBING
    types_found = types_of(relation)
    types = {name: types_found[name] for name in sorted(types_found.keys() - left_out)}
    known_days = 1 if relation.stock else 0 if "now()" in relation.sql else None
    described = (*(f"{name} {kind}" for name, kind in types.items()), f"known days: {known_days}")
    text = "\n".join((FORMAT, settings.TIME_ZONE, relation.sql, *described))
    return Shape(types, hashlib.sha256(text.encode()).hexdigest(), known_days)


@cache
def copied_relations() -> Mapping[str, Relation]:
    """The relations that any metric reads as facts, by name; the relation of hand-kept metrics is included even if
    there are none yet.

    People's presence is not facts on days: it is in DuckDB tables (insights/engine/tables.py).
    """
    relations = {**relations_of(declared_metrics()), HAND_KEPT_VALUES.name: HAND_KEPT_VALUES}
    return dict(sorted(relations.items()))


def relations_of(metrics_: Iterable[Metric]) -> Mapping[str, Relation]:
    """The relations that these metrics read as facts, by name."""
    measures = (
        measure for metric in metrics_ for measure in metric.measures if not isinstance(measure, PeopleOfWindow)
    )
    relations = {relation.name: relation for measure in measures for relation in measure.relation.with_finer}
    return dict(sorted(relations.items()))


def families_of(relation: Relation) -> frozenset[FactFamily]:
    """The families of facts whose changes affect the relation's rows."""
    return relation.also | {relation.family}
