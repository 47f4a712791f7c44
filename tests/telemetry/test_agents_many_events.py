"""One person's session of very many events: the fold keeps up, however long it is already."""

from __future__ import annotations

import time

import pytest

from integrations.models import AgentSession, AgentSessionDay
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.agent_records import CODEX, codex_event
from tests.telemetry.intake import NOW, SECOND, Intake, logs

EVENTS = 300_000
PER_REQUEST = 1_000
REQUESTS_PER_FOLD = 20


@pytest.mark.soak
@pytest.mark.django_db
@pytest.mark.timeout(1800)
def test_a_session_of_300_000_events_is_folded_in_pieces() -> None:
    intake = Intake()
    event = codex_event("sse_event", input_token_count="100", cached_token_count=60, output_token_count="7")
    folds = []
    for number in range(EVENTS // PER_REQUEST):
        first = NOW - 600 * SECOND + number * PER_REQUEST * 1000
        records = [{**event, "timeUnixNano": str(first + position * 1000)} for position in range(PER_REQUEST)]
        intake.send(logs(*records, resource=CODEX))
        if number % REQUESTS_PER_FOLD == REQUESTS_PER_FOLD - 1:
            started = time.perf_counter()
            fold_received_batches()
            folds.append(time.perf_counter() - started)
    assert AgentSession.objects.get().event_tokens == EVENTS * 107
    assert sum(AgentSessionDay.objects.values_list("requests", flat=True)) == EVENTS
    # Days are summed anew, which costs a fraction of storing what came: the last fold is no multiple of the first.
    assert min(folds[-3:]) < 4 * min(folds[:3]), folds
