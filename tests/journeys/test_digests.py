"""Digests and alerts in a browser: asked for, previewed, made, read from the inbox and as an e-mail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import product
from uuid import uuid4

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from playwright.sync_api import expect

from orgtree.models import IndividualPolicy
from programs.alerts.watching import watch_metrics
from programs.digests.making import make_digests
from programs.models import AlertRule, Digest, DigestSubscription
from programs.reminders.services.channels import EmailContent
from programs.reminders.services.labels import items_of, with_related
from tests.conftest import StartServer
from tests.journeys.history import send_history
from tests.journeys.window import NARROW, WIDE, BrowserWindows, Theme
from tests.personas import ADMIN, EXECUTIVE, create_user
from tests.servers import Server
from tests.teams import create_teams


@pytest.fixture(scope="module")
def server_with_teams(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    with start_server("web", "worker", "beat", named=f"{request.node.name}-digests") as server:
        with server.database():
            create_teams(IndividualPolicy.NAMED)  # which hides no group of few people
            for persona in (ADMIN, EXECUTIVE):
                create_user(persona)
        send_history(server)
        yield server


def test_a_digest_and_an_alert_reach_the_inbox(server_with_teams: Server, windows: BrowserWindows) -> None:
    window = windows.open(server_with_teams, as_=EXECUTIVE)
    page = window.page
    window.go("/programs/digests/")
    page.get_by_label("Every week", exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Every week", exact=True)).to_be_checked()
    window.keep_picture("digests-light")
    assert window.grave_barriers() == []
    page.get_by_role("link", name="Preview of every week").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Your week")
    assert window.grave_barriers() == []

    window.go("/insights/metrics/ai.sessions/")
    page.get_by_role("link", name="Alert me").first.click()
    page.get_by_label("Limit", exact=True).fill("0")
    window.keep_picture("alert-form-light")
    assert window.grave_barriers() == []
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name="above 0, over the last 4 weeks")).to_be_visible()

    with server_with_teams.database():
        DigestSubscription.objects.update(since=timezone.now() - timedelta(days=30))
        make_digests()  # unless the worker did
        watch_metrics()
        assert AlertRule.objects.get().firing_since is not None
        made = Digest.objects.get()
        notice = with_related(made.account.notices.filter(digest=made)).get()
        [item] = items_of([notice])
        content = EmailContent(
            public_id=uuid4(),
            made_at=timezone.now(),
            account=made.account,
            name="Erin",
            items=[item],
            digest=made.document,
        )
        mail = render_to_string("programs/emails/email.html", {"email": content, "items": [item], "base_url": ""})
    window.go("/programs/inbox/")
    expect(page.get_by_text("Your week")).to_be_visible()
    expect(page.get_by_text("Alert", exact=True)).to_be_visible()
    page.get_by_role("link", name=f"{made.document.whose}, {made.document.period}").click()
    window.keep_picture("digest-light")
    assert window.grave_barriers() == []
    narrow = windows.open(server_with_teams, as_=EXECUTIVE, theme="dark", width=NARROW)
    for name in ("digests", "alerts", f"digests/{made.pk}"):
        narrow.go(f"/programs/{name}/")
        narrow.keep_picture(f"{name.replace('/', '-')}-dark-narrow")
        assert not narrow.overflows()
    canvas: Mapping[Theme, str] = {"light": "rgb(246, 247, 249)", "dark": "rgb(14, 17, 22)"}
    for theme, width in product(canvas, (WIDE, NARROW)):
        inbox = windows.open(server_with_teams, as_=EXECUTIVE, theme=theme, width=width)
        inbox.page.goto("about:blank")  # mail programs have no policy of ours
        inbox.page.set_content(mail)
        inbox.keep_picture(f"digest-mail-{theme}-{width}")
        assert not inbox.overflows()
        assert inbox.page.evaluate("getComputedStyle(document.body).backgroundColor") == canvas[theme]
        assert inbox.grave_barriers(of_components=True) == []
