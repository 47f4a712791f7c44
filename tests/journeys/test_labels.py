"""A manager has pull requests labelled that break the agreement, and sees a label appear and go on one."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from playwright.sync_api import Page, expect

from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.delivery.agreements.apply import apply_agreements
from integrations.delivery.ownership.find import find_owned, find_unit
from integrations.delivery.ownership.give import own
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import PullRequest
from integrations.sync.label_pull_requests import TOO_LARGE, mark_pull_requests
from tests.conftest import StartServer
from tests.demo.small_history import BEGIN
from tests.journeys.window import BrowserWindows
from tests.personas import EXECUTIVE, MANAGER, create_user
from tests.servers import Server
from tests.sync.test_labels import LINES, NUMBER, SECRET, history
from tests.teams import create_teams

CHANGE = "/programs/agreements/platform/"


@pytest.fixture(scope="module")
def github() -> Iterator[GitHubServer]:
    with GitHubServer(history(), tokens=[Token(SECRET, "ada")]) as server:
        yield server


@pytest.fixture(scope="module")
def labelling_server(
    start_server: StartServer, github: GitHubServer, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """Platform owns a repository of the simulated GitHub with an open pull request of twelve lines."""
    with start_server("web", named=f"{request.node.name}-labels") as server:
        with server.database():
            with transaction.atomic():
                create_teams()
                create_user(MANAGER)
            words = {"base_url": github.url, "token": SECRET, "label_pull_requests": "true"}
            sets = [part for name, value in words.items() for part in ("--set", f"{name}={value}")]
            call_command("connect", "github", "--name", "GitHub", *sets, stdout=StringIO())
            call_command("sync", "--wait", stdout=StringIO())
            own(find_owned("acme/shop"), find_unit("platform"), start=None, end=None)
        yield server


def test_a_label_appears_and_goes(labelling_server: Server, github: GitHubServer, windows: BrowserWindows) -> None:
    with labelling_server.database():
        number = PullRequest.objects.get(number=NUMBER).pk
    manager, reader = (windows.open(labelling_server, as_=persona) for persona in (MANAGER, EXECUTIVE))
    agree(manager.page, labelling_server, manager.go, most_lines=LINES - 1)
    reader.go(f"/insights/pull-requests/{number}/")
    expect(reader.page.locator("main")).to_contain_text(TOO_LARGE)
    assert TOO_LARGE in github.shown.pull_requests["shop"][NUMBER].labels
    assert reader.grave_barriers() == []
    reader.keep_picture("pull-request-labelled-light")
    agree(manager.page, labelling_server, manager.go, most_lines=LINES)
    reader.go(f"/insights/pull-requests/{number}/")
    expect(reader.page.locator("main")).to_contain_text("bug")
    expect(reader.page.locator("main")).not_to_contain_text(TOO_LARGE)
    assert github.shown.pull_requests["shop"][NUMBER].labels == ["bug"]


def agree(page: Page, server: Server, go: object, *, most_lines: int) -> None:
    """Change the agreement in the browser; then what a worker does within a minute."""
    assert callable(go)
    go(CHANGE)
    page.get_by_label("Applies from").fill(BEGIN.date().isoformat())
    page.get_by_label("Largest pull request (lines)").fill(str(most_lines))
    page.get_by_label("Labels on pull requests that break it").select_option("yes")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Agreement saved.")
    with server.database():
        apply_agreements()
        recompute_waiting_pull_requests()
        mark_pull_requests()
