"""The page that compares units, of many of them, of none, and before whoever may know of some alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from django.test import Client

from tests.org import Org
from tests.pages.delivering import day_before, merged
from tests.pages.test_compare_page import PAGE, PICKUP, SINCE, compare, named, rows, text
from tests.personas import ADMIN, EXECUTIVE, MANAGER, Persona
from tests.teams import create_teams


def test_many_units_are_sorted_before_the_first_are_shown(org: Org, admin_client: Client) -> None:
    """The last of 33 teams by name wait least: they come first if sorted by waiting, and the file has all."""
    named()
    org.tree("Teams")
    for number in range(33):
        org.unit(f"Team {number:02}", below="teams")
        org.join(f"dev{number}", f"team-{number:02}", on=SINCE)
    org.push(
        "pull-requests",
        *(merged(n + 1, day_before(9), author=f"dev{n}", waits=(32 - n) / 4) for n in range(33)),
    )
    html = compare(admin_client, metrics=PICKUP, sort=PICKUP)
    assert list(rows(html)) == [f"Team {number:02}" for number in range(32, 2, -1)]
    assert "3 more units not shown" in text(html)
    table = admin_client.get("/insights/compare.csv", {"metrics": PICKUP, "sort": PICKUP}).getvalue()
    listed = list(csv.reader(io.StringIO(table.decode("utf-8-sig"))))
    assert [row[0] for row in listed[1:]] == [f"Team {number:02}" for number in range(32, -1, -1)]


@pytest.mark.parametrize(("persona", "status"), [(ADMIN, 200), (EXECUTIVE, 200), (MANAGER, 404)], ids=str)
def test_nobody_compares_what_they_may_not_know_of(
    org: Org, sign_in: Callable[[Persona], Client], persona: Persona, status: int
) -> None:
    """The manager leads platform; that there is a team search is not for them to know."""
    create_teams()
    client = sign_in(persona)
    for address in (PAGE, "/insights/compare.csv"):
        assert client.get(address, {"units": "platform,search"}).status_code == status
    choices = client.get("/insights/compare/units/", {"q": "search"}, headers={"HX-Request": "true"}).content.decode()
    assert ('value="search"' in choices) == (status == 200)


def test_without_units_the_page_says_so(member: Client, db: None) -> None:
    assert "No units to compare" in compare(member)
