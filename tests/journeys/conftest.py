"""A real Chromium on the real server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from programs.bench.in_browser import chromium
from tests.conftest import StartServer
from tests.journeys.history import send_history
from tests.journeys.window import BrowserWindows
from tests.servers import OUTPUT_DIR, READ_BESIDE_A_LOOP, Server

SCREENSHOTS = OUTPUT_DIR / "screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def empty_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """An installation that nothing was sent to."""
    with start_server("web", "worker", "beat", named=f"{request.node.name}-empty") as server:
        _ = server.ingest_token
        yield server


@pytest.fixture(scope="module")
def telling_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """An installation with twelve weeks of a few people's sessions."""
    with start_server("web", "worker", "beat", named=f"{request.node.name}-telling") as server:
        send_history(server)
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for all tests of a file; windows have cookies of their own.

    Playwright keeps an event loop in this thread while the browser runs, beside which Django lets nobody read its
    models unless it is told that nothing else runs in that loop.
    """
    if os.environ.get("HEADWAY_SKIP_BROWSER") == "1":
        pytest.skip("HEADWAY_SKIP_BROWSER=1: journeys were not run")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv(READ_BESIDE_A_LOOP, "true")
        path = chromium()
        if path is None and not Path(playwright.chromium.executable_path).exists():
            pytest.fail(
                "NOT RUN: there is no Chromium. Install one (apt-get install chromium, playwright install chromium), "
                "name it in HEADWAY_CHROMIUM, or leave journeys out with HEADWAY_SKIP_BROWSER=1.",
                pytrace=False,
            )
        root = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=root)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture
def windows(browser: Browser) -> Iterator[BrowserWindows]:
    """Browser windows; the test fails when a page in one of them reported an error."""
    windows = BrowserWindows(browser, SCREENSHOTS)
    yield windows
    windows.close()
    assert windows.complaints == []
