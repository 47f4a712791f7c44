"""The order in which records arrive, their repetition and their batches change nothing: an oracle says what is true."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.sessions import fold_large_days
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.raw_rows import Event, Point, at, days_cut_in, receive
from tests.telemetry.session_oracle import expected_sessions, stored_sessions

pytestmark = pytest.mark.django_db

FIRST = at("2026-03-07 20:00")
# Ten minutes apart, so that gaps of exactly 30 minutes and equal times are common; two local midnights lie between.
moments = st.integers(0, 30).map(lambda steps: FIRST + timedelta(minutes=10 * steps)) | st.integers(0, 4).map(
    lambda steps: FIRST + timedelta(hours=9 * steps, seconds=7)
)
sessions = st.sampled_from(["session-1", "session-2"])
people = st.sampled_from(["ada@example.com", "grace@example.com"])
models = st.sampled_from(["claude-sonnet-4-5", "nobody-knows-1"])
counts = st.integers(0, 5000)

requests = st.builds(
    Event,
    at=moments,
    session=sessions,
    email=people,
    kind=st.just(EventKind.REQUEST),
    key=st.sampled_from(["", "r1", "r2", "r3"]),
    model=models,
    tokens=st.tuples(counts, counts, counts, counts),
    reported_cost=st.none() | st.sampled_from([0.0, 0.25, 1.5]),
)
tool_calls = st.builds(
    Event,
    at=moments,
    session=sessions,
    email=people,
    kind=st.just(EventKind.TOOL_CALL),
    key=st.sampled_from(["", "t1", "t2"]),
    tool=st.sampled_from(["Bash", "Edit"]),
    outcome=st.sampled_from(["succeeded", "failed", "refused", ""]),
)
others = st.builds(
    Event,
    at=moments,
    session=sessions,
    email=people,
    kind=st.sampled_from([EventKind.SESSION, EventKind.PROMPT, EventKind.REQUEST_ERROR]),
)
SERIES = uuid.UUID(int=7)


def _point(
    *, moment: datetime, value: float, measure: Measure, cumulative: bool, back: int, session: str, email: str
) -> Point:
    return Point(
        moment,
        value,
        measure,
        start=FIRST - timedelta(hours=back) if cumulative else moment - timedelta(minutes=back * 30),
        session=session,
        email=email,
        cumulative=cumulative,
        model="claude-sonnet-4-5",
        series=uuid.uuid5(SERIES, f"{measure} {cumulative} {session} {email}"),
    )


points = st.builds(
    _point,
    moment=moments,
    value=st.integers(0, 400).map(float),
    measure=st.sampled_from([Measure.INPUT_TOKENS, Measure.OUTPUT_TOKENS, Measure.LINES_ADDED, Measure.REPORTED_COST]),
    cumulative=st.booleans(),
    back=st.integers(0, 2),
    session=sessions,
    email=people,
)
records = st.lists(requests | tool_calls | others | points, min_size=1, max_size=20)


def _once(given_records: list[Event | Point]) -> list[Event | Point]:
    """One point per series, start and time: a second one with another value is no repetition but a contradiction."""
    known: dict[object, Event | Point] = {}
    for record in given_records:
        key = record.digest if isinstance(record, Event) else (record.at, record.series, record.start)
        known.setdefault(key, record)
    return list(known.values())


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("large", [1, fold_large_days.LARGE_DAY], ids=["days are added to", "days are rebuilt"])
def test_any_order_repetition_and_batching_gives_what_the_oracle_says(
    large: int, data: st.DataObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_large_days, "LARGE_DAY", large)
    zone = data.draw(st.sampled_from(["UTC", "America/Havana", "Asia/Kathmandu"]))
    sent = _once(data.draw(records))
    arriving = data.draw(st.permutations(sent + data.draw(st.lists(st.sampled_from(sent), max_size=5))))
    with days_cut_in(zone), transaction.atomic():
        while arriving:
            size = data.draw(st.integers(1, len(arriving)))
            receive(arriving[:size])
            arriving = arriving[size:]
            if data.draw(st.booleans()):
                fold_received_batches()
        fold_received_batches()
        stored, expected = stored_sessions(), expected_sessions(_of_datable_sessions(sent), ZoneInfo(zone))
        assert {name: stored[name] for name in expected} == expected
        transaction.set_rollback(True)


def test_readings_of_two_sessions_in_a_row_are_compared_as_one() -> None:
    """Each reads one token at hour 27, and only the second made a request, of one token: two against one."""
    email, first, second = "ada@example.com", "session-1", "session-2"
    started = Event(at=FIRST, session=first, email=email, kind=EventKind.SESSION)
    request = Event(
        at=FIRST + timedelta(hours=9),
        session=second,
        email=email,
        kind=EventKind.REQUEST,
        key="r1",
        model="claude-sonnet-4-5",
        tokens=(0, 0, 0, 1),
        reported_cost=None,
    )

    def reading(session: str, *, cumulative: bool, back: int) -> Point:
        late = FIRST + timedelta(hours=27)
        measure = Measure.INPUT_TOKENS
        return _point(
            moment=late, value=1.0, measure=measure, cumulative=cumulative, back=back, session=session, email=email
        )

    sent: list[Event | Point] = [
        started,
        request,
        reading(first, cumulative=True, back=0),
        reading(second, cumulative=False, back=1),
    ]
    with days_cut_in("UTC"), transaction.atomic():
        receive(sent)
        fold_received_batches()
        stored, expected = stored_sessions(), expected_sessions(sent, ZoneInfo("UTC"))
        assert {name: stored[name] for name in expected} == expected
        counted = {
            (name, source): figures.tokens
            for (name, _), session in stored.items()
            for (source, _, _, is_counted), figures in session.days.items()
            if is_counted and any(figures.tokens)
        }
        assert counted == {(first, "metrics"): [1, 0, 0, 0], (second, "metrics"): [1, 0, 0, 0]}
        transaction.set_rollback(True)


def test_a_reading_from_before_the_session_undoes_no_comparison() -> None:
    """The session's slot covers the time of that reading, so it is compared again, with its request."""
    session, email, later = "session-1", "grace@example.com", FIRST + timedelta(minutes=20)
    request = Event(
        at=later,
        session=session,
        email=email,
        kind=EventKind.REQUEST,
        key="",
        model="claude-sonnet-4-5",
        tokens=(0, 0, 0, 1),
        reported_cost=None,
    )
    readings = [
        _point(
            moment=moment,
            value=value,
            measure=Measure.INPUT_TOKENS,
            cumulative=value > 0,
            back=0,
            session=session,
            email=email,
        )
        for moment, value in ((later, 1.0), (FIRST, 0.0))
    ]
    sent: list[Event | Point] = [request, *readings]
    with days_cut_in("UTC"):
        for record in sent:
            receive([record])
            fold_received_batches()
        assert stored_sessions() == expected_sessions(sent, ZoneInfo("UTC"))


def _of_datable_sessions(sent: list[Event | Point]) -> list[Event | Point]:
    """Without the sessions of which only points without any increase are known: when those were is anybody's guess."""
    return [
        record
        for record in sent
        if any(
            (other.session, other.email) == (record.session, record.email)
            and (isinstance(other, Event) or other.value > 0)
            for other in sent
        )
    ]
