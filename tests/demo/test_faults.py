"""Faults between a client and the simulated GitHub, one by one and together."""

from __future__ import annotations

import json

import httpx
import pytest

from demo.providers import faults
from demo.providers.faults import Effect, Fault
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from tests.demo.small_history import BEGIN, HOUR, small_history

PULLS = "/repos/acme/shop/pulls?state=all&sort=updated&direction=desc&per_page=2"


def _answers(*struck: Fault, path: str = PULLS, times: int = 3) -> list[httpx.Response]:
    with (
        GitHubServer(small_history(), tokens=[Token("secret", "ada")], faults=struck) as github,
        httpx.Client(base_url=github.url, headers={"Authorization": "Bearer secret"}, trust_env=False) as client,
    ):
        return [client.get(path) for _ in range(times)]


@pytest.mark.parametrize(
    ("effect", "status"),
    [
        (faults.too_many_requests(), 429),
        (faults.too_many_requests(retry_after=1), 429),
        (faults.secondary_limit(retry_after=1), 403),
        (faults.limit_used_up(seconds=1), 403),
        (faults.unauthorised(), 401),
        (faults.forbidden("pull_requests=read"), 403),
        (faults.not_found(), 404),
        (faults.server_error(), 500),
        (faults.bad_gateway(), 502),
        (faults.html_page(), 200),
        (faults.redirect("http://elsewhere.example.com/"), 302),
    ],
)
def test_the_second_request_is_struck_and_the_others_are_not(effect: Effect, status: int) -> None:
    first, struck, third = _answers(Fault(effect, nth=2))
    assert (first.status_code, struck.status_code, third.status_code) == (200, status, 200)
    assert first.json() == third.json()


def test_a_fault_may_strike_for_ever_and_only_one_path() -> None:
    fault = Fault(faults.server_error(), path="/issues", times=None)
    assert {answer.status_code for answer in _answers(fault)} == {200}
    assert {answer.status_code for answer in _answers(fault, path="/repos/acme/shop/issues")} == {500}


def test_an_answer_may_be_cut_in_the_middle() -> None:
    [struck] = _answers(Fault(faults.truncated()), times=1)
    with pytest.raises(json.JSONDecodeError):
        struck.json()
    with pytest.raises(httpx.RemoteProtocolError):
        _answers(Fault(faults.cut_short()), times=1)


def test_a_field_may_be_null_or_of_a_word_that_nobody_knows() -> None:
    [struck] = _answers(Fault(faults.changed("0.user", None)), Fault(faults.changed("0.state", "limbo")), times=1)
    assert struck.json()[0]["user"] is None
    assert struck.json()[0]["state"] == "limbo"
    [unchanged] = _answers(Fault(faults.changed("9.user", None)), times=1)
    assert len(unchanged.json()) == 2


def test_a_page_may_come_twice() -> None:
    with (
        GitHubServer(
            small_history(), tokens=[Token("secret", "ada")], faults=[Fault(faults.repeated_page(), times=2)]
        ) as github,
        httpx.Client(base_url=github.url, headers={"Authorization": "Bearer secret"}, trust_env=False) as client,
    ):
        pages = [client.get(PULLS)]
        pages += [client.get(pages[-1].links["next"]["url"]) for _ in range(2)]
    assert [[item["number"] for item in page.json()] for page in pages] == [[6, 5], [6, 5], [4, 3]]


def test_a_record_may_change_while_pages_are_read() -> None:
    github = GitHubServer(small_history(), tokens=[Token("secret", "ada")], at=BEGIN + 6.5 * HOUR)
    github.faults.append(Fault(faults.meanwhile(lambda: github.advance(BEGIN + 8 * HOUR)), nth=2))
    with (
        github,
        httpx.Client(base_url=github.url, headers={"Authorization": "Bearer secret"}, trust_env=False) as client,
    ):
        states = [client.get(f"{PULLS}&per_page=1").json()[0]["state"] for _ in range(2)]
    assert states == ["open", "closed"]


def test_an_answer_may_come_later_than_a_client_waits() -> None:
    with (
        GitHubServer(
            small_history(), tokens=[Token("secret", "ada")], faults=[Fault(faults.held(seconds=5))]
        ) as github,
        httpx.Client(
            base_url=github.url, headers={"Authorization": "Bearer secret"}, trust_env=False, timeout=0.3
        ) as client,
    ):
        with pytest.raises(httpx.ReadTimeout):
            client.get(PULLS)
        client.timeout = httpx.Timeout(10)
        assert client.get(PULLS).status_code == 200
