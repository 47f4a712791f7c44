"""Signing in with a token, or as a GitHub App whose tokens run out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from demo.providers.faults import Fault, unauthorised
from demo.providers.github_access import App, Token
from demo.providers.github_server import GitHubServer
from integrations.connectors.base import Settings
from integrations.connectors.errors import CredentialRefusedError, PermanentError
from integrations.connectors.github.connector import GitHub
from tests.connectors.github.reading import TOKEN, client, connector
from tests.demo.small_history import small_history

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    app = App(id=77, slug="headway", installation=501, public_key=PUBLIC)
    with GitHubServer(small_history(), tokens=[Token(TOKEN, "ada")], app=app) as server:
        yield server


def as_app(github: GitHubServer, *, key: str = PEM, installation: str = "501", app: str = "77") -> GitHub:
    values = {"base_url": github.url, "app_id": app, "installation_id": installation}
    return GitHub(Settings(values, {"private_key": key}))


def test_a_token_signs_every_request(github: GitHubServer) -> None:
    of = connector(github)
    assert of.sign(None)["authorization"] == f"Bearer {TOKEN}"
    assert of.sign(None)["x-github-api-version"] == "2022-11-28"


def test_an_app_exchanges_its_key_once_for_a_token(github: GitHubServer) -> None:
    of = as_app(github)
    with client(of) as http:
        assert [resource.name for resource in of.resources(http)] == ["acme/shop"]
        assert all(answer.works for answer in of.check(http))
    paths = [request.path for request in github.requests]
    assert sum(path.endswith("/access_tokens") for path in paths) == 1
    assert "/user" not in paths  # of which an App has none


def test_a_token_that_has_run_out_is_fetched_anew(github: GitHubServer) -> None:
    github.faults = [Fault(unauthorised(), path="/installation/repositories", nth=2)]
    with client(as_app(github)) as http:
        for _ in range(3):
            assert http.get("installation/repositories").status == 200
    exchanges = [request for request in github.requests if request.path.endswith("/access_tokens")]
    assert len(exchanges) == 2


def test_an_app_goes_before_a_token_that_is_still_stored(github: GitHubServer) -> None:
    of = as_app(github)
    both = GitHub(Settings(of.settings.values, {**of.settings.secrets, "token": "github_pat_of_long_ago"}))
    with client(both) as http:
        assert len(list(both.resources(http))) == 1


@pytest.mark.parametrize("key", ["", "no key", PEM.replace("BEGIN", "BEGUN"), PUBLIC.decode()])
def test_a_key_that_cannot_be_read_is_said(github: GitHubServer, key: str) -> None:
    of = as_app(github, key=key)
    with client(of) as http, pytest.raises(PermanentError, match="private key cannot be read") as refused:
        http.get("installation/repositories")
    assert ".pem" in refused.value.what_to_do


@pytest.mark.parametrize("installation", ["", "acme", "501/../../user"])
def test_an_installation_that_is_no_number_is_said(github: GitHubServer, installation: str) -> None:
    of = as_app(github, installation=installation)
    with client(of) as http, pytest.raises(PermanentError, match="installation id"):
        http.get("installation/repositories")
    assert github.requests == []


def test_another_apps_key_is_refused_in_words(github: GitHubServer) -> None:
    of = as_app(github, app="78")
    with client(of) as http, pytest.raises(CredentialRefusedError, match="GitHub refused"):
        http.get("installation/repositories")


def test_without_a_token_no_request_is_made(github: GitHubServer) -> None:
    of = GitHub(Settings({"base_url": github.url}, {}))
    with client(of) as http, pytest.raises(PermanentError, match="no token"):
        http.get("user")
    assert github.requests == []
