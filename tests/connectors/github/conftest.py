"""The connector against the simulated GitHub, over HTTP, and GitHub's own example payloads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from tests.connectors.github.reading import TOKEN
from tests.demo.small_history import small_history

Payload = Callable[[str], dict[str, Any]]


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    """The repository acme/shop with few records, each of which shows something."""
    with GitHubServer(small_history(), tokens=[Token(TOKEN, "ada")]) as server:
        yield server


@pytest.fixture
def example(test_data: Path) -> Payload:
    """example("pull_request.opened"): a webhook's payload as GitHub publishes it."""

    def read(name: str) -> dict[str, Any]:
        folder = test_data / "github-webhooks"
        files = (folder / f"{name}.payload.json", folder / f"{name}.json")
        file = next(path for path in files if path.exists())
        payload: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return payload

    return read
