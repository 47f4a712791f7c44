"""Whatever is killed during intake, requests answered with 200 are counted exactly once."""

from __future__ import annotations

import json
import random
import re
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.db.models import Sum

from integrations.models import AgentSessionDay, ReceivedBatch
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.conftest import StartServer
from tests.installations import Installation
from tests.otlp import LogEvent, logs_request
from tests.patience import PATIENCE_SECONDS, wait_until

REQUESTS = 120
EVENTS_PER_REQUEST = 10
SENDERS = 3
REQUEST_SECONDS = 10  # after which an agent's exporter tries a request again
EVERYTHING = "everything"
VICTIMS = ("web", "worker", "beat", "database", EVERYTHING)
ROUNDS = [
    pytest.param(VICTIMS, 1, id="all"),
    *(
        pytest.param((victim, victim), seed, marks=pytest.mark.soak, id=f"{victim}-{seed}")
        for victim in VICTIMS
        for seed in range(10, 20)
    ),
]


@pytest.mark.parametrize(("victims", "seed"), ROUNDS)
def test_nothing_answered_is_lost_or_counted_twice(
    installation: Installation, victims: tuple[str, ...], seed: int
) -> None:
    """Send while one victim after the other is killed; an agent sends a request again until it is answered 200."""
    chance = random.Random(seed)
    sent = [request_of(chance) for _ in range(REQUESTS)]
    moments = sorted(chance.sample(range(5, REQUESTS - 5), len(victims)))
    answered = Progress()
    senders = [
        threading.Thread(target=send_all, args=(installation, sent[start::SENDERS], answered))
        for start in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    for moment, victim in zip(moments, chance.sample(victims, len(victims)), strict=True):
        answered.wait_for(moment)
        if victim == EVERYTHING:
            installation.kill_everything()
            installation.start()
        else:
            installation.kill_role(victim)
    for sender in senders:
        sender.join()
    assert answered.failures == []
    installation.wait_until_it_answers(path="/readyz")

    wait_until(lambda: requests_waiting(installation) == 0, what="everything is folded")
    assert total_of(installation, "ai.tokens") == sum(tokens for _, tokens in sent)
    assert total_of(installation, "ai.sessions") == REQUESTS


def request_of(chance: random.Random) -> tuple[bytes, int]:
    """One session's export request, and the tokens in it."""
    start = datetime.now(UTC) - timedelta(minutes=30)
    amounts = [chance.randrange(1, 10_000) for _ in range(EVENTS_PER_REQUEST)]
    events = [
        LogEvent(
            "api_request",
            start + timedelta(seconds=number),
            {"model": "claude-sonnet-4-5", "request_id": f"req_{uuid.uuid4().hex}", "input_tokens": amount},
        )
        for number, amount in enumerate(amounts)
    ]
    email = f"dev{chance.randrange(8)}@example.com"
    return logs_request(email, str(uuid.uuid4()), events).SerializeToString(), sum(amounts)


class Progress:
    """The number of requests answered with 200, over all senders."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self._answered = 0
        self._changed = threading.Condition()

    def note(self) -> None:
        with self._changed:
            self._answered += 1
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._answered >= count, PATIENCE_SECONDS), "the senders stand still"


def send_all(installation: Installation, requests: Sequence[tuple[bytes, int]], answered: Progress) -> None:
    headers = {
        "Authorization": f"Bearer {installation.ingest_token}",
        "Content-Type": "application/x-protobuf",
    }
    with httpx.Client(base_url=installation.url, headers=headers, timeout=REQUEST_SECONDS, trust_env=False) as agent:
        for body, _ in requests:
            for _attempt in attempts():
                try:
                    if agent.post("/v1/logs", content=body).status_code == httpx.codes.OK:
                        answered.note()
                        break
                except httpx.TransportError:
                    continue
            else:
                answered.failures.append(f"a request was not answered 200 within {PATIENCE_SECONDS} s")
                return


def attempts() -> Iterator[None]:
    """A turn now and then until an agent would give up."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)


def requests_waiting(installation: Installation) -> int:
    """The number of requests received but not folded yet."""
    figures = httpx.get(f"{installation.url}/prometheus", timeout=REQUEST_SECONDS, trust_env=False).raise_for_status()
    match = re.search(r"^headway_requests_waiting (\d+)$", figures.text, re.MULTILINE)
    assert match is not None
    return int(match[1])


def total_of(installation: Installation, key: str) -> float:
    today = datetime.now(UTC).date()
    window = ("--from", str(today - timedelta(days=7)), "--to", str(today + timedelta(days=1)))
    answer = json.loads(installation.manage("metric", key, *window, "--json"))
    return float(answer["total"][0]["value"] or 0)


def test_what_was_answered_before_the_web_process_died_is_folded_afterwards(start_server: StartServer) -> None:
    """Nothing of an answered request stands in the web process alone: it is killed before anybody folds."""
    chance = random.Random(5)
    sent = [request_of(chance) for _ in range(40)]
    with start_server("web", named="kill-between-answer-and-fold") as server:
        headers = {"Authorization": f"Bearer {server.ingest_token}", "Content-Type": "application/x-protobuf"}
        with (
            ThreadPoolExecutor(8) as pool,
            httpx.Client(base_url=server.url, headers=headers, trust_env=False) as agent,
        ):
            answers = list(pool.map(lambda request: agent.post("/v1/logs", content=request[0]).status_code, sent))
        server.kill("web")
        assert set(answers) == {httpx.codes.OK}
        with server.database():
            assert ReceivedBatch.objects.exists()
            fold_received_batches()
            counted = AgentSessionDay.objects.aggregate(tokens=Sum("input_tokens"), requests=Sum("requests"))
        assert counted == {
            "tokens": sum(tokens for _, tokens in sent),
            "requests": EVENTS_PER_REQUEST * len(sent),
        }
