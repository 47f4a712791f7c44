"""connect, sync and rotate_secrets, as scripts use them."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations.connectors.base import Settings
from integrations.models import Connection
from tests.sync.connector import Example
from tests.sync.faults import always, refused, times
from tests.sync.provider import TOKEN, Provider
from tests.sync.readings import let_time_pass, titles

pytestmark = pytest.mark.django_db


def printed(*words: str) -> Any:
    out = StringIO()
    call_command(*words, "--json", stdout=out)
    return json.loads(out.getvalue())


def connect(provider: Provider, *words: str, name: str = "Example") -> Any:
    answers = ("--set", f"base_url={provider.url}", "--set", f"token={TOKEN}")
    return printed("connect", "example", "--name", name, *answers, *words)


def test_a_connection_is_made_synced_and_counted(provider: Provider) -> None:
    provider.repository("acme/shop", pull_requests=30)
    provider.repository("acme/site", pull_requests=10)
    connected = connect(provider)
    assert connected == {"id": connected["id"], "name": "Example", "provider": "example", "webhook": None}
    shop, site = printed("sync", "--wait")["resources"]
    assert shop == {
        "connection": "Example",
        "resource": "acme/shop",
        "kind": "pull_request",
        "state": "done",
        "requests": 2,
        "records": 30,
        "added": 30,
        "changed": 0,
        "unchanged": 0,
        "removed": 0,
        "quarantined": 0,
        "unplaced": 0,
        "left_out": 0,
        "problem": None,
    }
    assert site["added"] == 10
    for result in printed("sync", "--connection", "Example", "--wait")["resources"]:
        assert (result["added"], result["changed"], result["removed"], result["requests"]) == (0, 0, 0, 1)
    for result in printed("sync", "--connection", str(connected["id"]), "--wait", "--full")["resources"]:
        assert (result["state"], result["added"], result["changed"]) == ("done", 0, 0)
        assert result["unchanged"] >= result["records"] - 1
    assert printed("sync")["resources"][0]["state"] == "asked"


def test_only_the_named_resources_are_synced(provider: Provider) -> None:
    for name in ("acme/shop", "acme/site", "other/thing"):
        provider.repository(name, pull_requests=1)
    connect(provider, "--resource", "acme/shop", "--resource", "other/*")
    names = [result["resource"] for result in printed("sync", "--wait")["resources"]]
    assert names == ["acme/shop", "other/thing"]
    connect(provider, "--set", "note=again")  # keeps what was picked
    assert len(printed("sync", "--wait")["resources"]) == 2


def test_what_fails_is_said_and_the_others_are_synced(provider: Provider) -> None:
    provider.repository("acme/shop", pull_requests=1)
    provider.repository("acme/site", pull_requests=1)
    connection = Connection.objects.get(pk=connect(provider)["id"])
    provider.answers(always(refused(404), to="1000/pulls"))
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("sync", "--wait", "--json", stdout=out)
    assert ended.value.code == 1
    shop, site = json.loads(out.getvalue())["resources"]
    assert (shop["state"], site["state"]) == ("failed", "done")
    assert "Grant access to it" in shop["problem"]
    assert len(titles(connection)) == 1
    provider.answers(always(refused(401), to="/repos"))
    with pytest.raises(SystemExit):
        call_command("sync", "--wait", "--json", stdout=out)


def test_a_wait_that_the_provider_asks_for_is_said_and_waited_for(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.repository("acme/shop", pull_requests=3)
    connection = Connection.objects.get(pk=connect(provider)["id"])
    provider.answers(times(1, refused(429, Retry_After="600")))
    monkeypatch.setattr("integrations.sync.run_now.time.sleep", lambda _: let_time_pass(connection))
    out, printed_text = StringIO(), StringIO()
    call_command("sync", "--wait", "--json", stdout=out, stderr=printed_text)
    (result,) = json.loads(out.getvalue())["resources"]
    assert (result["state"], result["added"]) == ("done", 3)
    assert printed_text.getvalue().startswith(
        "Example: Example limits how much may be read, and asked to wait. Continuing at "
    )


def test_secrets_come_from_files_variables_and_standard_input(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("from the file\n")
    monkeypatch.setenv("EXAMPLE_TOKEN", "from the environment")
    monkeypatch.setattr("sys.stdin", StringIO("from standard input\n"))
    for word, expected in {
        f"@{tmp_path}/token": "from the file",
        "env:EXAMPLE_TOKEN": "from the environment",
        "-": "from standard input",
        "as it is": "as it is",
    }.items():
        connect(provider, "--set", f"token={word}")
        assert Connection.objects.get().secrets["token"] == expected


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["nothing"], "There is no connector 'nothing'"),
        (["example", "--set", "colour=red"], "Example has no setting 'colour'. It has: base_url, token, note."),
        (["example", "--set", "base_url=example.com"], "must be an address such as https://example.com"),
        (["example"], r"Base URL \(base_url\) is missing. Token \(token\) is missing."),
        (["example", "--set", "token"], "--set takes KEY=VALUE"),
        (["example", "--set", "token=@/nowhere"], "The file of token cannot be read"),
        (["example", "--set", "token=env:NOWHERE"], "The environment has no NOWHERE"),
    ],
)
def test_mistakes_are_named_and_nothing_is_stored(words: list[str], problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        call_command("connect", *words, "--name", "Example")
    assert not Connection.objects.exists()


def test_another_base_url_needs_the_secret_again(provider: Provider) -> None:
    connect(provider)
    with pytest.raises(CommandError, match="must be entered again, because the base URL has changed"):
        printed("connect", "example", "--name", "Example", "--set", "base_url=https://elsewhere.example.com")
    assert Connection.objects.get().settings["base_url"] == provider.url


def test_secrets_are_encrypted_under_the_present_key(
    provider: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(provider)
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key", [before]
    assert printed("rotate_secrets") == {"rotated": 1, "unreadable": []}
    settings.SECRET_KEY_FALLBACKS = []
    assert Connection.objects.get().secrets["token"] == TOKEN
    settings.SECRET_KEY = "a third key"
    with pytest.raises(CommandError, match="under a key that is not in HEADWAY_OLD_SECRET_KEYS: Example"):
        call_command("rotate_secrets", stdout=StringIO())
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("sync", "--wait", "--json", stdout=out)
    assert "cannot be read" in json.loads(out.getvalue())["resources"][0]["problem"]
    connect(provider)  # entered again
    assert Connection.objects.get().secrets["token"] == TOKEN


def test_a_paused_connection_is_not_synced(provider: Provider) -> None:
    provider.repository("acme/shop", pull_requests=1)
    connection = Connection.objects.get(pk=connect(provider)["id"])
    printed("sync", "--wait")
    call_command("sync", stdout=StringIO())
    Connection.objects.update(paused_at=connection.created_at)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("sync", "--wait", "--json", stdout=out)
    assert json.loads(out.getvalue())["resources"][0]["state"] == "paused"


def test_a_setting_without_an_answer_has_its_default(provider: Provider) -> None:
    connect(provider)
    assert Connection.objects.get().settings["note"] == "none"
    assert "token" not in Connection.objects.get().settings
    assert TOKEN not in repr(Example(Settings({}, {"token": TOKEN})).settings)
