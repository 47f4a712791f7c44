"""Events and metrics report the same tokens: each quarter of an hour counts once, by whichever reports more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.facts.ai import AGENT_SESSION_DAYS
from integrations.models import AgentMeterSlot, AgentRequest, AgentSession, AgentSessionDay, ChannelWork
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions.fold import fold_received_batches
from integrations.telemetry.sessions.timeline import SessionTimeline
from tests.telemetry.intake import rows
from tests.telemetry.raw_rows import Event, Point, at, receive

pytestmark = pytest.mark.django_db

DAY = "2026-03-02"
MINUTE = timedelta(minutes=1)


def request(time: str, tokens: int = 100, session: str = "s1", **more: str) -> Event:
    moment = at(f"{DAY} {time}")
    return Event(moment, session, kind=EventKind.REQUEST, key=f"{session} {time}", tokens=(0, 0, 0, tokens), **more)  # type: ignore[arg-type]


def point(time: str, tokens: float = 100, session: str = "s1", *, covers: timedelta = MINUTE) -> Point:
    moment = at(f"{DAY} {time}")
    return Point(moment, tokens, start=moment - covers, session=session)


def count(*records: Event | Point) -> int:
    """The tokens that count, whichever way round the records come."""
    for record in records[::-1]:
        receive([record])
        fold_received_batches()
    first = _counted()
    receive(records)
    fold_received_batches()
    assert _counted() == first
    return first


def _counted() -> int:
    (answer,) = rows(f"SELECT coalesce(sum(tokens), 0)::bigint AS tokens FROM ({AGENT_SESSION_DAYS.sql}) AS days")
    return int(answer["tokens"])


def test_what_both_report_counts_once() -> None:
    assert count(request("09:01"), point("09:02"), request("10:01"), point("10:02")) == 200
    assert AgentRequest.objects.filter(counted=True).count() == 2


def test_metrics_count_where_events_fell_silent() -> None:
    both = request("09:01"), point("09:02")
    assert count(*both, point("10:02"), point("10:30", 50)) == 250
    session = AgentSession.objects.get()
    assert (session.event_tokens, session.metric_tokens) == (100, 250)
    assert session.ended_at == at(f"{DAY} 10:30"), "it was at work then"
    timeline = SessionTimeline(session)
    assert [event.what for event in timeline.events(first=0, count=9)] == ["request", "meter", "meter"]


def test_events_count_where_metrics_fell_silent() -> None:
    both = request("09:01"), point("09:02")
    assert count(*both, request("10:02"), request("11:02", 700)) == 900
    assert not AgentMeterSlot.objects.filter(counted=True).exists()


def test_each_may_fall_silent_in_turn() -> None:
    assert count(request("09:01"), point("10:01", 70), request("11:01", 30), point("11:02", 30)) == 200


def test_a_quarter_in_which_events_lack_some_counts_by_metrics() -> None:
    assert count(request("09:01"), point("09:02", 250), request("09:31"), point("09:32")) == 350
    assert not AgentRequest.objects.get(at=at(f"{DAY} 09:01")).counted


@pytest.mark.parametrize(
    ("time", "covers"),
    [("09:15:30", MINUTE), ("09:15:20", timedelta(0)), ("09:19", 5 * MINUTE)],
    ids=["a minute", "no time, as some say", "five minutes"],
)
def test_a_reading_tells_of_the_quarter_before(time: str, covers: timedelta) -> None:
    assert count(request("09:14:50"), point(time, 100, covers=covers), request("09:29", 50)) == 150


def test_a_cumulative_reading_tells_of_the_time_since_the_one_before() -> None:
    started = at(f"{DAY} 09:00")
    readings = [
        Point(at(f"{DAY} {time}"), value, start=started, session="s1", cumulative=True)
        for time, value in (("09:10", 100), ("09:17", 300))
    ]
    assert count(request("09:05"), request("09:12", 200), *readings) == 300


def test_a_reading_after_midnight_tells_of_the_day_before() -> None:
    late = Point(at("2026-03-03 00:00:20"), 100.0, start=at(f"{DAY} 23:59:20"), session="s1")
    assert count(request("23:59:50"), late) == 100
    assert set(AgentSessionDay.objects.filter(counted=True).values_list("day", flat=True)) == {at(DAY).date()}


def test_metrics_under_the_session_before_count_once() -> None:
    first = request("09:00", session="a"), point("09:01", session="a")
    second = request("12:00", session="b"), request("12:01", session="b"), point("12:03", 200, session="a")
    third = request("12:31", 70, session="c"), point("12:33", 70, session="a")
    assert count(*first, *second, *third) == 370
    assert AgentSession.objects.filter(has_work=True).count() == 3


def test_metrics_of_a_quarter_with_two_sessions_after_count_once() -> None:
    requests = request("12:01", session="b"), request("12:09", 50, session="c")
    assert count(request("09:00", session="a"), *requests, point("12:10", 150, session="a")) == 250


def test_metrics_of_a_session_that_goes_on_are_its_own() -> None:
    parallel = request("12:01", session="b"), request("12:05", session="a"), point("12:06", 400, session="a")
    assert count(request("09:00", session="a"), *parallel) == 100 + 100 + 400


def test_another_s_metrics_are_another_s() -> None:
    foreign = Point(at(f"{DAY} 12:03"), 200.0, session="a", email="grace@example.com")
    own = Event(at(f"{DAY} 11:00"), "a", "grace@example.com", EventKind.REQUEST, "k", tokens=(0, 0, 0, 7))
    assert count(own, foreign, request("12:01", session="b")) == 307


def test_what_both_reported_is_known_of_each_day() -> None:
    count(request("09:01"), point("09:02", 80), request("10:01"), point("11:02", 50))
    (answer,) = rows(
        f"SELECT sum(tokens)::bigint AS tokens, sum(both_tokens)::bigint AS both FROM ({AGENT_SESSION_DAYS.sql}) AS d"
    )
    assert answer == {"tokens": 250, "both": 80}


def test_sessions_of_before_are_compared_anew() -> None:
    count(request("09:01"), point("09:02"), point("10:02", 500))
    # The choice of a version that made it for the whole session.
    AgentRequest.objects.update(counted=False)
    AgentMeterSlot.objects.update(counted=True, both_tokens=0)
    ChannelWork.objects.create(session=AgentSession.objects.get())
    fold_received_batches()
    assert (_counted(), ChannelWork.objects.count()) == (600, 0)
    assert AgentRequest.objects.get().counted
