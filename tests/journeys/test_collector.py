"""A developer adds a machine, installs the collector with the line of the page, works; an admin sees the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect

from bench.collector_cases import A3
from bench.collector_world import World
from orgtree.models import Person
from tests.journeys.window import NARROW, WIDE, BrowserWindows
from tests.personas import ADMIN, MEMBER
from tests.servers import Server


def test_from_the_page_to_the_fleet(empty_server: Server, windows: BrowserWindows, tmp_path: Path) -> None:
    with empty_server.database():
        Person.objects.create(full_name="Ada Example", email=MEMBER.email)
    window = windows.open(empty_server, as_=MEMBER)
    window.go("/agent/")
    window.page.get_by_label("Name of the machine").fill("laptop")
    window.page.get_by_role("button", name="Create its token").click()
    line = window.page.locator("#line-posix").inner_text()
    assert window.grave_barriers() == []
    window.keep_picture("collector")

    world = World(tmp_path)
    world.agent("uninstall")
    subprocess.run(
        ["sh", "-c", line.replace("python3 ", f"{sys.executable} ")],
        cwd=tmp_path,
        env=world.environment,
        check=True,
        capture_output=True,
    )
    world.edit("s-1", "app.py", *A3)
    world.commit()
    assert "Records waiting to be sent: 0" in world.agent("status")

    window.go("/agent/")
    expect(window.page.get_by_text("Last report")).to_be_visible()
    for theme in ("light", "dark"):
        for width in (WIDE, NARROW):
            of_admin = windows.open(empty_server, as_=ADMIN, theme=theme, width=width)
            for name, address in (("fleet", "/agent/fleet/"), ("collector-nobody", "/agent/")):
                of_admin.go(address)
                of_admin.keep_picture(f"{name}-{theme}-{width}")
                assert of_admin.grave_barriers() == []
                assert not of_admin.overflows()
            expect(of_admin.page.get_by_role("heading", name="Collector")).to_be_visible()
    window = windows.open(empty_server, as_=MEMBER, theme="dark", width=NARROW)
    window.go("/agent/")
    window.keep_picture("collector-narrow")
    assert not window.overflows()
