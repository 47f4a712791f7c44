"""Silent senders on the health page, and shortfalls below the sections of figures; in every look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from insights.query.windows import local_today
from integrations.models import Connection, QuarantinedPayload, QuarantinedRecord, Silence
from tests.conftest import StartServer
from tests.journeys.window import THEMES_AND_WIDTHS, BrowserWindows, Theme
from tests.org import Org
from tests.personas import ADMIN, MEMBER
from tests.servers import Server


@pytest.fixture(scope="module")
def silent_server(
    start_server: StartServer, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with start_server("web", named=f"{request.node.name}-silence") as server:
        with server.database():
            org, today = Org(tmp_path_factory.mktemp), local_today()
            for back in range(1, 30):
                model = "a-model-of-our-own" if back % 3 else "claude-sonnet-4-5"
                org.session(by="ada", on=today - timedelta(days=back), tokens=20_000, model=model, lines=12)
            org.session(by="ada", on=today - timedelta(days=1), session_id="")
            org.fold()
            Silence.objects.create(
                agent="claude_code",
                version="2.2.0",
                signal="lines",
                since=today - timedelta(days=2),
                sessions=14,
                people=6,
                share_before=0.97,
                version_before="2.1.197",
            )
            Silence.objects.create(
                sender="token:1", sender_name="Build server (…a1b2)", since=today - timedelta(days=4)
            )
            QuarantinedRecord.objects.bulk_create(
                QuarantinedRecord(signal="logs", digest=uuid4(), reason="…", encoding="json", payload=b"{}")
                for _ in range(12)
            )
            source = Connection.objects.create(provider="github", name="Acme on GitHub")
            for kind in ("pull_request", "incident", "pipeline_run"):
                QuarantinedPayload.objects.create(
                    connection=source, kind=kind, payload={}, path="title", problem="is no text"
                )
        yield server


@pytest.mark.parametrize(("theme", "width"), THEMES_AND_WIDTHS)
def test_what_stopped_and_what_figures_lack_can_be_read(
    silent_server: Server, windows: BrowserWindows, theme: Theme, width: int
) -> None:
    window = windows.open(silent_server, as_=ADMIN, theme=theme, width=width)
    window.go("/integrations/")
    expect(window.page.locator("#silences")).to_contain_text("Claude Code 2.2.0 sends no generated lines")
    for name, address in (
        ("integrations", "/integrations/"),
        ("ai", "/insights/ai/"),
        ("delivery", "/insights/delivery/"),
        ("metric", "/insights/metrics/ai.spend/"),
        ("how", "/insights/metrics/ai.spend/how/"),
        ("home", "/"),
    ):
        window.go(address)
        window.keep_picture(f"silence-{name}-{theme}-{width}")
        assert window.grave_barriers() == [], name
        assert not window.overflows(), name


def test_a_member_reads_what_is_missing_without_a_way_to_admin(silent_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(silent_server, as_=MEMBER)
    window.go("/insights/ai/adoption/")
    lacking = window.page.locator("#adoption-shortfalls")
    expect(lacking).to_contain_text("12 records of agents wait in quarantine")
    expect(lacking.get_by_role("link", name="Quarantine")).to_have_count(0)
    window.go("/integrations/")
    expect(window.page.locator("#silences")).to_have_count(0)
