"""A browser window on a server: signs in, takes screenshots, and records errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, expect

from tests.patience import PATIENCE_SECONDS
from tests.personas import Persona
from tests.servers import Server

Theme = Literal["light", "dark"]
WIDE = 1440
NARROW = 400
HEIGHT = 900
MOST_PIXELS = {WIDE: 1800, NARROW: 4000}  # of a tab, by the width of the window
# A page is looked at once light and wide, often while somebody uses it, and once dark and narrow.
THEMES_AND_WIDTHS: tuple[tuple[Theme, int], ...] = (("light", WIDE), ("dark", NARROW))
PATIENCE_MS = PATIENCE_SECONDS * 1000
GRAVE = ("serious", "critical")
# Pages whose contrast was measured, by address and by who saw them.
_contrast_measured: set[tuple[str, Persona | None]] = set()
# The console names a violation of the Content-Security-Policy only where it prevents something; the event always tells.
REPORT_VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", (event) =>
        console.error(`CSP ${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""

expect.set_options(timeout=PATIENCE_MS)


class BrowserWindows:
    """Windows of one browser, and what their pages complained about."""

    def __init__(self, browser: Browser, screenshots: Path) -> None:
        self.complaints: list[str] = []
        self._browser = browser
        self._screenshots = screenshots
        self._contexts: list[BrowserContext] = []

    def open(
        self, server: Server, *, as_: Persona | None = None, theme: Theme = "light", width: int = WIDE
    ) -> BrowserWindow:
        """A new window with cookies of its own, signed in as that persona."""
        context = self._browser.new_context(
            base_url=server.url,
            color_scheme=theme,
            viewport={"width": width, "height": HEIGHT},
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        context.add_init_script(REPORT_VIOLATIONS)
        if as_ is not None:
            context.add_cookies([{"name": "sessionid", "value": server.session_of(as_), "url": server.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("requestfailed", self._note_failure)
        page.on("response", self._note_status)
        return BrowserWindow(page, self._screenshots, self.complaints, persona=as_, theme=theme)

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.location.get('url')}: {message.text}")

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a page that was left while something of it was still loading
            self.complaints.append(f"{request.url}: {request.failure}")

    def _note_status(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.url}: {response.status}")


class BrowserWindow:
    def __init__(
        self, page: Page, screenshots: Path, complaints: list[str], *, persona: Persona | None, theme: Theme
    ) -> None:
        self.page = page
        self._screenshots = screenshots
        self._complaints = complaints
        self._persona = persona
        self._theme = theme

    def sign_in(self, persona: Persona) -> None:
        self.page.goto("/accounts/login/")
        self.page.locator("input[name=login]").fill(persona.email)
        self.page.locator("input[name=password]").fill(persona.password)
        self.page.locator("main form button[type=submit], form button[type=submit]").first.click()
        self.page.wait_for_url(lambda address: "/accounts/login" not in address)

    def go(self, address: str) -> None:
        """Open a page and wait until everything that it loads by itself is there."""
        self.page.goto(address)
        self.wait_until_loaded()

    def go_where_nothing_is(self, address: str) -> None:
        """Open a page that is answered with 404, which is then nothing to complain about."""
        before = list(self._complaints)
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status == 404, f"{address}: {answer.status}"
        self.wait_until_loaded()
        self._complaints[:] = before + [
            complaint for complaint in self._complaints[len(before) :] if not complaint.startswith(answer.url)
        ]

    @contextmanager
    def refused(self) -> Iterator[None]:
        """Expect that requests in this block are answered with 400 and the same page; that is then no complaint."""
        before = list(self._complaints)
        yield
        self.wait_until_loaded()
        others = [complaint for complaint in self._complaints[len(before) :] if "400" not in complaint]
        assert len(self._complaints) > len(before), "it was refused"
        self._complaints[:] = before + others

    @contextmanager
    def without_answers(self, address: re.Pattern[str]) -> Iterator[None]:
        """Requests for that address fail in here, which is nothing to complain about."""
        before = list(self._complaints)
        self.page.route(address, lambda route: route.abort())
        yield
        self.page.unroute(address)
        self._complaints[:] = before

    def wait_until_loaded(self) -> None:
        """Wait until no chart and no part of the page is still loading."""
        self.page.wait_for_load_state("load")
        expect(self.page.locator("[aria-busy=true], .htmx-request")).to_have_count(0)

    def tile(self, key: str) -> str:
        """The figure on a tile, with its unit."""
        return self.page.locator(f"[data-tile='{key}'] .hw-val").first.inner_text().replace("\n", " ").strip()

    def keep_picture(self, name: str) -> None:
        """Save a picture of the visible part: the whole page takes six times as long."""
        self._screenshots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self._screenshots / f"{name}.png")

    def grave_barriers(self, *, of_components: bool = False) -> list[str]:
        """Serious and critical accessibility violations that axe finds on the page.

        Contrast takes four fifths of the time.  It is measured in the light theme, once for a page and persona; the
        colours of the other theme, and of elements that open on a page later, are those `of_components`.
        """
        # Without preloading: axe would put imported style sheets, which Django's forms have, into the page itself.
        # Of what is right it would list each element as well, which takes longer than to find what is wrong.
        page = self.page.url.partition("?")[0], self._persona
        contrast = {"enabled": of_components or (self._theme == "light" and page not in _contrast_measured)}
        if self._theme == "light":
            _contrast_measured.add(page)
        options = {"preload": False, "resultTypes": ["violations"], "rules": {"color-contrast": contrast}}
        violations = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{violation['id']} ({violation['impact']}): {violation['help']}\n"
            + "\n".join(f"    {node['target']}: {node['html'][:160]}" for node in violation["nodes"][:5])
            for violation in violations
            if violation["impact"] in GRAVE
        ]

    def height(self) -> int:
        """The height of the whole page in pixels."""
        return int(self.page.evaluate("document.documentElement.scrollHeight"))

    def overflows(self) -> bool:
        """Whether the page can be scrolled sideways."""
        wider: bool = self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        return wider
