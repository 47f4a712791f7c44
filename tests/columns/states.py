"""Whether columns are built: nothing, all, or half of them.  Whatever is asked must be answered alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from psycopg import sql

from insights.columns import check, refresh, rows, shape, stale
from insights.columns.stale import mark_partitions
from insights.models import ColumnPartition
from insights.query.query import Window
from integrations.facts.relation import Relation


@contextmanager
def copied_alone(names: Iterable[str]) -> Iterator[None]:
    """As if metrics read these relations alone: the others would cost, without any row, a second at each build."""
    relations = {name: shape.copied_relations()[name] for name in names}
    with ExitStack() as patches:
        for module in (check, refresh, stale):
            patches.enter_context(mock.patch.object(module, "copied_relations", return_value=relations))
        yield


@contextmanager
def slow_rows(relation: Relation, *, on: Callable[[Sequence[Window]], bool] = lambda _: True) -> Iterator[None]:
    """Statements over the relation's rows on such days take PostgreSQL half a second more."""
    select = rows.select_rows

    def select_slowly(selected: Relation, names: Any, days: Sequence[Window]) -> sql.Composed:
        statement = select(selected, names, days)
        if selected.name != relation.name or not on(days):
            return statement
        return sql.SQL("SELECT slow.* FROM ({}) AS slow WHERE (SELECT pg_sleep(0.5) IS NOT NULL)").format(statement)

    with mock.patch.object(rows, "select_rows", select_slowly):
        yield


def column_states(chance: random.Random) -> Iterator[str]:
    """The name of every state, while the columns are in it.  Facts must be complete, and stay as they are."""
    assert not ColumnPartition.objects.exists()
    yield "nothing is built"
    build_all()
    assert not ColumnPartition.objects.exclude(stale_since=None).exists()
    yield "all is built"
    numbers = sorted(ColumnPartition.objects.values_list("pk", flat=True))
    mark_partitions(chance.sample(numbers, (len(numbers) + 1) // 2))
    yield "half of it is built"


def build_all() -> None:
    """However many rounds it takes on a busy machine."""
    while refresh.refresh():
        pass
