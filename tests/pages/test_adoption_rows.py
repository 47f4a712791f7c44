"""Before and after adoption, and developers by how much they use agents: each figure opens, and its rows give it.

Only the test knows what was recorded, and computes every figure from it by plain loops; the page, its rows and the
record have to agree.
"""

from __future__ import annotations

import html
import random
import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from unittest.mock import Mock

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from insights.engine.adoption.developer_facts import read_developer_facts
from insights.engine.compared_lines import seed_of
from insights.formulas.bootstrap import Values
from insights.formulas.differences import difference_of_means
from insights.privacy import adoption
from insights.query import windows
from insights.query.query import Query, Scope
from insights.ui import wording
from integrations.models import AgentSession, PullRequest
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.pages.delivering import MERGED, OPENED, day_before, merged
from tests.pages.recomputed import Rows, plain, rows_of
from tests.personas import ADMIN, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.stored_once import StoreOnce
from tests.teams import create_teams, join

PART, ROWS = "/insights/ai/parts/adoption_effect/", "/insights/ai/adoption/rows/"
TAKERS = ("ada", *(f"taker{n}" for n in range(8)))
OTHERS = tuple(f"other{n}" for n in range(9))
LONG_USERS = ("hedy", "radia", "barbara", "frances", "katherine")
DAYS = 12 * 7
MOST_QUERIES = 15
SignIn = Callable[[Persona], Client]

pytestmark = pytest.mark.django_db


@dataclass
class Recorded:
    """The merge days and open times of pull requests, and the days of sessions, by name."""

    pulls: dict[str, list[tuple[date, float]]]
    sessions: dict[str, list[date]]

    def first_session(self, name: str) -> date | None:
        return min(self.sessions.get(name, []), default=None)


def tell(org: Org, seed: int) -> Recorded:
    """Random courses: takers begin half-way, others never, long users before the window."""
    chance = random.Random(seed)
    recorded = Recorded(defaultdict(list), defaultdict(list))
    first_days = {
        **{name: chance.randint(20, 60) for name in TAKERS},
        **dict.fromkeys(LONG_USERS, 120),
    }
    records: list[dict[str, object]] = []
    for name in (*TAKERS, *OTHERS, *LONG_USERS):
        for ago in sorted(chance.sample(range(1, DAYS - 1), 9), reverse=True):
            waits = chance.choice([0.0, 0.5, 1.25, 3.0, 7.75])
            records.append(merged(len(records) + 1, day_before(ago), author=name, waits=waits))
            recorded.pulls[name].append((day_before(ago), (MERGED - OPENED + waits) * 3600))
        first = first_days.get(name)
        if first is not None:
            more = chance.sample(range(1, first), chance.choice([1, 6, 16]))
            for ago in (first, *more):
                org.session(by=name, on=day_before(ago), at="05:00")
                recorded.sessions[name].append(day_before(ago))
    org.push("pull-requests", *records)
    org.fold()
    return recorded


@pytest.fixture(scope="module")
def recorded(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    with stored_once(lambda: tell_of_teams(Org(tmp_path_factory.mktemp))) as made:
        yield made


def tell_of_teams(org: Org, seed: int = 7) -> Recorded:
    """Everybody named, so that whoever may see rows sees all of them; the team has all but Grace, who reviews."""
    teams = create_teams(IndividualPolicy.NAMED)
    join(teams.platform, teams.engineering, *(name for name in (*TAKERS, *OTHERS) if name != "ada"))
    return tell(org, seed)


def content(client: Client, address: str) -> bytes:
    answer = client.get(html.unescape(address))
    assert answer.status_code == 200, address
    return answer.getvalue() if answer.streaming else answer.content


def rows(client: Client, address: str) -> Rows:
    return rows_of(lambda url: content(client, url), address)


def table_of(client: Client, unit: str) -> dict[str, list[tuple[str, str]]]:
    """The address and text of each figure by the row's first word; the address is empty without rows."""
    page = content(client, f"{PART}?unit={unit}").decode()
    table = {}
    for title, cells in re.findall(r'<tr><th scope="row"[^>]*>(.*?)</th>(.*?)</tr>', page, re.DOTALL):
        cells_of_row = re.findall(r"<td.*?</td>", cells, re.DOTALL)
        links = [re.search(r'href="([^"]+)"', markup) for markup in cells_of_row]
        name = plain(title.split("<small>")[0])
        table[name] = [
            (link[1] if link else "", plain(markup)) for link, markup in zip(links, cells_of_row, strict=True)
        ]
    table["sizes"] = [
        (link, plain(words))
        for link, words in re.findall(r'<a class="hw-drill" href="([^"]+)"[^>]*>(\d+ developers?)</a>', page)
    ]
    return table


def signed(value: float, words: Callable[[float], str]) -> str:
    return f"{'−' if value < 0 else '+'}{words(abs(value))}"


def rate(value: float) -> str:
    return f"{value:,.2f}"


def duration(value: float) -> str:
    return str(wording.duration(value))


def hours(value: float) -> str:
    return f"{value / 3600:,.1f} h"


def mean(rows: Rows, column: str) -> float:
    return statistics.mean(float(row[column]) for row in rows)


def query() -> Query:
    return Query("pr.cycle_time", windows.trailing(12), scope=Scope("platform"))


@pytest.mark.parametrize("persona", [MEMBER, MANAGER], ids=["member", "manager"])
def test_figures_of_before_and_after_equal_the_sums_of_their_rows(
    recorded: Recorded, sign_in: SignIn, persona: Persona
) -> None:
    client = sign_in(persona)
    shown = table_of(client, "platform")
    for (address, size), group in zip(shown["sizes"], (TAKERS, OTHERS), strict=True):
        assert size == f"{len(rows(client, address))} developers"
        assert len(rows(client, address)) <= len(group)
    printing: dict[str, tuple[str, Callable[[float], str]]] = {
        "merged": ("PRs merged per week", rate),
        "cycle": ("Cycle time, mean", duration),
    }
    for name, (title, words) in printing.items():
        took_up, did_not, more, interval = shown[title]
        for address, printed in (took_up, did_not):
            developers = rows(client, address)
            assert printed == f"{words(mean(developers, 'Before'))} → {words(mean(developers, 'After'))}", title
            assert by_pulls(client, name, address, developers) == pytest.approx(
                (mean(developers, "Before"), mean(developers, "After"))
            )
        everybody = rows(client, more[0])
        groups = [[row for row in everybody if row["Group"] == group] for group in ("Adopted an agent", "No adoption")]
        first, second = (np.array([float(row["Contribution"]) for row in group]) for group in groups)
        seed = seed_of(query(), name)
        drawn = difference_of_means(
            Values(first, np.arange(len(first))), Values(second, np.arange(len(second)) + len(first)), seed=seed
        )
        assert drawn
        difference = mean(groups[0], "Contribution") - mean(groups[1], "Contribution")
        in_one_unit = hours if max(abs(drawn.low), abs(drawn.high)) >= 3600 and words is duration else words
        assert more[1] == signed(difference, in_one_unit)
        assert interval[1] == f"{signed(drawn.low, in_one_unit)} to {signed(drawn.high, in_one_unit)}"
        assert rows(client, interval[0]) == everybody


def by_pulls(client: Client, name: str, address: str, developers: Rows) -> tuple[float, float]:
    """Both means once more, from the pull requests of these developers."""
    contributions: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows(client, f"{address}&list=pull_requests"):
        contributions[row["Developer"], row["When"]].append(float(row["Contribution"]))
    sides = []
    for side, weeks in (("Before", "Weeks before"), ("After", "Weeks after")):
        values = [
            statistics.mean(contributions[row["Developer"], side])
            if name == "cycle"
            else len(contributions[row["Developer"], side]) / float(row[weeks])
            for row in developers
        ]
        sides.append(statistics.mean(values))
    return sides[0], sides[1]


@pytest.mark.parametrize("persona", [MEMBER, MANAGER], ids=["member", "manager"])
def test_figures_of_the_cohorts_equal_the_sums_of_their_rows(
    recorded: Recorded, sign_in: SignIn, persona: Persona
) -> None:
    client = sign_in(persona)
    shown = table_of(client, "platform")
    walked = 0
    for cohort in ("None", "Light", "Moderate", "Heavy"):
        of_size, of_rate, of_cycle = shown[cohort]
        if not of_size[0]:
            assert [words for _, words in shown[cohort]] == ["0", "–", "–"]
            continue
        developers = rows(client, of_size[0])
        assert of_size[1] == str(len(developers))
        weeks = sum(int(row["Weeks at work"]) for row in developers)
        assert of_rate[1] == rate(sum(int(row["PRs merged"]) for row in developers) / weeks)
        pulls = rows(client, of_cycle[0])
        assert of_cycle[1] == duration(statistics.median(float(row["Contribution"]) for row in pulls))
        assert len(pulls) == sum(int(row["PRs merged"]) for row in developers)
        days = rows(client, f"{of_size[0]}&list=days")
        sessions = rows(client, f"{of_size[0]}&list=sessions")
        for row in developers:
            own = [day for day in days if day["Developer"] == row["Developer"]]
            assert len({day["Week from"] for day in own}) == int(row["Weeks at work"])
            assert sum(day["Sessions"] != "0" for day in own) == int(row["Days with a session"])
            theirs = [session for session in sessions if session["Developer"] == row["Developer"]]
            assert len(theirs) == int(row["Sessions"]) == sum(int(day["Sessions"]) for day in own)
            assert len({session["Day"] for session in theirs}) == int(row["Days with a session"])
        walked += 1
    assert walked >= 3


@pytest.mark.parametrize("persona", [ADMIN, EXECUTIVE], ids=["admin", "executive"])
def test_whoever_sees_aggregates_sees_figures_and_nobodys_rows(
    recorded: Recorded, sign_in: SignIn, persona: Persona
) -> None:
    client = sign_in(persona)
    shown = table_of(client, "platform")
    addresses = {address for cells in shown.values() for address, _ in cells if address}
    assert len(addresses) >= 10
    for address in addresses:
        assert rows(client, address) == []
        assert "Only your own rows are listed" in content(client, address).decode()


def test_records_open_and_first_sessions_are_the_border(recorded: Recorded, sign_in: SignIn) -> None:
    client = sign_in(MANAGER)
    listed = content(client, f"{ROWS}?unit=platform&of=merged&list=pull_requests").decode()
    numbers = re.findall(r'href="/insights/pull-requests/(\d+)/"', listed)
    assert numbers
    assert PullRequest.objects.filter(pk__in=numbers).count() == len(set(numbers))
    borders = {row["Developer"]: row["Border"] for row in rows(client, f"{ROWS}?unit=platform&of=merged&group=took_up")}
    sessions = rows(client, f"{ROWS}?unit=platform&of=merged&group=took_up&list=sessions")
    assert {row["Developer"]: row["Day"] for row in sessions} == borders
    assert rows(client, f"{ROWS}?unit=platform&of=merged&group=did_not&list=sessions") == []
    page = content(client, f"{ROWS}?unit=platform&of=use&list=sessions").decode()
    opened = re.findall(r'href="/insights/ai/sessions/(\d+)/"', page)
    assert AgentSession.objects.filter(pk__in=opened).count() == len(set(opened)) > 0


def test_pages_of_rows_are_the_rows(recorded: Recorded, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(MANAGER)
    addresses = [
        f"{ROWS}?unit=platform&of={of}&list={listed}"
        for of, lists in (
            ("merged", ("developers", "pull_requests", "sessions")),
            ("use", ("developers", "pull_requests", "sessions", "days")),
        )
        for listed in lists
    ]
    whole = {address: rows(client, address) for address in addresses}
    monkeypatch.setattr("insights.pages.ai.adoption_rows.LARGEST_PAGE", 7)
    with monkeypatch.context() as counting:
        counting.setattr(adoption, "read_developer_facts", read := Mock(side_effect=read_developer_facts))
        for address in addresses:
            assert rows(client, address) == whole[address], address
        assert read.call_count == len(addresses), "all pages of a download are of the same developers"
    for address in addresses:
        with CaptureQueriesContext(connection) as queries:
            page = plain(content(client, f"{address}&page=1").decode())
        assert f"of {len(whole[address]):,}" in page, address
        assert len(queries) <= MOST_QUERIES, "\n".join(" ".join(str(query["sql"]).split())[:90] for query in queries)


def test_under_pseudonyms_only_ones_own_are_listed(recorded: Recorded, sign_in: SignIn) -> None:
    """Pull requests stand in their tools with names: whoever merged as many in as many weeks would be known."""
    Organisation.objects.update(individual_policy=IndividualPolicy.PSEUDONYMS, minimum_group_size=1)
    for persona, names in ((MEMBER, {"Ada"}), (MANAGER, set())):
        client = sign_in(persona)
        for listed in ("developers", "pull_requests", "sessions"):
            address = f"{ROWS}?unit=platform&of=use&list={listed}"
            assert {row["Developer"] for row in rows(client, address)} == names, listed
            assert "your tools show the same" in content(client, address).decode()


def test_self_only_lists_ones_own_and_a_foreign_unit_is_unknown(recorded: Recorded, sign_in: SignIn) -> None:
    Organisation.objects.update(individual_policy=IndividualPolicy.SELF_ONLY)
    client = sign_in(MEMBER)
    assert {row["Developer"] for row in rows(client, f"{ROWS}?unit=platform&of=use")} == {"Ada"}
    assert sign_in(OTHER_MEMBER).get(f"{ROWS}?unit=platform&of=use").status_code == 404
    assert sign_in(OTHER_MEMBER).get(f"{ROWS[:-1]}.csv?unit=platform&of=use").status_code == 404


@pytest.mark.parametrize("listed", ["developers", "pull_requests", "sessions", "days"])
def test_ones_own_rows_in_a_unit_are_those_of_oneself_among_the_units(
    recorded: Recorded, sign_in: SignIn, listed: str
) -> None:
    client = sign_in(MEMBER)
    everybody = rows(client, f"{ROWS}?unit=platform&of=use&list={listed}")
    own = [row for row in everybody if row["Developer"] == "Ada"]
    assert own
    assert rows(client, f"{ROWS}?unit=platform&person=me&of=use&list={listed}") == own


@pytest.mark.parametrize("wrong", ["of=size", "of=use&group=took_up", "of=merged&list=days", "of=use&page=0"])
def test_a_wrong_question_is_explained(recorded: Recorded, sign_in: SignIn, wrong: str) -> None:
    answer = sign_in(MEMBER).get(f"{ROWS}?{wrong}")
    assert answer.status_code == 400
    assert "It" in answer.content.decode()
