"""A real Chromium on the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.journeys.history import send_history
from tests.servers import Server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def empty_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """An installation that nothing was sent to."""
    with start_server("web", "worker", "beat", named=f"{request.node.name}-empty") as server:
        _ = server.ingest_token
        yield server


@pytest.fixture(scope="module")
def reporting_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """An installation with twelve weeks of a few people's sessions."""
    with start_server("web", "worker", "beat", named=f"{request.node.name}-reporting") as server:
        send_history(server)
        yield server
