"""Each point, bar and slice of the AI page's charts leads to rows from which it can be computed again."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from insights.catalogue.registry import get
from insights.engine.plan import OTHER_ALONE
from insights.engine.read import read_series
from insights.pages.ai.page import AI
from insights.query.query import Dimension, Query
from insights.query.windows import trailing
from insights.ui import wording
from integrations.code.attribution.tasks import attribute_pending
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from tests.code.git.repositories import ADA, BEN, Repo
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.pages.recomputed import from_rows, rows_of, total

CLAUDE = "Co-Authored-By: Claude <noreply@anthropic.com>"
PICKS = {
    "committed_code": ("", "&code=file_type"),
    "committed_share": ("", "&code_of=enrolled"),
    "spend_trend": ("", "&trend=model", "&trend=work_type"),
    "spend_breakdown": ("", "&breakdown=repository", "&breakdown=model"),
    "spend_parts": ("", "&part=provider"),
}
MODELS = (
    *("claude-sonnet-4-5", "claude-opus-4-1", "claude-haiku-4-5", "gpt-5", "gpt-5-mini", "gpt-5-nano"),
    *("gpt-4.1", "gpt-4o", "gemini-2.5-pro", "gemini-2.5-flash"),
)
OF_SHARES = {"active_by_agent"}  # its rows list all agents of a person, whose shares make the parts
OF_PEOPLE = {"adoption"}  # three parts of one list of people

pytestmark = pytest.mark.django_db


def last_week() -> datetime:
    """Six days ago, at ten."""
    return datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=6)


@pytest.fixture
def client(org: Org, tmp_path: Path, member: Client) -> Client:
    for days, tokens in ((0, 9_000), (8, 5_000), (15, 7_000)):
        day = (last_week() - timedelta(days=days)).date()
        org.session(by="ada", on=day, at="09:00", minutes=55, tokens=tokens, cache_read=500, output=77, lines=80)
        org.session(by="ben", on=day, at="12:00", tokens=tokens // 2, model="claude-opus-4-1", failures={"Bash": 1})
    org.fold()
    for position, (name, file) in enumerate((("shop", "a.py"), ("site", "b.md"))):
        repo = Repo.create(tmp_path / name)
        for days in (0, 8):
            at = last_week() - timedelta(days=days, minutes=position)
            repo.commit({f"{days}{file}": "a = 1\n" * (30 + days)}, f"Write\n\n{CLAUDE}", by=ADA, at=at)
            repo.commit({f"by{days}{file}": f"{name} = 3\n" * 60}, "By hand", by=BEN, at=at + timedelta(hours=3))
        sync_source(connect_git(repo.path, name=name))
    attribute_pending()
    return member


def test_every_part_of_a_chart_leads_to_its_rows(client: Client, subtests: pytest.Subtests) -> None:
    for name in AI.charts:
        with subtests.test(name=name):
            follow_every_part(client, name)


def follow_every_part(client: Client, name: str) -> None:
    followed = 0
    for pick in PICKS.get(name, ("",)):
        drawn = client.get(f"/insights/ai/charts/{name}/?range=4w{pick}").json()
        values = [value for dataset in drawn["datasets"] for value in dataset["data"] if value]
        if not values:
            continue
        assert len(drawn["rows"]) == len(drawn["datasets"]), name
        for dataset, base in zip(drawn["datasets"], drawn["rows"], strict=True):
            for index, value in enumerate(dataset["data"]):
                if value is None or not base:
                    continue
                bucket = drawn["buckets"][index] if "buckets" in drawn else ""
                address = base + (f"{'&' if '?' in base else '?'}{bucket}" if bucket else "")
                assert client.get(address).status_code == 200, address
                rows = rows_of(lambda url: client.get(url).getvalue(), address)
                key = base.split("/")[3]
                if name not in OF_SHARES | OF_PEOPLE and not get(key).over_buckets:
                    assert from_rows(key, rows) == pytest.approx(value), (address, dataset["label"])
                followed += 1
    if name.removesuffix("_with_bands") not in (
        "cycle_time",
        "merged_per_developer",
        "delivered",
        "active_by_phase",
    ):  # nobody pushed a pull request here, and no vendor reports
        assert followed >= 2, name


def test_rows_say_to_what_they_are_narrowed(client: Client) -> None:
    page = client.get("/insights/metrics/ai.lines_committed/rows/", {"language": "Python", "agent": "claude_code"})
    assert "Agent: Claude Code; Language: Python" in page.content.decode()
    assert client.get("/insights/metrics/ai.spend/rows/", {"outcome": "wasted"}).status_code == 200
    assert client.get("/insights/metrics/ai.tool_failures/rows/", {"tool": "Ba\0sh"}).status_code == 400


def test_outcomes_lead_to_their_rows(client: Client) -> None:
    for address, printed in links_of_part(client, "spend_outcome"):
        value = from_rows("ai.spend", rows_of(lambda url: client.get(url).getvalue(), address))
        assert address.split("/")[3] == "ai.spend"
        assert value is not None
        assert printed == wording.money(value)


def test_failures_calls_and_rate_of_failing_tools_lead_to_their_rows(client: Client) -> None:
    links = links_of_part(client, "failing_tools")
    figures = [(address.split("/")[3], printed) for address, printed in links]
    rows = [rows_of(lambda url: client.get(url).getvalue(), address) for address, _ in links]
    assert len(links) % 3 == 0
    for failed in range(0, len(links), 3):
        called, rate = failed + 1, failed + 2
        assert figures[failed] == ("ai.tool_failures", wording.exact(total(rows[failed], "Contribution")))
        assert figures[called] == ("ai.tool_calls", wording.exact(total(rows[called], "Contribution")))
        value = from_rows("ai.error_rate", rows[rate])
        assert value is not None
        assert figures[rate] == ("ai.error_rate", str(wording.reading(value, "percent")))


def links_of_part(client: Client, part: str) -> list[tuple[str, str]]:
    """Addresses of rows, and what is printed of them."""
    page = client.get(f"/insights/ai/parts/{part}/?range=4w").content.decode()
    links = re.findall(r'<a (?:class="hw-drill" )?href="(/insights/metrics/[^"]+)"[^>]*>([^<]+)</a>', page)
    assert links
    return links


def test_the_bar_of_an_agent_leads_to_its_lines(client: Client) -> None:
    page = client.get("/insights/ai/impact/?range=4w").content.decode()
    card = page.partition('id="lines-by-agent"')[2].partition("</section>")[0]
    [(address, printed)] = re.findall(r'<a class="hw-drill" href="([^"]+)"[^>]*>([^<]+)</a>', card)
    value = from_rows("ai.lines_committed", rows_of(lambda url: client.get(url).getvalue(), address))
    assert "agent=claude_code" in address
    assert value is not None
    assert printed == wording.compact(value)


def test_what_is_put_together_leads_to_the_rows_of_all_of_it(org: Org, member: Client) -> None:
    """Ten models in a donut of six parts, and in bars of eight: the rest of either can be computed again."""
    for number, model in enumerate(MODELS):
        day = (last_week() - timedelta(days=number % 3 * 7)).date()
        org.session(by="ada", on=day, at=f"{8 + number:02}:00", tokens=9_000 + 1_000 * number, model=model)
    org.fold()
    for name, pick in (("spend_breakdown", "breakdown"), ("spend_trend", "trend")):
        drawn = member.get(f"/insights/ai/charts/{name}/?range=4w&{pick}=model").json()
        [rest] = [index for index, dataset in enumerate(drawn["datasets"]) if dataset["key"] == "other"]
        for index, value in enumerate(drawn["datasets"][rest]["data"]):
            if not value:
                continue
            bucket = drawn["buckets"][index] if "buckets" in drawn else ""
            address = f"{drawn['rows'][rest]}&{bucket}".rstrip("&")
            rows = rows_of(lambda url: member.get(url).getvalue(), address)
            assert from_rows("ai.spend", rows) == pytest.approx(value), (name, index)
            assert len({row["Model"] for row in rows}) > 1 or "buckets" in drawn


def test_work_of_the_class_other_is_distinguished_from_its_finer_classes(org: Org) -> None:
    kinds = {"feature": "feature", "other": "task", "tech_debt": "refactoring"}
    records = [
        {**merged(number, day_before(5), author="ada"), "labels": [label]}
        for number, label in enumerate(kinds.values(), start=1)
    ]
    org.people({"full_name": "ada", "email": "ada@example.com"})
    org.push("pull-requests", *records)
    org.fold()
    counted = {
        word: read_series([Query("pr.throughput", trailing(4), facets={Dimension.WORK_TYPE: (word,)})])[0]
        for word in ("feature", "other", OTHER_ALONE, "tech_debt")
    }
    values = {word: answer.total[0].value for word, answer in counted.items()}
    assert values["other"] == (values[OTHER_ALONE] or 0) + (values["tech_debt"] or 0)
    assert values["feature"] == 1
