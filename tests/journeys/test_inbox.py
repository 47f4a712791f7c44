"""Notifications: a mention reaches the inbox and, by mail, the mailbox; the link there unsubscribes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from orgtree.access.access import access_of
from programs.models import QuietHours
from programs.tickets.services.writing import add_ticket
from tests.conftest import StartServer
from tests.journeys.window import NARROW, BrowserWindows
from tests.patience import wait_until
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, create_user
from tests.programs.mail_server import MailServer, mail_server
from tests.programs.tickets import draft
from tests.servers import Server
from tests.teams import create_teams

INBOX, MESSAGES = "/programs/inbox/", "/account/notifications/"
TITLE = "Reviews wait overnight"


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(Path(tmp_path_factory.mktemp("mails"))) as server:
        yield server


@pytest.fixture(scope="module")
def notifying_server(start_server: StartServer, mails: MailServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """An installation with a mail server, and a ticket of Ada's that Edith filed."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HEADWAY_EMAIL_URL", mails.url)
        with start_server("web", "worker", "beat", named=f"{request.node.name}-inbox") as server:
            with server.database():
                create_teams()
                for persona in (ADMIN, EXECUTIVE, MANAGER, MEMBER):
                    QuietHours.objects.create(account=create_user(persona), begins=time(0), ends=time(0))
                add_ticket(access_of(create_user(MANAGER)), draft(title=TITLE))
            yield server


def test_a_mention_reaches_inbox_and_mailbox_and_a_link_ends_it(
    notifying_server: Server, mails: MailServer, windows: BrowserWindows
) -> None:
    manager = windows.open(notifying_server, as_=MANAGER)
    manager.go("/programs/tickets/")
    manager.page.get_by_role("link", name=TITLE).click()
    manager.wait_until_loaded()
    manager.page.get_by_label("Add a comment").fill("@ada@example.com, does the **rota** work?")
    manager.page.get_by_role("button", name="Comment").click()
    manager.wait_until_loaded()

    def email() -> str:
        return "\n".join(mail.text for mail in mails.taken() if mail.to == MEMBER.email)

    text = wait_until(email, what="a message in Ada's mailbox")
    assert f"Edith mentions you: {TITLE}" in text

    member = windows.open(notifying_server, as_=MEMBER)
    page = member.page
    member.go("/programs/tickets/")
    expect(page.locator(".hw-nav").get_by_role("link", name="Inbox")).to_contain_text("2 unread")
    page.locator(".hw-nav").get_by_role("link", name="Inbox").click()
    member.wait_until_loaded()
    notices = page.get_by_role("region", name="Notifications")
    expect(notices).to_contain_text("Edith mentions you")
    expect(notices).to_contain_text("does the **rota** work?")
    expect(notices).to_contain_text("Assigned to you")
    assert member.grave_barriers() == []
    member.keep_picture("program-inbox")
    page.get_by_role("link", name=TITLE).first.click()
    member.wait_until_loaded()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.locator(".hw-nav").get_by_role("link", name="Inbox")).to_contain_text("1 unread")
    member.go(INBOX)
    page.get_by_role("button", name="Mark all as read").click()
    member.wait_until_loaded()
    expect(page.get_by_role("status")).to_contain_text("1 notification marked as read")
    expect(page.locator("main")).to_contain_text("No unread notifications")
    assert member.grave_barriers() == []

    anybody = windows.open(notifying_server)  # not signed in
    [link] = re.findall(r"https?://\S+/unsubscribe/\S+", text)
    anybody.page.goto(link)
    anybody.wait_until_loaded()
    assert anybody.grave_barriers() == []
    anybody.page.get_by_role("button", name="Unsubscribe").click()
    anybody.wait_until_loaded()
    expect(anybody.page.get_by_role("heading", level=1)).to_have_text("Unsubscribed")
    member.go(MESSAGES)
    expect(page.get_by_label("Send me e-mail")).not_to_be_checked()
    page.get_by_label("Send me e-mail").check()
    page.get_by_label("A ticket of mine is overdue").uncheck()
    page.get_by_role("button", name="Save").click()
    member.wait_until_loaded()
    expect(page.get_by_role("status")).to_contain_text("Stored")
    expect(page.get_by_label("Send me e-mail")).to_be_checked()
    expect(page.get_by_label("A ticket of mine is overdue")).not_to_be_checked()


def test_the_pages_keep_nobody_out_and_fit_a_narrow_dark_window(
    notifying_server: Server, windows: BrowserWindows
) -> None:
    window = windows.open(notifying_server, as_=MEMBER, theme="dark", width=NARROW)
    for address in (f"{INBOX}?show=all", INBOX, MESSAGES):
        window.go(address)
        assert window.grave_barriers() == [], address
        assert not window.overflows(), address
        window.keep_picture(f"program-{address.strip('/').rpartition('/')[2].replace('?', '-')}-dark-{NARROW}")
    admin = windows.open(notifying_server, as_=ADMIN, theme="dark")
    admin.go("/admin/programs/outgoingemail/")
    assert admin.grave_barriers() == []
