"""The simulated GitHub over HTTP: it pages, filters, limits and refuses as the public API says of itself."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from demo.providers.github_access import App, Token
from demo.providers.github_server import GitHubServer
from tests.demo.small_history import BEGIN, DAY, HOUR, sha, small_history

REPOSITORY = "/repos/acme/shop"
PULLS = f"{REPOSITORY}/pulls"


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer(small_history(), tokens=[Token("secret", "ada")]) as server:
        yield server


@pytest.fixture
def client(github: GitHubServer) -> Iterator[httpx.Client]:
    with _client(github) as client:
        yield client


def _client(github: GitHubServer, secret: str = "secret") -> httpx.Client:  # noqa: S107
    return httpx.Client(base_url=github.url, headers={"Authorization": f"Bearer {secret}"}, trust_env=False)


def _numbers(answer: httpx.Response) -> list[int]:
    return [item["number"] for item in answer.raise_for_status().json()]


def test_whoever_did_nothing_in_the_history_can_own_a_token_all_the_same() -> None:
    with GitHubServer(small_history(), tokens=[Token("secret", "reader")]) as github, _client(github) as client:
        assert client.get("/user").raise_for_status().json()["login"] == "reader"


# Lists -----------------------------------------------------------------------------------------------------------


def test_lists_come_in_pages_that_name_the_next(client: httpx.Client) -> None:
    seen: list[int] = []
    address = f"{PULLS}?state=all&per_page=2"
    while address:
        answer = client.get(address)
        seen += _numbers(answer)
        address = answer.links.get("next", {}).get("url", "")
    assert seen == [6, 5, 4, 3, 2]
    assert "Link" not in client.get(f"{PULLS}?state=all").headers


def test_links_name_the_repository_by_id_and_outlast_a_renaming(github: GitHubServer, client: httpx.Client) -> None:
    first = client.get(f"{PULLS}?state=all&per_page=2")
    assert "/repositories/101/pulls" in first.links["next"]["url"]
    github.rename_repository("shop", "store")
    assert _numbers(client.get(first.links["next"]["url"])) == [4, 3]
    moved = client.get(REPOSITORY)
    assert moved.status_code == 301
    assert client.get(moved.headers["Location"]).json()["full_name"] == "acme/store"


def test_lists_are_filtered_and_sorted(client: httpx.Client) -> None:
    assert _numbers(client.get(PULLS)) == [5, 3]
    assert _numbers(client.get(f"{PULLS}?state=closed")) == [6, 4, 2]
    assert _numbers(client.get(f"{PULLS}?state=all&sort=updated")) == [2, 3, 4, 5, 6]
    assert _numbers(client.get(f"{PULLS}?state=all&sort=updated&direction=desc")) == [6, 5, 4, 3, 2]
    assert client.get(f"{PULLS}?state=weird").status_code == 422


def test_pull_requests_are_among_issues(client: httpx.Client) -> None:
    issues = client.get(f"{REPOSITORY}/issues?state=all").json()
    assert sorted(issue["number"] for issue in issues if "pull_request" not in issue) == [1, 7]
    assert len(issues) == 7
    since = (BEGIN + 8 * DAY).isoformat().replace("+00:00", "Z")
    assert {issue["number"] for issue in client.get(f"{REPOSITORY}/issues?state=all&since={since}").json()} == {5, 6}


def test_runs_are_filtered_by_when_they_were_created(client: httpx.Client) -> None:
    path = f"{REPOSITORY}/actions/runs"
    assert client.get(path).json()["total_count"] == 2
    day = BEGIN.date()
    assert client.get(f"{path}?created={day}..{day}").json()["total_count"] == 2
    assert client.get(f"{path}?created=%3E%3D{(BEGIN + 2 * HOUR).isoformat()[:19]}Z").json()["total_count"] == 1
    assert client.get(f"{path}?created=%3C{day}").json()["total_count"] == 0
    assert client.get(f"{path}?created={day}&page=11&per_page=100").status_code == 422


def test_attempts_have_jobs_of_their_own(client: httpx.Client) -> None:
    run = f"{REPOSITORY}/actions/runs/3001"
    assert client.get(run).json()["run_attempt"] == 2
    assert client.get(f"{run}/attempts/1").json()["conclusion"] == "failure"
    assert [job["id"] for job in client.get(f"{run}/jobs").json()["jobs"]] == [4011, 4012]
    assert len(client.get(f"{run}/jobs?filter=all").json()["jobs"]) == 4
    assert [job["id"] for job in client.get(f"{run}/attempts/1/jobs").json()["jobs"]] == [4001, 4002]


# Time ------------------------------------------------------------------------------------------------------------


def test_the_history_is_shown_as_of_an_instant(client: httpx.Client, github: GitHubServer) -> None:
    github.advance(BEGIN + 4.5 * HOUR)
    early = client.get(f"{PULLS}/2").json()
    assert (early["state"], early["merged_at"], early["commits"], early["review_comments"]) == ("open", None, 1, 2)
    assert [reviewer["login"] for reviewer in early["requested_reviewers"]] == []  # who reviewed is not asked any more
    assert [team["slug"] for team in early["requested_teams"]] == ["checkout"]
    github.advance(BEGIN + DAY)
    late = client.get(f"{PULLS}/2").json()
    assert (late["state"], late["commits"], late["merged_by"]["login"]) == ("closed", 2, "max-member")
    assert late["merge_commit_sha"] == sha("Merge pull request #2")


def test_a_force_push_replaces_the_commits(client: httpx.Client, github: GitHubServer) -> None:
    [commit] = client.get(f"{PULLS}/3/commits").json()
    assert commit["sha"] == sha("Sort all crates")
    assert [review["state"] for review in client.get(f"{PULLS}/3/reviews").json()] == ["DISMISSED"]


def test_what_did_not_change_is_not_sent_again_and_costs_nothing(client: httpx.Client, github: GitHubServer) -> None:
    first = client.get(PULLS)
    again = client.get(PULLS, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-remaining"] == first.headers["x-ratelimit-remaining"]
    github.advance(BEGIN + HOUR)
    assert client.get(PULLS, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


# Whoever asks ----------------------------------------------------------------------------------------------------


def test_a_limit_holds_until_its_window_ends() -> None:
    with (
        GitHubServer(small_history(), tokens=[Token("secret", "ada")], limit=2) as github,
        _client(github) as client,
    ):
        assert [client.get(PULLS).status_code for _ in range(3)] == [200, 200, 403]
        refused = client.get(PULLS)
        assert refused.headers["x-ratelimit-remaining"] == "0"
        assert float(refused.headers["x-ratelimit-reset"]) > time.time()
        assert client.post("/graphql", json={"query": "{viewer{login}}"}).status_code == 200  # another budget


def test_an_unknown_token_is_refused(github: GitHubServer) -> None:
    with _client(github, "wrong") as client:
        assert client.get("/user").status_code == 401
    github.access.revoke("secret")
    with _client(github) as client:
        assert client.get("/user").json()["message"] == "Bad credentials"


def test_a_permission_that_is_missing_is_named() -> None:
    tokens = [
        Token("no-actions", "ada", lacks=frozenset({"actions"})),
        Token("nothing-here", "ada", repositories=frozenset()),
        Token("no-issues-here", "ada", lacks_at={"shop": frozenset({"issues"})}),
    ]
    with GitHubServer(small_history(), tokens=tokens) as github:
        with _client(github, "no-actions") as client:
            refused = client.get(f"{REPOSITORY}/actions/runs")
            assert (refused.status_code, refused.headers["x-accepted-github-permissions"]) == (403, "actions=read")
            assert client.get(PULLS).status_code == 200
        with _client(github, "nothing-here") as client:
            assert client.get(PULLS).status_code == 404
            assert client.get("/user/repos").json() == []
        with _client(github, "no-issues-here") as client:
            assert client.get(f"{REPOSITORY}/issues").status_code == 403


def test_an_app_exchanges_its_signature_for_a_token() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with GitHubServer(small_history(), tokens=[], app=App(7, "headway", 70, public)) as github:
        address = f"{github.url}/app/installations/70/access_tokens"

        def ask(jwt: str) -> httpx.Response:
            return httpx.post(address, headers={"Authorization": f"Bearer {jwt}"}, trust_env=False)

        now = int(time.time())
        granted = ask(_jwt(key, {"iat": now - 5, "exp": now + 300, "iss": "7"}))
        assert granted.status_code == 201
        for claims in ({"iat": now - 5, "exp": now + 300, "iss": "8"}, {"iat": now - 900, "exp": now - 60, "iss": "7"}):
            assert ask(_jwt(key, claims)).status_code == 401
        assert ask("no.signature.here").status_code == 401
        with _client(github, granted.json()["token"]) as client:
            [repository] = client.get("/installation/repositories").json()["repositories"]
            assert repository["full_name"] == "acme/shop"


def test_a_token_of_an_installation_ends() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    app = App(7, "headway", 70, public)
    with GitHubServer(small_history(), tokens=[], app=app, installation_token_life=timedelta()) as github:
        now = int(time.time())
        jwt = _jwt(key, {"iat": now, "exp": now + 60, "iss": 7})
        address = f"{github.url}/app/installations/70/access_tokens"
        token = httpx.post(address, headers={"Authorization": f"Bearer {jwt}"}, trust_env=False).json()["token"]
        with _client(github, token) as client:
            assert client.get("/installation/repositories").status_code == 401


def _jwt(key: rsa.RSAPrivateKey, claims: dict[str, Any]) -> str:
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{signed}.{_encoded(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


# Hooks -----------------------------------------------------------------------------------------------------------


def test_a_hook_is_registered_once_and_never_shows_its_secret(client: httpx.Client) -> None:
    body = {"name": "web", "events": ["push"], "config": {"url": "http://127.0.0.1:1/hook", "secret": "hidden"}}
    hook = client.post(f"{REPOSITORY}/hooks", json=body)
    assert hook.status_code == 201
    assert "hidden" not in hook.text
    assert client.post(f"{REPOSITORY}/hooks", json=body).status_code == 422
    assert [entry["id"] for entry in client.get(f"{REPOSITORY}/hooks").json()] == [hook.json()["id"]]
    assert client.delete(f"{REPOSITORY}/hooks/{hook.json()['id']}").status_code == 204
    assert client.get(f"{REPOSITORY}/hooks").json() == []


def test_a_hook_receives_the_events_it_subscribed_to(client: httpx.Client, github: GitHubServer) -> None:
    """Another simulated server serves as the receiver: it notes what it is sent."""
    with GitHubServer(small_history(), tokens=[]) as receiver:
        config = {"url": f"{receiver.url}/hook", "secret": "hidden"}
        client.post(f"{REPOSITORY}/hooks", json={"events": ["pull_request"], "config": config})
        statuses = github.tell_hooks(github.deliveries(BEGIN, BEGIN + 2 * HOUR))
        assert len(statuses) == len(receiver.requests) == 3  # opened, and twice a review was requested


def test_a_deleted_issue_is_gone(client: httpx.Client) -> None:
    assert client.get(f"{REPOSITORY}/issues/99").status_code == 404


def test_a_renamed_user_has_the_new_login_in_all_that_they_did(client: httpx.Client, github: GitHubServer) -> None:
    before = client.get(f"{PULLS}/2").json()["user"]
    github.rename_user("max-member", "max")
    after = client.get(f"{PULLS}/2").json()["user"]
    assert (before["login"], after["login"], before["id"]) == ("max-member", "max", after["id"])
    assert client.get("/users/max").status_code == 200
    assert client.get("/users/max-member").status_code == 404


def test_an_empty_repository_says_so(client: httpx.Client, github: GitHubServer) -> None:
    github.advance(BEGIN - 20 * DAY)
    assert client.get(REPOSITORY).status_code == 200
    assert client.get(f"{REPOSITORY}/commits").json()["message"] == "Git Repository is empty."
