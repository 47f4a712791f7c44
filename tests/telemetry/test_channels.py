"""Events and metrics report the same tokens: each quarter of an hour counts once, by whichever reports more."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


def readings(*values: tuple[str, float], session: str = "s1") -> list[Point]:
    """A counter's readings, since nine o'clock."""
    started = at(f"{DAY} 09:00")
    return [
        Point(at(f"{DAY} {time}"), value, start=started, session=session, cumulative=True) for time, value in values
    ]


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


def test_either_may_fall_silent_in_turn() -> None:
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
    requests = request("09:05"), request("09:12", 200)
    assert count(*requests, *readings(("09:10", 100), ("09:17", 300))) == 300


def test_the_reading_after_an_outage_of_hours_tells_of_all_of_it() -> None:
    requests = request("09:01"), request("09:20"), request("11:45"), request("13:05")
    assert count(*requests, *readings(("09:02", 100), ("13:06", 400))) == 400


@pytest.mark.parametrize("cumulative", [True, False])
def test_an_hourly_export_counts_once(*, cumulative: bool) -> None:
    hour = timedelta(hours=1)
    hourly = (
        readings(("10:00", 300), ("11:00", 400))
        if cumulative
        else [point("10:00", 300, covers=hour), point("11:00", covers=hour)]
    )
    assert count(request("09:10"), request("09:40"), request("09:58"), request("10:20"), *hourly) == 400


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_late_request_of_the_session_before_says_that_it_went_on(order: tuple[int, ...]) -> None:
    started = Event(at(f"{DAY} 12:00"), "b", kind=EventKind.SESSION)
    records: tuple[Event | Point, ...] = (
        request("09:00", session="a"),
        started,
        request("13:00", 7, session="a"),
        request("15:01", session="b"),
    )
    for record in (point("15:02", session="a"), *(records[position] for position in order)):
        receive([record])
        fold_received_batches()
    assert _counted() == 100 + 7 + 100 + 100


MINUTES = st.integers(0, 5 * 60)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("cumulative", [True, False])
@pytest.mark.parametrize("metered_as", ["a", "b"])
def test_outages_lose_what_nobody_sent_and_count_nothing_twice(
    metered_as: str, data: st.DataObject, *, cumulative: bool
) -> None:
    """The truth is known; either channel lacks some of it, and exports at any time.

    The count is at least the total of each channel, and never more than the truth.
    """
    first = at(f"{DAY} 09:00")
    worked = data.draw(st.dictionaries(MINUTES, st.integers(1, 500), min_size=1, max_size=12))
    # From the middle of a minute on, so that no request is at the time of a reading.
    requests = [
        Event(first + (minute + 0.5) * MINUTE, "b", kind=EventKind.REQUEST, key=str(minute), tokens=(0, 0, 0, tokens))
        for minute, tokens in worked.items()
    ]
    interval = data.draw(st.sampled_from([1, 5, 20, 60, 150]))
    exports = [minute for minute in range(0, 5 * 60 + interval + 1, interval) if minute]
    silent = data.draw(st.sets(st.sampled_from(exports)))
    reported, points = 0, []
    for minute in exports:
        until = sum(tokens for started, tokens in worked.items() if started < minute)
        since = 0 if cumulative else sum(tokens for started, tokens in worked.items() if started < minute - interval)
        if minute not in silent and until > since:
            start = first if cumulative else first + (minute - interval) * MINUTE
            moment = first + minute * MINUTE
            points.append(Point(moment, until - since, start=start, session=metered_as, cumulative=cumulative))
            reported = until if cumulative else reported + until - since
    sent = data.draw(st.lists(st.sampled_from(requests), unique=True))
    before = request("08:00", 1, session="a")
    started = Event(first - MINUTE, "b", kind=EventKind.SESSION)
    records: list[Event | Point] = [*sent, *points]
    arriving = data.draw(st.permutations(records))
    with transaction.atomic():
        receive([before, started])
        while arriving:
            size = data.draw(st.integers(1, len(arriving)))
            receive(arriving[:size])
            arriving = arriving[size:]
            if data.draw(st.booleans()):
                fold_received_batches()
        fold_received_batches()
        counted = _counted() - 1
        transaction.set_rollback(True)
    assert max(sum(event.tokens[3] for event in sent), reported) <= counted <= sum(worked.values())


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


# Session a from nine o'clock on, with its metrics; what follows, and the tokens of all.
LAGGING: dict[str, tuple[list[Event | Point], int]] = {
    "each tells of the next one": (
        [
            *(request("09:03", 40, "b"), point("09:04", 40, "a"), request("09:06", 60, "c"), point("09:07", 60, "b")),
            *(request("09:09", 70, "d"), point("09:10", 70, "c")),
        ],
        270,
    ),
    "the next one's begin late": (
        [request("09:03", 40, "b"), point("09:04", 40, "a"), request("09:06", 60, "b"), point("09:07", 60, "b")],
        200,
    ),
    "events of the next one are lost": (
        [request("09:03", 40, "b"), point("09:04", 90, "a"), request("09:06", 60, "c"), point("09:07", 60, "b")],
        250,
    ),
    "another one at work beside it": (
        [
            *(request("09:03", 40, "b"), point("09:04", 40, "b")),
            *(request("09:06", session="a"), point("09:07", session="a")),
            *(Event(at(f"{DAY} 09:08"), "c", kind=EventKind.SESSION), point("09:10", 70, "c")),
        ],
        310,
    ),
    "in other quarters": (
        [request("10:03", 40, "b"), point("10:04", 40, "a"), request("11:06", 60, "c"), point("11:07", 60, "b")],
        200,
    ),
}


@pytest.mark.parametrize("case", LAGGING)
def test_metrics_that_lag_behind_by_a_session_count_once(case: str) -> None:
    records, total = LAGGING[case]
    assert count(request("09:00", session="a"), point("09:01", session="a"), *records) == total


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_order_of_arrival_does_not_change_who_lags_behind(order: tuple[int, ...]) -> None:
    records = request("09:03", 40, "b"), point("09:07", 60, "b"), point("09:04", 40, "a"), request("09:06", 60, "c")
    for record in (request("09:00", session="a"), point("09:01", session="a"), *(records[place] for place in order)):
        receive([record])
        fold_received_batches()
    assert _counted() == 200
    answer = rows(f"SELECT sum(both_tokens)::bigint AS both FROM ({AGENT_SESSION_DAYS.sql}) AS days")
    assert answer == [{"both": 200}]


@pytest.mark.parametrize("dated", ["09:15:00.002", "09:15:04", "09:15:50"])
def test_a_request_dated_after_the_reading_that_tells_of_it_counts_once(dated: str) -> None:
    assert count(request(dated), point("09:14:59"), request("09:20", 50), point("09:21", 50)) == 150


def test_requests_near_a_border_count_once_where_nothing_is_lost() -> None:
    requests = [request(f"09:{minute}:{second}", minute) for minute in range(10, 21) for second in ("03", "57")]
    exports = [point(f"09:{minute + 1}:00", 2 * minute) for minute in range(10, 21)]
    assert count(*requests, *exports) == 2 * sum(range(10, 21))


def test_metrics_of_a_session_that_goes_on_are_its_own() -> None:
    parallel = request("12:01", session="b"), request("12:05", session="a"), point("12:06", 400, session="a")
    assert count(request("09:00", session="a"), *parallel) == 100 + 100 + 400


def test_another_s_metrics_are_another_s() -> None:
    foreign = Point(at(f"{DAY} 12:03"), 200.0, session="a", email="grace@example.com")
    own = Event(at(f"{DAY} 11:00"), "a", "grace@example.com", EventKind.REQUEST, "k", tokens=(0, 0, 0, 7))
    assert count(own, foreign, request("12:01", session="b")) == 307


def test_what_both_reported_is_known_by_day() -> None:
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


def test_requests_of_before_that_no_slot_covers_count_again() -> None:
    count(request("09:01"), point("12:02", 500))
    AgentRequest.objects.update(counted=False)
    ChannelWork.objects.create(session=AgentSession.objects.get())
    fold_received_batches()
    assert _counted() == 600


def test_slots_of_before_learn_since_when_their_readings_count() -> None:
    count(request("09:20"), request("09:40"), *readings(("09:02", 50), ("10:01", 250)))
    assert _counted() == 250
    AgentMeterSlot.objects.update(covers_from=None)
    ChannelWork.objects.create(session=AgentSession.objects.get())
    fold_received_batches()
    assert _counted() == 250
    assert not AgentMeterSlot.objects.filter(covers_from=None).exists()
