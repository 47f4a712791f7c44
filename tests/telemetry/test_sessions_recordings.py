"""A recording of the real program, received and folded in this process, gives the true totals."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client

from integrations.models import AgentSession, AgentSessionDay, AgentToolCall, QuarantinedRecord
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.recordings import RecordedRequest, Recording, Recordings
from tests.seeds import seeds

pytestmark = pytest.mark.django_db

TOKENS = {
    "uncached_input": "input_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "output_including_reasoning": "output_tokens",
}


def post(client: Client, request: RecordedRequest, secret: str) -> None:
    encoding = {"Content-Encoding": request.content_encoding} if request.content_encoding else {}
    answer = client.post(
        request.path,
        request.body,
        content_type=request.content_type,
        headers={"Authorization": f"Bearer {secret}", **encoding},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("seed", seeds(0, soaked=3))
def test_a_recording_twice_and_shuffled_gives_its_totals(client: Client, recordings: Recordings, seed: int) -> None:
    secret = create_ingest_token("tests")[1]
    runs = recordings.of("claude-code")
    deliveries = [request for run in runs for request in run.requests * 2]
    order = random.Random(seed)
    order.shuffle(deliveries)
    for request in deliveries:
        post(client, request, secret)
        if order.random() < 0.3:
            fold_received_batches()
    fold_received_batches()

    assert not QuarantinedRecord.objects.exists()
    assert AgentSession.objects.filter(has_work=True).count() == len(runs)
    for source in ("events", "metrics"):
        assert totals(source) == expected_tokens(runs)
    for source in ("events", "metrics"):
        costs = AgentSessionDay.objects.filter(source=source).aggregate(Sum("spend"), Sum("reported_cost"))
        assert float(costs["spend__sum"]) == pytest.approx(cost_of(runs))
        assert float(costs["reported_cost__sum"]) == pytest.approx(cost_of(runs))
    lines = AgentSessionDay.objects.filter(source="metrics").aggregate(
        added=Sum("lines_added"), removed=Sum("lines_removed")
    )
    assert lines == {"added": lines_of(runs, "added"), "removed": lines_of(runs, "removed")}
    outcomes = AgentToolCall.objects.values_list("outcome", flat=True)
    assert sum(outcome == "succeeded" for outcome in outcomes) == sum(run.expected["tool_calls_ok"] for run in runs)
    assert sum(outcome == "failed" for outcome in outcomes) == sum(
        run.expected["tool_calls_failed_or_denied"] for run in runs
    )


def totals(source: str) -> dict[str, int]:
    return {
        name: AgentSessionDay.objects.filter(source=source).aggregate(total=Sum(column))["total"]
        for name, column in TOKENS.items()
    }


def expected_tokens(runs: Sequence[Recording]) -> dict[str, int]:
    return {name: sum(run.expected["normalized_totals"][name] for run in runs) for name in TOKENS}


def metric_total(run: Recording, name: str) -> float:
    total: Any = run.expected["seen_in_otel"]["metric_totals"][name]
    return float(total)


def cost_of(runs: Sequence[Recording]) -> float:
    return sum(metric_total(run, "claude_code.cost.usage {}") for run in runs)


def lines_of(runs: Sequence[Recording], kind: str) -> float:
    return sum(metric_total(run, f'claude_code.lines_of_code.count {{"type": "{kind}"}}') for run in runs)
