"""Every figure of the AI page, the readiness page and the attribution page can be computed again from its rows."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from insights.catalogue.registry import get
from insights.pages.ai.repositories import METRICS
from insights.ui import wording
from integrations.code.attribution.tasks import attribute_pending
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from tests.code.git.repositories import ADA, BEN, Repo
from tests.org import Org
from tests.pages import recomputed
from tests.pages.every_tab import ai_page, delivery_page
from tests.pages.recomputed import Rows, from_rows, plain, rows_address, table, tiles_of, total
from tests.stored_once import StoreOnce

CLAUDE = "Co-Authored-By: Claude <noreply@anthropic.com>"


def last_week() -> datetime:
    """Six days ago, at ten."""
    return datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=6)


@pytest.fixture(scope="module")
def work(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with stored_once(lambda: tell_of_work(Org(tmp_path_factory.mktemp), tmp_path_factory.mktemp("repositories"))):
        yield


@pytest.fixture
def pages(work: None, member: Client) -> Client:
    return member


def tell_of_work(org: Org, folder: Path) -> None:
    """Sessions that were committed, wasted, and are pending; two repositories, one of them without a context file."""
    org.session(by="ada", on=last_week().date(), at="09:00", minutes=55, tokens=90_000, cache_read=50_000, lines=80)
    org.session(by="ada", on=last_week().date(), at="15:00", tokens=30_000, lines=40, failures={"Bash": 2})
    org.session(
        by="ben", on=last_week().date(), at="12:00", tokens=20_000, tool_calls={"Edit": 9}, failures={"Bash": 1}
    )
    org.session(by="ben", on=datetime.now(UTC).date() - timedelta(days=1), tokens=5_000, model="claude-opus-4-1")
    org.fold()
    for position, (name, file) in enumerate((("shop", "AGENTS.md"), ("site", "index.html"))):
        repo, later = Repo.create(folder / name), last_week() + timedelta(minutes=position)
        repo.commit({file: "Be kind.\n"}, by=BEN, at=later + timedelta(hours=2))
        repo.commit({"a.py": "a = 1\n" * 30, "b.md": "b\n" * 5}, f"Write\n\n{CLAUDE}", by=ADA, at=later)
        repo.commit({"c.py": f"{name} = 3\n" * 60}, "By hand", by=BEN, at=later + timedelta(hours=3))
        sync_source(connect_git(repo.path, name=name))
    attribute_pending()


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def rows_of(client: Client, address: str) -> Rows:
    return recomputed.rows_of(lambda url: client.get(url).getvalue(), address)


@pytest.mark.parametrize("query", ["", "?code_of=enrolled&developers=everybody"])
def test_every_tile_of_the_ai_page(pages: Client, query: str) -> None:
    walked = set()
    for key, tile in tiles_of(ai_page(pages, query)):
        address = rows_address(tile)
        metric = address.split("/")[3]
        rows = rows_of(pages, address)
        value, shown = from_rows(metric, rows), plain(tile)
        if value is None:
            assert "No data" in shown, key
        elif rows or "No data" not in shown:  # nothing happened, or nothing tells of it
            assert f" {wording.reading(value, get(metric).unit).value} " in f" {shown} ", (key, value, shown)
        walked.add(metric)
    share = "ai.committed_code_share_of_enrolled" if query else "ai.committed_code_share"
    assert {"ai.active_developers", share, "ai.lines_committed", "ai.spend"} <= walked
    assert len(walked) >= 12


def test_every_failing_tool(pages: Client) -> None:
    """Failed, calls and the rate of each, from the rows that its cells open."""
    body = page(pages, "/insights/ai/parts/failing_tools/")
    cells = re.findall(r'href="(/insights/metrics/[^"]+)"[^>]*>([^<]+)</a>', body)
    assert len(cells) >= 3
    for address, printed in cells:
        rows = rows_of(pages, address)
        if not rows:
            assert printed in ("0", "0.0%"), address
            continue
        failed, calls = total(rows, "Contribution"), total(rows, "Denominator") if "Denominator" in rows[0] else 0.0
        rate = str(wording.reading(failed / calls * 100, "percent")) if calls else ""
        assert printed in (rate, f"{calls:,.0f}") if calls else printed == f"{failed:,.0f}", address


def test_every_model_of_the_what_if_page(pages: Client) -> None:
    body = page(pages, "/insights/ai/prices/")
    cells = re.findall(r'<a class="hw-drill" href="(/insights/metrics/[^"]+)"[^>]*>([^<]+)</a>', body)
    walked = set()
    for address, printed in cells:
        metric = address.split("/")[3]
        value = total(rows_of(pages, address), "Contribution")
        words = wording.exact(value, "currency") if metric == "ai.spend" else wording.compact(value)
        assert html.unescape(printed) == words, address
        walked.add(metric)
    assert walked == {"ai.spend", "ai.tokens"}


def test_every_figure_of_the_readiness_page(pages: Client) -> None:
    body = page(pages, "/insights/ai/repositories/")
    cells = re.findall(
        r'<td class="num[^>]*>(?:<svg.*?</svg>)?<a href="(/insights/metrics/[^"]+)"[^>]*>([^<]*)</a>', body
    )
    walked = set()
    for address, printed in cells:
        metric, rows = address.split("/")[3], rows_of(pages, address)
        value = from_rows(metric, rows)
        if metric == "ai.spend_wasted":
            both = [rows_of(pages, address.replace("wasted", of)) for of in ("wasted", "committed")]
            known = sum(total(rows_of_outcome, "Contribution") for rows_of_outcome in both)
            assert str(wording.reading(total(rows, "Contribution") / known * 100, "percent")) == printed, address
        else:
            assert value is not None
            assert str(wording.reading(value, get(metric).unit)) == html.unescape(printed), address
        walked.add(metric)
    assert walked == {metric for metric in METRICS if metric != "ai.spend_committed"}
    enabled = rows_of(pages, "/insights/metrics/ai.enabled_repositories/rows/")
    assert f"{total(enabled, 'Contribution'):,.0f} of {len(enabled)} repositories" in plain(body)


def test_repositories_cost_the_same_wherever_they_are_listed(pages: Client) -> None:
    readiness, costs = (
        {row["Repository"]: row["Spend (USD)"] for row in table(pages.get(f"/insights/ai/{name}.csv").getvalue())}
        for name in ("repositories", "costs")
    )
    assert costs
    assert costs.items() <= readiness.items()


def test_every_part_of_the_evidence(pages: Client) -> None:
    body = page(pages, "/insights/ai/attribution/")
    lines: dict[str, float] = defaultdict(float)
    for row in rows_of(pages, "/insights/metrics/ai.lines_committed/rows/"):
        lines[row["Method"]] += float(row["Contribution"])
    parts = re.findall(r'<li class="hw-bar"><div class="t"><span>([^<]+)</span><em><b>([^<]+)</b>', body)
    assert sorted(float(printed) for _, printed in parts) == sorted(lines.values())
    assert parts
    assert "/insights/metrics/ai.lines_committed/how/" in body


def test_a_name_and_a_metric_have_one_value_on_all_pages(pages: Client) -> None:
    """Home, all tabs of AI and of delivery with the parts that load later: wherever a figure is, it is the same."""
    shown = {"home": page(pages, "/"), "ai": ai_page(pages), "delivery": delivery_page(pages)}
    by_name: dict[str, set[str]] = defaultdict(set)
    by_metric: dict[str, set[str]] = defaultdict(set)
    tiles = [tile for body in shown.values() for tile in tiles_of(body)]
    for key, tile in tiles:
        value = re.search(r'<span class="hw-val[^"]*">([^<]*)', tile)
        assert value, key
        by_name[plain(re.findall(r"<h3>(.*?)</h3>", tile, re.DOTALL)[0])].add(value[1])
        by_metric[key].add(value[1])
    assert {name: values for name, values in {**by_name, **by_metric}.items() if len(values) > 1} == {}
    assert len(tiles) > len(by_metric) > 20, "some are on several pages"
