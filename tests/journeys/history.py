"""Twelve weeks of a small team's sessions, sent to a server like agents do."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from google.protobuf.message import Message

from tests.otlp import Increment, LogEvent, logs_request, metrics_request
from tests.patience import wait_until
from tests.servers import Server

PEOPLE = ("ada", "grace", "linus")  # fewer than the smallest group: the installation is on trial
WEEKS = 12
SESSIONS_PER_WEEK = 3
MODELS = ("claude-sonnet-4-5", "claude-opus-4-1", "a-model-nobody-knows")
TOOLS = ("Bash", "Edit", "Read", "Grep")


def send_history(server: Server) -> None:
    """Send everything, and wait until pages show it."""
    agent = server.agent()
    for path, message in requests():
        agent.post(
            path, content=message.SerializeToString(), headers={"Content-Type": "application/x-protobuf"}
        ).raise_for_status()
    wait_until_copied(server)


def requests() -> Iterator[tuple[str, Message]]:
    chance = random.Random(20260302)
    now = datetime.now(UTC)
    for week in range(WEEKS):
        for person in PEOPLE[: 1 + week * len(PEOPLE) // WEEKS]:  # one by one they start to use it
            for _ in range(SESSIONS_PER_WEEK):
                start = now - timedelta(weeks=WEEKS - week) + timedelta(hours=chance.randrange(1, 160))
                yield from session(f"{person}@example.com", start, chance)


def session(email: str, start: datetime, chance: random.Random) -> Iterator[tuple[str, Message]]:
    name = str(uuid.UUID(int=chance.getrandbits(128)))
    model = chance.choice(MODELS)
    events = [LogEvent("user_prompt", start, {"prompt_length": "80"})]
    for number in range(chance.randrange(3, 12)):
        at = start + timedelta(minutes=3 * number + 1)
        events.append(
            LogEvent(
                "api_request",
                at,
                {
                    "model": model,
                    "request_id": f"req_{chance.getrandbits(64):x}",
                    "input_tokens": chance.randrange(500, 4000),
                    "cache_read_tokens": chance.randrange(2000, 40_000),
                    "cache_creation_tokens": chance.randrange(0, 3000),
                    "output_tokens": chance.randrange(200, 2000),
                    "cost_usd": 0.02,
                    "duration_ms": 2100,
                },
            )
        )
        tool = chance.choice(TOOLS)
        succeeded = tool != "Bash" or chance.random() > 0.3
        outcome = {"success": "true"} if succeeded else {"success": "false", "error_type": "ShellError"}
        events.append(
            LogEvent(
                "tool_result",
                at + timedelta(seconds=20),
                {
                    "tool_name": tool,
                    "tool_use_id": f"toolu_{chance.getrandbits(64):x}",
                    "duration_ms": "300",
                    **outcome,
                },
            )
        )
    yield "/v1/logs", logs_request(email, name, events)
    written = Increment(
        "lines_of_code.count", start + timedelta(minutes=5), float(chance.randrange(5, 200)), {"type": "added"}
    )
    yield "/v1/metrics", metrics_request(email, name, [written])


def wait_until_folded(server: Server) -> None:
    from integrations.models import ReceivedBatch

    def nothing_left() -> bool:
        with server.database():
            return not ReceivedBatch.objects.exists()

    wait_until(nothing_left, what="the worker folds the history")


def wait_until_copied(server: Server) -> None:
    """Wait until the worker is done with what was sent, and pages, which may lag some seconds, show it."""
    from insights.models import ColumnPartition
    from integrations.models import AttributionWork, FactChange, PullRequestWork, ReceivedBatch

    stale = ColumnPartition.objects.exclude(stale_since=None)
    queues = (ReceivedBatch.objects, AttributionWork.objects, PullRequestWork.objects, FactChange.objects, stale)

    def nothing_waits() -> bool:
        with server.database():
            return not any(queue.exists() for queue in queues)

    wait_until(nothing_waits, what="the worker copies the facts to the columns")
