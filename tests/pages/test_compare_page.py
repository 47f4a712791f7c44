"""Units beside each other: which, by what, in which order, and who may compare them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.test import Client

from insights.pages.compare.table import heat_of
from insights.query.enums import Better
from orgtree.models import IndividualPolicy, Organisation
from tests.org import Org
from tests.pages.delivering import day_before, deployed, merged
from tests.stored_once import StoreOnce

PAGE = "/insights/compare/"
PICKUP = "pr.pickup_time"
SINCE = "2020-01-01"


@pytest.fixture(scope="module")
def four_teams(stored_once: StoreOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Org]:
    with stored_once(lambda: four_teams_of(Org(tmp_path_factory.mktemp))) as made:
        yield made


def four_teams_of(org: Org) -> Org:
    """Teams whose reviews wait 4, 6, 8 and 10 hours; the last has two pull requests, fewer than make it steady.

    Each is one person, whose figures everybody may see.
    """
    named()
    org.tree("Teams")
    for place, (team, author) in enumerate({"alder": "ada", "birch": "bea", "cedar": "cy", "damson": "dot"}.items()):
        org.unit(team.capitalize(), below="teams")
        org.join(author, team, on=SINCE)
        numbers = range(5 * place + 1, 5 * place + (2 if team == "damson" else 5) + 1)
        waits = 2.0 * place
        org.push("pull-requests", *(merged(n, day_before(2 + n), author=author, waits=waits) for n in numbers))
        org.push("deployments", *(deployed(n, day_before(2 + n), waits=waits) for n in numbers))
    return org


def named() -> None:
    Organisation.current()
    Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)


def rows(html: str) -> dict[str, str]:
    body = re.search(r"<tbody>(.*?)</tbody>", html, re.DOTALL)
    assert body
    by_unit = {}
    for row in re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL):
        name, _, rest = row.partition("</th>")
        by_unit[text(name)] = text(rest)
    return by_unit


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def compare(client: Client, **parameters: str | list[str]) -> str:
    answer = client.get(PAGE, parameters)
    assert answer.status_code == 200, answer.content[:300]
    return answer.content.decode()


def test_the_rank_of_a_unit_stands_in_its_cell(four_teams: Org, admin_client: Client) -> None:
    """The first of three ranked teams is in the top fifth and the last in the bottom fifth, whatever the distance."""
    by_unit = rows(compare(admin_client, metrics=PICKUP))
    assert by_unit == {
        "Alder": "++ 4.0 h , top 20%",
        "Birch": "6.0 h",
        "Cedar": "−− 8.0 h , bottom 20%",
        "Damson": "10.0 h , too few records to rank",
    }


def test_facets_are_offered_and_named_with_what_is_chosen(four_teams: Org, admin_client: Client) -> None:
    """Their menus keep which units and metrics are compared, and a metric without the facet says so."""
    params = {"metrics": f"{PICKUP},dora.deployment_frequency", "units": "alder,birch,cedar", "sort": f"-{PICKUP}"}
    html = compare(admin_client, **params, work_type="other", model="claude-opus-4-1")
    assert "Work type: <b>Other</b>" in html
    assert "Model: <b>claude-opus-4-1</b>" in html, "what another page chose is named, too"
    heads = [text(head) for head in re.findall(r"<th scope=\"col\"[^>]*>(.*?)</th>", html, re.DOTALL)]
    assert heads == ["Unit", "Pickup time Of every model", "Deployment frequency Of every model and work type"]
    menu = admin_client.get(
        f"{PAGE}parts/work_types/", {**params, "range": "12w"}, headers={"HX-Request": "true"}
    ).content.decode()
    [other] = re.findall(r'href="([^"]+work_type=other[^"]*)"', menu)
    assert "17 PRs" in menu
    narrowed = admin_client.get(unescape(other)).content.decode()
    assert list(rows(narrowed)) == ["Cedar", "Birch", "Alder"]
    assert "Work type: <b>Other</b>" in narrowed


def test_the_better_end_comes_first(four_teams: Org, admin_client: Client) -> None:
    html = compare(admin_client, metrics=PICKUP)
    assert f"sort={PICKUP}" in html, "the lower is the better"
    assert list(rows(compare(admin_client, metrics=PICKUP, sort=PICKUP))) == ["Alder", "Birch", "Cedar", "Damson"]
    turned = compare(admin_client, metrics=PICKUP, sort=f"-{PICKUP}")
    assert list(rows(turned)) == ["Damson", "Cedar", "Birch", "Alder"]
    assert 'aria-sort="descending"' in turned
    assert "sort=-pr.throughput" in compare(admin_client, metrics="pr.throughput")


def test_units_and_metrics_are_chosen_by_a_form_or_a_list(four_teams: Org, admin_client: Client) -> None:
    as_list = compare(admin_client, units="cedar,alder", metrics=f"{PICKUP},pr.throughput")
    as_form = compare(admin_client, units=["cedar", "alder"], metrics=[PICKUP, "pr.throughput"])
    assert rows(as_list) == rows(as_form) == {"Alder": "4.0 h 5", "Cedar": "8.0 h 5"}
    assert "Compare the units below" in as_list


def test_a_wrong_choice_is_explained(four_teams: Org, admin_client: Client) -> None:
    of_pull_requests = [f"pr.{name}_time" for name in ("cycle", "pickup", "review", "merge", "coding")]
    nine = ",".join([*of_pull_requests, "pr.size", "pr.throughput", "dora.lead_time", "dora.rework_rate"])
    for parameters, message in (
        ({"metrics": nine}, "At most 8 metrics"),
        ({"metrics": "pr.nothing"}, "no metric pr.nothing"),
        ({"metrics": "ai.active_share_by_agent"}, "no metric"),
        ({"units": ",".join(f"unit-{n}" for n in range(31))}, "At most 30 units"),
        ({"metrics": PICKUP, "sort": "pr.size"}, "It can be"),
        ({"tree": "nowhere"}, "It can be"),
    ):
        answer = admin_client.get(PAGE, parameters)
        assert answer.status_code == 400
        assert message in answer.content.decode()
    assert admin_client.get(PAGE, {"units": "alder,nowhere"}).status_code == 404


def test_the_csv_has_every_cell_with_its_rank(four_teams: Org, admin_client: Client) -> None:
    answer = admin_client.get("/insights/compare.csv", {"metrics": PICKUP})
    table = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert table[0] == ["Unit", "Pickup time (seconds)", "Pickup time: sample", "Pickup time: rank"]
    assert table[1] == ["Alder", "14400.0", "5", "Top 20%"]
    assert table[4] == ["Damson", "36000.0", "2", "too few records"]


def test_a_cell_opens_how_it_is_computed_for_its_unit(four_teams: Org, admin_client: Client) -> None:
    html = compare(admin_client, metrics=PICKUP)
    assert f'href="/insights/metrics/{PICKUP}/how/?unit=birch&amp;range=12w"' in html
    assert 'href="/insights/delivery/?unit=birch&amp;range=12w"' in html


def test_units_are_found_by_name(four_teams: Org, admin_client: Client) -> None:
    choices = admin_client.get("/insights/compare/units/", {"q": "ceda"}, headers={"HX-Request": "true"})
    assert 'value="cedar"' in choices.content.decode()
    assert 'value="alder"' not in choices.content.decode()


def marks(values: list[float | None], better: Better) -> list[str]:
    return [heat.mark for heat in heat_of(values, better)]


def test_ranks_and_no_distances_make_the_heat() -> None:
    assert marks([1, 2, 3, 4, 1000], Better.LOWER) == ["++", "+", "", "−", "−−"]
    assert marks([1, 2, 3, 4, 1000], Better.HIGHER) == ["−−", "−", "", "+", "++"]


def test_equal_values_share_a_rank() -> None:
    assert marks([5, 5, 5, 5], Better.LOWER) == ["", "", "", ""]
    assert marks([1, 1, 9, 9], Better.LOWER) == ["++", "++", "−−", "−−"]


def test_two_units_and_metrics_without_a_direction_are_not_ranked() -> None:
    assert marks([1, None, 2], Better.LOWER) == ["", "", ""]
    assert marks([1, 2, 3], Better.NEITHER) == ["", "", ""]
