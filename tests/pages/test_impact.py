"""Impact: what work comes to with agents and without, as the page, its charts and parts say it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from insights.engine.compared_lines import ANY_AGENT
from insights.engine.comparison import Comparison, Group
from insights.formulas.differences import ConfidenceInterval
from insights.pages.ai.page import AI
from insights.pages.compared import interval_plots
from insights.privacy.rows import UNMATCHED
from insights.query import windows
from insights.query.query import Query, Statistic, Window
from insights.ui import wording
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.pages.every_tab import ai_page
from tests.pages.recomputed import from_rows, plain, rows_address, rows_of, table, total
from tests.stored_once import StoreOnce

PAGE = "/insights/ai/"
WITH, WITHOUT = tuple(f"dev{n}" for n in range(9)), tuple(f"hand{n}" for n in range(10))
CLAUDE = "\n\nCo-Authored-By: Claude <noreply@anthropic.com>"


@pytest.fixture(scope="module")
def teams(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with stored_once(lambda: tell_of_teams(Org(tmp_path_factory.mktemp))):
        yield


def tell_of_teams(org: Org) -> None:
    """Nine developers with an agent and ten without, each with a pull request a week for five weeks, and some items.

    With the agent it takes 2 hours longer to the first review, the more the later a developer's number.
    """
    number = 0
    records: list[dict[str, object]] = []
    items: list[dict[str, object]] = []
    for week in range(5):
        for position, name in enumerate((*WITH, *WITHOUT)):
            number += 1
            day = day_before(7 * week + 2)
            pull_request = merged(number, day, author=name, waits=position * 0.5, reviewed=position != 3)
            if name in WITH:
                pull_request["commits"][0]["message"] += CLAUDE  # type: ignore[index]
                org.session(by=name, on=day, at="08:00")
            if week in (1, 2):
                key = f"SHOP-{number}"
                pull_request["work_items"] = [key]
                items.append(item(key, name, day_before(7 * week - 2), "Bug" if week == 1 else "Story"))
            records.append(pull_request)
    items += [item(f"SHOP-{name}", name, day_before(5), "Story") for name in WITH[:6]]
    org.people(*({"full_name": name, "email": f"{name}@example.com"} for name in (*WITH, *WITHOUT, "grace")))
    org.push("work-items", *items)
    org.push("pull-requests", *records)
    org.fold()


@pytest.fixture
def named(teams: None) -> None:
    """Set the only policy under which rows with and without agents are shown with names."""
    Organisation.objects.update_or_create(pk=1, defaults={"individual_policy": IndividualPolicy.NAMED})


def item(key: str, who: str, day: Any, kind: str) -> dict[str, object]:
    return {
        "id": key,
        "project": "SHOP",
        "title": key,
        "type": kind,
        "status_category": "done",
        "created_at": f"{day - timedelta(days=2)}T08:00:00Z",
        "assignee": f"{who}@example.com",
        "resolved_at": f"{day}T10:00:00Z",
    }


def content(client: Client, address: str) -> bytes:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.getvalue() if answer.streaming else answer.content


def page(client: Client, query: str = "") -> str:
    return content(client, f"{PAGE}impact/{query}").decode()


def card(html: str, name: str) -> str:
    match = re.search(rf'<section[^>]*id="chart-{name}".*?</section>', html, re.DOTALL)
    assert match, name
    return match[0]


def chart(client: Client, name: str, query: str = "") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(content(client, f"{PAGE}charts/{name}/{query}"))
    return document


@pytest.mark.usefixtures("teams")
def test_the_cards_say_both_groups_with_their_sizes(member: Client) -> None:
    html = page(member)
    assert "Any agent 1.00 (45 PRs in 45 developer-weeks)" in plain(card(html, "merged_per_developer"))
    assert "Non-AI" in plain(card(html, "merged_per_developer"))
    delivered = plain(card(html, "delivered"))
    assert re.search(r"Any agent 0\.40 \(18 items in 45 developer-weeks\)", delivered), delivered
    assert "6 items without a pull request on no line." in delivered
    assert "Any agent" in plain(card(html, "cycle_time"))
    assert "Association, not proof" in html


@pytest.mark.usefixtures("teams")
def test_every_point_has_its_facts_and_developers(member: Client) -> None:
    drawn = chart(member, "merged_per_developer")
    series = {dataset["label"]: dataset for dataset in drawn["datasets"]}
    assert list(series) == ["Claude Code", "Non-AI"]
    indexes = [at for at, value in enumerate(series["Claude Code"]["data"]) if value]
    assert [series["Claude Code"]["counts"]["PRs"][at] for at in indexes] == [9] * 5
    assert [series["Claude Code"]["counts"]["developers"][at] for at in indexes] == [9] * 5
    heads, *rows = csv.reader(
        io.StringIO(content(member, f"{PAGE}charts/merged_per_developer.csv").decode("utf-8-sig"))
    )
    assert heads[1:4] == ["Claude Code (count)", "Claude Code: PRs", "Claude Code: developers"]
    assert [row[2] for row in rows if row[1]].count("9.0") == 5


@pytest.mark.usefixtures("named")
def test_every_card_equals_the_sum_of_its_rows(member: Client) -> None:
    """Compares each line with the rows under the card's address, filtered by the agent."""
    html = page(member, "?line=claude_code")
    for name in ("merged_per_developer", "delivered", "cycle_time"):
        shown, words = card(html, name), plain(card(html, name))
        address = rows_address(shown)
        joined = "&" if "?" in address else "?"
        for line, title in (("claude_code", "Claude Code"), ("Non-AI", "Non-AI")):
            rows = rows_of(lambda url: content(member, url), f"{address}{joined}agent={line}")
            value = from_rows(address.split("/")[3], rows)
            assert value is not None
            printed = f"{value:.2f}" if name != "cycle_time" else f"{value / 3600:.1f} h"
            assert f"{title} {printed} (" in words, (name, value, words)
            if name != "cycle_time":
                assert f"({total(rows, 'Contribution'):.0f} " in words


@pytest.mark.usefixtures("named")
def test_every_point_equals_the_sum_of_its_rows(member: Client) -> None:
    for name, key in (
        ("merged_per_developer", "pr.merged_per_developer"),
        ("delivered", "work.delivered_per_developer"),
    ):
        drawn = table(content(member, f"{PAGE}charts/{name}.csv"))
        for line, agent in (("Claude Code", "claude_code"), ("Non-AI", "Non-AI")):
            starts = [*(row["From"] for row in drawn), (windows.local_today() + timedelta(days=1)).isoformat()]
            for row, start, end in zip(drawn, starts, starts[1:], strict=False):
                rows = rows_of(
                    lambda url: content(member, url),
                    f"/insights/metrics/{key}/rows/?from={start}&to={end}&agent={agent}",
                )
                value = from_rows(key, rows) if rows else None
                assert float(row[f"{line} (count)"] or 0) == pytest.approx(value or 0), (name, line, start)


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("statistic", [Statistic.MEDIAN, Statistic.MEAN, Statistic.P90, Statistic.P95])
def test_the_headline_of_the_cycle_time_is_the_picked_statistic(member: Client, statistic: Statistic) -> None:
    shown = plain(card(page(member, f"?cycle={statistic}&line=claude_code"), "cycle_time"))
    rows = rows_of(lambda url: content(member, url), "/insights/metrics/pr.cycle_time/rows/?agent=claude_code")
    value = from_rows("pr.cycle_time", rows, statistic=statistic)
    assert f"Claude Code {(value or 0) / 3600:.1f} h (45 PRs of 9 developers)" in shown


@pytest.mark.usefixtures("named")
def test_phases_are_means_and_say_how_many_are_left_out(member: Client) -> None:
    shown = re.search(r'<section[^>]*id="pr-phases".*?</section>', page(member), re.DOTALL)
    assert shown
    claude = next(row for row in re.findall(r"<tr>.*?</tr>", shown[0], re.DOTALL) if "Claude Code" in row)
    assert "40 PRs, 5 excluded" in plain(claude)  # nobody reviewed those of dev3
    means = {
        key: from_rows(
            key, rows_of(lambda url: content(member, url), f"/insights/metrics/{key}/rows/?agent=claude_code")
        )
        for key in ("pr.coding_phase", "pr.review_phase", "pr.merge_phase")
    }
    words = plain(claude)
    for key, label in (("pr.coding_phase", "Coding"), ("pr.review_phase", "Review"), ("pr.merge_phase", "Merge")):
        printed = f"{(means[key] or 0) / 3600:.1f} h" if (means[key] or 0) >= 3600 else "30 min"
        assert f"{label} {printed}" in words
        of_phase = re.search(rf'href="(/insights/metrics/{key}/rows/[^"]*)"', claude)
        assert of_phase
        own = from_rows(key, rows_of(lambda url: content(member, url), of_phase[1]))
        assert own == pytest.approx(means[key])
    chosen = re.search(r'<section[^>]*id="pr-phases".*?</section>', page(member, "?agent=claude_code"), re.DOTALL)
    assert chosen
    of_line = re.findall(
        r'href="(/insights/metrics/pr.review_phase/rows/[^"]*assistance[^"]*)"[^>]*>([^<]+)</a>', chosen[0]
    )
    assert of_line
    for address, printed in of_line:
        mean = from_rows("pr.review_phase", rows_of(lambda url: content(member, url), address))
        assert mean is not None
        assert str(wording.duration(mean)) == printed, "of a line of no one agent, whichever agents are chosen"
    phases = table(content(member, f"{PAGE}charts/phases.csv"))
    assert {row["Line"]: (row["PRs"], row["PRs excluded"]) for row in phases}["Claude Code"] == ("40", "5")


@pytest.mark.usefixtures("teams")
def test_only_some_of_the_work(member: Client) -> None:
    bugs = plain(card(content(member, f"{PAGE}impact/?work=bug").decode(), "delivered"))
    features = plain(card(content(member, f"{PAGE}impact/?work=feature").decode(), "delivered"))
    counts = [int(re.search(r"Any agent \S+ \((\d+) item", words)[1]) for words in (bugs, features)]  # type: ignore[index]
    assert counts == [9, 9]


def differences(client: Client, query: str = "") -> dict[str, list[str]]:
    """The text of the cells, by figure."""
    html = content(client, f"{PAGE}parts/differences/{query}").decode()
    rows = re.findall(r"<tr>\s*<th scope=\"row\"[^>]*>(.*?)</th>(.*?)</tr>", html, re.DOTALL)
    return {title: [plain(markup) for markup in re.findall(r"<td.*?</td>", cells, re.DOTALL)] for title, cells in rows}


@pytest.mark.usefixtures("teams")
def test_differences_have_intervals_and_group_sizes(member: Client) -> None:
    rows = differences(member)
    first, second, difference, _plot = rows["PRs merged per developer"]
    assert first == "1.00 45 PRs · 9 developers"
    assert second.endswith("10 developers") or second.endswith("11 developers")
    assert re.match(r"[+−]\d\S* .*[+−]\d\S* to [+−]\d\S* ", difference)
    cycle = rows["Cycle time, median"]
    assert "developers" in cycle[0]
    assert cycle[2].startswith("−"), "those without wait longer"


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("query", ["", "?line=claude_code", "?work=feature", "?cycle=p90", "?agent=claude_code"])
def test_both_sides_of_a_difference_equal_the_sums_of_their_rows(member: Client, query: str) -> None:
    html = content(member, f"{PAGE}parts/differences/{query}").decode()
    sides = re.findall(r'<b><a class="hw-drill" href="([^"]+)"[^>]*>([^<]*)</a></b>', html)
    assert len(sides) == 6
    for address, printed in sides:
        key = address.split("/")[3]
        statistic = Statistic.P90 if "p90" in query and key == "pr.cycle_time" else None
        rows = rows_of(lambda url: content(member, url), address)
        value = from_rows(key, [row for row in rows if row["Developer"] != UNMATCHED], statistic=statistic)
        assert value is not None
        words = str(wording.duration(value)) if key == "pr.cycle_time" else f"{value:.2f}"
        assert words == printed, (address, value)


@pytest.mark.usefixtures("teams")
def test_differences_effect_and_cohorts_can_be_taken_away_as_numbers(member: Client) -> None:
    rows = {row["Metric"]: row for row in table(content(member, f"{PAGE}charts/differences.csv"))}
    merged_by = rows["pr.merged_per_developer"]
    assert (merged_by["Any agent: facts"], merged_by["Any agent: developers"]) == ("45", "9")
    assert float(merged_by["Any agent"]) - float(merged_by["Non-AI"]) == pytest.approx(float(merged_by["Difference"]))
    assert float(merged_by["Interval from"]) <= float(merged_by["Difference"]) <= float(merged_by["Interval to"])
    assert not merged_by["Why none"]
    cohorts = {row["Use"]: row for row in table(content(member, f"{PAGE}charts/cohorts.csv"))}
    assert (cohorts["moderate"]["Developers"], cohorts["moderate"]["PRs merged"]) == ("9", "45")
    effect = table(content(member, f"{PAGE}charts/adoption_effect.csv"))
    assert "Nobody to compare" in effect[0]["Why none"]
    html = ai_page(member)
    for name in ("differences", "adoption_effect", "cohorts"):
        assert f"charts/{name}.csv" in html, name
    Organisation.objects.update(individual_policy=IndividualPolicy.PSEUDONYMS, minimum_group_size=12)
    [hidden, *_] = table(content(member, f"{PAGE}charts/differences.csv"))
    assert "Hidden" in hidden["Why none"]
    assert not any(hidden[name] for name in ("Any agent", "Non-AI: developers", "Difference", "Interval to"))


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize(
    "query", ["?model=claude-opus-4-1", "?agent=claude_code", "?repository=shop", "?work_type=bug"]
)
def test_every_part_of_the_page_answers_with_every_filter(member: Client, query: str) -> None:
    for name in (*AI.charts, *AI.tables):
        assert content(member, f"{PAGE}charts/{name}.csv{query}")
    for name in AI.parts:
        assert content(member, f"{PAGE}parts/{name}/{query}")
    assert content(member, f"{PAGE}adoption/rows/{query}&of=use")
    assert content(member, f"{PAGE}adoption/rows.csv{query}&of=merged")


@pytest.mark.usefixtures("teams")
def test_before_and_after_adoption_is_of_every_model_and_says_so(member: Client) -> None:
    of_all, of_model = (
        content(member, f"{PAGE}parts/adoption_effect/{query}").decode() for query in ("", "?model=claude-opus-4-1")
    )
    assert "Of every model." in of_model
    assert "Of every model." not in of_all
    assert figures(of_model) == figures(of_all)


def figures(html: str) -> list[str]:
    return re.findall(r"<td[^>]*>(?:<a[^>]*>)?([^<]*)", html)


@pytest.mark.usefixtures("teams")
def test_a_question_is_answered_the_same_way_again(member: Client) -> None:
    assert differences(member, "?cycle=p90") == differences(member, "?cycle=p90")


@pytest.mark.usefixtures("teams")
def test_groups_of_too_few_people_are_hidden(member: Client) -> None:
    """A facet leaves few people in a group: neither the card, nor a point, nor a difference tells of them."""
    Organisation.objects.update(individual_policy=IndividualPolicy.PSEUDONYMS, minimum_group_size=10)
    html = page(member, "?line=claude_code")
    assert "Claude Code hidden" in plain(card(html, "merged_per_developer"))
    claude = next(
        (dataset for dataset in chart(member, "merged_per_developer")["datasets"] if dataset["key"] == "claude_code"),
        None,
    )
    assert claude is None or not any(claude["data"])
    first, second, difference, *_plot = differences(member, "?line=claude_code")["PRs merged per developer"]
    assert first.startswith("–")
    assert second.startswith("–")
    assert difference.startswith("– Hidden: fewer than 10 people")


def compared_with(key: str, first: float, second: float, ends: tuple[float, float] | None) -> Comparison:
    line, without = (Group(value, 30, 10, 10) for value in (first, second))
    interval = ConfidenceInterval(*ends) if ends else None
    query = Query(key, Window(date(2026, 9, 7), date(2026, 11, 30)))
    return Comparison(query, ANY_AGENT, line, without, interval, "" if interval else "Too few.")


def test_intervals_are_drawn_on_one_scale_with_better_to_the_right() -> None:
    """Of 20 h, 5 h less is a quarter better; of 2 a week, 1 more is half better; 3 times as many does not fit."""
    cycle = compared_with("pr.cycle_time", 15 * 3600, 20 * 3600, (-8 * 3600, -2 * 3600))
    merged = compared_with("pr.merged_per_developer", 3.0, 2.0, (-0.5, 1.6))
    delivered = compared_with("work.delivered_per_developer", 6.0, 2.0, (1.0, 7.0))
    nothing = compared_with("pr.merged_per_developer", 3.0, 2.0, None)
    assert interval_plots([cycle, merged, nothing]) == [
        {"low": pytest.approx(0.125), "at": pytest.approx(0.3125), "high": pytest.approx(0.5)},
        {"low": pytest.approx(-0.3125), "at": pytest.approx(0.625), "high": pytest.approx(1.0)},
        None,
    ]
    assert interval_plots([merged, delivered]) == [
        {"low": -0.25, "at": 0.5, "high": 0.8},
        {"low": 0.5, "at": 2.0, "high": 3.5},
    ]
