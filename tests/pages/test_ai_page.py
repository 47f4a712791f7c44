"""The AI page with and without data, for whoever is signed in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from insights.columns.refresh import refresh
from insights.columns.source import Allowance
from insights.pages.ai.page import AI
from insights.query import windows
from orgtree.models import MembersSee, Organisation
from tests.org import Org
from tests.pages import every_tab
from tests.pages.every_tab import ai_page
from tests.personas import ADMIN, MEMBER, OTHER_MEMBER, Persona

MOST_QUERIES = 15  # of any response, whatever the organisation's size
MOST_AT_FIRST = 17  # memberships are loaded, and the unit is remembered in the session
# Until figures are kept, one scan for each kind of fact and window, whatever there is of them.
MOST_QUERIES_FROM_FACTS = 26
OF_COMMITS = {"committed_code", "committed_share"}  # they are empty here: see test_committed_code.py
OF_VENDORS = {"active_by_phase"}  # and this: see test_vendors.py
OF_PULL_REQUESTS = {  # and these: see test_impact.py
    f"{name}{bands}" for name in ("cycle_time", "merged_per_developer", "delivered") for bands in ("", "_with_bands")
}
HOSTILE = "<script>alert('x')</script>&\"'"


@pytest.fixture
def busy(org: Org) -> Org:
    """Three developers, two models and a tool that fails, yesterday and five weeks ago."""
    yesterday = windows.local_today() - timedelta(days=1)
    org.session(by="ada", on=yesterday, tokens=100_000, cache_read=300_000, output=5_000, lines=120, minutes=20)
    org.session(
        by="grace",
        on=yesterday,
        tokens=50_000,
        output=2_000,
        model="claude-opus-4-1",
        tool_calls={"Edit": 90},
        failures={"Bash": 20},
    )
    org.session(by="edith", on=yesterday - timedelta(weeks=5), tokens=10_000, output=1_000)
    org.fold()
    return org


def tile(html: str, key: str) -> str:
    """The text of a tile, its tags left out."""
    match = re.search(rf'<article[^>]*data-tile="{re.escape(key)}".*?</article>', html, re.DOTALL)
    assert match, f"there is no tile {key}"
    return " ".join(re.sub(r"<[^>]+>", " ", match[0]).split())


def test_visitors_sign_in_first(db: None) -> None:
    for address in ("/", "/insights/ai/", "/insights/pulse/", "/setup/agents/", "/insights/ai/charts/adoption/"):
        answer = Client().get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("persona", [ADMIN, MEMBER, OTHER_MEMBER], ids=lambda persona: persona.name)
def test_everybody_who_signed_in_sees_the_same_figures(
    busy: Org, sign_in: Callable[[Persona], Client], persona: Persona
) -> None:
    html = ai_page(sign_in(persona))
    assert " 3 " in tile(html, "ai.active_developers")
    assert "of 3 enrolled developers" in tile(html, "ai.active_developers")
    assert " 3 " in tile(html, "ai.sessions")
    assert "20 of 110 tool calls" in tile(html, "ai.error_rate")
    assert "18.2 %" in tile(html, "ai.error_rate")


def part(client: Client, name: str, **parameters: str) -> str:
    return client.get(f"/insights/ai/parts/{name}/", parameters, headers={"HX-Request": "true"}).content.decode()


def test_every_dollar_is_pending_or_unknown(busy: Org, member: Client) -> None:
    outcome = part(member, "spend_outcome")
    assert "Pending" in outcome
    assert "Unknown" in outcome
    assert "Wasted" not in outcome


def test_tools_that_fail_are_listed_by_their_failures(busy: Org, member: Client) -> None:
    table = part(member, "failing_tools")
    assert re.search(r'<th scope="row" class="stick">Bash</th>.*?>20<.*?>20<.*?>100.0%<.*?>Edit<', table, re.DOTALL)


def test_a_part_is_a_page_of_its_own_without_a_script(busy: Org, member: Client) -> None:
    for name in AI.parts:
        assert "<html" not in part(member, name)
        page = member.get(f"/insights/ai/parts/{name}/")
        assert page.content.decode().startswith("<!doctype html>")
        assert "HX-Request" in page["Vary"]
    assert member.get("/insights/ai/parts/nothing/").status_code == 404


def test_a_figure_and_its_rows_agree(busy: Org, member: Client) -> None:
    how = member.get("/insights/metrics/ai.error_rate/how/").content.decode()
    assert "18.2%" in how
    assert re.search(r"<span>20</span><span>110</span>", how)
    rows = member.get("/insights/metrics/ai.error_rate/rows/").content.decode()
    assert "Σ" in rows


def test_a_panel_says_what_the_figure_leaves_out(org: Org, member: Client) -> None:
    yesterday = windows.local_today() - timedelta(days=1)
    org.session(by="ada", on=yesterday, tokens=10_000, model="a-model-of-our-own")
    org.session(by="ada", on=yesterday, tokens=10_000)
    org.fold()
    how = member.get("/insights/metrics/ai.spend/how/").content.decode()
    assert re.search(r"<b>10k</b><span>tokens of models without a known price", how)
    assert "without a known price" not in member.get("/insights/metrics/ai.sessions/how/").content.decode()


def test_without_telemetry_the_page_says_how_to_connect(member: Client) -> None:
    html = member.get("/insights/ai/").content.decode()
    assert "Connect your first agent" in html
    assert "Waiting for the first event" in html
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in html
    assert "data-tile" not in html


def test_a_filter_that_matches_nothing_is_named_and_can_be_cleared(busy: Org, member: Client) -> None:
    html = member.get("/insights/ai/?range=4w&agent=codex").content.decode()
    assert "Nothing in this window matches Agent Codex." in html
    assert 'href="/insights/ai/?range=4w">Clear agent</a>' in html


def test_facets_list_what_there_is(busy: Org, member: Client) -> None:
    models = part(member, "models", model="claude-opus-4-1")
    assert "model=claude-opus-4-1&amp;model=claude-sonnet-4-5" in models, "the other model can still be added"
    html = member.get("/insights/ai/adoption/?model=claude-opus-4-1").content.decode()
    assert " 1 " in tile(html, "ai.sessions")
    assert 'href="/insights/ai/adoption/?range=12w&amp;agent=claude_code&amp;model=claude-opus-4-1"' in html


def test_every_chart_is_json_and_csv(busy: Org, member: Client) -> None:
    for name in AI.charts.keys() - OF_COMMITS - OF_PULL_REQUESTS - OF_VENDORS:
        chart = json.loads(member.get(f"/insights/ai/charts/{name}/").content, parse_constant=pytest.fail)
        assert "view" not in chart
        assert chart["labels"]
        assert chart["datasets"]
        for dataset in chart["datasets"]:
            assert len(dataset["data"]) == len(chart["labels"])
            assert all(value is None or isinstance(value, int | float) for value in dataset["data"])
        text = member.get(f"/insights/ai/charts/{name}.csv").getvalue().decode("utf-8-sig")
        lines = text.splitlines()
        assert len(lines) == 1 + (len(chart["datasets"]) if chart["kind"] == "donut" else len(chart["labels"]))


def test_a_chart_adds_up_to_its_tile(busy: Org, member: Client) -> None:
    by_agent = member.get("/insights/ai/charts/spend_trend/").json()
    by_model = member.get("/insights/ai/charts/spend_trend/?trend=model").json()
    total = sum(value or 0 for dataset in by_agent["datasets"] for value in dataset["data"])
    assert total == pytest.approx(sum(value or 0 for dataset in by_model["datasets"] for value in dataset["data"]))
    figure = busy.metric("ai.spend", from_=windows.trailing(12).start, to=windows.trailing(12).end)
    assert total == pytest.approx(figure.value)
    assert {dataset["label"] for dataset in by_model["datasets"]} == {"claude-sonnet-4-5", "claude-opus-4-1"}


def test_an_unknown_chart_or_metric_is_not_found(member: Client) -> None:
    for address in (
        "/insights/ai/charts/nothing/",
        "/insights/ai/charts/nothing.csv",
        "/insights/metrics/ai.nothing/how/",
        "/insights/metrics/ai.nothing/rows/",
        "/insights/metrics/ai.nothing/rows.csv",
    ):
        assert member.get(address).status_code == 404


def test_the_pulse_beats_when_facts_change(busy: Org, member: Client) -> None:
    first = member.get("/insights/pulse/")
    assert first.status_code == 204
    known = {"If-None-Match": first["ETag"]}
    assert member.get("/insights/pulse/", headers=known).status_code == 304
    busy.session(by="ada", on=windows.local_today() - timedelta(days=1))
    busy.fold()
    assert member.get("/insights/pulse/", headers=known).status_code == 204


def test_every_toggle_of_every_tab_has_an_answer(busy: Org, member: Client) -> None:
    for of_page in (*every_tab.AI, *every_tab.DELIVERY):
        shown = member.get(of_page.path).content.decode()
        toggles = [unescape(address) for address in re.findall(r'<a href="([^"]+)" id="pick-', shown)]
        assert toggles
        for address in toggles:
            assert address.startswith(of_page.path), "it stays on its tab"
            assert member.get(address).status_code == 200, address


def test_names_from_telemetry_are_text(org: Org, member: Client) -> None:
    """Models and tools are words of whoever sends; here they try to be markup, a formula and a path."""
    yesterday = windows.local_today() - timedelta(days=1)
    model = HOSTILE.replace("/", "")  # what stands before a slash is a provider
    org.session(
        by="ada", on=yesterday, tokens=1_000_000, model=model, failures={f"={HOSTILE}": 150}, tool_calls={"Edit": 1}
    )
    org.fold()
    for address in (
        "/insights/ai/",
        "/insights/ai/parts/models/",
        "/insights/ai/parts/failing_tools/",
        "/insights/metrics/ai.tokens/rows/",
        "/insights/metrics/ai.tokens/how/",
    ):
        html = member.get(address, {"model": model}).content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html
    table = member.get("/insights/ai/charts/failing_tools.csv").getvalue().decode("utf-8-sig")
    assert table.splitlines()[1].startswith("\"'=<script>")
    assert member.get("/insights/ai/charts/spend_trend/?trend=model")["Content-Type"] == "application/json"


def test_what_to_look_for_speaks_only_when_a_rule_applies(org: Org, member: Client) -> None:
    yesterday = windows.local_today() - timedelta(days=1)
    org.session(by="ada", on=yesterday, tool_calls={"Edit": 400}, failures={"Bash": 3})
    org.fold()
    assert "What to look for" not in ai_page(member)
    assert "What to look for" not in part(member, "failing_tools")
    org.session(by="ada", on=yesterday, failures={"WebFetch": 100})
    org.fold()
    assert "of the failures are calls of WebFetch" in part(member, "failing_tools")


def test_the_page_asks_a_bounded_number_of_questions(busy: Org, member: Client) -> None:
    member.get("/insights/ai/")
    with CaptureQueriesContext(connection) as few:
        member.get("/insights/ai/")
    for number in range(5):
        busy.session(by=f"person{number}", on=windows.local_today(), model=f"model-{number}", failures={"Bash": 1})
    busy.fold()
    member.get("/insights/ai/")
    with CaptureQueriesContext(connection) as more:
        member.get("/insights/ai/")
    assert len(more) <= MOST_QUERIES_FROM_FACTS
    assert abs(len(more) - len(few)) <= 2, "the number does not grow with the data"


def test_the_page_runs_few_queries_once_its_figures_are_cached(busy: Org, member: Client) -> None:
    refresh()
    member.get("/insights/ai/")
    with CaptureQueriesContext(connection) as queries:
        member.get("/insights/ai/")
    assert len(queries) <= MOST_QUERIES


def test_the_first_look_at_a_unit_asks_few_questions(busy: Org, member: Client) -> None:
    """The view itself is cached, too; nobody has to be counted once an organisation is past its trial."""
    Organisation.objects.update_or_create(
        pk=1,
        defaults={"protected_since": timezone.now(), "members_see": MembersSee.EVERYTHING, "minimum_group_size": 1},
    )
    busy.tree("Teams")
    busy.unit("Red", below="teams")
    busy.join("ada", "red")
    refresh()
    member.get("/insights/ai/")
    with CaptureQueriesContext(connection) as queries:
        answer = member.get("/insights/ai/", {"unit": "red"})
    assert "Red" in answer.content.decode()
    assert len(queries) <= MOST_AT_FIRST, "\n".join(" ".join(str(query["sql"]).split())[:150] for query in queries)


def test_during_a_first_sync_the_page_says_how_much_is_still_to_come(
    busy: Org, member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("insights.pages.answers.PAGE", Allowance(live_rows=0))
    page = member.get("/insights/ai/").content.decode()
    assert re.search(r"As of [^<]*</time> · \d+ days still to come", page)


def test_during_a_first_sync_charts_and_parts_say_how_much_is_still_to_come(
    busy: Org, member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart, part = "/insights/ai/charts/spend_trend/", "/insights/ai/parts/spend_outcome/"
    assert (member.get(chart).json()["left_out"], "to come" in member.get(part).content.decode()) == ("", False)
    monkeypatch.setattr("insights.pages.routes.PAGE", Allowance(live_rows=0))
    assert re.fullmatch(r"\d+ days still to come", member.get(chart).json()["left_out"])
    for headers in ({}, {"HX-Request": "true"}):
        html = member.get(part, headers=headers).content.decode()
        assert re.search(r'<p class="hw-foot">\d+ days still to come</p>', html)


def test_the_overview_begins_with_figures_of_the_page(busy: Org, member: Client) -> None:
    html = member.get("/insights/ai/").content.decode()
    match = re.search(r'<p class="hw-verdict".*?</p>', html, re.DOTALL)
    assert match
    said = " ".join(re.sub(r"<[^>]+>", " ", match[0]).split())
    active, enrolled = re.findall(r"^(\d+) of (\d+) enrolled developers use agents", said)[0]
    adoption = " ".join(re.sub(r"<[^>]+>", " ", tile(html, "ai.active_developers")).split())
    assert f"{active} / {enrolled} enrolled" in adoption
    [cost] = re.findall(r"Agents cost (\$[\d,.]+\d)", said)
    assert cost in tile(html, "ai.spend")
