"""Measures the time until a page in a browser on this machine has loaded its last part and its last chart."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings

from bench.figures import Measured, percentile
from core.browser_print import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page

logger = logging.getLogger(__name__)

FIRST_SECONDS = 1.2
AGAIN_SECONDS = 0.8
# A chart is there when its plot stops loading, and a part when htmx has put it in its place; the shades around lines,
# which come into charts that are there, are none of both.
NOTE_WHEN = """
    const note = () => { window.completeAt = performance.now(); };
    addEventListener("DOMContentLoaded", note);
    addEventListener("htmx:afterSettle", note);
    new MutationObserver((records) => {
        if (records.some((one) => one.oldValue === "loading" && one.target.dataset.state !== "loading")) note();
    }).observe(document, { subtree: true, attributeFilter: ["data-state"], attributeOldValue: true });
"""
IS_UNFINISHED = (
    "document.querySelector('[data-plot][data-state=loading], [data-plot][data-state=error], .htmx-request')"
)


def pages_in_browser(
    session_cookie: str, name: str, *, first: Sequence[str], again: Sequence[str], rounds: int
) -> Iterator[Measured]:
    """The median of visits to addresses that nobody has opened, and of repeated visits.

    Styles and scripts are in the browser's cache.  None, and a warning, if there is no browser.
    """
    with window(session_cookie) as page:
        if page is None:
            return
        for address in again:
            _seconds_until_complete(page, address)
        yield _measured(f"{name} in a browser, first look", page, first, FIRST_SECONDS)
        for address in again:
            yield _measured(f"{name} in a browser, again", page, [address] * rounds, AGAIN_SECONDS)


def _measured(name: str, page: Page, addresses: Sequence[str], goal_seconds: float) -> Measured:
    seconds = [_seconds_until_complete(page, address) for address in addresses]
    middle = percentile(seconds, 50)
    return Measured(
        name=name,
        value=middle,
        unit="s, p50",
        goal=f"≤ {goal_seconds:g} s",
        met=middle <= goal_seconds,
        conditions=f"{len(seconds)} visits, {min(seconds):.2f} to {max(seconds):.2f} s, the browser on the same cores; "
        f"{addresses[0]}" + (" and other units" if len({*addresses}) > 1 else ""),
    )


def _seconds_until_complete(page: Page, address: str) -> float:
    page.goto("about:blank")
    page.goto(f"{settings.BASE_URL}{address}")
    page.wait_for_load_state("networkidle")
    if page.evaluate(f"Boolean({IS_UNFINISHED})"):
        raise ValueError(f"{address} has parts that do not come.")
    milliseconds: float = page.evaluate("window.completeAt")
    return milliseconds / 1000


@contextmanager
def window(session_cookie: str) -> Iterator[Page | None]:
    """A signed-in tab; opening one costs the browser a second of work.  None if no browser can be driven."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        logger.warning("No page was measured in a browser: the packages of requirements-dev.txt are not installed.")
        yield None
        return
    path = chromium()
    if path is None:
        logger.warning("No page was measured in a browser: there is no Chromium, nor one named in HEADWAY_CHROMIUM.")
        yield None
        return
    options: dict[str, Any] = {"args": ["--no-sandbox"]} if os.getuid() == 0 else {}
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, **options)
        except Error as error:  # earlier results are reported nevertheless
            logger.warning("No page was measured in a browser: %s does not start. %s", path, error)
            yield None
            return
        try:
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": session_cookie, "url": settings.BASE_URL}]
            )
            context.add_init_script(NOTE_WHEN)
            yield context.new_page()
        finally:
            browser.close()
