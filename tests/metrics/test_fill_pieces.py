"""A fill computes each window once, and none less than a refresh of the same days does."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from insights.metrics.plan import Clock
from insights.metrics.query import Window
from insights.metrics.reading import windows_of
from insights.snapshots import filling
from insights.snapshots.cells import Partitions, prompt_pieces
from insights.snapshots.kept import lagging_partitions

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("days_back", [0, 1, 6, 40, 189, 190, 191, 365, 800, 1700])
def test_every_window_is_computed_once(days_back: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock.read()
    first = clock.today - timedelta(days=days_back)
    monkeypatch.setattr(filling, "_first_day", lambda _: first)
    for days in (None, Window(first + timedelta(days=days_back // 3), clock.tomorrow - timedelta(days=days_back // 4))):
        asked = days or Window(first, clock.tomorrow)
        batches = filling._batches(clock, days)
        computed = Counter(each for batch in batches for piece in batch for each in _windows(piece))
        expected = {each for piece in prompt_pieces(asked) for each in _windows(piece)}
        expected |= set(_windows(lagging_partitions(asked, clock.today)))
        assert set(computed) == expected
        assert set(computed.values()) == {1}


def test_there_is_nothing_to_compute_without_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "_first_day", lambda _: None)
    assert not filling._batches(Clock.read(), None)


def _windows(piece: Partitions) -> list[tuple[str, date, date]]:
    return [(period.value, window.start, window.end) for period, edges in piece for window in windows_of(edges)]
