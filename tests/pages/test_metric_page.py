"""A metric's page: its trend with bands and notes, its chain, its spread and what stands out, its rows."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from insights.benchmarks.sets import SETS
from insights.catalogue.registry import metrics
from insights.pages.metric.benchmarks import border_lines
from insights.query import windows
from insights.query.enums import Better
from integrations.models import PullRequest
from tests.delivery.linking.delivery import Delivery, sha_of
from tests.org import Org

MOST_QUERIES = 30
LEAD_TIME = "/insights/metrics/dora.lead_time/"
HOUR = 3600.0


def noon() -> datetime:
    """Noon of six days ago."""
    return timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=6)


@pytest.fixture
def shop(org: Org) -> Delivery:
    """Six pull requests in production last week: 1 to 5 h of lead time, one of 50 h, and one without a commit."""
    shop = Delivery()
    brought(shop, {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 50, 7: None}, "d1", at=noon())
    return shop


def brought(shop: Delivery, lead_times: Mapping[int, int | None], deployment: str, *, at: datetime) -> None:
    """A deployment and what it brought: number → hours since the first commit; None where no commit is known."""
    for number, hours in lead_times.items():
        first = at - timedelta(hours=hours or 0)
        sha = sha_of(f"{shop.repository}{number}"[-20:])
        own = [{"sha": sha, "author_email": "ada@example.com", "authored_at": first.isoformat()}]
        shop.push(
            "pull-requests",
            id=f"{shop.repository}#{number}",
            repository=shop.repository,
            number=number,
            title=f"Change {number}",
            author="ada@example.com",
            created_at=(at - timedelta(minutes=50)).isoformat(),
            state="merged",
            merged_at=(at - timedelta(minutes=10)).isoformat(),
            commits=own if hours else [],
            url=f"https://code.example.com/{number}",
        )
    shop.push(
        "deployments",
        id=deployment,
        repository=shop.repository,
        environment="production",
        status="success",
        started_at=(at - timedelta(minutes=5)).isoformat(),
        finished_at=at.isoformat(),
    )


def page(client: Client, address: str, **parameters: str) -> str:
    answer = client.get(address, parameters)
    assert answer.status_code == 200, answer.content[:300]
    return " ".join(answer.content.decode().split())


def test_the_page_tells_value_sample_and_what_is_left_out(shop: Delivery, member: Client) -> None:
    html = page(member, LEAD_TIME)
    assert ">3.5 h<" in html  # median of 1, 2, 3, 4, 5, 50
    assert "6 changes, 1 person · 1 without a value excluded" in html
    assert "Elite" in html
    how = page(member, f"{LEAD_TIME}how/", range="26w")
    assert "changes without a value" in how


def test_the_picked_statistic_is_that_of_the_chart_and_of_the_panels(shop: Delivery, member: Client) -> None:
    assert ">10.8 h<" in page(member, LEAD_TIME, statistic="mean")
    drawn = member.get(f"{LEAD_TIME}charts/trend/", {"statistic": "mean"}).json()
    assert [value for value in drawn["datasets"][0]["data"] if value] == [pytest.approx(65 / 6 * HOUR)]
    how = page(member, f"{LEAD_TIME}how/", range="26w", statistic="mean")
    assert "10.8 h" in how
    assert "<dd>mean</dd>" in how
    assert "how/?range=12w&amp;statistic=mean" in page(member, LEAD_TIME, statistic="mean")
    assert member.get(LEAD_TIME, {"statistic": "mode"}).status_code == 400
    # One value has no statistic, whatever the address of another page says.
    assert member.get("/insights/metrics/dora.deployment_frequency/", {"statistic": "mean"}).status_code == 200


def test_the_figure_is_of_the_requested_window(shop: Delivery, member: Client) -> None:
    """Also of one that is short, or long gone: its rows and what stands out are of the same days."""
    brought(shop, {11: 10, 12: 20, 13: 30}, "d0", at=noon() - timedelta(weeks=40))
    then = {
        "from": (noon() - timedelta(weeks=41)).date().isoformat(),
        "to": (noon() - timedelta(weeks=39)).date().isoformat(),
    }
    html = page(member, LEAD_TIME, **then)
    assert ">20.0 h<" in html
    assert "3 changes, 1 person" in html
    assert "6 changes, 1 person" in page(member, LEAD_TIME, range="4w")
    assert len(csv_of(member, f"{LEAD_TIME}rows.csv", **then)) == 3
    greatest = page(member, f"{LEAD_TIME}parts/outliers/", **then)
    assert "Change 13" in greatest
    assert "Change 6" not in greatest
    # Whoever comes from the panel of a figure sees that figure.
    explained = page(member, f"{LEAD_TIME}how/", **then)
    assert f'{LEAD_TIME}?from={then["from"]}&amp;to={then["to"]}"' in explained


@pytest.mark.parametrize("range_", ["4w", "12w", "26w"])
def test_the_trend_is_of_half_a_year_at_least(shop: Delivery, member: Client, range_: str) -> None:
    days = windows.trailing(26, today=windows.local_today())
    for table in ("charts/trend.csv", "charts/split.csv", "charts/chain.csv"):
        assert csv_of(member, f"{LEAD_TIME}{table}", range=range_)[0]["From"] == days.start.isoformat(), table
    assert ("Shows more than the selected" in page(member, LEAD_TIME, range=range_)) is (range_ != "26w")


def test_the_trend_of_a_window_that_is_over_ends_with_it(shop: Delivery, member: Client) -> None:
    table = csv_of(member, f"{LEAD_TIME}charts/trend.csv", **{"from": "2025-06-02", "to": "2025-06-16"})
    assert (table[0]["From"], table[-1]["From"]) == ("2024-12-16", "2025-06-09")
    assert len(csv_of(member, f"{LEAD_TIME}charts/trend.csv", range="52w", granularity="month")) in (12, 13)


def test_the_facets_of_the_metric_narrow_everything_on_the_page(shop: Delivery, member: Client) -> None:
    site = Delivery("acme/site")
    brought(site, {1: 100}, "d2", at=noon())
    params = {"repository": "acme/site", "model": "claude-opus-4-1"}
    html = page(member, LEAD_TIME, **params)
    assert "1 change, 1 person" in html
    assert ">4.2 days<" in html
    assert "Repository: <b>acme/site</b>" in html
    assert "<b>claude-opus-4-1</b>" not in html, "the metric knows of no model; links pass it on"
    assert [row["Reference"] for row in csv_of(member, f"{LEAD_TIME}rows.csv", **params)] == ["acme/site#1"]
    drawn = member.get(f"{LEAD_TIME}charts/trend/", params).json()
    assert [value for value in drawn["datasets"][0]["data"] if value] == [100 * HOUR]
    spread = member.get(f"{LEAD_TIME}charts/spread/", params).json()
    assert sum(value or 0 for series in spread["datasets"] for value in series["data"]) == 1
    chain = csv_of(member, f"{LEAD_TIME}charts/chain.csv", **params)
    assert [row["Merged pull requests (count)"] for row in chain if row["Lead time for changes (seconds)"]] == ["1.0"]
    menu = page(member, f"{LEAD_TIME}parts/repository/", **params)
    assert "6 changes" in menu
    assert "1 change<" in menu
    assert member.get(f"{LEAD_TIME}parts/model/").status_code == 404


def csv_of(client: Client, address: str, **parameters: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(address, parameters).getvalue().decode("utf-8-sig"))))


def test_points_of_the_trend_open_the_rows_of_their_weeks(shop: Delivery, member: Client) -> None:
    drawn = member.get(f"{LEAD_TIME}charts/trend/").json()
    assert [address.partition("?")[0] for address in drawn["rows"]] == [f"{LEAD_TIME}rows/"]
    assert len(drawn["buckets"]) == len(drawn["labels"])
    assert sum(len(csv_of(member, f"{LEAD_TIME}rows.csv?{week}")) for week in drawn["buckets"]) == 6


def test_the_greatest_facts_are_a_file(shop: Delivery, member: Client) -> None:
    table = csv_of(member, f"{LEAD_TIME}charts/outliers.csv")
    assert [row["Title"] for row in table[:2]] == ["Change 6", "Change 5"]
    assert len(table) == 6


def test_bands_of_the_set_are_lines_of_the_chart(shop: Delivery, member: Client) -> None:
    trend = member.get(f"{LEAD_TIME}charts/trend/").json()
    assert trend["benchmarks"][0] == {"value": 24 * HOUR, "label": "Elite below", "role": "published"}
    # The set is of the median: beside a mean it says nothing.
    assert member.get(f"{LEAD_TIME}charts/trend/", {"statistic": "mean"}).json()["benchmarks"] == []
    html = page(member, LEAD_TIME)
    assert SETS["dora-2023"].licence in html
    for slug, published in SETS.items():
        if "dora.lead_time" in published.metrics:
            assert escape(published.name) in page(member, LEAD_TIME, set=slug)


def test_the_borders_of_every_set_are_drawn_once_and_in_order() -> None:
    better = {metric.key: metric.better for metric in metrics()}
    for published in SETS.values():
        for key, of_metric in published.metrics.items():
            lines = border_lines(of_metric, better.get(key, Better.LOWER))
            values = [line.value for line in lines]
            assert values == sorted(set(values)), (published.slug, key)
            assert all(math.isfinite(value) and value > 0 for value in values)


def test_the_chain_stands_on_one_axis(shop: Delivery, member: Client) -> None:
    html = page(member, f"{LEAD_TIME}parts/chain/")
    names = re.findall(r'<div class="what"><a href="[^"]+">([^<]+)</a>', html)
    assert names[0] == "Lead time for changes"
    assert len(names) > 2
    assert html.count('<svg class="hw-multiple') == len(names)
    table = csv_of(member, f"{LEAD_TIME}charts/chain.csv")
    assert len(table[0]) == len(names) + 1
    assert [row["Lead time for changes (seconds)"] for row in table if row["Lead time for changes (seconds)"]] == [
        "12600.0"
    ]


def test_the_chain_asks_as_many_queries_however_long_the_window(shop: Delivery, member: Client) -> None:
    counts = []
    for range_ in ("26w", "52w"):
        page(member, f"{LEAD_TIME}parts/chain/", range=range_)
        with CaptureQueriesContext(connection) as queries:
            page(member, f"{LEAD_TIME}parts/chain/", range=range_)
        counts.append(len(queries))
    assert max(counts) <= MOST_QUERIES
    assert abs(counts[0] - counts[1]) <= 2


def test_facts_that_stand_out_lead_to_their_pages(shop: Delivery, member: Client) -> None:
    slowest = PullRequest.objects.get(number=6)
    html = page(member, f"{LEAD_TIME}parts/outliers/")
    here = reverse("pull_request", args=[slowest.pk])
    assert f'<a href="{here}">Change 6</a>' in html
    assert html.index("Change 6") < html.index("Change 5")
    assert "2.1 days" in html
    assert member.get(here).status_code == 200
    assert member.get("/insights/metrics/dora.change_failure_rate/parts/outliers/").status_code == 404


def test_the_spread_counts_every_fact_once(shop: Delivery, member: Client) -> None:
    """The one of 50 hours is the greatest twentieth, and the others are the bulk."""
    drawn = member.get(f"{LEAD_TIME}charts/spread/").json()
    counted = {series["label"]: sum(value or 0 for value in series["data"]) for series in drawn["datasets"]}
    assert counted == {"Changes": 5, "Slowest 5%": 1}


def test_what_is_nearly_always_the_same_has_no_tail(org: Org, member: Client) -> None:
    """All but one of forty pull requests waited an hour: no bin is that of the greatest 5 %, the one is in the last."""
    shop = Delivery()
    brought(shop, {number: 50 if number == 40 else 1 for number in range(1, 41)}, "d1", at=noon())
    for address in (f"{LEAD_TIME}charts/spread/", "/insights/delivery/charts/spread/"):
        drawn = member.get(address).json()
        [bulk] = drawn["datasets"]
        assert bulk["data"] == [39, *([0] * 18), 1]
        assert not any(label.startswith("over") for label in drawn["labels"])


@pytest.fixture
def twelve_shops(org: Org) -> Mapping[str, int]:
    """Twelve repositories with one deployment each, today a week ago, and the lead time in hours of what it brought."""
    hours = {f"acme/shop-{suffix}": number for number, suffix in enumerate("abcdefghijkl", start=1)}
    for repository, lead_time in hours.items():
        shop = Delivery(repository)
        shop.merges(1, at="Mon 00:00", sha=repository[-1], **at_noon(lead_time))
        shop.deploys(f"of {repository}", at="Mon 00:00", finished_at=noon().isoformat())
    return hours


def at_noon(lead_time: int) -> dict[str, Any]:
    first = {"sha": sha_of(f"first {lead_time}"), "author_email": "ada@example.com"}
    return {
        "commits": [{**first, "authored_at": (noon() - timedelta(hours=lead_time)).isoformat()}],
        "created_at": (noon() - timedelta(minutes=50)).isoformat(),
        "merged_at": (noon() - timedelta(minutes=10)).isoformat(),
    }


def test_medians_of_many_repositories_are_not_added_up(twelve_shops: Mapping[str, int], member: Client) -> None:
    """Eight of twelve can be told apart; the file has all of them, each with its own median."""
    chart = member.get(f"{LEAD_TIME}charts/split/", {"by": "repository"}).json()
    drawn = {dataset["label"]: [value for value in dataset["data"] if value] for dataset in chart["datasets"]}
    assert drawn == {name: [hours * HOUR] for name, hours in twelve_shops.items() if hours > 4}
    assert chart["left_out"] == "4 more not drawn"
    rows = csv_of(member, f"{LEAD_TIME}charts/split.csv", by="repository")
    [week] = [row for row in rows if row["acme/shop-a (seconds)"]]
    assert {name: float(week[f"{name} (seconds)"]) / HOUR for name in twelve_shops} == twelve_shops


def test_shares_of_many_repositories_are_not_added_up(twelve_shops: Mapping[str, int], member: Client) -> None:
    for number, repository in enumerate(twelve_shops):
        failing = {"finished_at": (noon() + timedelta(minutes=5)).isoformat(), "rollback_of": f"of {repository}"}
        Delivery(repository).deploys(f"back {number}", at="Mon 00:00", **failing)
    chart = member.get("/insights/metrics/dora.change_failure_rate/charts/split/", {"by": "repository"}).json()
    values = [value for dataset in chart["datasets"] for value in dataset["data"] if value is not None]
    assert len(chart["datasets"]) == 8
    assert max(values) <= 100
    assert chart["left_out"] == "4 more not drawn"


def test_counts_of_many_repositories_are_added_up(twelve_shops: Mapping[str, int], member: Client) -> None:
    chart = member.get("/insights/metrics/pr.throughput/charts/split/", {"by": "repository"}).json()
    assert [dataset["label"] for dataset in chart["datasets"]][-1] == "Other (5)"
    assert sum(value or 0 for dataset in chart["datasets"] for value in dataset["data"]) == 12
    assert chart["left_out"] == ""
    # On how many days of the week anything went out: five repositories on one day are one day.
    days = member.get("/insights/metrics/dora.deployment_days/charts/split/", {"by": "repository"}).json()
    assert max(value or 0 for day in days["datasets"] for value in day["data"]) <= 7
    assert days["left_out"] == "4 more not drawn"


def test_rows_lead_to_the_record_and_to_its_tool(shop: Delivery, member: Client) -> None:
    html = page(member, f"{LEAD_TIME}rows/", range="26w")
    pull_request = PullRequest.objects.get(number=6)
    record = reverse("pull_request", args=[pull_request.pk])
    assert f'<a href="{record}">Change 6</a><small>acme/shop#6 · <a href="https://code.example.com/6"' in html
    assert '<a href="https://code.example.com/6" rel="noreferrer">Open in code.example.com</a>' in html
    assert '<span title="180,000 s">2.1 days</span>' in html
    row = next(row for row in csv_of(member, f"{LEAD_TIME}rows.csv", range="26w") if row["Reference"] == "acme/shop#6")
    assert row["Address"] == "https://code.example.com/6"
    assert float(row["Contribution"]) == 50 * HOUR
    assert row["Change"] == str(pull_request.pk)


def test_what_an_owner_is_counted_for_has_no_people(shop: Delivery, member: Client) -> None:
    frequency = "/insights/metrics/dora.deployment_frequency/"
    assert "1 deployment ·" in page(member, frequency) or "1 deployment<" in page(member, frequency)
    rows = csv_of(member, f"{frequency}rows.csv", range="26w")
    assert "Developer" not in rows[0]
    assert rows[0]["Reference"] == "d1"
    html = page(member, f"{frequency}rows/", range="26w")
    assert re.search(r'<a href="/insights/deployments/\d+/">[^<]+</a><small>d1', html)


def test_the_page_asks_few_queries(shop: Delivery, member: Client) -> None:
    page(member, LEAD_TIME)
    with CaptureQueriesContext(connection) as queries:
        page(member, LEAD_TIME)
    assert len(queries) <= MOST_QUERIES
