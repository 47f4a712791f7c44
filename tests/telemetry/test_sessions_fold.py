"""From raw rows to sessions, their days and their tools."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from integrations.models import (
    AgentRequest,
    AgentSession,
    AgentSessionDay,
    AgentToolCall,
    AgentToolDay,
    FactFamily,
    ReceivedBatch,
)
from integrations.outbox.fact_changes import Change, take_changes
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.raw_rows import Event, Point, at, receive

pytestmark = pytest.mark.django_db

MODEL = "claude-sonnet-4-5"


def fold(*records: Event | Point) -> AgentSession:
    """Receive the records and fold them; the one session they are of."""
    receive(records)
    fold_received_batches()
    return AgentSession.objects.get()


def test_a_request_becomes_a_figure_of_its_day() -> None:
    session = fold(
        Event(at("2026-03-02 10:00"), kind=EventKind.PROMPT),
        Event(
            at("2026-03-02 10:05"),
            kind=EventKind.REQUEST,
            key="r1",
            model=MODEL,
            tokens=(2102, 11006, 619, 432),
            reported_cost=0.01840905,
        ),
    )
    figures = AgentSessionDay.objects.get()
    assert (figures.day, figures.source, figures.model) == (date(2026, 3, 2), "events", MODEL)
    assert (figures.requests, figures.input_tokens, figures.output_tokens) == (1, 2102, 432)
    assert (figures.cache_read_tokens, figures.cache_write_tokens) == (11006, 619)
    assert figures.spend == figures.reported_cost == Decimal("0.01840905")
    assert (session.started_at, session.ended_at) == (at("2026-03-02 10:00"), at("2026-03-02 10:05"))
    assert (session.active_seconds, session.event_tokens, session.has_work) == (300, 14159, True)
    assert not ReceivedBatch.objects.exists()


def test_a_pause_of_exactly_thirty_minutes_is_one_active_period_and_a_longer_one_two() -> None:
    session = fold(
        Event(at("2026-03-02 10:00")),
        Event(at("2026-03-02 10:30")),
        Event(at("2026-03-02 11:00:01")),
        Event(at("2026-03-02 11:10:01")),
    )
    assert session.active_seconds == 30 * 60 + 10 * 60
    assert session.ended_at - session.started_at == timedelta(hours=1, minutes=10, seconds=1)


def test_a_late_event_joins_two_active_periods() -> None:
    fold(Event(at("2026-03-02 10:00")), Event(at("2026-03-02 10:50")))
    assert AgentSession.objects.get().active_seconds == 0
    assert fold(Event(at("2026-03-02 10:25"))).active_seconds == 50 * 60


def test_a_terminal_left_open_is_no_long_session() -> None:
    readings = [
        Point(at("2026-03-02 10:00") + timedelta(minutes=minute), 500.0, cumulative=True, start=at("2026-03-02 09:59"))
        for minute in range(0, 14 * 60, 20)
    ]
    session = fold(*readings)
    assert session.active_seconds == 0
    assert session.ended_at == at("2026-03-02 10:00")
    assert session.metric_tokens == 500


def test_metrics_say_when_a_session_was_only_where_they_count() -> None:
    fold(Point(at("2026-03-02 10:01"), 7.0, start=at("2026-03-02 10:00")))
    assert AgentSession.objects.get().active_seconds == 60
    session = fold(Event(at("2026-03-02 12:00")), Event(at("2026-03-02 12:05")))
    assert (session.started_at, session.active_seconds) == (at("2026-03-02 10:00"), 60 + 300)
    used = Event(at("2026-03-02 10:00:30"), kind=EventKind.REQUEST, tokens=(0, 0, 0, 7))
    assert fold(used).started_at == at("2026-03-02 10:00:30"), "its events say it now"


def test_an_announced_session_in_which_nothing_was_done_counts_as_none() -> None:
    receive([Event(at("2026-03-02 10:00")), Point(at("2026-03-02 10:00"), 1.0, Measure.SESSIONS)])
    fold_received_batches()
    assert not AgentSession.objects.get().has_work


@pytest.mark.parametrize(
    "sign",
    [
        Event(at("2026-03-02 10:00"), kind=EventKind.PROMPT),
        Event(at("2026-03-02 10:00"), kind=EventKind.REQUEST),
        Event(at("2026-03-02 10:00"), kind=EventKind.REQUEST_ERROR),
        Event(at("2026-03-02 10:00"), kind=EventKind.TOOL_CALL, outcome="refused"),
        Point(at("2026-03-02 10:00"), 1.0, Measure.OUTPUT_TOKENS),
        Point(at("2026-03-02 10:00"), 1.0, Measure.LINES_ADDED),
        Point(at("2026-03-02 10:00"), 1.0, Measure.COMMITS),
    ],
    ids=lambda record: str(getattr(record, "kind", None) or record.measure),
)
def test_a_session_counts_once_something_was_done_in_it(sign: Event | Point) -> None:
    assert fold(sign).has_work


def test_several_records_of_one_request_are_one_request() -> None:
    fold(
        Event(at("2026-03-02 10:05"), kind=EventKind.REQUEST, key="r1", model=MODEL, tokens=(10, 0, 0, 5)),
        Event(at("2026-03-02 10:04"), kind=EventKind.REQUEST, key="r1", tokens=(10, 3, 0, 5), duration_ms=900),
    )
    request = AgentRequest.objects.get()
    assert (request.at, request.model, request.duration_ms) == (at("2026-03-02 10:04"), MODEL, 900)
    assert (request.input_tokens, request.cache_read_tokens, request.output_tokens) == (10, 3, 5)
    assert request.spend == Decimal("0.0001059")


def test_a_request_that_turns_out_earlier_moves_to_its_day() -> None:
    fold(Event(at("2026-03-03 00:01"), kind=EventKind.REQUEST, key="r1", tokens=(10, 0, 0, 5)))
    fold(Event(at("2026-03-02 23:59"), kind=EventKind.REQUEST, key="r1", tokens=(10, 0, 0, 5)))
    assert [(row.day, row.requests) for row in AgentSessionDay.objects.all()] == [(date(2026, 3, 2), 1)]


@pytest.mark.parametrize("outcomes", [["refused", "failed"], ["failed", "refused"]])
def test_a_refused_call_is_no_failure_whatever_else_is_sent_of_it(outcomes: list[str]) -> None:
    for outcome in outcomes:
        fold(Event(at("2026-03-02 10:00"), kind=EventKind.TOOL_CALL, key="t1", tool="Bash", outcome=outcome))
    call = AgentToolCall.objects.get()
    assert call.outcome == "refused"
    figures = AgentToolDay.objects.get()
    assert (figures.calls, figures.failures, figures.refusals) == (0, 0, 1)


def test_tokens_of_an_unknown_model_have_no_price() -> None:
    fold(Event(at("2026-03-02 10:00"), kind=EventKind.REQUEST, model="nobody-knows-1", tokens=(10, 0, 0, 5)))
    figures = AgentSessionDay.objects.get()
    assert (figures.spend, figures.unpriced_tokens, figures.reported_cost) == (None, 15, None)


def test_metrics_are_priced_by_day_and_model() -> None:
    start = at("2026-03-02 10:00")
    amounts = {
        Measure.INPUT_TOKENS: 2102,
        Measure.CACHE_READ_TOKENS: 11006,
        Measure.CACHE_WRITE_TOKENS: 619,
        Measure.OUTPUT_TOKENS: 432,
    }
    fold(*(Point(start, float(amount), measure, model=MODEL) for measure, amount in amounts.items()))
    figures = AgentSessionDay.objects.get()
    assert (figures.source, figures.spend, figures.unpriced_tokens) == ("metrics", Decimal("0.01840905"), 0)


class TestCumulativeCounters:
    START = at("2026-03-02 09:00")

    def days(self, *readings: tuple[str, float]) -> dict[str, int]:
        fold(*(Point(at(moment), value, cumulative=True, start=self.START) for moment, value in readings))
        rows = AgentSessionDay.objects.filter(source="metrics")
        return {row.day.isoformat(): row.output_tokens for row in rows}

    def test_count_from_zero_at_their_start(self) -> None:
        assert self.days(("2026-03-02 10:00", 100), ("2026-03-02 11:00", 250)) == {"2026-03-02": 250}

    def test_count_differences_on_the_day_of_the_later_reading(self) -> None:
        days = self.days(("2026-03-02 23:00", 100), ("2026-03-03 01:00", 250))
        assert days == {"2026-03-02": 100, "2026-03-03": 150}

    def test_that_fall_began_again(self) -> None:
        days = self.days(("2026-03-02 10:00", 100), ("2026-03-02 11:00", 30), ("2026-03-02 12:00", 50))
        assert days == {"2026-03-02": 150}

    def test_get_late_readings_into_the_right_days(self) -> None:
        self.days(("2026-03-02 10:00", 100), ("2026-03-04 10:00", 400))
        assert self.days(("2026-03-03 10:00", 300)) == {"2026-03-02": 100, "2026-03-03": 200, "2026-03-04": 100}

    def test_with_another_start_are_another_count(self) -> None:
        self.days(("2026-03-02 10:00", 100))
        fold(Point(at("2026-03-02 12:00"), 40.0, cumulative=True, start=at("2026-03-02 11:00")))
        assert AgentSessionDay.objects.get().output_tokens == 140


def test_a_changed_choice_of_source_marks_every_day_of_the_session() -> None:
    fold(
        Event(at("2026-03-02 10:00"), kind=EventKind.REQUEST, tokens=(10, 0, 0, 0)),
        Event(at("2026-03-09 10:00"), kind=EventKind.REQUEST, tokens=(10, 0, 0, 0)),
    )
    taken_changes()
    fold(Point(at("2026-03-09 10:01"), 500.0))
    assert {(change.day_from, change.day_to) for change in taken_changes() if change.family == FactFamily.AI} == {
        (date(2026, 3, 2), date(2026, 3, 3)),
        (date(2026, 3, 9), date(2026, 3, 10)),
    }


def test_what_a_fold_changed_is_noted_for_its_days() -> None:
    fold(
        Event(at("2026-03-02 23:50"), kind=EventKind.REQUEST, tokens=(10, 0, 0, 0)),
        Event(at("2026-03-03 00:10"), kind=EventKind.REQUEST, tokens=(10, 0, 0, 0)),
    )
    changes = taken_changes()
    assert Change(FactFamily.AI, date(2026, 3, 2), date(2026, 3, 4)) in changes
    assert [change.day_from for change in changes if change.family == FactFamily.ENROLMENT] == [date(2026, 3, 2)]
    assert not taken_changes()


def taken_changes() -> Sequence[Change]:
    with transaction.atomic():
        return take_changes()
