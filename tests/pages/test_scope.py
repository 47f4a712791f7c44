"""Scopes of pages: units, people with an attribute, and people in no unit."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.views import CONTEXT
from insights.columns.refresh import refresh
from insights.pages.ai.page import AI
from orgtree.models import IndividualPolicy, MembersSee, Organisation, OrgTree, Unit, UnitPlace
from tests.engine.facts import World, create_world
from tests.engine.organisations import TREE, add_organisation
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
DAYS = [NOW.date() - timedelta(days=n) for n in range(44, -1, -1)]
MOST_QUERIES = 15  # of any response, whatever the organisation's size
ROOT = TREE
METRIC = "/insights/metrics/ai.spend/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def world(stored_once: StoreOnce) -> Iterator[World]:
    with stored_once(organised_world, at=NOW) as made:
        yield made


def organised_world() -> World:
    made = create_world(1, days=DAYS)
    add_organisation(made, 1, DAYS)
    shown = {"individual_policy": IndividualPolicy.NAMED, "members_see": MembersSee.EVERYTHING}
    Organisation.objects.update_or_create(pk=1, defaults=shown)
    return made


def page(client: Client, address: str, **parameters: str | list[str]) -> str:
    return answered(client, address, 200, **parameters)


def answered(client: Client, address: str, status: int, /, **parameters: str | list[str]) -> str:
    query = f"?{urlencode(parameters, doseq=True)}" if parameters else ""
    answer = client.get(f"{address}{query}")
    assert answer.status_code == status, f"{address}{query}: {answer.status_code}"
    return b"".join(answer).decode()


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


# Nobody merges or finishes anything in this world: tests/pages/test_impact.py has people who do.  And no request of it
# says what it was part of, nor does a vendor report anything.
OF_WORK = {
    "spend_parts",
    "active_by_phase",
    "use_by_vendor_team",
    *("cycle_time", "merged_per_developer", "delivered", "phases"),
    *(f"{name}_with_bands" for name in ("cycle_time", "merged_per_developer", "delivered")),
    *("differences", "fate", "adoption_effect", "cohorts"),
}
FIGURES = (
    *(f"/insights/ai/charts/{name}.csv" for name in (*AI.charts, *AI.tables) if name not in OF_WORK),
    *(f"/insights/ai/charts/{name}/" for name in AI.charts if name not in OF_WORK),
    *(f"/insights/ai/parts/{name}/" for name in AI.parts if name not in OF_WORK),
    *("/insights/ai/attribution.csv", "/insights/ai/repositories.csv"),
    *(f"{METRIC}{rest}" for rest in ("how/", "rows/", "rows/first/", "rows.csv", "charts/trend/", "charts/trend.csv")),
)


@pytest.mark.parametrize("narrowed", [{"unit": "empty"}, {"where": "site=Atlantis"}], ids=["unit", "where"])
def test_every_figure_is_of_the_requested_unit_and_people(
    world: World, member: Client, narrowed: dict[str, str]
) -> None:
    Unit.objects.create(tree=OrgTree.objects.get(slug=TREE), name="Empty", slug="empty")
    same = [address for address in FIGURES if page(member, address) == page(member, address, **narrowed)]
    assert not same, "they are the same of nobody as of everybody"


def test_the_page_says_whose_figures_it_shows(world: World, admin: Client) -> None:
    html = page(admin, "/insights/ai/", unit="a", where=["site=Pune", "site=Oslo", "role=senior"])
    assert "A, site Pune or Oslo, role senior, 25 Dec 2025 – 18 Mar 2026" in html
    assert '<b aria-current="true">A</b>' in html
    assert "Site: <b>Pune or Oslo</b>" in html
    assert page(admin, METRIC, unit="a").count('<b aria-current="true">A</b>') == 1


def test_every_tree_in_use_has_a_tile_and_the_chosen_one_is_marked(world: World, admin: Client) -> None:
    OrgTree.objects.create(name="Old", slug="old", archived_at=NOW)
    UnitPlace.objects.create(unit=Unit.objects.get(slug="root"), during="[2020-01-01,)")
    html = page(admin, "/insights/ai/", unit="a1", range="4w")
    tiles = dict(re.findall(r'<a class="hw-tree" href="([^"]+)"( aria-current="true")?', html))
    assert tiles == {
        "/insights/ai/?range=4w": "",
        "/insights/ai/?unit=root&amp;range=4w": "",
        "/insights/ai/?unit=squads&amp;range=4w": ' aria-current="true"',
    }


def test_the_whole_organisation_has_the_highest_units_of_a_tree_side_by_side(world: World, admin: Client) -> None:
    assert "/insights/ai/units/" in page(admin, "/insights/ai/adoption/")
    of_root = table(page(admin, "/insights/ai/units.csv", unit=ROOT, range="4w"))
    assert table(page(admin, "/insights/ai/units.csv", tree=TREE, range="4w")) == of_root
    html = page(admin, "/insights/ai/units/", tree=TREE, range="4w", sort="-ai.spend")
    assert f"/insights/ai/units/unassigned/?range=4w&amp;sort=-ai.spend&amp;tree={TREE}" in html
    assert f"sort=ai.spend&amp;tree={TREE}#units" in html, "sorting keeps the tree"
    assert "Unassigned" in page(admin, "/insights/ai/units/unassigned/", tree=TREE, range="4w")
    assert "It can be" in answered(admin, "/insights/ai/units/", 400, tree="nothing-like-it")


def test_child_units_stand_side_by_side_with_who_is_in_none(world: World, admin: Client) -> None:
    assert 'id="units"' in page(admin, "/insights/ai/adoption/", unit=ROOT)
    assert 'id="units"' not in page(admin, "/insights/ai/adoption/", unit="b2"), "nothing is below it"
    heads, *rows = table(page(admin, "/insights/ai/units.csv", unit=ROOT, range="4w"))
    assert [row[0] for row in rows] == ["A", "B", "Unassigned"]
    spend = heads.index("Spend (currency)")
    for row, unit in zip(rows, ("a", "b", f"unassigned:{TREE}"), strict=True):
        [_, csv_rows] = table(page(admin, "/insights/ai/charts/spend_breakdown.csv", unit=unit, range="4w"))[:2]
        parts = table(page(admin, "/insights/ai/charts/spend_breakdown.csv", unit=unit, range="4w"))[1:]
        assert float(row[spend]) == pytest.approx(sum(float(part[1]) for part in parts)), csv_rows
    html = page(admin, "/insights/ai/units/", unit=ROOT, range="4w", sort="-ai.spend")
    assert 'href="/insights/ai/?unit=a&amp;range=4w&amp;sort=-ai.spend"' in html
    assert 'aria-sort="descending"' in html
    assert "Unassigned" in page(admin, "/insights/ai/units/unassigned/", unit=ROOT, range="4w")
    assert [row[0] for row in table(page(admin, "/insights/ai/units.csv", unit="b"))[1:]] == ["A2"]


def test_a_metric_is_split_by_child_unit(world: World, admin: Client) -> None:
    assert f"{METRIC}units/?unit=squads" in page(admin, METRIC, unit=ROOT)
    heads, *rows = table(page(admin, f"{METRIC}units.csv", unit=ROOT, sort="-people"))
    assert heads == [
        *("Unit", "Spend (currency)", "Previous period (currency)"),
        *("Sample (count)", "Excluded (count)", "People (count)"),
    ]
    assert rows[-1][0] == "Unassigned"
    people = [float(row[5]) for row in rows[:-1]]
    assert people == sorted(people, reverse=True)
    assert answered(admin, "/insights/metrics/ai.committed_breakdown/units/", 404, unit=ROOT)


def test_the_picker_searches_opens_levels_and_remembers(world: World, admin: Client) -> None:
    to = {"to": "/insights/ai/", "range": "4w", "where": "site=Pune"}
    page(admin, "/insights/ai/", unit="b2")
    first = page(admin, "/insights/units/", **to)
    assert first.index("Recently used") < first.index("/insights/ai/?range=4w&amp;where=site%3DPune&amp;unit=b2")
    assert "Squads" in page(admin, "/insights/units/", q="squ", **to)
    assert "No unit matches" in page(admin, "/insights/units/", q="nothing like it", **to)
    below = page(admin, "/insights/units/", under="b", **to)
    assert "unit=a2" in below
    assert "unit=a1" not in below


@pytest.mark.parametrize("to", ["/", "/programs/", "/programs/objectives/", "/programs/roadmap/"])
def test_the_picker_opens_on_home_and_pages_of_the_program(world: World, admin: Client, to: str) -> None:
    shown = page(admin, to, home="page")  # and not the guided start
    assert f"/insights/units/?range=12w&amp;to={quote(to, safe='')}" in shown
    assert f'href="{to}?unit=' in page(admin, "/insights/units/", to=to)
    assert "of=site" in page(admin, "/insights/attributes/", to=to)


@pytest.mark.parametrize("path", ["", "/admin/", "https://elsewhere.example/insights/ai/", "/insights/nowhere/"])
def test_a_picker_leads_to_pages_of_its_own_alone(world: World, admin: Client, path: str) -> None:
    assert "It must be the path of a page" in answered(admin, "/insights/units/", 400, to=path)


def test_attributes_and_their_values_can_be_chosen(world: World, admin: Client) -> None:
    to = {"to": "/insights/ai/", "unit": "a"}
    assert "of=site" in page(admin, "/insights/attributes/", **to)
    values = page(admin, "/insights/attributes/", of="site", where=["site=Pune", "role=senior"], **to)
    assert "/insights/ai/?where=role%3Dsenior&amp;unit=a" in values, "choosing it again lets it go"
    assert re.search(r"where=site%3DPune&amp;where=role%3Dsenior&amp;where=site%3D(Berlin|Oslo)", values)


def test_a_unit_that_is_gone_is_forgotten(world: World, admin: Client) -> None:
    session = admin.session
    session[CONTEXT] = "unit=nowhere&range=4w"
    session.save()
    answered(admin, "/insights/ai/", 404)
    answered(admin, "/insights/ai/", 200)


def test_an_unknown_unit_is_not_found_and_an_unknown_attribute_is_explained(world: World, admin: Client) -> None:
    answered(admin, "/insights/ai/", 404, unit="nowhere")
    answered(admin, METRIC, 404, unit="unassigned:nowhere")
    assert "role, site" in answered(admin, "/insights/ai/", 400, where="shoe=44")


ADDRESSES: Sequence[str] = [
    "/insights/ai/",
    f"/insights/ai/?unit={ROOT}",
    "/insights/ai/?unit=a1&range=26w",
    f"/insights/ai/units/?unit={ROOT}",
    f"{METRIC}?unit={ROOT}",
    f"{METRIC}units/?unit={ROOT}",
    f"{METRIC}how/?unit={ROOT}",
    f"/insights/ai/attribution/?unit={ROOT}",
    f"/insights/units/?to=/insights/ai/&unit={ROOT}",
    "/insights/attributes/?to=/insights/ai/&of=site",
]


def test_cached_figures_of_units_cost_few_queries(world: World, admin: Client, subtests: pytest.Subtests) -> None:
    refresh()
    for address in ADDRESSES:
        with subtests.test(address=address):
            admin.get(address)
            with CaptureQueriesContext(connection) as captured:
                admin.get(address)
            assert len(captured) <= MOST_QUERIES, "\n".join(
                str(query["sql"])[:160] for query in captured.captured_queries
            )
