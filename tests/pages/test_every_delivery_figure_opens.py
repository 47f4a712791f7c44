"""Every figure of the delivery page can be computed again from the rows that it opens."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils.html import escape

from insights.catalogue.lead_time_stages import STAGES
from insights.catalogue.registry import get
from insights.pages.delivery.lead_time import UPSTREAM
from insights.pages.delivery.tabs import DELIVERY_PAGE
from insights.query.query import Statistic
from insights.ui import wording
from tests.org import Org
from tests.pages.eventful_shop import tell_of_everything
from tests.pages.recomputed import from_rows, lines_of, plain, rows_address, rows_of, table, tiles_of
from tests.stored_once import StoreOnce

TABS = DELIVERY_PAGE.tabs
PAGE = "/insights/delivery/"
DAYS = 12 * 7  # of the page's window, all of which have come
FEW_WITHOUT_DATA = 2
OF_SONARQUBE = {"code.quality_gate_rate", "code.best_ratings_rate", "code.duplication_rate"}  # this shop has none


@pytest.fixture(scope="module")
def shop(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("shop")
    with stored_once(lambda: tell_of_everything(Org(tmp_path_factory.mktemp), folder)):
        yield


def content(client: Client, address: str) -> bytes:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.getvalue() if answer.streaming else answer.content


def figures(client: Client, **filters: str) -> list[tuple[str, str]]:
    """Every tile and every line of the page and of its parts, with the key of its metric."""
    query = "?" + "&".join(f"{name}={value}" for name, value in filters.items())
    pages = [content(client, f"{PAGE}{tab}/{query}" if tab else f"{PAGE}{query}").decode() for tab in TABS]
    return [tile for page in pages for tile in (*tiles_of(page), *lines_of(page))]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("statistic", [None, Statistic.MEAN, Statistic.P90])
def test_every_tile_and_every_line(member: Client, statistic: Statistic | None) -> None:
    """Whatever statistic of durations is picked; a figure without data has rows that come to none."""
    tiles = figures(member, **({"statistic": statistic} if statistic else {}))
    assert {key for key, _ in tiles} == {
        key for tab in TABS.values() for section in tab.sections for key in section.figures
    }
    without = []
    for key, shown in tiles:
        rows = rows_of(lambda address: content(member, address), rows_address(shown))
        value = from_rows(key, rows, days=DAYS, statistic=statistic)
        if value is None:
            assert "No data" in plain(shown), key
            without.append(key)
        else:
            printed = wording.reading(value, get(key).unit).value
            assert f" {printed} " in f" {plain(shown)} ", (key, value, plain(shown), rows[:3])
    assert len({*without} - OF_SONARQUBE) <= FEW_WITHOUT_DATA, without


@pytest.mark.usefixtures("shop")
def test_every_stage_of_lead_time(member: Client) -> None:
    """Medians, and means without the slowest 5 %; those in front of the first commit are of linked pull requests."""
    page = content(member, PAGE).decode()
    table = re.search(r'<table class="hw-wf">(.*?)</table>', page, re.DOTALL)
    assert table
    shown = {
        rows_address(row).split("/")[3]: (rows_address(row), plain(row))
        for row in re.findall(r"<tr.*?</tr>", table[1], re.DOTALL)
        if "/rows/" in row
    }
    assert list(shown) == [*UPSTREAM, *(metric for metric, _, _ in STAGES.values())]
    means = {}
    for key, (address, words) in shown.items():
        rows = rows_of(lambda url: content(member, url), address)
        means[key] = from_rows(key, rows, statistic=Statistic.TRIMMED_MEAN)
        printed = [means[key]] if key in UPSTREAM else [from_rows(key, rows, statistic=Statistic.MEDIAN), means[key]]
        assert f" {' '.join(str(wording.duration(value or 0)) for value in printed)} " in f" {words} ", (key, words)
    whole = sum(mean or 0 for key, mean in means.items() if key not in UPSTREAM)
    assert f"All stages {wording.duration(whole)}" in plain(page)


@pytest.mark.usefixtures("shop")
def test_the_slowest_changes_link_to_their_records(member: Client) -> None:
    body = content(member, f"{PAGE}parts/slowest/").decode()
    records = re.findall(r'href="(/insights/pull-requests/\d+/)"[^>]*>([^<]+)<', body)
    assert len(records) >= 8
    for address, title in records:
        assert escape(title.strip()) in content(member, address).decode() or title in content(member, address).decode()


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("chart", ["cycle_time", "throughput", "failures", "incidents", "bugs", "size", "review_depth"])
def test_every_point_of_a_chart(member: Client, chart: str) -> None:
    """The rows behind a chart are of the whole window; those of a week come to the week's point."""
    page = "".join(content(member, f"{PAGE}{tab}/").decode() for tab in TABS if tab)
    card = re.search(rf'<section[^>]*id="chart-{chart}".*?</section>', page, re.DOTALL)
    assert card, chart
    address = rows_address(card[0])
    rows = rows_of(lambda url: content(member, url), address)
    drawn = table(content(member, f"{PAGE}charts/{chart}.csv"))
    starts = [*(bucket["From"] for bucket in drawn), "9999-12-31"]
    for bucket, start, end in zip(drawn, starts, starts[1:], strict=False):
        points = [float(value) for name, value in bucket.items() if name not in ("From", "Notes") and value]
        value = from_rows(address.split("/")[3], [row for row in rows if start <= row["Day"] < end])
        assert (value or 0) == pytest.approx(sum(points)), (chart, start)
