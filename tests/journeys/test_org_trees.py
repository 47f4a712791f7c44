"""From a people file to metrics by team: an admin's first day, and what others may see afterwards."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, expect

from tests.conftest import StartServer
from tests.journeys.history import session, wait_until_copied, wait_until_folded
from tests.journeys.window import BrowserWindow, BrowserWindows
from tests.personas import ADMIN, MEMBER
from tests.servers import Server

# Enough people that figures are protected, and as many in each team as it takes to show its figures to others.
TEAMS = {
    "Payments": ("Ada Sample", "Alder Sample", "Briar Sample", "Cedar Sample", "Dahlia Sample"),
    "Search": ("Elder Sample", "Fennel Sample", "Hazel Sample", "Juniper Sample", "Larch Sample"),
}
GIT_ADDRESS = "ada@laptop.example.net"  # like nobody's that is known; only the name tells whose it is


def address_of(name: str) -> str:
    return f"{name.split(maxsplit=1)[0].lower()}@example.com"


def people_file(*, manager_of_search: str) -> FilePayload:
    rows = ["Name,E-mail,Reports to,Team"]
    for team, (lead, *others) in TEAMS.items():
        above = "" if team == "Payments" else manager_of_search
        rows.append(f"{lead},{address_of(lead)},{above},{team}")
        rows += [f"{name},{address_of(name)},{address_of(lead)},{team}" for name in others]
    return {"name": "people.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}


def write_repository(folder: Path) -> Path:
    """A repository in which Ada signs with an address of her laptop."""
    path = folder / "payments"
    author = ["-c", "user.name=Ada Sample", "-c", f"user.email={GIT_ADDRESS}"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(path)], check=True)
    for number in range(3):
        (path / f"part{number}.py").write_text("print('made up')\n" * (number + 5))
        subprocess.run(["git", "-C", str(path), "add", "."], check=True)
        command = ["git", "-C", str(path), *author, "commit", "--quiet", "--no-gpg-sign", "-m", f"Add part {number}"]
        subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="module")
def team_server(start_server: StartServer) -> Iterator[Server]:
    """An installation with a few weeks of six people's sessions, before any people were imported."""
    chance = random.Random(20261120)
    now = datetime.now(UTC)
    with start_server("web", "worker", "beat", named="org-trees") as server:
        for days_ago in (2, 9):
            for name in (name for names in TEAMS.values() for name in names):
                for path, message in session(address_of(name), now - timedelta(days=days_ago), chance):
                    server.agent().post(
                        path, content=message.SerializeToString(), headers={"Content-Type": "application/x-protobuf"}
                    ).raise_for_status()
        wait_until_folded(server)
        yield server


def test_an_organisation_is_loaded_and_cut_by_its_teams(
    team_server: Server, windows: BrowserWindows, tmp_path: Path
) -> None:
    window = windows.open(team_server)
    window.sign_in(ADMIN)
    import_people(window)
    create_tree(window)
    team_server.manage("connect_git", str(write_repository(tmp_path)))
    team_server.manage("sync", "--wait")
    match_identity(window)
    wait_until_copied(team_server)
    filter_by_team(window)
    be_refused(windows.open(team_server, as_=MEMBER))


def import_people(window: BrowserWindow) -> None:
    page = window.page
    window.go("/orgtree/import/")
    page.get_by_label("CSV file").set_input_files(people_file(manager_of_search="nobody@example.com"))
    page.get_by_role("button", name="Preview").click()
    errors = page.get_by_role("table").filter(has_text="What is wrong")
    expect(errors.get_by_role("row")).to_have_count(2)  # the head, and one error
    expect(errors).to_contain_text("manager_email")
    expect(errors).to_contain_text("nobody@example.com")
    row = 1 + len(TEAMS["Payments"]) + 1  # the head is row 1, as a spreadsheet counts
    expect(errors.get_by_role("cell").first).to_have_text(str(row))
    expect(page.get_by_role("button", name="Apply")).to_have_count(0)
    assert window.grave_barriers() == []
    window.keep_picture("org-trees-error")

    page.get_by_label("CSV file").set_input_files(people_file(manager_of_search=address_of("Ada Sample")))
    page.get_by_role("button", name="Preview").click()
    expect(errors).to_have_count(0)
    assert window.grave_barriers() == []
    window.keep_picture("org-trees-preview")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("people.csv is applied")).to_be_visible()


def create_tree(window: BrowserWindow) -> None:
    page = window.page
    window.go("/orgtree/trees/new/?kind=attributes")
    page.get_by_label("Name").fill("Teams")
    page.get_by_label("Level 1").select_option("team")
    page.get_by_role("button", name="Preview").click()
    preview = page.get_by_role("region", name="Preview: Teams")
    expect(preview.get_by_role("listitem")).to_contain_text(["Teams", "Payments", "Search"])
    preview.get_by_role("button", name="Create the tree").click()
    expect(page.get_by_role("heading", name="Teams").first).to_be_visible()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    window.keep_picture("org-trees-tree")


def match_identity(window: BrowserWindow) -> None:
    page = window.page
    window.go("/orgtree/identities/")
    expect(page.get_by_text(GIT_ADDRESS)).to_be_visible()
    assert window.grave_barriers() == []
    window.keep_picture("org-trees-identities")
    page.get_by_role("button", name=f"Confirm that {GIT_ADDRESS} is Ada Sample").click()
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.get_by_text("Nothing to decide")).to_be_visible()
    window.go("/orgtree/identities/matched/?q=laptop")
    expect(page.get_by_role("link", name=GIT_ADDRESS)).to_be_visible()


def filter_by_team(window: BrowserWindow) -> None:
    page = window.page
    window.go("/insights/ai/")
    everybody = window.tile("ai.spend")
    page.get_by_text("Change unit").click()
    page.get_by_role("navigation", name="Org Trees").get_by_role("link", name=re.compile("^Teams")).click()
    expect(page).to_have_url(re.compile(r"[?&]unit=teams"))
    window.wait_until_loaded()
    assert window.tile("ai.spend") == everybody  # nobody is unassigned
    page.get_by_role("navigation", name="Parts of this page").get_by_role("link", name="Adoption").click()
    page.get_by_role("region", name="Units below Teams").get_by_role("link", name="Payments").click()
    expect(page).to_have_url(re.compile(r"[?&]unit=payments"))
    window.wait_until_loaded()
    expect(page.locator("[data-tile='ai.active_developers']")).to_contain_text(str(len(TEAMS["Payments"])))
    page.get_by_role("navigation", name="Parts of this page").get_by_role("link", name="Overview").click()
    window.wait_until_loaded()
    assert window.tile("ai.spend") != everybody
    assert window.grave_barriers() == []
    window.keep_picture("org-trees-payments")


def be_refused(window: BrowserWindow) -> None:
    """Ada sees her own team, but neither the other one nor configuration."""
    window.go("/insights/ai/?unit=payments")
    expect(window.page.locator("[data-tile='ai.spend']").first).to_be_visible()
    for address in ("/insights/ai/?unit=search", "/orgtree/import/", "/orgtree/identities/"):
        window.go_where_nothing_is(address)
    window.keep_picture("org-trees-refused")
