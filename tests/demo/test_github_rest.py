"""The simulated GitHub over HTTP: it pages, filters and refuses as the public API says of itself."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from integrations.demo.providers.github_access import Token
from integrations.demo.providers.github_server import GitHubServer
from tests.demo.small_history import small_history

PULLS = "/repos/acme/shop/pulls"


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer(small_history(), tokens=[Token("secret", "ada")]) as server:
        yield server


@pytest.fixture
def client(github: GitHubServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=github.url, headers={"Authorization": "Bearer secret"}, trust_env=False) as client:
        yield client


def test_lists_come_in_pages_that_name_the_next(client: httpx.Client) -> None:
    seen, address = [], f"{PULLS}?state=all&per_page=2"
    while address:
        answer = client.get(address).raise_for_status()
        seen += [each["number"] for each in answer.json()]
        address = answer.links.get("next", {}).get("url", "")
    assert seen == [6, 5, 4, 3, 2]
    assert "Link" not in client.get(f"{PULLS}?state=all").headers


def test_what_is_open_is_told_apart(client: httpx.Client) -> None:
    assert [each["number"] for each in client.get(PULLS).json()] == [5, 3]
    assert [each["number"] for each in client.get(f"{PULLS}?state=closed").json()] == [6, 4, 2]
