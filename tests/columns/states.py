"""Whether columns are built: nothing, all, or half of them.  Whatever is asked must be answered alike."""

from __future__ import annotations

import random
from collections.abc import Iterator

from insights.columns.refresh import refresh
from insights.columns.stale import mark_partitions
from insights.models import ColumnPartition


def column_states(chance: random.Random) -> Iterator[str]:
    """The name of every state, while the columns are in it.  Facts must be complete, and stay as they are."""
    assert not ColumnPartition.objects.exists()
    yield "nothing is built"
    build_all()
    assert not ColumnPartition.objects.exclude(stale_since=None).exists()
    yield "all is built"
    numbers = sorted(ColumnPartition.objects.values_list("pk", flat=True))
    mark_partitions(chance.sample(numbers, len(numbers) // 2))
    yield "half of it is built"


def build_all() -> None:
    """However many rounds it takes on a busy machine."""
    while refresh():
        pass
