"""Raw telemetry expires; what it was folded into stays, and so does what comes later."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from django.db import connection, transaction

from integrations.models import AgentRequest, AgentSessionDay, RawDay, SeriesBase
from integrations.telemetry import tasks
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.otlp import retention
from integrations.telemetry.otlp.retention import closed_days, drop_expired_days
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.patience import PATIENCE_SECONDS
from tests.telemetry.raw_rows import Event, Point, at, receive

pytestmark = pytest.mark.django_db

START = at("2026-03-02 09:00")
NOW = at("2026-05-01 01:30")


@pytest.fixture(autouse=True)
def _uncached() -> Iterator[None]:
    closed_days.cache_clear()
    yield
    closed_days.cache_clear()


def fold(*records: Event | Point) -> None:
    receive(records)
    fold_received_batches()


def received_on(moment: datetime) -> None:
    RawDay.objects.update(last_received_at=moment)


def raw_events() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM integrations_agent_event")
        return int(cursor.fetchone()[0])


def reading(moment: str, value: float) -> Point:
    return Point(at(moment), value, cumulative=True, start=START)


def tokens_by_day() -> dict[str, int]:
    return {row.day.isoformat(): row.output_tokens for row in AgentSessionDay.objects.filter(source="metrics")}


def test_a_day_is_dropped_when_nothing_was_received_for_it_in_thirty_days() -> None:
    fold(Event(at("2026-03-02 10:00"), kind=EventKind.REQUEST, tokens=(1, 2, 3, 4)))
    received_on(NOW - timedelta(days=31))
    assert drop_expired_days(NOW) == [date(2026, 3, 2)]
    assert raw_events() == 0
    assert AgentRequest.objects.get().output_tokens == 4
    assert closed_days() == {date(2026, 3, 2)}


def test_what_cannot_be_read_again_is_dropped_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    fold(Event(at("2020-03-02 10:00"), kind=EventKind.REQUEST, tokens=(1, 2, 3, 4)))
    received_on(at("2020-03-02 10:00"))

    def fail() -> None:
        raise RuntimeError("A row that nobody can read.")

    monkeypatch.setattr(tasks, "reprocess_unread_events", fail)
    with pytest.raises(RuntimeError, match="nobody can read"):
        tasks.drop_expired()
    assert raw_events() == 0


def test_last_years_telemetry_that_came_in_today_is_kept_as_long_as_todays() -> None:
    fold(Event(at("2025-03-02 10:00")))
    received_on(NOW - timedelta(days=29))
    assert drop_expired_days(NOW) == []
    assert raw_events() == 1


def test_a_day_with_batches_that_wait_to_be_folded_is_kept() -> None:
    receive([Event(at("2026-03-02 10:00"))])
    assert drop_expired_days(NOW) == []
    assert raw_events() == 1


def test_late_events_for_a_closed_day_still_merge() -> None:
    event = Event(at("2026-03-02 10:00"), kind=EventKind.REQUEST, key="r1", tokens=(1, 2, 3, 4))
    fold(event)
    received_on(NOW - timedelta(days=31))
    drop_expired_days(NOW)
    fold(event, Event(at("2026-03-02 11:00"), kind=EventKind.REQUEST, key="r2", tokens=(1, 2, 3, 4)))
    figures = AgentSessionDay.objects.get()
    assert (figures.requests, figures.output_tokens) == (2, 8)


def test_a_point_that_slips_in_as_its_day_is_closed_changes_nothing() -> None:
    fold(Point(at("2026-03-02 10:00"), 100.0, start=START))
    received_on(NOW - timedelta(days=31))
    drop_expired_days(NOW)
    fold(Point(at("2026-03-02 10:05"), 7.0, start=START))
    assert tokens_by_day() == {"2026-03-02": 100}


def test_a_cumulative_series_goes_on_from_its_last_dropped_reading() -> None:
    fold(reading("2026-03-02 10:00", 100), reading("2026-03-02 23:00", 160))
    received_on(NOW - timedelta(days=31))
    drop_expired_days(NOW)
    assert SeriesBase.objects.get().value == 160
    fold(reading("2026-04-20 10:00", 200))
    assert tokens_by_day() == {"2026-03-02": 160, "2026-04-20": 40}


def test_readings_of_counters_that_were_silent_for_a_year_are_forgotten() -> None:
    fold(reading("2026-03-02 10:00", 100))
    received_on(NOW - timedelta(days=31))
    drop_expired_days(NOW)
    drop_expired_days(NOW + timedelta(days=400))
    assert not SeriesBase.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_day_that_somebody_reads_is_dropped_another_night(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "LOCK_TIMEOUT_MS", 100)
    fold(Event(at("2026-03-02 10:00")))
    received_on(NOW - timedelta(days=31))
    reading_now, finished = threading.Event(), threading.Event()

    def read() -> None:
        try:
            with transaction.atomic():
                raw_events()
                reading_now.set()
                finished.wait(timeout=PATIENCE_SECONDS)
        finally:
            connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert reading_now.wait(timeout=PATIENCE_SECONDS)
        assert drop_expired_days(NOW) == []
        assert closed_days() == set()
    finally:
        finished.set()
        reader.join(timeout=PATIENCE_SECONDS)
    assert date(2026, 3, 2) in drop_expired_days(NOW)
