"""Client addresses behind proxies, and lockouts after failed sign-ins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from config import environment
from config.client_address import check_proxies, client_address
from config.diagnosis import State, address
from tests.personas import ADMIN, MEMBER, OTHER_MEMBER, Persona, create_user

PROXY = "10.0.0.1"
ATTACKER, COLLEAGUE = "203.0.113.7", "198.51.100.20"
WRONG_SIGN_INS = 30


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()  # where allauth counts
    yield
    cache.clear()


@pytest.fixture
def one_proxy(settings: Settings) -> None:
    """The settings that HEADWAY_TRUSTED_PROXIES=1 makes."""
    settings.TRUSTED_PROXIES = 1
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login": "30/m/ip"}
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.7", PROXY),
        (0, None, PROXY),
        (1, None, PROXY),
        (1, "", PROXY),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "192.0.2.1, 192.0.2.2,203.0.113.7", "203.0.113.7"),
        (2, "192.0.2.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7", PROXY),
        (1, "unknown", PROXY),
        (1, "192.0.2.1, <script>", PROXY),
        (1, "203.0.113.7:4711", "203.0.113.7"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, "[2001:DB8::7]:4711", "2001:db8::7"),
        (1, "x" * 10_000, PROXY),
    ],
)
def test_the_client_is_as_many_places_from_the_right_as_there_are_proxies(
    proxies: int, forwarded: str | None, address: str
) -> None:
    meta = {"REMOTE_ADDR": PROXY} | ({} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded})
    assert client_address(meta, proxies) == address


def try_sign_in(persona_or_name: Persona | str, *, forwarded: str | None = None) -> bool:
    """Whether it opened a session; a name alone comes with a wrong password."""
    right = isinstance(persona_or_name, Persona)
    if isinstance(persona_or_name, Persona):
        create_user(persona_or_name)
        name, password = persona_or_name.email, persona_or_name.password
    else:
        name, password = persona_or_name, "wrong"
    client = Client(REMOTE_ADDR=PROXY)
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    client.post("/accounts/login/", {"login": name, "password": password}, headers=headers)
    assert right or "sessionid" not in client.cookies
    return "_auth_user_id" in client.session


@pytest.mark.django_db
@pytest.mark.usefixtures("one_proxy")
def test_wrong_sign_ins_lock_out_their_client_alone() -> None:
    for number in range(WRONG_SIGN_INS):
        try_sign_in(f"nobody-{number}@example.com", forwarded=ATTACKER)
    assert not try_sign_in(MEMBER, forwarded=ATTACKER)
    assert try_sign_in(MEMBER, forwarded=COLLEAGUE)


@pytest.mark.django_db
@pytest.mark.usefixtures("one_proxy")
def test_a_name_is_locked_for_the_client_that_guessed_alone_whatever_it_forges() -> None:
    for number in range(10):
        try_sign_in(ADMIN.email, forwarded=f"192.0.2.{number}, {ATTACKER}")
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {ATTACKER}
    assert not try_sign_in(ADMIN, forwarded=f"{COLLEAGUE}, {ATTACKER}")
    assert try_sign_in(ADMIN, forwarded=COLLEAGUE)
    assert try_sign_in(MEMBER, forwarded=ATTACKER)


@pytest.mark.django_db
@pytest.mark.usefixtures("one_proxy")
def test_changing_addresses_within_a_network_does_not_avoid_the_lockout() -> None:
    for number in range(10):
        try_sign_in(ADMIN.email, forwarded=f"2001:db8:1:2:{number:x}::7")
    assert not try_sign_in(ADMIN, forwarded="2001:db8:1:2:ffff::7")
    assert try_sign_in(ADMIN, forwarded="2001:db8:1:3::7")
    for number in range(10):
        try_sign_in(MEMBER.email, forwarded="::ffff:203.0.113.7" if number % 2 else ATTACKER)
    assert not try_sign_in(MEMBER, forwarded=ATTACKER)


@pytest.mark.django_db
def test_a_password_is_compared_once_whether_or_not_there_is_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the time of an answer tells which names exist."""
    compared: list[str] = []
    real = MD5PasswordHasher.encode

    def encode(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
        compared.append(password)
        return real(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
    User.objects.create_user("ada@example.com", "alan@example.com", "x")
    User.objects.create_user("alan", "alan@example.com", "x")
    User.objects.create_user("left", "left@example.com", "x", is_active=False)
    for name in ("ada@example.com", "alan", "left@example.com", "left", "nobody@example.com", "nobody"):
        compared.clear()
        try_sign_in(name)
        assert compared == ["wrong"], name


@pytest.mark.django_db
@pytest.mark.parametrize("forwarded", [None, ATTACKER])
def test_behind_a_proxy_that_nobody_named_other_names_can_sign_in(forwarded: str | None) -> None:
    for number in range(WRONG_SIGN_INS):
        try_sign_in(f"nobody-{number}@example.com", forwarded=forwarded)
    for _ in range(10):
        try_sign_in(MEMBER.email, forwarded=forwarded)
    assert not try_sign_in(MEMBER, forwarded=forwarded)
    assert try_sign_in(OTHER_MEMBER, forwarded=COLLEAGUE)


@pytest.mark.django_db
def test_https_is_believed_of_a_proxy_alone(client: Client, settings: Settings, one_proxy: None) -> None:
    answer = client.get("/accounts/login/", headers={"X-Forwarded-Proto": "https"})
    assert answer.wsgi_request.is_secure()
    settings.SECURE_PROXY_SSL_HEADER = None
    assert not client.get("/accounts/login/", headers={"X-Forwarded-Proto": "https"}).wsgi_request.is_secure()


def test_https_without_a_number_of_proxies_is_named(settings: Settings) -> None:
    assert (check_proxies(), address().state) == ([], State.RIGHT)
    settings.HTTPS = True
    assert [warning.id for warning in check_proxies()] == ["headway.W001"]
    assert (address().state, "HEADWAY_TRUSTED_PROXIES" in address().sentence) == (State.NOTE, True)
    settings.TRUSTED_PROXIES = 1
    assert (check_proxies(), address().state) == ([], State.RIGHT)


@pytest.mark.parametrize("value", ["-1", "one", "10", "1.0", "¹"])
def test_a_number_of_proxies_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HEADWAY_TRUSTED_PROXIES", value)
    with pytest.raises(environment.ConfigurationError, match="HEADWAY_TRUSTED_PROXIES"):
        environment.check()
