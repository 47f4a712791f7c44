"""The shades around the lines of a comparison, as charts and CSV tell them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import product
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from insights.formulas.error_margins import Counted, ErrorMargin, margin_of_rate
from insights.privacy.visible import visible_error_margins
from insights.query import windows
from insights.query.query import Granularity, Query
from orgtree.access.access import access_of
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.pages.recomputed import table
from tests.personas import AUDITOR, MEMBER, PERSONAS, Persona
from tests.stored_once import StoreOnce

PAGE = "/insights/ai/"
MOST_QUERIES = 15
CHARTS = ("cycle_time", "merged_per_developer", "delivered")
WORLD = {
    "claude_code": ("claude", 12, "\n\nCo-Authored-By: Claude <noreply@anthropic.com>"),
    "codex": ("codex", 9, "\n\nCo-authored-by: Codex <noreply@openai.com>"),
    "none": ("hand", 10, ""),
}
WAITS = 1.5  # hours by which each developer of a line is slower than the one before


def last_monday() -> date:
    """The Monday of the previous week."""
    return day_before(windows.local_today().weekday() + 7)


def merges(position: int) -> int:
    """The number of pull requests that the developer at that position on a line merges in a week."""
    return 1 + position % 3


@pytest.fixture(scope="module")
def lines(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with stored_once(lambda: tell_of_lines(Org(tmp_path_factory.mktemp))):
        yield


def tell_of_lines(org: Org) -> None:
    """Two weeks of pull requests on three lines; in the earlier week Claude Code's are of seven developers."""
    number = 0
    records: list[dict[str, object]] = []
    for week in range(2):
        for name, developers, trailer in WORLD.values():
            for position in range(7 if week and name == "claude" else developers):
                for _ in range(merges(position)):
                    number += 1
                    day = last_monday() + timedelta(days=1 - 7 * week)
                    pull_request = merged(number, day, author=f"{name}{position}", waits=WAITS * position)
                    pull_request["commits"][0]["message"] += trailer  # type: ignore[index]
                    pull_request["work_items"] = []
                    records.append(pull_request)
    names = [f"{name}{position}" for name, developers, _ in WORLD.values() for position in range(developers)]
    org.people(*({"full_name": name, "email": f"{name}@example.com"} for name in (*names, "grace")))
    org.push("pull-requests", *records)
    org.fold()


def drawn(client: Client, name: str, query: str = "") -> dict[str, Any]:
    answer = client.get(f"{PAGE}charts/{name}/{query}")
    assert answer.status_code == 200, (name, query)
    chart: dict[str, Any] = json.loads(answer.content)
    return chart


def series(client: Client, name: str, query: str = "") -> dict[str, dict[str, Any]]:
    return {dataset["key"]: dataset for dataset in drawn(client, f"{name}_with_bands", query)["datasets"]}


def at_last_week(line: dict[str, Any]) -> tuple[float, float, float]:
    """Value, low and high; this week follows it."""
    value, low, high = (line[name][-2] for name in ("data", "low", "high"))
    return value, low, high


def expected(counts: Sequence[int], developers: int) -> ErrorMargin:
    done = [*counts, *[0] * (developers - len(counts))]
    powers = (float(sum(count**power for count in done)) for power in (1, 2, 3))
    reach = margin_of_rate(Counted(developers, len(counts), *powers))
    assert reach
    return reach


PICKED: Sequence[tuple[str, set[str]]] = (
    ("?line=claude_code", {"claude_code", "none"}),
    ("?line=codex", {"codex", "none"}),
    ("", {"any", "none"}),
    ("?agent=codex", {"codex", "none"}),  # any agent is that one, then
    ("?granularity=month&line=codex", {"codex", "none"}),
)


@pytest.mark.usefixtures("lines")
def test_the_picked_agent_and_non_ai_alone_have_bands(member: Client, subtests: pytest.Subtests) -> None:
    for name, (query, shaded) in product(("cycle_time", "merged_per_developer"), PICKED):
        with subtests.test(name=name, query=query):
            assert_bands(member, name, query, shaded)


def assert_bands(member: Client, name: str, query: str, shaded: set[str]) -> None:
    first = drawn(member, name, query)
    assert not any("low" in dataset for dataset in first["datasets"]), "the lines come first"
    complete = json.loads(member.get(first["complete_url"]).content)
    assert {dataset["key"] for dataset in complete["datasets"] if "low" in dataset} == shaded
    assert [dataset["data"] for dataset in complete["datasets"]] == [dataset["data"] for dataset in first["datasets"]]
    for dataset in complete["datasets"]:
        for value, low, high in zip(dataset["data"], dataset.get("low", []), dataset.get("high", []), strict=False):
            assert (low is None) == (high is None)
            if low is not None:
                assert 0 <= low <= value <= high


@pytest.mark.usefixtures("lines")
def test_a_band_comes_from_the_merges_of_developers(member: Client) -> None:
    lines = series(member, "merged_per_developer", "?line=claude_code")
    for key in ("claude_code", "none"):
        _, developers, _ = WORLD[key]
        counts = [merges(position) for position in range(developers)]
        on_line = int(lines[key]["counts"]["developers"][-2])
        reach = expected(counts, on_line)
        value, low, high = at_last_week(lines[key])
        assert value == pytest.approx(sum(counts) / on_line)
        assert [low, high] == pytest.approx([value - reach.below, value + reach.above])


@pytest.mark.usefixtures("lines")
def test_the_band_of_a_median_is_what_drawing_developers_one_by_one_tells(member: Client) -> None:
    value, low, high = at_last_week(series(member, "cycle_time", "?line=claude_code")["claude_code"])
    rng = np.random.default_rng(11)
    took = [(5.5 + WAITS * position) * 3600 for position in range(12)]
    medians = []
    for _ in range(4000):
        people = rng.integers(0, 12, 12)
        medians.append(np.median([took[person] for person in people for _ in range(merges(person))]))
    assert value == pytest.approx(np.median([took[person] for person in range(12) for _ in range(merges(person))]))
    tail = 1.1  # percent: 95 of 100 for twelve developers, as Student's t of 11 degrees and √(12 ÷ 11) widen it
    for end, percent in ((low, tail), (high, 100 - tail)):
        nearby = np.percentile(medians, [max(0, percent - 1), min(100, percent + 1)])
        assert nearby[0] - 1 <= end <= nearby[1] + 1, (end, nearby)


@pytest.mark.usefixtures("lines")
def test_of_fewer_than_eight_developers_there_is_no_band(member: Client) -> None:
    for name in ("cycle_time", "merged_per_developer"):
        lines = series(member, name, "?line=claude_code")
        assert lines["claude_code"]["data"][-3] is not None
        assert lines["claude_code"]["low"][-3] is None
        assert lines["none"]["low"][-3] is not None


@pytest.mark.usefixtures("lines")
def test_means_of_few_developers_and_high_percentiles_have_none(member: Client) -> None:
    assert not any("low" in line for line in series(member, "cycle_time", "?cycle=mean&line=claude_code").values())
    for statistic in ("p90", "p95"):
        query = f"?cycle={statistic}&line=claude_code"
        assert "complete_url" not in drawn(member, "cycle_time", query)
        assert not any("low" in line for line in series(member, "cycle_time", query).values())
        assert "low" in series(member, "merged_per_developer", query)["none"]


@pytest.mark.usefixtures("lines")
def test_the_csv_has_both_ends(member: Client) -> None:
    rows = table(member.get(f"{PAGE}charts/merged_per_developer.csv?line=codex").getvalue())
    value, low, high = at_last_week(series(member, "merged_per_developer", "?line=codex")["codex"])
    row = rows[-2]
    assert float(row["Codex (count)"]) == pytest.approx(value)
    assert float(row["Codex: 95 % interval from"]) == pytest.approx(low)
    assert float(row["Codex: 95 % interval to"]) == pytest.approx(high)
    assert "Claude Code: 95 % interval from" not in row
    assert not rows[0]["Codex: 95 % interval from"], "of a week in which nobody merged anything"


@pytest.mark.usefixtures("lines")
def test_no_band_tells_of_too_few_people(member: Client) -> None:
    """Codex's line is of nine developers; of those on Non-AI's line ten merged anything."""
    policy = {"individual_policy": IndividualPolicy.PSEUDONYMS, "minimum_group_size": 11}
    Organisation.objects.update_or_create(pk=1, defaults={**policy, "protected_since": timezone.now()})
    lines = series(member, "merged_per_developer", "?line=claude_code")
    assert at_last_week(lines["claude_code"])[1] is None, "beside hidden lines the smallest shown is hidden"
    assert "low" not in lines["none"], "it would tell how ten people share what is theirs"
    query = Query("pr.merged_per_developer", windows.trailing(4), Granularity.WEEK)
    bands = visible_error_margins(query, "claude_code", access_of(User.objects.get(username=MEMBER.email)))
    assert [reach.contributors for reach in bands["claude_code"] if reach] == [12]
    assert not any(bands["Non-AI"]), "whether the line is told or not"
    hidden = [
        line
        for name in ("cycle_time", "merged_per_developer")
        for line in series(member, name, "?line=codex").values()
        if line["key"] == "codex" and any(end is not None for end in line.get("low", []))
    ]
    assert not hidden, [
        (dataset["data"][-3:], dataset["low"][-3:], str(dataset["counts"])[-200:]) for dataset in hidden
    ]
    rows = table(member.get(f"{PAGE}charts/cycle_time.csv?line=codex").getvalue())
    assert not any(row.get("Codex: 95 % interval from") for row in rows)


@pytest.mark.usefixtures("lines")
def test_who_may_not_see_a_unit_sees_no_bands_of_it(sign_in: Callable[[Persona], Client]) -> None:
    for persona in PERSONAS:
        client = sign_in(persona)
        for name in CHARTS:
            same = [
                client.get(f"{PAGE}charts/{chart}/?unit=nowhere").status_code for chart in (name, f"{name}_with_bands")
            ]
            assert same == [404, 404], (persona.name, name)
    assert Client().get(f"{PAGE}charts/cycle_time_with_bands/").status_code == 302
    assert sign_in(AUDITOR).get(f"{PAGE}charts/spend_trend_with_bands/").status_code == 404


@pytest.mark.usefixtures("lines")
def test_bands_ask_few_questions(member: Client) -> None:
    for name in CHARTS:
        drawn(member, f"{name}_with_bands")
        with CaptureQueriesContext(connection) as queries:
            drawn(member, f"{name}_with_bands")
        assert len(queries) <= MOST_QUERIES, [str(query["sql"])[:110] for query in queries]
