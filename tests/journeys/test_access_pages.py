"""Access pages in a browser: accept an invitation, grant and end a role, and pass accessibility checks."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from programs.models import PhilosophyVersion
from tests.journeys.window import NARROW, BrowserWindow, BrowserWindows
from tests.personas import ADMIN, MEMBER
from tests.servers import Server

NEWCOMER = "nova@example.com"
PASSWORD = "a long made-up sentence, 42"


def test_somebody_is_invited_given_a_role_and_loses_it(empty_server: Server, windows: BrowserWindows) -> None:
    admin = windows.open(empty_server, as_=ADMIN)
    newcomer = windows.open(empty_server)
    newcomer.page.goto(invite(admin))
    open_account(newcomer)
    newcomer.go("/orgtree/access/")
    expect(newcomer.page.get_by_role("heading", name="Grant a role")).to_have_count(0)
    give_role(admin)
    newcomer.go("/orgtree/access/")
    expect(newcomer.page.locator("#mine")).to_contain_text(f"{NEWCOMER}: aggregates of the whole organisation")
    assert newcomer.grave_barriers() == []
    admin.page.get_by_role("button", name=f"End the role of {NEWCOMER}").click()
    expect(admin.page.get_by_text("is no longer executive")).to_be_visible()
    newcomer.go("/orgtree/access/")
    expect(newcomer.page.locator("#mine")).to_contain_text("Nobody has this role")
    newcomer.go_where_nothing_is("/orgtree/access/invitations/")


def invite(window: BrowserWindow) -> str:
    """The link that the newcomer gets."""
    window.go("/orgtree/access/invitations/")
    assert window.grave_barriers() == []
    window.page.get_by_label("E-mail addresses").fill(NEWCOMER)
    window.page.get_by_role("button", name="Invite").click()
    expect(window.page.get_by_role("region", name="Open invitations")).to_contain_text(NEWCOMER)
    assert window.grave_barriers() == []
    window.keep_picture("access-invitations")
    link = re.search(r"https?://\S+", window.page.locator(".hw-links").inner_text())
    assert link is not None
    return link[0]


def open_account(window: BrowserWindow) -> None:
    page = window.page
    assert window.grave_barriers() == []
    window.keep_picture("access-open-account")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=again]").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url(lambda address: "invitation" not in address)


def give_role(window: BrowserWindow) -> None:
    window.go("/orgtree/access/#roles")
    form = window.page.locator(".hw-give form")
    form.locator("[name=account]").fill(NEWCOMER)
    form.locator("[name=role]").select_option("executive")
    form.locator("[name=reason]").fill("Looks after the whole of it")
    form.get_by_role("button", name="Grant role").click()
    expect(window.page.get_by_role("region", name="Granted roles")).to_contain_text(NEWCOMER)
    assert window.grave_barriers() == []
    window.keep_picture("access-roles")


def test_the_pages_keep_nobody_out_and_fit_a_narrow_dark_window(empty_server: Server, windows: BrowserWindows) -> None:
    for persona, addresses in (
        (ADMIN, ("/orgtree/access/", "/orgtree/access/invitations/", "/orgtree/import/", "/orgtree/people/")),
        (MEMBER, ("/orgtree/access/",)),
    ):
        window = windows.open(empty_server, as_=persona, theme="dark", width=NARROW)
        for address in addresses:
            window.go(address)
            assert window.grave_barriers() == [], address
            assert not window.overflows(), address


def test_an_admin_reaches_the_leaderboard_in_five_clicks(empty_server: Server, windows: BrowserWindows) -> None:
    with empty_server.database():
        PhilosophyVersion.objects.get_or_create(number=1, defaults={"text": "We measure teams.", "reason": "Ours"})
    window = windows.open(empty_server, as_=ADMIN)
    page = window.page
    window.go("/")
    page.get_by_role("link", name="Who sees what").first.click()
    page.get_by_label("Leaderboard").check()
    expect(page.locator("#sight")).to_contain_text("1 change not applied yet: Leaderboard: off → on")
    assert window.grave_barriers() == []
    window.keep_picture("access-rules")
    page.get_by_role("button", name="Announce and apply").click()
    page.get_by_role("link", name="Open the leaderboard").click()
    expect(page.get_by_role("heading", name="Leaderboard")).to_be_visible()
    expect(page.get_by_text("The leaderboard is off")).to_have_count(0)
