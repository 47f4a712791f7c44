"""The HTTP client: where it sends requests, how it protects secrets, and how it waits for rate limits."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from integrations.connectors import http
from integrations.connectors.addresses import is_refused
from integrations.connectors.base import Http, Settings
from integrations.connectors.errors import CredentialRefusedError, GoneError, PermanentError, TransientError
from integrations.connectors.http import ConnectionHttp, Patience
from integrations.connectors.rate_limits import LONGEST_WAIT, moment, reported_quota, retry_at
from integrations.sync.clients import ExchangedSignature
from tests.sync import faults
from tests.sync.connector import Example
from tests.sync.faults import always, refused, times
from tests.sync.provider import TOKEN, Provider, Reply

NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
QUICK = Patience(connect=5, read=1, whole=2, tries=3, first_wait=0.01, longest_wait=0.05)


def client(base_url: str, *, token: str = TOKEN, allow_private: bool = True) -> ConnectionHttp:
    connector = Example(Settings({"base_url": base_url}, {"token": token}))
    return ConnectionHttp(connector, patience=QUICK, allow_private=allow_private)


@pytest.fixture
def asking(provider: Provider) -> Iterator[ConnectionHttp]:
    provider.repository("acme/shop", pull_requests=3)
    with client(provider.url) as asking:
        yield asking


def test_an_answer_is_json_and_requests_are_counted(asking: ConnectionHttp) -> None:
    answer = asking.get("/repos", params={"page": 1})
    assert answer.json()["records"][0]["name"] == "acme/shop"
    assert asking.requests == 1


def test_tries_within_a_turn_are_few_and_counted(asking: ConnectionHttp, provider: Provider) -> None:
    provider.answers(always(refused(502), to="/repos"))
    with pytest.raises(TransientError, match="Example answered 502, an error of its own, when asked for /repos"):
        asking.get("/repos")
    assert asking.requests == len(provider.seen) == QUICK.tries


def test_what_is_wrong_for_good_is_not_tried_again(asking: ConnectionHttp, provider: Provider) -> None:
    with pytest.raises(GoneError, match="Example does not show /nothing"):
        asking.get("/nothing")
    provider.answers(always(refused(403, "Resource not accessible"), to="/repos"))
    with pytest.raises(PermanentError, match=r"does not let this token read /repos .“Resource not accessible”."):
        asking.get("/repos")
    assert asking.requests == 2


def test_not_modified_is_an_answer(asking: ConnectionHttp, provider: Provider) -> None:
    provider.answers(always(Reply(304, b""), to="/repos"))
    answer = asking.get("/repos", headers={"if-none-match": '"abc"'})
    assert (answer.status, answer.json()) == (304, None)


def test_a_huge_answer_is_refused_while_it_is_read(
    asking: ConnectionHttp, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 1 << 20)
    bomb = gzip.compress(b'{"text": "' + b"a" * (50 << 20) + b'"}')
    provider.answers(always(Reply(200, bomb, {"Content-Encoding": "gzip"}), to="/repos"))
    with pytest.raises(PermanentError, match="with more than 1 MB"):
        asking.get("/repos")


def test_json_of_any_depth_breaks_nothing(asking: ConnectionHttp, provider: Provider) -> None:
    provider.answers(always(Reply(200, b"[" * 100_000), to="/repos"))
    with pytest.raises(TransientError, match="the JSON is incomplete"):
        asking.get("/repos")


def test_what_no_database_takes_is_left_out_of_answers(asking: ConnectionHttp, provider: Provider) -> None:
    written = rb'{"title": "a\u0000b \ud83d \ud83d\ude00 \u00e4", "points": NaN, "more": [1e999, 2.5], "\u0000": 1}'
    provider.answers(always(Reply(200, written), to="/repos"))
    assert asking.get("/repos").json() == {"title": "ab � 😀 ä", "points": None, "more": [None, 2.5], "": 1}


@pytest.mark.parametrize("token", ["two\nlines", "t\u00f6ken", "a\0b"])
def test_a_token_that_cannot_be_sent_is_said_to_be_none(provider: Provider, token: str) -> None:
    with client(provider.url, token=token) as asking, pytest.raises(PermanentError, match="cannot be sent") as caught:
        asking.get("/repos")
    assert token not in str(caught.value)
    assert caught.value.what_to_do.startswith("Enter the token again")
    assert provider.seen == []


@pytest.mark.parametrize("location", ["http://[", "http://a:b", "//", "http:///nothing", "\ud83d"])
def test_a_redirect_to_what_is_no_address_is_refused(asking: ConnectionHttp, provider: Provider, location: str) -> None:
    target = location.encode("utf-8", "replace").decode("latin-1")
    provider.answers(always(Reply(302, b"", {"Location": target}), to="/repos"))
    with pytest.raises((PermanentError, TransientError), match="Example"):
        asking.get("/repos")


def test_nobody_learns_the_token(asking: ConnectionHttp, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    provider.answers(always(refused(401, f"Bearer {TOKEN} is unknown"), to="/repos"))
    with pytest.raises(CredentialRefusedError) as caught:
        asking.get("/repos")
    texts = f"{caught.value!r} {caught.value} {caught.value.what_to_do} {asking!r} {asking._connector.settings!r}"
    assert TOKEN not in texts + caplog.text
    assert provider.seen[0].token == f"Bearer {TOKEN}"


def test_a_token_that_was_exchanged_is_exchanged_again_when_it_runs_out(provider: Provider) -> None:
    provider.repository("acme/shop")
    signed: list[str] = []

    class Exchanging(Example):
        def sign(self, http: object) -> dict[str, str]:
            signed.append(TOKEN if len(signed) else "an-old-one")
            return {"Authorization": f"Bearer {signed[-1]}"}

    with ConnectionHttp(Exchanging(Settings({"base_url": provider.url}, {"token": ""})), patience=QUICK) as asking:
        assert asking.get("/repos").status == 200
    assert signed == ["an-old-one", TOKEN]


def test_an_exchange_is_made_once_for_many_clients_and_again_for_other_settings(provider: Provider) -> None:
    provider.repository("acme/shop")

    class Exchanging(Example):
        def sign(self, http: Http | None) -> dict[str, str]:
            assert http is not None
            http.get("/exchange")
            return {"Authorization": f"Bearer {TOKEN}"}

    provider.answers(lambda request: Reply(200, b"{}") if request.path == "/exchange" else None)
    for key in ("a", "a", "b"):
        connector = Exchanging(Settings({"base_url": provider.url}, {"token": key}))
        with ConnectionHttp(connector, patience=QUICK, exchanged=ExchangedSignature(connector)) as asking:
            asking.get("/repos")
            asking.get("/repos")
    assert len(provider.requests_for("/exchange")) == 2
    assert len(provider.requests_for("/repos")) == 6


def test_an_address_that_is_none_is_said_to_be_none(asking: ConnectionHttp, provider: Provider) -> None:
    for path in (f"{provider.url}/repos?page=\0", "http://[/repos", "/re\npos"):
        with pytest.raises(PermanentError, match="Example leads to"):
            asking.get(path)
    assert provider.seen == []


def test_nothing_is_requested_from_an_absolute_address_of_another_host(
    asking: ConnectionHttp, provider: Provider
) -> None:
    with pytest.raises(PermanentError, match=r"leads to another host, http://elsewhere.example.com"):
        asking.get("http://elsewhere.example.com/repos?page=2")
    assert asking.get(f"{provider.url}/repos?page=1").status == 200


def test_a_circle_of_redirects_ends(asking: ConnectionHttp, provider: Provider) -> None:
    provider.answers(always(Reply(302, b"", {"Location": "/repos"}), to="/repos"))
    with pytest.raises(PermanentError, match="leads in a circle"):
        asking.get("/repos")


@pytest.mark.parametrize(
    "base_url",
    [
        "http://169.254.169.254",
        "http://[fe80::1]",
        "http://[::ffff:169.254.169.254]",
        "http://0xa9fea9fe",  # the same number, in a spelling that resolvers understand
        "http://100.100.100.200",
        "http://0.0.0.0:8000",
    ],
)
def test_addresses_of_the_machines_own_surroundings_are_refused(base_url: str) -> None:
    with client(base_url) as asking, pytest.raises(PermanentError, match="to which Headway does not connect"):
        asking.get("/latest/meta-data/")


def test_private_addresses_can_be_refused(provider: Provider) -> None:
    with client(provider.url, allow_private=False) as asking, pytest.raises(PermanentError, match=r"127.0.0.1"):
        asking.get("/repos")
    assert not is_refused("192.168.1.1", allow_private=True)
    assert is_refused("192.168.1.1", allow_private=False)
    assert is_refused("::ffff:10.0.0.1", allow_private=False)
    assert not is_refused("140.82.121.4", allow_private=False)
    assert is_refused("64:ff9b::a9fe:a9fe", allow_private=True)


@pytest.mark.parametrize("base_url", ["", "example.com", "ftp://example.com", "http://", "http://[", "http://a:b"])
def test_a_base_url_that_is_none_is_said_to_be_none(base_url: str) -> None:
    with pytest.raises(PermanentError, match="The base URL is not a URL"):
        client(base_url)


def test_a_host_that_is_not_there_is_named() -> None:
    with client("http://127.0.0.1:1") as asking, pytest.raises(TransientError, match=r"127.0.0.1:1 cannot be reached"):
        asking.get("/repos")


def test_whoever_gave_up_asks_nothing_more(asking: ConnectionHttp, provider: Provider) -> None:
    asking.give_up()
    with pytest.raises(TransientError):
        asking.get("/repos")
    assert provider.seen == []


def test_a_short_silence_is_overheard(asking: ConnectionHttp, provider: Provider) -> None:
    reply, end = faults.silence()
    provider.answers(times(1, reply, to="/repos"))
    assert asking.get("/repos").status == 200
    end()


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("30", 30),
        ("0", 0),
        ("1.5", 1.5),
        (str(int(NOW.timestamp()) + 60), 60),
        (str(int(NOW.timestamp() * 1000) + 90_000), 90),
        ("2026-04-01T12:02:00Z", 120),
        ("2026-04-01T14:02:00+02:00", 120),
        ("Wed, 01 Apr 2026 12:03:00 GMT", 180),
        (str(int(NOW.timestamp()) - 60), 0),
        ("9" * 15, LONGEST_WAIT.total_seconds()),
        ("9" * 12, LONGEST_WAIT.total_seconds()),
        ("999999999", LONGEST_WAIT.total_seconds()),
    ],
)
def test_times_are_understood_in_every_spelling(words: str, seconds: float) -> None:
    assert moment(words, {}, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("words", ["", "soon", "-5", "nan", "1e99", "²"])
def test_times_that_are_none_are_ignored(words: str) -> None:
    assert moment(words, {}, NOW) is None


def test_a_reset_is_meant_by_the_providers_clock() -> None:
    headers = {
        "date": "Wed, 01 Apr 2026 12:10:00 GMT",  # ten minutes before ours
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(int((NOW + timedelta(minutes=12)).timestamp())),
        "x-ratelimit-resource": "core",
    }
    quota = reported_quota(headers, NOW)
    assert quota is not None
    assert (quota.budget, quota.limit, quota.remaining) == ("core", 5000, 0)
    assert quota.resets_at == retry_at(headers, NOW) == NOW + timedelta(minutes=2)
    assert retry_at({**headers, "retry-after": "5"}, NOW) == NOW + timedelta(seconds=5)
    assert retry_at({**headers, "x-ratelimit-remaining": "1"}, NOW) is None
    assert reported_quota({}, NOW) is None
