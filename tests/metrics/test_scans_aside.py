"""Scans of a page that are read at once, on connections of their own, tell what they tell one after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection, transaction

from insights.metrics import shared_scans
from insights.metrics.query import Dimension, MetricQuery, Window
from insights.metrics.read import AskedBeside, SideBySide, Together, read_together
from insights.metrics.reading import AskedBySplit, Reading, SplitBy
from insights.metrics.scan import Cells
from insights.metrics.scan_in_memory import scan_in_memory
from insights.metrics.stint_arrays import StintsInUse
from orgtree.models import Unit
from tests.metrics.facts import create_world
from tests.patience import wait_until

NOW = datetime(2026, 4, 15, 15, 30, tzinfo=UTC)
TODAY = NOW.date()
DAYS = [TODAY - timedelta(days=n) for n in range(59, -1, -1)]
WINDOW = Window(TODAY - timedelta(days=58), TODAY - timedelta(days=2))  # no cell is of it
KEYS = ("ai.sessions", "ai.spend", "ai.error_rate", "ai.tool_failures")  # of three relations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _many_rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("insights.metrics.scan_in_memory.MANY_ROWS", 0)
    with time_machine.travel(NOW, tick=False):
        create_world(1, days=DAYS)
        yield


@pytest.fixture
def read_by(monkeypatch: pytest.MonkeyPatch) -> dict[str, threading.Thread]:
    """The thread that read each relation in memory last."""
    threads: dict[str, threading.Thread] = {}

    def noting(rows: Reading, asked: AskedBySplit, stints: StintsInUse) -> Mapping[SplitBy, Cells]:
        threads[f"{rows.relation.name} {rows.model_picks_facts}"] = threading.current_thread()
        return scan_in_memory(rows, asked, stints)

    monkeypatch.setattr(shared_scans, "scan_in_memory", noting)
    return threads


def read_page() -> Together:
    shared_scans.forget_scans()
    facets = {Dimension.MODEL: ("opus",)}
    series = [MetricQuery(key, WINDOW, facets=facets) for key in KEYS]
    series += [MetricQuery("ai.spend", WINDOW, facets=facets, segments=(Dimension.AGENT,))]
    units = [SideBySide(series[:2], list(Unit.objects.values_list("pk", flat=True)))]
    return read_together(series=series, units=units, beside=lambda: AskedBeside(series, units=units))


def read_one_after_the_other() -> Together:
    with transaction.atomic():  # of which another connection would see nothing
        return read_page()


def told(page: Together) -> list[object]:
    of_units = [answer for units in page.units for _, answers in sorted(units.items()) for answer in answers]
    return [(answer.total, answer.series, answer.unmatched) for answer in (*page.series, *of_units)]


def test_they_tell_the_same(read_by: dict[str, threading.Thread]) -> None:
    expected = told(read_one_after_the_other())
    assert set(read_by.values()) == {threading.current_thread()}
    assert told(read_page()) == expected
    assert len(read_by) == 3
    assert threading.current_thread() not in read_by.values()


def test_one_alone_is_read_where_it_is_asked(read_by: dict[str, threading.Thread]) -> None:
    query = MetricQuery("ai.spend", WINDOW, facets={Dimension.MODEL: ("opus",)})
    read_together(series=[query], beside=AskedBeside)
    assert set(read_by.values()) == {threading.current_thread()}


def test_their_connections_are_closed() -> None:
    read_page()
    wait_until(lambda: connections_here() == 1, what="one connection, that of the test")


def connections_here() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_more_combinations_than_numbers_are_left_to_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = told(read_one_after_the_other())
    monkeypatch.setattr("insights.formulas.cell_distinct_counts.LARGEST_CODE", 1)
    assert told(read_page()) == expected


def test_what_fails_aside_fails_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(rows: Reading, asked: AskedBySplit, stints: StintsInUse) -> Mapping[SplitBy, Cells]:
        raise MemoryError(rows.relation.name)

    monkeypatch.setattr(shared_scans, "scan_in_memory", failing)
    with pytest.raises(MemoryError):
        read_page()
