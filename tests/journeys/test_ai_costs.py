"""The cost of repositories, pull requests and tickets, abandoned spend, and the month's forecast."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.conftest import StartServer
from tests.journeys.history import wait_until_copied, wait_until_folded
from tests.journeys.window import NARROW, BrowserWindow, BrowserWindows
from tests.otlp import LogEvent, logs_request
from tests.patience import wait_until
from tests.personas import ADMIN, EXECUTIVE, MANAGER
from tests.servers import Server

SHOP, BACK_OFFICE = "acme/shop", "acme/back-office"
WEEKS = 7  # of which six are complete
A_REQUEST = 100_000
COSTS, BUDGETS = "/insights/ai/costs/", "/insights/ai/budgets/"


@pytest.fixture(scope="module")
def costly_server(start_server: StartServer, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each week a session of $3 in the shop and one of $0.30 in the back office; the last two are behind a pull request
    that was closed and one that was merged instead, both of SHOP-12."""
    with start_server("web", "worker", "beat", named=f"{request.node.name}-costly") as server:
        now = datetime.now(UTC)
        for number, (branch, state) in enumerate((("SHOP-12-tea", "closed"), ("SHOP-12-green-tea", "merged")), 1):
            push(server, "pull-requests", pull_request(number, branch, state, now))
        item = {"id": "SHOP-12", "project": "SHOP", "title": "Sell tea", "type": "Story", "status_category": "done"}
        opened, ended = moment(now - timedelta(days=6)), moment(now - timedelta(hours=1))
        push(server, "work-items", {**item, "created_at": opened, "resolved_at": ended})
        for week in range(WEEKS):
            work(server, SHOP, f"old-{week}", now - timedelta(weeks=week, days=4), tokens=1_000_000)
            work(server, BACK_OFFICE, f"old-{week}", now - timedelta(weeks=week, days=4), tokens=100_000)
        work(server, SHOP, "SHOP-12-tea", now - timedelta(days=2), tokens=2_000_000)
        work(server, SHOP, "SHOP-12-green-tea", now - timedelta(days=1), tokens=500_000, email="ben@example.com")
        wait_until_folded(server)
        browser = server.browse(as_=ADMIN)
        wait_until(
            lambda: "acme/shop#2" in browser.get(f"{COSTS}?q=SHOP-12", follow_redirects=True).text,
            what="the cost of SHOP-12 is known",
        )
        wait_until_copied(server)
        yield server


def moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def pull_request(number: int, branch: str, state: str, now: datetime) -> dict[str, object]:
    ended = moment(now - timedelta(hours=2))
    return {
        "id": f"pr-{number}",
        "repository": SHOP,
        "number": number,
        "author": "ada@example.com",
        "title": f"Sell {branch}",
        "created_at": moment(now - timedelta(days=5)),
        "state": state,
        **({"merged_at": ended, "merged_by": "ben@example.com"} if state == "merged" else {"closed_at": ended}),
        "source_branch": branch,
        "target_branch": "main",
        "work_items": ["SHOP-12"],
    }


def push(server: Server, kind: str, record: dict[str, object]) -> None:
    answer = server.pipeline().post(f"/ingest/v1/{kind}/", json={"records": [record]})
    answer.raise_for_status()
    assert answer.json()["results"][0]["status"] == "created", answer.text


def work(
    server: Server, repository: str, branch: str, at: datetime, *, tokens: int, email: str = "ada@example.com"
) -> None:
    """A session, of requests of 100,000 tokens, whose telemetry names repository and branch."""
    name = f"{repository} {branch}"
    place = {"vcs.repository.url.full": f"https://github.com/{repository}", "vcs.ref.head.name": branch}
    sent: dict[str, str | int | float] = {
        "model": "claude-sonnet-4-5",
        "input_tokens": A_REQUEST,
        "output_tokens": 0,
        "duration_ms": 900,
    }
    events = [
        LogEvent("api_request", at + timedelta(seconds=number), {**place, **sent, "request_id": f"{name} {number}"})
        for number in range(tokens // A_REQUEST)
    ]
    headers = {"Content-Type": "application/x-protobuf"}
    body = logs_request(email, name, events).SerializeToString()
    server.agent().post("/v1/logs", content=body, headers=headers).raise_for_status()


def look_up(window: BrowserWindow, text: str) -> None:
    window.page.get_by_role("searchbox", name="Repository, pull request or work item").fill(text)
    window.page.get_by_role("button", name="Show cost").click()
    window.wait_until_loaded()
    assert window.grave_barriers() == []


def test_an_executive_follows_the_money(costly_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(costly_server, as_=EXECUTIVE)
    page = window.page
    window.go("/insights/ai/spend/")
    page.get_by_role("link", name="AI cost of a repository, pull request or work item").first.click()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    first = page.get_by_role("table", name="Repositories by spend").get_by_role("row").nth(1)
    expect(first).to_contain_text(SHOP)
    expect(first).to_contain_text("Claude Code $28.50")
    expect(first).to_contain_text("$6.00")

    first.get_by_role("link", name=SHOP).click()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    expect(page.get_by_role("heading", name=f"AI cost of {SHOP}")).to_be_visible()
    expect(page.get_by_role("table", name="Spend by agent")).to_contain_text("$28.50")

    look_up(window, f"{SHOP}#2")
    expect(page.get_by_role("heading", name=f"AI cost of {SHOP}#2")).to_be_visible()
    states = page.get_by_role("table", name="Spend by outcome")
    expect(states).to_contain_text("Merged")
    expect(states).to_contain_text("$1.50")

    look_up(window, "SHOP-12")
    expect(page.get_by_role("heading", name="AI cost of SHOP-12")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("$7.50")
    closed = states.get_by_role("row").filter(has_text="Closed without a merge")
    expect(closed).to_contain_text("Abandoned")
    expect(closed).to_contain_text("$6.00")


def test_an_executive_reads_a_budgets_forecast_and_owner(costly_server: Server, windows: BrowserWindows) -> None:
    writing = windows.open(costly_server, as_=ADMIN)
    costly_server.session_of(MANAGER)
    writing.go(f"{BUDGETS}new/")
    writing.page.get_by_label("Amount a month").fill("100")
    writing.page.get_by_label("Owner").fill("ada@example.com")
    writing.page.get_by_role("button", name="Set the budget").click()
    writing.wait_until_loaded()
    window = windows.open(costly_server, as_=EXECUTIVE)
    window.go(COSTS)
    window.page.get_by_role("link", name="Budgets and forecasts").click()
    window.wait_until_loaded()
    assert window.grave_barriers() == []
    budget = window.page.get_by_role("table").get_by_role("row").nth(1)
    expect(budget).to_contain_text("$100")
    expect(budget).to_contain_text(re.compile(r"workdays? left|No more spend expected"))  # spend is of one weekday
    expect(budget).to_contain_text("Ada")


def test_the_pages_fit_a_narrow_dark_window(costly_server: Server, windows: BrowserWindows) -> None:
    window = windows.open(costly_server, as_=EXECUTIVE, theme="dark", width=NARROW)
    for name, query in (
        ("all", ""),
        ("repository", f"?q={SHOP}"),
        ("pull-request", "?q=acme/shop%232"),
        ("item", "?q=SHOP-12"),
    ):
        window.go(f"{COSTS}{query}")
        window.keep_picture(f"ai-costs-{name}-dark-{NARROW}")
        assert window.grave_barriers() == [], name
        assert not window.overflows(), name
