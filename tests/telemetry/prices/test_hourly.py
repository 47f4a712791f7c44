"""Cache writes that are kept an hour, which agents do not say, and the cost that they report."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from integrations.facts.outcomes import AGENT_SPEND_PARTS
from integrations.models import AgentRequest, AgentSessionDay, AppliedPriceBook
from integrations.telemetry.agents import vocabulary_of_agent
from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.otlp.decode_figures import figures_of
from integrations.telemetry.prices.library_update import apply_price_book
from integrations.telemetry.prices.queue import enqueue_repricing
from integrations.telemetry.sessions.fold import fold_received_batches
from integrations.telemetry.sessions.reprice import reprice_waiting_rows
from integrations.telemetry.usage_files.store import import_ccusage
from tests.telemetry.raw_rows import Event, Point, at, receive

pytestmark = pytest.mark.django_db

# claude-fable-5: input 10, cache read 1, write 12.50 or 20 for an hour, output 50 dollars a million.
FABLE = Event(at("2026-10-06 10:00"), kind=EventKind.REQUEST, key="r1", model="claude-fable-5", tokens=(2, 0, 1000, 10))
FIVE_MINUTES, AN_HOUR = Decimal("0.01302"), Decimal("0.02052")


def another(event: Event, **changes: Any) -> Event:
    return replace(event, digest=uuid.uuid4(), **changes)


def folded(event: Event, **changes: Any) -> AgentRequest:
    receive([another(event, **changes)])
    fold_received_batches()
    return AgentRequest.objects.get()


@pytest.mark.parametrize(
    ("cost", "hourly"), [("0.01302", 0), ("0.02052", 1000), ("0.01677", 500), ("0.016771", 500), ("0.016777", 501)]
)
def test_the_reported_cost_reveals_how_many_writes_were_kept_an_hour(cost: str, hourly: int) -> None:
    request = folded(FABLE, reported_cost=float(cost))
    assert request.inferred_1h_tokens == hourly
    assert request.spend is not None
    assert abs(request.spend - Decimal(cost)) <= Decimal("0.000001")
    assert request.surcharge_1h is None
    day = AgentSessionDay.objects.get()
    assert (day.spend, day.cache_write_1h_tokens, day.surcharge_1h) == (request.spend, hourly, None)
    assert day.reported_cost == Decimal(cost)


@pytest.mark.parametrize(
    "cost",
    [None, 0.0, 0.013, 0.0206, 0.016773, 0.02702, 900_000_000.0],
    ids=["unknown", "on a subscription", "too low", "too high", "between two tokens", "with a fee", "gigantic"],
)
def test_a_cost_that_does_not_fit_says_nothing(cost: float | None) -> None:
    request = folded(FABLE, reported_cost=cost)
    assert (request.spend, request.inferred_1h_tokens) == (FIVE_MINUTES, None)
    assert request.surcharge_1h == AN_HOUR - FIVE_MINUTES
    assert AgentSessionDay.objects.get().surcharge_1h == AN_HOUR - FIVE_MINUTES


def test_what_the_agent_says_holds_before_what_its_cost_says() -> None:
    request = folded(FABLE, reported_cost=0.01302, hour_tokens=1000)
    assert (request.spend, request.inferred_1h_tokens, request.surcharge_1h) == (AN_HOUR, None, None)
    assert request.cache_write_1h_tokens == 1000


def test_an_agent_that_says_none_was_kept_an_hour_is_believed_whatever_its_cost() -> None:
    request = folded(FABLE, reported_cost=0.02052, hour_tokens=0)
    assert (request.spend, request.inferred_1h_tokens, request.surcharge_1h) == (FIVE_MINUTES, None, None)


# Of 1,000 writes, in thousandths: as sent for five minutes and an hour, and how many of them count as an hour's.
SPLITS = [
    ((0, 1000), 1000),
    ((400, 600), 600),
    ((1000, 0), 0),
    (("400", "600"), 600),  # older versions send texts
    ((0, 0), None),  # the server gave none
    ((None, None), None),
    ((400, 700), None),
    ((1000, 1000), None),
    ((2000, -1000), None),
    (("many", 1000), None),
]
CLAUDE_SPLIT = ("cache_creation_tokens", "cache_creation_5m_tokens", "cache_creation_1h_tokens")
CONVENTIONS_SPLIT = tuple(
    f"gen_ai.usage.cache_creation{part}"
    for part in (".input_tokens", ".ephemeral_5m_input_tokens", ".ephemeral_1h_input_tokens")
)


@pytest.mark.parametrize(("vocabulary", "names"), [("claude_code", CLAUDE_SPLIT), ("some_program", CONVENTIONS_SPLIT)])
@pytest.mark.parametrize(("parts", "hourly"), SPLITS)
def test_a_split_is_believed_if_it_adds_up(
    vocabulary: str, names: tuple[str, ...], parts: tuple[Any, Any], hourly: int | None
) -> None:
    sent = dict(zip(names, (1000, *parts), strict=True))
    rule = next(event for event in vocabulary_of_agent(vocabulary).readings if names[0] in event.attributes)
    assert figures_of("request", rule, sent).cache_write_1h_tokens == hourly


def test_a_number_for_an_hour_alone_is_believed_unless_it_is_zero() -> None:
    [rule] = [
        event for event in vocabulary_of_agent("some_program").readings if CONVENTIONS_SPLIT[0] in event.attributes
    ]
    for said, hourly in ((600, 600), (0, None)):
        sent = {CONVENTIONS_SPLIT[0]: 1000, CONVENTIONS_SPLIT[2]: said}
        assert figures_of("request", rule, sent).cache_write_1h_tokens == hourly


def test_one_record_of_a_request_that_says_its_split_is_enough() -> None:
    said = another(FABLE, reported_cost=0.02052, hour_tokens=0)
    for records in ([said, another(FABLE, reported_cost=0.02052)], [another(FABLE, at=at("2026-10-06 09:59"))]):
        receive(records)
        fold_received_batches()
        assert AgentRequest.objects.get().spend == FIVE_MINUTES


def test_without_writes_or_a_price_of_an_hour_nothing_is_unsure() -> None:
    receive([another(FABLE, tokens=(2, 0, 0, 10)), another(FABLE, key="r2", model="gpt-5.6-sol")])
    receive([another(FABLE, key="r3", model="nobody-knows-1")])
    fold_received_batches()
    assert list(AgentRequest.objects.values_list("surcharge_1h", flat=True).distinct()) == [None]


def test_repricing_keeps_what_the_agent_said_and_infers_the_same() -> None:
    folded(FABLE, reported_cost=0.02052)
    AgentRequest.objects.update(spend=FIVE_MINUTES, inferred_1h_tokens=None)
    enqueue_repricing("asked", "test")  # type: ignore[arg-type]  # the word of the enumeration
    reprice_waiting_rows()
    request = AgentRequest.objects.get()
    assert (request.spend, request.inferred_1h_tokens, request.reported_cost) == (AN_HOUR, 1000, AN_HOUR)
    assert request.cache_write_1h_tokens == 0


def test_the_metrics_of_a_day_tell_it_too() -> None:
    tokens = {Measure.INPUT_TOKENS: 2, Measure.CACHE_WRITE_TOKENS: 1000, Measure.OUTPUT_TOKENS: 10}
    points = [Point(FABLE.at, value, measure, model="claude-fable-5[1m]") for measure, value in tokens.items()]
    receive([*points, Point(FABLE.at, 0.02052, Measure.REPORTED_COST, model="claude-fable-5[1m]")])
    fold_received_batches()
    day = AgentSessionDay.objects.get()
    assert (day.model, day.spend, day.cache_write_1h_tokens) == ("claude-fable-5", AN_HOUR, 1000)


@pytest.mark.parametrize(("cost", "spend", "surcharge"), [(0.02052, AN_HOUR, None), (0, FIVE_MINUTES, "0.0075")])
def test_a_file_of_a_usage_reader_tells_it_too(cost: float, spend: Decimal, surcharge: str | None) -> None:
    usage = {"inputTokens": 2, "cacheCreationTokens": 1000, "cacheReadTokens": 0, "outputTokens": 10, "cost": cost}
    day = {"date": "2026-10-06", "modelBreakdowns": [{"modelName": "claude-fable-5", **usage}]}
    assert import_ccusage(json.dumps({"daily": [day]}).encode(), email="ada@example.com").applied
    row = AgentSessionDay.objects.get()
    assert (row.spend, row.surcharge_1h) == (spend, surcharge and Decimal(surcharge))
    assert row.reported_cost == Decimal(str(cost))


def test_one_model_under_many_names_is_one_row_of_a_day_with_the_price_of_every_name() -> None:
    names = ("claude-opus-4-7", "claude-opus-4-7[1m]", "anthropic/claude-opus-4.7", "us.anthropic.claude-opus-4-7")
    receive([another(FABLE, key=name, model=name, tokens=(0, 0, 0, 1_000_000)) for name in names])
    fold_received_batches()
    day = AgentSessionDay.objects.get()
    assert (day.model, day.requests, day.spend) == ("claude-opus-4-7", 4, Decimal("102.5"))  # 3 × 25 + 27.50
    assert set(AgentRequest.objects.values_list("model", flat=True)) == set(names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT model, sum(spend), sum(tokens) FROM ({AGENT_SPEND_PARTS.sql}) AS part GROUP BY model")
        assert cursor.fetchall() == [("claude-opus-4-7", day.spend, 4_000_000)]


def test_an_upgraded_installation_shows_one_name_by_itself() -> None:
    apply_price_book()
    receive([another(FABLE, key=name, model=name) for name in ("claude-fable-5", "claude-fable-5[1m]")])
    fold_received_batches()
    day = AgentSessionDay.objects.get()
    day.pk, day.model, day.requests = None, "claude-fable-5[1m]", 1
    day.save()  # as it was before names had a normal form
    AppliedPriceBook.objects.update(rules=1)
    apply_price_book()
    reprice_waiting_rows()
    assert list(AgentSessionDay.objects.values_list("model", "requests")) == [("claude-fable-5", 2)]
