"""Days to which a fold adds what it changed are those that rebuilding them makes: the same rows, to the last digit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, models, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from integrations.models import AgentRequest, AgentSession, AgentSessionDay, AgentTierDay, AgentToolDay
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions import fold, fold_large_days
from integrations.telemetry.sessions.calendar import rebuild_days_of
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.raw_rows import Event, at, receive

pytestmark = pytest.mark.django_db
NOON = at("2026-03-07 12:00")

# Keys are few, so that most of what comes is known; the second model's name outweighs the first's, so that requests
# move between them; prompts of all sizes, tiers and absurd costs have prices and sums of their own.
MOMENTS = st.sampled_from([at("2026-03-07 22:30") + timedelta(hours=n) for n in range(3)])
COUNTS = st.sampled_from([0, 1, 700, 150_000, 199_999, 600_000])
requests = st.builds(
    Event,
    at=MOMENTS,
    kind=st.just(EventKind.REQUEST),
    key=st.sampled_from(["r1", "r2", "r3", "r4"]),
    model=st.sampled_from(["claude-sonnet-4-5", "gpt-5", "nobody-knows-1"]),
    tokens=st.tuples(COUNTS, COUNTS, COUNTS, COUNTS),
    reported_cost=st.none() | st.sampled_from([0.0, 0.25, 4_999_999_999.0, 9_999_999_999.0]),
    hour_tokens=st.none() | COUNTS,
    tier=st.sampled_from(["", "", "batch"]),
)
calls = st.builds(
    Event,
    at=MOMENTS,
    kind=st.just(EventKind.TOOL_CALL),
    key=st.sampled_from(["t1", "t2", "t3"]),
    tool=st.sampled_from(["Bash", "Edit"]),
    outcome=st.sampled_from(["succeeded", "failed", "refused", ""]),
)


def request(key: str, model: str = "claude-sonnet-4-5", *, cost: float | None = None, moment: datetime = NOON) -> Event:
    return Event(moment, kind=EventKind.REQUEST, key=key, model=model, tokens=(10, 0, 0, 7), reported_cost=cost)


# The only one with a cost moves to another model; sums that their column does not hold.
MOVED = [[request("a", cost=0.25), request("b")], [request("a", "gpt-5")]]
ABSURD = [[request("a", cost=4_999_999_999.0)], [request("b", cost=9_999_999_999.0)], [request("c", cost=1.0)]]


WITH_FIXTURES = (HealthCheck.function_scoped_fixture,)
record_batches = st.lists(st.lists(requests | calls, min_size=1, max_size=6), min_size=2, max_size=5)


@pytest.fixture
def every_day_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold_large_days, "LARGE_DAY", 1)


@settings(max_examples=15, suppress_health_check=WITH_FIXTURES)
@given(batches=record_batches)
@example(batches=MOVED)
@example(batches=ABSURD)
@pytest.mark.usefixtures("every_day_is_large")
def test_what_is_added_up_is_what_rebuilding_tells(batches: list[list[Event]]) -> None:
    hold_against_rebuilding(batches)


@pytest.mark.soak
@settings(max_examples=200, suppress_health_check=WITH_FIXTURES)
@given(batches=record_batches)
@pytest.mark.usefixtures("every_day_is_large")
def test_what_is_added_up_of_many_histories_is_what_rebuilding_tells(batches: list[list[Event]]) -> None:
    hold_against_rebuilding(batches)


def hold_against_rebuilding(batches: list[list[Event]]) -> None:
    with transaction.atomic():
        for batch in batches:
            receive(batch)
            fold_received_batches()
            added_up = figures()
            rebuild_days_of(list(AgentSession.objects.values_list("pk", flat=True)))
            assert added_up == figures()
        transaction.set_rollback(True)


def test_a_price_that_came_later_is_added_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold_large_days, "LARGE_DAY", 1)
    receive([request("a"), request("b")])
    fold_received_batches()
    AgentRequest.objects.update(spend=None)  # as if nobody had known what the model costs
    sessions = list(AgentSession.objects.values_list("pk", flat=True))
    rebuild_days_of(sessions)
    assert AgentSessionDay.objects.get().spend is None
    receive([request("c")])
    fold_received_batches()
    added_up = figures()
    rebuild_days_of(sessions)
    assert added_up == figures()
    assert AgentSessionDay.objects.get().spend == AgentRequest.objects.get(key="c").spend


def test_a_large_day_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong sum of a large day stays wrong: only new rows are added.  A day of the same session is rebuilt."""
    monkeypatch.setattr(fold_large_days, "LARGE_DAY", 3)
    large, small = NOON, NOON + timedelta(days=1)
    first = [request(key) for key in ("a", "b", "c")] + [request("d", moment=small)]
    receive(first)
    fold_received_batches()
    AgentSessionDay.objects.update(output_tokens=models.F("output_tokens") + 1_000)
    receive([request("e"), request("f", moment=small)])
    fold_received_batches()
    assert dict(AgentSessionDay.objects.values_list("day", "output_tokens")) == {
        large.date(): 1_000 + 4 * 7,
        small.date(): 2 * 7,
    }


def test_small_days_are_looked_for_and_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_called() -> None:
        raise AssertionError("nothing here is large")

    monkeypatch.setattr(fold, "note_figures_before", not_called)
    monkeypatch.setattr(fold, "add_differences_to_large_days", not_called)
    for key in ("a", "b"):
        receive([request(key)])
        fold_received_batches()
    assert AgentSessionDay.objects.get().requests == 2


def figures() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of days, but for their ids."""
    rows = {}
    for model in (AgentSessionDay, AgentTierDay, AgentToolDay):
        columns = [str(field.column) for field in model._meta.concrete_fields if not field.primary_key]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(columns)} FROM {model._meta.db_table} ORDER BY {', '.join(columns)}")
            rows[model.__name__] = cursor.fetchall()
    return rows
