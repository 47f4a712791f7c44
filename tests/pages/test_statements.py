"""The number of statements with which a tab reads its figures, with its parts and charts, when nothing is cached yet.

Each is a pass over facts or people.  The limits are today's figures; docs/performance.md has the goals.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from insights.columns.refresh import refresh
from insights.engine import database, scan
from tests.org import Org
from tests.pages.delivering import day_before
from tests.pages.eventful_shop import tell_of_everything
from tests.personas import EXECUTIVE
from tests.stored_once import StoreOnce
from tests.teams import OTHERS_IN_PLATFORM, create_teams

LATER = re.compile(r'"(/insights/(?:ai|delivery|dashboards/\d+)/(?:parts|charts)/[\w-]+/[^"]*)"')


@pytest.fixture(scope="module")
def shop(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    def make() -> None:
        create_teams()
        org = Org(tmp_path_factory.mktemp)
        tell_of_everything(org, tmp_path_factory.mktemp("shop"))
        for name in ("ada", *OTHERS_IN_PLATFORM, "grace"):
            org.session(by=name, on=day_before(6), tokens=1000, lines=100, failures={"Bash": 1})
            org.commit(by=name, on=day_before(6), at="20:00", lines=100)
        org.fold()

    with stored_once(make):
        yield


@pytest.fixture
def counted_statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of DuckDB that have run since it was cleared."""
    statements: list[str] = []
    fetch = database.fetch

    def counted(opened: Any, statement: str, parameters: Any) -> Any:
        statements.append(statement)
        return fetch(opened, statement, parameters)

    monkeypatch.setattr(database, "fetch", counted)
    return statements


def load_the_rest(client: Client, page: str) -> None:
    """Parts and charts, and charts with bands, as the page's script does; files wait for whoever downloads them."""
    for address in sorted(set(LATER.findall(html.unescape(page)))):
        answer = client.get(address)
        assert answer.status_code == 200, address
        if answer["Content-Type"] == "application/json" and (complete := answer.json().get("complete_url")):
            assert client.get(complete).status_code == 200, complete


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("path", "everybody", "a_unit"),
    [
        ("/insights/ai/", 22, 32),
        ("/insights/ai/adoption/", 17, 20),
        ("/insights/ai/impact/", 23, 37),
        ("/insights/ai/spend/", 24, 32),
        ("/insights/ai/usage/", 13, 21),
        ("/insights/ai/developers/", 13, 19),
        ("/insights/delivery/", 17, 26),
        ("/insights/delivery/lead-time/", 15, 22),
        ("/insights/delivery/efficiency/", 20, 33),
        ("/insights/delivery/quality/", 22, 28),  # with tests, coverage and alerts, of relations of their own
        ("/insights/delivery/hygiene/", 13, 21),
    ],
)
def test_a_tab_is_read_in_so_many_statements(
    sign_in: Any, counted_statements: list[str], path: str, everybody: int, a_unit: int
) -> None:
    client: Client = sign_in(EXECUTIVE)
    refresh()
    client.get(path)  # what a process loads once
    for unit, most in (("", everybody), ("platform", a_unit)):
        scan.answers.clear()
        scan.results.clear()
        counted_statements.clear()
        page = client.get(path, {"unit": unit} if unit else {})
        assert page.status_code == 200
        load_the_rest(client, page.content.decode())
        assert len(counted_statements) <= most


# A dozen cards of each kind: what the built-in templates show, and a trend with its split.
DOZEN = [
    *({"kind": "tile", "metric": key} for key in ("dora.lead_time", "pr.pickup_time", "wip.count", "ai.spend")),
    {"kind": "trend", "metric": "dora.lead_time", "beside": ["pr.pickup_time"]},
    {"kind": "trend", "metric": "ai.spend", "by": "agent"},
    {"kind": "breakdown", "metric": "ai.spend", "by": "outcome"},
    {"kind": "breakdown", "metric": "ai.spend", "by": "agent"},
    {"kind": "units", "metrics": ["dora.lead_time", "pr.pickup_time", "wip.count"]},
    {"kind": "comparison", "metrics": ["pr.cycle_time", "pr.merged_per_developer"]},
    {"kind": "slowest", "metric": "pr.pickup_time"},
    {"kind": "text", "text": "Read it from the left."},
]


@pytest.mark.usefixtures("shop")
def test_a_dashboard_is_read_in_so_many_statements(sign_in: Any, counted_statements: list[str]) -> None:
    client: Client = sign_in(EXECUTIVE)
    made = client.post("/api/v1/dashboards/", {"title": "A dozen", "cards": DOZEN}, content_type="application/json")
    path = f"/insights/dashboards/{made.json()['id']}/"
    refresh()
    client.get(path)
    # Who is in no unit is judged beside the top units: a statement for each relation of the list of units.
    for unit, most in (("", 29), ("platform", 23)):
        scan.answers.clear()
        scan.results.clear()
        counted_statements.clear()
        page = client.get(path, {"unit": unit} if unit else {})
        assert page.status_code == 200
        assert len(counted_statements) <= 15, "of the page itself"
        load_the_rest(client, page.content.decode())
        assert len(counted_statements) <= most
