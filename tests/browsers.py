"""One Chromium per test process; each window has its own cookies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.browser_print import chromium
from tests.servers import OUTPUT_DIR, READ_BESIDE_A_LOOP

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.journeys.window import BrowserWindows

SCREENSHOTS = OUTPUT_DIR / "screenshots"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser of this process.

    Playwright keeps an event loop in this thread while the browser runs, beside which Django lets nobody read its
    models unless it knows that nothing else runs in that loop.
    """
    from playwright.sync_api import sync_playwright

    if os.environ.get("HEADWAY_SKIP_BROWSER") == "1":
        pytest.skip("HEADWAY_SKIP_BROWSER=1: journeys were not run")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv(READ_BESIDE_A_LOOP, "true")
        path = chromium()
        if path is None and not Path(playwright.chromium.executable_path).exists():
            pytest.fail(
                "NOT RUN: there is no Chromium. Install one (apt-get install chromium-headless-shell, "
                "playwright install chromium), name it in HEADWAY_CHROMIUM, "
                "or leave journeys out with HEADWAY_SKIP_BROWSER=1.",
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
    from tests.journeys.window import BrowserWindows

    windows = BrowserWindows(browser, SCREENSHOTS)
    yield windows
    windows.close()
    assert windows.complaints == []
