"""The catalogue and the metrics' own pages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import matches, metrics
from insights.pages.metric.page import routes_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("ada", "ada@example.com"))
    return client


def test_every_metric_stands_in_the_catalogue_with_a_link_to_its_page(browser: Client) -> None:
    page = browser.get("/insights/metrics/").content.decode()
    for metric in metrics():
        assert f'href="/insights/metrics/{metric.key}/"' in page
        assert metric.name in page


def test_every_metric_has_a_page_with_its_definition_and_charts(browser: Client) -> None:
    as_table: set[str] = set()
    wrong = [
        f"{metric.key}: {problem}" for metric in metrics() for problem in problems_of_page(browser, metric, as_table)
    ]
    assert wrong == []


def problems_of_page(browser: Client, metric: Metric, as_table: set[str]) -> Iterator[str]:
    """Problems of a metric's page, its charts, and the CSV files that no earlier metric had."""
    address = f"/insights/metrics/{metric.key}/"
    response = browser.get(address)
    if response.status_code != 200:
        yield f"the page answers {response.status_code}"
        return
    page = response.content.decode()
    if "Definition" not in page:
        yield "no definition"
    charts = {part.split('"')[0].partition("?")[0] for part in page.split('data-chart="')[1:]}
    if charts != {f"{address}charts/{name}/" for name in routes_of(metric.key).charts}:
        yield f"its charts are {charts}"
    for url in charts:
        chart = browser.get(url)
        if chart.status_code != 200:
            yield f"{url} answers {chart.status_code}"
            continue
        answer = chart.json()
        if "/charts/spread" in url:  # nothing is there, of which it could tell
            if answer["labels"] or not answer["reason"]:
                yield f"{url} shows something"
        elif len(answer["labels"]) not in (26, 27):
            yield f"{url} has {len(answer['labels'])} points"
        name = url.removeprefix(address)
        if name in as_table:
            continue
        as_table.add(name)
        if (table := browser.get(f"{url.rstrip('/')}.csv")).status_code != 200:
            yield f"the CSV of {url} answers {table.status_code}"


def test_the_search_finds_by_every_word(browser: Client) -> None:
    page = browser.get("/insights/metrics/", {"q": "cache PROMPT"}).content.decode()
    assert "/insights/metrics/ai.cache_hit_rate/" in page
    assert "/insights/metrics/ai.sessions/" not in page
    nothing = browser.get("/insights/metrics/", {"q": "<b>nothing</b>"}).content.decode()
    assert "No metric matches" in nothing
    assert "<b>nothing</b>" not in nothing


def test_a_search_covers_key_name_meaning_and_formula() -> None:
    adoption = next(metric for metric in metrics() if metric.key == "ai.adoption_rate")
    assert all(matches(adoption, word) for word in ("ai.adoption", "Adoption", "coding agent", "off-boarded", ""))
    assert not matches(adoption, "tokens")


def test_the_csv_has_every_metric_once(browser: Client) -> None:
    response = browser.get("/insights/metrics.csv")
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["key"] for row in rows] == [metric.key for metric in metrics()]
    assert all(row["formula"] and row["unit"] for row in rows)


def test_what_does_not_exist_is_not_found(browser: Client) -> None:
    for path in (
        "/insights/metrics/ai.nothing/",
        "/insights/metrics/ai.sessions/charts/nothing/",
        "/insights/metrics/ai.nothing/charts/trend/",
        "/insights/metrics/ai.active_share_by_agent/charts/trend/",
    ):
        assert browser.get(path).status_code == 404


def test_strangers_are_sent_to_sign_in() -> None:
    response = Client().get("/insights/metrics/")
    assert response.status_code == 302
    assert "login" in response.headers["Location"]


def test_indicators_stand_in_the_table_the_api_and_the_definition(browser: Client) -> None:
    streamed = browser.get("/insights/metrics.csv").getvalue().decode("utf-8-sig")
    table = csv.DictReader(io.StringIO(streamed))
    row = next(candidate for candidate in table if candidate["key"] == "dora.deployment_frequency")
    assert (row["positive_indicators"], row["negative_indicators"]) == (
        "dora.lead_time pr.throughput",
        "dora.change_failure_rate",
    )
    assert row["reference"] == "https://dora.dev/guides/dora-metrics-four-keys/"
    entry = browser.get("/api/v1/metrics/dora.deployment_frequency/").json()
    assert entry["positive_indicators"] == ["dora.lead_time", "pr.throughput"]
    assert entry["negative_indicators"] == ["dora.change_failure_rate"]
    assert entry["chain"] == [*entry["positive_indicators"], *entry["negative_indicators"]]
    page = browser.get("/insights/metrics/dora.deployment_frequency/").content.decode()
    for term, names in (
        ("Leading indicators</dt>", "Lead time for changes"),
        ("Guardrails</dt>", "Change failure rate"),
    ):
        assert names in page.split(term)[1].split("</dd>")[0]
