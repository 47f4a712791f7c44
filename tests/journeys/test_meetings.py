"""Meetings in a browser: a manager schedules reviews, finds invitations in the outbox, moves one, and cancels it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from programs.models import Meeting, OutgoingEmail, QuietHours
from tests.conftest import StartServer
from tests.journeys.window import NARROW, BrowserWindows
from tests.patience import wait_until
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, create_user
from tests.programs.mail_server import MailServer, mail_server
from tests.programs.meetings import scheduled
from tests.servers import Server
from tests.teams import create_teams

MEETINGS = "/programs/meetings/"


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with mail_server(Path(tmp_path_factory.mktemp("mails"))) as server:
        yield server


@pytest.fixture(scope="module")
def inviting(start_server: StartServer, mails: MailServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """An installation with a mail server, whose people have no quiet hours."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HEADWAY_EMAIL_URL", mails.url)
        with start_server("web", "worker", "beat", named=f"{request.node.name}-meetings") as server:
            with server.database(), transaction.atomic():  # places of units are worked out in one transaction
                create_teams()
                for persona in (ADMIN, EXECUTIVE, MANAGER, MEMBER):
                    QuietHours.objects.create(account=create_user(persona), begins=time(0), ends=time(0))
            yield server


def planned_in_half_a_year(inviting: Server) -> int:
    with inviting.database():
        planned = Meeting.objects.filter(ends_at__gt=timezone.now()).count()
    assert planned in (6, 7)  # now and then both of its ends have a meeting
    return planned


def test_a_manager_schedules_reviews_moves_one_and_cancels_one(
    inviting: Server, mails: MailServer, windows: BrowserWindows
) -> None:
    manager = windows.open(inviting, as_=MANAGER)
    page = manager.page
    manager.go(MEETINGS)
    expect(page.get_by_text("No upcoming meetings")).to_be_visible()
    assert manager.grave_barriers() == []
    page.get_by_role("link", name="Schedule meetings").first.click()
    manager.wait_until_loaded()
    page.get_by_label("Unit").select_option("platform")
    page.get_by_label("A weekday of the month").check()
    page.get_by_label("Which").select_option("1")
    page.get_by_label("Weekday", exact=True).select_option("1")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_label("Public holidays of").select_option("DE")
    page.get_by_label("Where").fill("Room 4")
    page.get_by_label("Participants").fill("ada@example.com\nedith@example.com")
    assert manager.grave_barriers() == []
    page.get_by_role("button", name="Schedule").click()
    manager.wait_until_loaded()
    expect(page.get_by_role("heading", level=1)).to_have_text("Monthly review, Platform")
    coming = page.get_by_role("region", name="Meetings")
    expect(coming.get_by_role("row")).to_have_count(1 + planned_in_half_a_year(inviting))
    assert manager.grave_barriers() == []
    manager.keep_picture("meetings-series")

    def calendar_objects() -> str:
        return "\n".join(
            str(part.get_payload(decode=True))
            for mail in mails.taken()
            if mail.to == MEMBER.email
            for part in mail.content.walk()
            if part.get_content_type() == "text/calendar"
        )

    assert "METHOD:REQUEST" in wait_until(calendar_objects, what="an invitation in Ada's mailbox")
    admin = windows.open(inviting, as_=ADMIN)
    admin.go("/admin/programs/outgoingemail/")
    expect(admin.page.get_by_role("cell", name="Sent").first).to_be_visible()

    coming.get_by_role("link").first.click()
    manager.wait_until_loaded()
    with inviting.database():
        sent_before = OutgoingEmail.objects.count()
    later = timezone.now() + timedelta(days=20)
    page.get_by_label("Day").fill(f"{later:%Y-%m-%d}")
    page.get_by_label("From").fill("14:00")
    assert manager.grave_barriers() == []
    page.get_by_role("button", name="Move", exact=True).click()
    manager.wait_until_loaded()
    expect(page.get_by_text("The meeting is moved. Participants are notified.")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("14:00–15:00")
    manager.keep_picture("meeting")
    wait_until(lambda: "SEQUENCE:1" in calendar_objects(), what="the update in Ada's mailbox")

    page.get_by_label("Why").fill("Everybody is away")
    page.get_by_role("button", name="Cancel the meeting").click()
    manager.wait_until_loaded()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    wait_until(lambda: "METHOD:CANCEL" in calendar_objects(), what="the cancellation in Ada's mailbox")
    with inviting.database():
        assert OutgoingEmail.objects.count() == sent_before + 4  # two participants are told twice


def test_a_member_sees_it_on_a_phone_and_makes_a_feed(inviting: Server, windows: BrowserWindows) -> None:
    with inviting.database():
        scheduled(kind="qbr")
    member = windows.open(inviting, as_=MEMBER, width=NARROW, theme="dark")
    page = member.page
    member.go(MEETINGS)
    expect(page.get_by_role("region", name="Meetings")).to_contain_text("Monthly QBR, Platform")
    expect(page.get_by_role("link", name="Schedules")).to_have_count(0)
    assert member.grave_barriers() == []
    member.keep_picture("meetings-400px")
    member.go("/accounts/me/")
    page.get_by_role("link", name="My meetings in my calendar").click()
    member.wait_until_loaded()
    page.get_by_role("button", name="Create an address").click()
    member.wait_until_loaded()
    expect(page.get_by_text("/calendar/")).to_be_visible()
    assert member.grave_barriers() == []
    page.get_by_role("button", name="Revoke").click()
    member.wait_until_loaded()
    expect(page.get_by_text("The address is revoked")).to_be_visible()
