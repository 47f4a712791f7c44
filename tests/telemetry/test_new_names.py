"""Names of models, agents and tools that a token invents: bounded per day, and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from integrations.models import AgentSession, AgentSessionDay, IngestToken, KnownName
from integrations.telemetry.otlp.decoded import DecodedRequest
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token, replace_ingest_token, sender_of_token
from integrations.telemetry.otlp.store import store
from integrations.telemetry.otlp.store_names import known_names
from integrations.telemetry.otlp.store_rows import EventRow, Figures
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.intake import ADA, REQUEST, Intake, log_record, logs

pytestmark = pytest.mark.django_db
MOST = 200


def requests_of(models: Sequence[str], prefix: str = "") -> dict[str, Any]:
    return logs(
        *(log_record({**REQUEST, "request_id": f"{prefix}{n}", "model": model}) for n, model in enumerate(models))
    )


def tool_call(number: int) -> dict[str, Any]:
    return log_record(
        {
            **ADA,
            "event.name": "tool_result",
            "tool_name": f"tool{number}",
            "success": "true",
            "tool_use_id": f"t{number}",
        }
    )


def models_kept(intake: Intake) -> list[str]:
    return [event["model"] for event in intake.events]


def test_a_first_day_with_thirty_models_is_left_alone(intake: Intake) -> None:
    intake.send(requests_of([f"model{n}" for n in range(30)]))
    assert sorted(models_kept(intake)) == sorted(f"model{n}" for n in range(30))
    assert IngestToken.objects.get().folded_records == 0


def test_names_beyond_the_bound_count_as_other_and_the_token_says_so(intake: Intake) -> None:
    names = [f"model{n}" for n in range(250)]
    intake.send(requests_of(names))
    assert sorted(models_kept(intake)) == sorted([*names[:MOST], *["other"] * 50])
    token = IngestToken.objects.get()
    assert (token.folded_records, token.last_folded.startswith("model model2")) == (50, True)
    assert token.last_folded_at is not None
    assert timezone.now() - token.last_folded_at < timedelta(minutes=1)
    fold_received_batches()
    tokens = sum(day.input_tokens for day in AgentSessionDay.objects.all())
    assert tokens == 250 * 100, "every record counts"
    known_names.clear()  # as after a restart, and in another worker
    intake.send(requests_of(names))
    token.refresh_from_db()
    assert token.folded_records == 50, "what is repeated is counted once"
    intake.send(requests_of([names[0], "model-of-later"], "later"))
    assert sorted(models_kept(intake)).count("model0") == 2, "known names stay what they are"
    assert models_kept(intake).count("other") == 51


def test_kinds_have_bounds_of_their_own(intake: Intake) -> None:
    intake.send(requests_of([f"model{n}" for n in range(MOST)]))
    intake.send(logs(*(tool_call(n) for n in range(MOST + 3))))
    tools = [event["tool"] for event in intake.events if event["tool"]]
    assert (len({*tools}), tools.count("other")) == (MOST + 1, 3)


def test_agents_are_bounded_and_their_accounts_stay_apart(intake: Intake) -> None:
    IngestToken.objects.update(most_new_names=2)
    for number in range(4):
        span = {"gen_ai.operation.name": "chat", "gen_ai.response.id": f"r{number}", "gen_ai.request.model": "m"}
        own = {"gen_ai.conversation.id": f"c{number}", "user.id": "same", "gen_ai.usage.input_tokens": 5}
        intake.send(
            logs(
                log_record({**span, **own, "event.name": "gen_ai.client.inference.operation.details"}),
                resource={"service.name": f"invented {number}"},
            )
        )
    assert [*AgentSession.objects.order_by("pk").values_list("agent", flat=True)] == [
        *("invented_0", "invented_1"),
        *("other", "other"),
    ]
    assert AgentSession.objects.values("identity").distinct().count() == 4


def test_another_day_has_room_again_and_an_admin_can_lift_the_bound(intake: Intake) -> None:
    intake.send(requests_of([f"model{n}" for n in range(MOST + 1)]))
    assert models_kept(intake).count("other") == 1
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
        intake.send(requests_of([f"next{n}" for n in range(MOST)], "next"))
    assert models_kept(intake).count("other") == 1
    token, intake.secret = create_ingest_token("lifted")
    IngestToken.objects.filter(pk=token.pk).update(most_new_names=None)
    intake.send(requests_of([f"lifted{n}" for n in range(MOST + 50)], "lifted"))
    assert models_kept(intake).count("other") == 1


def test_a_replaced_token_has_what_is_left_of_the_day(intake: Intake) -> None:
    intake.send(requests_of([f"model{n}" for n in range(MOST)]))
    _, intake.secret = replace_ingest_token(intake.token)
    intake.send(requests_of(["one-more"], "more"))
    assert models_kept(intake).count("other") == 1


def test_spellings_of_one_model_are_one_name(intake: Intake) -> None:
    IngestToken.objects.update(most_new_names=1)
    intake.send(requests_of(["claude-opus-4-7", "claude-opus-4-7[1m]", "anthropic/claude-opus-4.7"]))
    assert models_kept(intake).count("other") == 0


def event(number: int) -> EventRow:
    figures = Figures("api_request", key=str(number), model=f"invented{number}", input_tokens=1)
    return EventRow(800_000_000_000_000 + number, number.to_bytes(16, "big"), None, 1, figures)


def test_a_hundred_thousand_invented_names_are_two_hundred(intake: Intake) -> None:
    sender = sender_of_token(IngestToken.objects.get())
    started = time.monotonic()
    for first in range(0, 100_000, 10_000):
        store(DecodedRequest(0, events=[event(first + n) for n in range(10_000)]), sender=sender)
    assert time.monotonic() - started < 60
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT model), sum(input_tokens) FROM integrations_agent_event")
        assert cursor.fetchone() == (100_000, MOST + 1, 100_000)
    assert IngestToken.objects.get().folded_records == 100_000 - MOST
    assert KnownName.objects.filter(kind=KnownName.Kind.MODEL).count() == MOST


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_share_one_bound() -> None:
    intake = Intake()

    def send(worker: int) -> None:
        try:
            Intake.send(intake, requests_of([f"w{worker}-{n}" for n in range(100)], f"w{worker}-"))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        [*pool.map(send, range(4))]
    assert KnownName.objects.filter(kind=KnownName.Kind.MODEL).count() == MOST
    assert models_kept(intake).count("other") == 200
