"""Secret links never appear in logs, whatever fails."""

from __future__ import annotations

import inspect
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from django.test import Client

from config import logs
from config.celery import app
from config.launcher.output import Output
from orgtree.access.invitations import invite
from programs.models import Channel
from programs.reminders.services.preferences import unsubscribe_token
from tests.every_route import ROUTES
from tests.personas import ADMIN, create_user
from tests.servers import Server

MARKER = "Zm9yIG9uZSByZWFkZXI"
# Parameters of routes that name a thing and let nobody in.  A new one is judged here before its page goes out.
HARMLESS = {
    "card", "connection_id", "decision", "key", "key_result", "kind", "name", "number", "pk", "point", "provider",
    "public_id", "record_id", "rhythm", "sha", "signal", "slug", "start", "tab", "template",
}  # fmt: skip
SECRET = {
    "accounts/invitation/<str:token>/": f"/accounts/invitation/{MARKER}/",
    "account/notifications/unsubscribe/<str:token>/": f"/account/notifications/unsubscribe/{MARKER}/",
    "badges/<str:key>.svg": f"/badges/{MARKER}.svg",
    "calendar/<str:token>.ics": f"/calendar/{MARKER}.ics",
}
VIEWS = (
    "orgtree.access.pages.invitations.find_invitation",
    "programs.reminders.pages.preferences.read_token",
    "programs.meetings.pages.feeds.find_feed",
    "insights.pages.badges.get_object_or_404",
)


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """All that was logged, as lines of text and as JSON, the way an installation writes it."""
    formatters = logs.configuration()["formatters"]
    stream = io.StringIO()
    handlers = [logging.StreamHandler(stream), logging.StreamHandler(stream)]
    handlers[0].setFormatter(logs.WithoutSecrets(formatters["text"]["format"]))
    handlers[1].setFormatter(logs.JsonLines())
    root, level = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.DEBUG)
    for handler in handlers:
        root.addHandler(handler)
    yield stream.getvalue
    root.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


def broken(*_: object, **__: object) -> NoReturn:
    raise RuntimeError(f"nobody expected {SECRET}")


def test_every_route_with_a_secret_is_known() -> None:
    named = {route: set(re.findall(r"<(?:\w+:)?(\w+)>", route)) for route in ROUTES}
    assert {route for route, names in named.items() if names - HARMLESS} | {"badges/<str:key>.svg"} == set(SECRET)


@pytest.mark.django_db
@pytest.mark.parametrize("route", SECRET)
def test_no_log_has_the_secret_of_a_link(
    route: str, logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = SECRET[route]
    client, strict = Client(raise_request_exception=False), Client(enforce_csrf_checks=True)
    assert client.get(address).status_code == 404
    assert client.put(address).status_code == 405
    strict.post(address)
    strict.post(address, headers={"Origin": f"https://elsewhere.example.com{address}"})
    strict.post(address, secure=True, headers={"Referer": f"https://elsewhere.example.com{address}"})
    client.get(address.upper().replace(MARKER.upper(), MARKER))
    client.get(f"//mistyped{address}more/")
    client.get("/api/v1/metrics/no.such/", {"next": address})
    client.get(f"/no%2Fsuch{address.replace('/', '%2F')}")
    for view in VIEWS:
        monkeypatch.setattr(view, broken)
    assert client.get(address).status_code == 500
    logging.getLogger("anything").error("Redirect to ?next=%s", address.replace("/", "%2F"))
    assert "Internal Server Error" in logged()
    assert "Method Not Allowed" in logged()
    assert MARKER not in logged()
    assert "/…" in logged(), "which page it was stays readable"


@pytest.mark.django_db
def test_a_mistyped_password_leaves_the_link_open_and_unwritten(logged: Callable[[], str]) -> None:
    [invited] = invite(["lise@example.com"], by=create_user(ADMIN))
    address = f"/accounts/invitation/{invited.token}/"
    answer = Client().post(address, {"password": "a-long-enough-one-74", "again": "a-long-enough-one-47"})
    assert answer.status_code == 400
    assert answer["Referrer-Policy"] == "strict-origin"
    assert "/accounts/invitation/…" in logged()
    assert invited.token not in logged()
    assert Client().get(address).status_code == 200


@pytest.mark.django_db
def test_pages_that_end_mail_hand_their_address_to_no_other() -> None:
    token = unsubscribe_token(create_user(ADMIN), Channel.EMAIL)
    assert Client().get(f"/account/notifications/unsubscribe/{token}/")["Referrer-Policy"] == "strict-origin"


def test_addresses_without_a_secret_stay_readable() -> None:
    for line in (
        "Not Found: /insights/badges/", "Not Found: /orgtree/access/invitations/4711/renew/", "/badges",
        "input_tokens: 7", "Sent to ada@example.com by https://mail.example.com/a@b", "The token was revoked.",
    ):  # fmt: skip
        assert logs.without_secrets(line) == line


@pytest.mark.parametrize(
    "line",
    [
        f"fatal: could not read from https://{MARKER}@git.example.com/shop.git",
        f"https://robot:{MARKER}@git.example.com: 403",
        f"https://robot:a,'b;{MARKER}@git.example.com: 403",
        f"GET /api/v4/projects?private_token={MARKER}&page=2",
        f"GET /login?next=%2F%3Faccess_token%3D{MARKER}",
        f"{{'PRIVATE-TOKEN': '{MARKER}', 'Accept': '*/*'}}",
        f"X-Api-Key: {MARKER}",
        f"Cookie: theme=dark; sessionid={MARKER}; csrftoken={MARKER}",
        f"connection failed: host=db password={MARKER} user=headway",
        f"Authorization: Basic {MARKER}",
        f"?header=Bearer%20{MARKER}",
        f"No such token hwa_{MARKER}, nor hwi_{MARKER}, nor ghp_{MARKER}, nor glpat-{MARKER}",
    ],
)
def test_a_secret_is_blotted_out_wherever_a_library_writes_it(line: str) -> None:
    assert MARKER not in logs.without_secrets(line)


def test_the_supervisor_blots_out_what_a_library_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for form in ("text", "json"):
        monkeypatch.setenv("HEADWAY_LOG_FORMAT", form)
        output = Output(tmp_path / form)
        output.feed("web", f"Exception while serving {SECRET['badges/<str:key>.svg']}\n".encode())
        output.feed("web", json.dumps({"message": 'a "quoted" word'}).encode() + b"\n")
        for handler in output._file("web").handlers:
            handler.close()
        written = capsys.readouterr().out + (tmp_path / form / "web.log").read_text()
        assert MARKER not in written
        assert "Exception while serving /badges/…" in written
        assert r"a \"quoted\" word" in written


def test_messages_to_the_worker_carry_nothing() -> None:
    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert len(ours) > 20
    assert not {name for name, task in ours.items() if inspect.signature(task.run).parameters}


def test_the_web_servers_own_log_has_none_either(server: Server) -> None:
    client = server.browse()
    for address in SECRET.values():
        client.get(address)
        client.put(address)
        client.post(address, data={"password": "x"})
        client.get(address, headers={"Host": "elsewhere.example.com"})
    logged = server.logs(lines=1000)
    assert "/…" in logged
    assert MARKER not in logged
