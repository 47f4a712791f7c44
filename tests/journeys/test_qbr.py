"""A business review in a browser: an executive drafts, comments, freezes, compares, presents and prints it; a member
sees the published one and nothing hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from programs.models import Qbr
from tests.conftest import StartServer
from tests.journeys.window import NARROW, BrowserWindow, BrowserWindows
from tests.pages.delivering import records
from tests.patience import wait_until
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, create_user
from tests.programs.objectives import objective
from tests.programs.qbrs import review
from tests.programs.tickets import as_, ticket
from tests.servers import Server
from tests.teams import create_teams

REVIEWS = "/programs/qbr/"


@pytest.fixture(scope="module")
def qbr_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A shop that delivers, with a signed review of the quarter before this one."""
    from programs.qbr.services.freezing import freeze_qbr, sign_qbr
    from programs.quarters.fiscal_quarters import current_quarter

    with start_server("web", "worker", "beat", named=f"{request.node.name}-qbr") as server:
        with server.database():
            create_teams()
            for persona in (ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER):
                create_user(persona)
        for kind, of_kind in records().items():
            server.pipeline().post(f"/ingest/v1/{kind}/", json={"records": of_kind}).raise_for_status()
        with server.database():
            objective(EXECUTIVE, title="Reviews no longer wait", unit="platform")
            ticket(EXECUTIVE, title="A rota for reviews")
            earlier = review(unit="platform", day=current_quarter().start - timedelta(days=1))
            freeze_qbr(as_(EXECUTIVE), earlier)
            sign_qbr(as_(EXECUTIVE), earlier)
        yield server


def test_an_executive_takes_a_review_from_draft_to_signed_and_a_member_reads_it(
    qbr_server: Server, windows: BrowserWindows
) -> None:
    window = windows.open(qbr_server, as_=EXECUTIVE)
    page = window.page
    window.go(REVIEWS)
    assert window.grave_barriers() == []
    page.get_by_role("link", name="New review").click()
    page.get_by_label("Unit").select_option(label="Platform")
    page.get_by_role("button", name="Create draft").click()
    window.wait_until_loaded()
    expect(page.get_by_role("status")).to_contain_text("Draft created")
    assert window.grave_barriers() == []
    comment(window, "DORA", "Reviews are the wait", "We **agreed** on a rota.")
    comment(window, "Asks", "Two decisions", "1. **Approve reviewer time** Half a day a week.\n2. **Buy runners**")
    address = page.url.partition("#")[0]
    freeze_compare_and_present(window)
    window.go(address)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    window.go(address)
    member = windows.open(qbr_server, as_=MEMBER)
    member.go_where_nothing_is(address)
    page.get_by_role("link", name="Sign off…").click()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    page.get_by_role("button", name="Sign off and publish").click()
    window.wait_until_loaded()
    expect(page.get_by_role("banner").or_(page.locator(".hw-qbr-bar"))).to_contain_text("Signed off by")
    read_as_member(member, address)


def comment(window: BrowserWindow, section: str, headline: str, text: str) -> None:
    page = window.page
    page.locator(".outline").get_by_role("link", name=section, exact=True).click()
    window.wait_until_loaded()
    page.get_by_label("Headline").fill(headline)
    page.get_by_label("Commentary").fill(text)
    page.get_by_role("button", name="Preview").click()
    window.wait_until_loaded()
    page.get_by_role("button", name="Save").click()
    window.wait_until_loaded()
    expect(page.get_by_role("heading", name=headline)).to_be_visible()


def freeze_compare_and_present(window: BrowserWindow) -> None:
    page = window.page
    page.get_by_role("link", name="Freeze…").click()
    window.wait_until_loaded()
    expect(page.locator(".hw-points")).to_contain_text("Nothing was written in")
    assert window.grave_barriers() == []
    window.keep_picture("freeze")
    page.get_by_role("button", name="Freeze for good").click()
    window.wait_until_loaded()
    expect(page.locator(".hw-sheet .stamp")).to_contain_text("Frozen")
    expect(page.get_by_role("link", name="Arrange sections")).to_have_count(0)
    page.get_by_role("link", name=re.compile("Compare with")).click()
    window.wait_until_loaded()
    expect(page.get_by_role("region", name="Figures of both reviews")).to_contain_text("Deployment frequency")
    assert window.grave_barriers() == []
    page.go_back()
    page.get_by_role("link", name="Present").click()
    window.wait_until_loaded()
    present_with_the_keyboard(window)


def present_with_the_keyboard(window: BrowserWindow) -> None:
    """One screen per section; arrows, Home and End turn, F is full screen, Escape ends."""
    page = window.page
    shown = page.locator("[data-sheet]:visible")
    expect(shown).to_have_count(1)
    expect(shown).to_have_id("highlights")
    sheets = page.locator("[data-sheet]").count()
    page.keyboard.press("ArrowRight")
    expect(shown).to_have_id("dora")
    expect(shown).to_contain_text("Reviews are the wait")
    assert window.grave_barriers() == []
    page.keyboard.press("ArrowLeft")
    expect(shown).to_have_id("highlights")
    page.keyboard.press("End")
    expect(shown).to_have_id("next")
    expect(page.locator("[data-at]")).to_have_text(f"{sheets} / {sheets}")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-at]")).to_have_text(f"{sheets} / {sheets}")
    page.keyboard.press("Home")
    expect(shown).to_have_id("highlights")
    page.keyboard.press("f")
    wait_until(lambda: is_full_screen(page), what="the presentation fills the screen")
    page.keyboard.press("f")
    wait_until(lambda: not is_full_screen(page), what="the presentation no longer fills the screen")
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(r"/programs/qbr/\d+/$"))


def is_full_screen(page: Page) -> bool:
    # Playwright's own waiting evaluates a string in the page, which the page's policy forbids.
    return bool(page.evaluate("document.fullscreenElement !== null"))


def read_as_member(window: BrowserWindow, address: str) -> None:
    page = window.page
    window.go(REVIEWS)
    expect(page.locator("#qbrs tbody tr")).to_have_count(2)
    window.go(address)
    expect(page.locator("#dora")).to_contain_text("We agreed on a rota.")
    for name in ("Freeze…", "Sign off and publish", "Change the audience", "Arrange sections"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    assert window.grave_barriers() == []


def test_a_review_fits_a_narrow_dark_window_and_paper_has_a_page_per_sheet(
    qbr_server: Server, windows: BrowserWindows
) -> None:
    """Printed from one's own browser, however narrow: A4 landscape, light, without what is around the sheets."""
    with qbr_server.database():
        pk = Qbr.objects.order_by("start").values_list("pk", flat=True)[0]
    window = windows.open(qbr_server, as_=EXECUTIVE, theme="dark", width=NARROW)
    page = window.page
    window.go(f"{REVIEWS}{pk}/")
    window.keep_picture(f"qbr-dark-{NARROW}")
    assert window.grave_barriers() == []
    assert not window.overflows()
    sheets = page.locator("[data-sheet]").count()
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/MediaBox \[0 0 8\d\d\.?\d* 59\d\.?\d*\]", printed)) == sheets
    page.emulate_media(media="print")
    expect(page.locator(".hw-qbr-bar")).to_be_hidden()
    background = page.locator(".hw-sheet").first.evaluate("sheet => getComputedStyle(sheet).backgroundColor")
    assert background == "rgb(255, 255, 255)"
