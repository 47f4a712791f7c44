"""The delivery page with and without data, for whoever is signed in."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from insights.catalogue.lead_time_stages import STAGES
from insights.columns.refresh import refresh
from insights.pages.delivery.page import DELIVERY
from orgtree.models import Organisation
from tests.org import Org
from tests.pages.delivering import LEAD_HOURS, day_before, deliver, deployed, merged
from tests.pages.test_ai_page import tile
from tests.stored_once import StoreOnce

PAGE = "/insights/delivery/"
HOUR = 3600
MOST_QUERIES = 15  # of any response, whatever the organisation's size


@pytest.fixture(scope="module")
def shop(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: delivering(Org(tmp_path_factory.mktemp))) as made:
        yield made


def delivering(org: Org) -> Org:
    deliver(org)
    return org


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def page(client: Client, **parameters: str) -> str:
    answer = client.get(PAGE, parameters)
    assert answer.status_code == 200
    return answer.content.decode()


def line(html: str, key: str) -> str:
    match = re.search(rf'<tr data-line="{re.escape(key)}">.*?</tr>', html, re.DOTALL)
    assert match, f"there is no line {key}"
    return words(match[0])


def stages_card(html: str) -> str:
    match = re.search(r'<section class="hw-card s8" id="stages-now".*?</section>', html, re.DOTALL)
    assert match
    return words(match[0])


def tab(client: Client, name: str, **parameters: str) -> str:
    return client.get(f"{PAGE}{name}/", parameters).content.decode()


def part(client: Client, name: str, **parameters: str) -> str:
    return client.get(f"{PAGE}parts/{name}/", parameters, headers={"HX-Request": "true"}).content.decode()


def test_five_tiles_tell_how_the_shop_delivers(shop: Org, member: Client) -> None:
    """Six deployments in twelve weeks, one of which failed and was restored after two and a half hours."""
    html = page(member)
    assert "0.07 / day" in tile(html, "dora.deployment_frequency")
    assert "6 deployments" in tile(html, "dora.deployment_frequency")
    assert "10.5 h" in tile(html, "dora.lead_time")
    assert "6 changes" in tile(html, "dora.lead_time")
    assert "16.7 %" in tile(html, "dora.change_failure_rate")
    assert "Low 1 of 6" in tile(html, "dora.change_failure_rate"), "16.7 % lies beyond the 15 % of the medium cluster"
    assert "2.5 h" in tile(html, "dora.recovery_time")
    assert "0.0 %" in tile(html, "dora.rework_rate")


def test_deployment_days_have_a_band_of_their_own(shop: Org, member: Client) -> None:
    """Six days in twelve weeks: half a day a week, which Four Keys calls monthly, whatever set the page shows."""
    row = line(tab(member, "efficiency"), "dora.deployment_days")
    assert re.search(r"Deployment days per week 0\.5\b.* Monthly 6 days", row), row
    own = member.get("/insights/metrics/dora.deployment_days/").content.decode()
    assert "github.com/dora-team/fourkeys" in own
    assert "the median of the weeks of three months" in own


def test_the_score_is_the_mean_of_what_five_metrics_are_worth(shop: Org, member: Client) -> None:
    """Frequency between monthly and weekly: 4; lead time below a day: 8; recovery below a day: 8; 16.7 % of failures:
    8.33; no rework: 10.  (4 + 8 + 8 + 8.33 + 10) / 5 = 7.67; the window before has nothing."""
    html = page(member)
    match = re.search(r'<section class="hw-card s4" id="dora-score".*?</section>', html, re.DOTALL)
    assert match
    card = words(match[0])
    assert "7.7 of 10" in card
    assert "Deployment frequency 4 of 10" in card
    assert "Change failure rate 8.3 of 10" in card
    assert "No comparison: a metric has no value in the previous period." in card
    assert "Bands: DORA 2023." in card
    assert "It has none for deployment rework rate." in card


def test_the_score_stands_beside_those_of_the_peers_that_the_organisation_chose(shop: Org, member: Client) -> None:
    assert "All industries: 6.7 in DORA's Quick Check 2025 (CC BY 4.0)." in unescape(page(member))
    Organisation.objects.update_or_create(pk=1, defaults={"peers": "industry:technology"})
    assert re.search(r"Technology: \d\.\d in DORA's Quick Check 2025", unescape(page(member)))


def test_a_set_that_is_not_monotonic_says_so(shop: Org, member: Client) -> None:
    """DORA 2024: high performers failed in 20 % of deployments, medium ones in 10 %."""
    Organisation.objects.update_or_create(pk=1, defaults={"benchmark_set": "dora-2024"})
    html = page(member)
    assert "Its clusters are not in order for change failure rate." in html
    assert "High 1 of 6" in tile(html, "dora.change_failure_rate")


def test_lead_time_goes_mostly_into_waiting_for_a_review(shop: Org, member: Client) -> None:
    """2 h of coding, 4 until the first review, 1 in review, a half until the merge, 3 until production: 10.5 h."""
    card = stages_card(page(member))
    assert "5 PRs in production" in card
    assert "Pickup is the bottleneck: 38% of lead time" in card
    assert "The median change waits 4.0 h, the mean without the slowest 5% is 4.0 h." in card
    assert "Coding first commit → open Work 19% 2.0 h 2.0 h" in card
    assert "Review first review → approval Work 10% " in card
    assert "Deploy merged, not in production Wait 29% 3.0 h 3.0 h" in card
    assert "All stages 10.5 h" in card
    assert "1 PR excluded: a stage, such as review, is unknown" in card


def test_the_stages_of_a_week_add_up_to_its_lead_time(shop: Org, member: Client) -> None:
    chart = member.get(f"{PAGE}charts/stages/").json()
    assert chart["datasets"][0]["key"] == "longest"
    assert {series["label"] for series in chart["datasets"]} == {label for _, label, _ in STAGES.values()}
    columns = list(zip(*(series["data"] for series in chart["datasets"]), strict=True))
    sums = [sum(column) for column in columns if None not in column]
    assert sums
    assert sums == pytest.approx([LEAD_HOURS * HOUR] * len(sums))


def test_a_page_with_all_five_asks_for_nothing(shop: Org, member: Client) -> None:
    assert "Missing DORA inputs" not in page(member)


def test_another_statistic_is_named(shop: Org, member: Client) -> None:
    html = page(member, statistic="p90")
    assert "Cycle time, p90" in tile(tab(member, "efficiency", statistic="p90"), "pr.cycle_time")
    assert "Lead time for changes, p90" in tile(html, "dora.lead_time")
    assert "All stages 10.5 h" in stages_card(html), "medians and percentiles are never stacked"
    assert member.get(PAGE, {"statistic": "p99"}).status_code == 400


def test_a_metric_with_nothing_behind_it_says_why_on_its_line(shop: Org, member: Client) -> None:
    efficiency = tab(member, "efficiency")
    assert "No work item has been synced or pushed yet." in line(efficiency, "flow.efficiency")
    assert "6 PRs" in line(efficiency, "pr.coding_time")
    assert "1 of 6 deployments" in line(tab(member, "quality"), "dora.change_failure_rate")


def test_most_of_the_pull_requests_are_in_the_bins(shop: Org, member: Client) -> None:
    """Six took as long as each other, and a seventh twenty hours longer."""
    shop.push("pull-requests", merged(7, day_before(20), waits=20.0))
    shop.push("deployments", deployed(7, day_before(20), waits=20.0))
    chart = member.get(f"{PAGE}charts/spread/").json()
    counted = {series["label"]: sum(value or 0 for value in series["data"]) for series in chart["datasets"]}
    assert counted == {"Changes": 6, "Slowest 5%": 1}


def test_facets_narrow_what_knows_them(shop: Org, member: Client) -> None:
    nothing = tab(member, "efficiency", repository="acme/other")
    assert "Nothing in this window matches Repository acme/other." in tile(nothing, "pr.cycle_time")
    same = page(member, repository="acme/shop")
    assert "10.5 h" in tile(same, "dora.lead_time")
    assert "acme/shop" in part(member, "repositories")


@pytest.mark.parametrize("name", sorted(DELIVERY.charts))
def test_every_chart_is_json_and_csv(shop: Org, member: Client, name: str) -> None:
    chart = json.loads(member.get(f"{PAGE}charts/{name}/").content, parse_constant=pytest.fail)
    assert "view" not in chart
    for dataset in chart["datasets"]:
        assert len(dataset["data"]) == len(chart["labels"])
    text = member.get(f"{PAGE}charts/{name}.csv").getvalue().decode("utf-8-sig")
    heads, *rows = csv.reader(io.StringIO(text))
    assert len(rows) == len(chart["labels"])
    for column, dataset in enumerate(chart["datasets"], start=1):
        assert heads[column].startswith(dataset["label"])
        assert [float(row[column]) if row[column] else None for row in rows] == dataset["data"]


@pytest.mark.parametrize("name", sorted(DELIVERY.tables))
def test_every_table_is_csv(shop: Org, member: Client, name: str) -> None:
    text = member.get(f"{PAGE}charts/{name}.csv").getvalue().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) > 4
    assert {len(row) for row in rows} == {len(rows[0])}


def test_a_part_is_a_page_of_its_own_without_a_script(shop: Org, member: Client) -> None:
    for name in DELIVERY.parts:
        assert "<html" not in part(member, name)
        alone = member.get(f"{PAGE}parts/{name}/")
        assert alone.content.decode().startswith("<!doctype html>")
        assert "HX-Request" in alone["Vary"]
    assert member.get(f"{PAGE}parts/nothing/").status_code == 404
    assert member.get(f"{PAGE}charts/nothing/").status_code == 404


def test_units_stand_side_by_side(shop: Org, admin_client: Client) -> None:
    shop.tree("Teams")
    shop.unit("Payments", below="teams")
    shop.join("ada", "payments", on="2020-01-01")
    shop.own("acme/shop", "payments")
    table = words(admin_client.get(f"{PAGE}units/", headers={"HX-Request": "true"}).content.decode())
    assert re.search(r"Payments 0\.07 / day 10\.5 h 16\.7% 2\.5 h", table)


def test_the_page_runs_few_queries_once_its_figures_are_cached(shop: Org, member: Client) -> None:
    refresh()
    member.get(PAGE)
    for address in (PAGE, *(f"{PAGE}{name}/" for name in ("efficiency", "quality", "hygiene"))):
        with CaptureQueriesContext(connection) as queries:
            assert member.get(address, headers={"HX-Request": "true"}).status_code == 200
        assert len(queries) <= MOST_QUERIES, [str(query["sql"])[:90] for query in queries]


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("deployments", lambda: deployed(9, day_before(2))),
        ("pull-requests", lambda: merged(9, day_before(2))),
        ("incidents", lambda: {"id": "i-9", "repository": "acme/shop", "started_at": f"{day_before(2)}T12:00:00Z"}),
    ],
)
def test_an_open_page_learns_of_new_deliveries(
    shop: Org, member: Client, kind: str, record: Callable[[], dict[str, object]]
) -> None:
    """It asks its pulse every two seconds: the mark stays while nothing comes, and moves with what was pushed."""
    match = re.search(r'data-pulse="([^"]+)"', page(member))
    assert match

    def pulse(known: str = "") -> tuple[int, str]:
        answer = member.get(match[1], headers={"If-None-Match": known} if known else {})
        return answer.status_code, answer.headers["ETag"]

    status, mark = pulse()
    assert status == 204
    assert pulse(mark) == (304, mark)
    recorded = record()
    known_before = shop.metric("dora.deployment_frequency", from_=day_before(20), to=day_before(0)).sample_size
    shop.push(kind, recorded)
    status, moved = pulse(mark)
    assert (status, moved != mark) == (204, True)
    assert pulse(moved) == (304, moved)
    shown = tile(page(member), "dora.deployment_frequency")
    assert f"{known_before + (kind == 'deployments')} deployments" in shown
    shop.push(kind, recorded)
    assert pulse(moved)[0] == 304, "told again, it changes nothing"


def verdict(html: str) -> str:
    match = re.search(r'<p class="hw-verdict".*?</p>', html, re.DOTALL)
    return unescape(words(match[0])) if match else ""


def test_the_overview_begins_with_how_it_stands(shop: Org, member: Client) -> None:
    """Everything happened in one window: nothing can be compared, and the wait for a review holds changes up."""
    html = page(member)
    assert verdict(html) == "Pickup is the bottleneck: 38% of lead time."
    assert verdict(page(member, repository="acme/other")) == "", "without figures it says nothing"


def test_filters_fold_behind_a_button_that_names_what_is_set(shop: Org, member: Client) -> None:
    def button(html: str) -> str:
        match = re.search(r'<details class="hw-filters".*?</summary>', html, re.DOTALL)
        assert match
        return words(match[0])

    assert button(page(member)) == "Filter"
    assert button(page(member, work_type="tech_debt", repository="acme/shop")) in (
        "Repository: acme/shop; Work type: Tech debt",
        "Work type: Tech debt; Repository: acme/shop",
    )
