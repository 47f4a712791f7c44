"""With a hanging or missing broker, agents still get responses and their data waits to be counted."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from integrations.models import ReceivedBatch
from tests.conftest import StartServer
from tests.otlp import LogEvent, logs_request


@pytest.fixture(params=["hangs", "refuses"])
def broker_address(request: pytest.FixtureRequest) -> Iterator[str]:
    """A port on which nobody ever answers: a stopped Redis still accepts connections, one that ended does not."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if request.param == "hangs":
            silent.listen()
        yield f"redis://127.0.0.1:{silent.getsockname()[1]}/0"


def test_an_agent_is_answered_without_the_broker(start_server: StartServer, broker_address: str) -> None:
    event = LogEvent("api_request", datetime.now(UTC), {"model": "claude-sonnet-4-5", "input_tokens": 5})
    with start_server("web", named="no_broker", broker={"CELERY_BROKER_URL": broker_address}) as server:
        for _ in range(2):
            body = logs_request("ada@example.com", str(uuid.uuid4()), [event]).SerializeToString()
            answer = server.agent().post("/v1/logs", content=body, headers={"Content-Type": "application/x-protobuf"})
            assert answer.status_code == httpx.codes.OK
        with server.database():
            assert ReceivedBatch.objects.count() == 2
        readiness = server.browse().get("/readyz")
        assert readiness.status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert readiness.json()["broker"] == "unreachable"
