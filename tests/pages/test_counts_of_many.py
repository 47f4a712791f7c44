"""Counts of people are current in each response."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.test import Client
from django.urls import set_script_prefix

from core.page_links import address
from insights.engine.read import read_series
from insights.query.query import Freshness, Query, Window
from orgtree.models import Person
from tests.org import Org

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
WEEK_BEFORE_LAST = Window(date(2026, 3, 2), date(2026, 3, 9))

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def people_counted(client: Client) -> int:
    page = client.get("/insights/ai/").content.decode()
    match = re.search(r'id="tree-everybody"><b>[^<]*</b><span>([\d,]+) ', page)
    assert match
    return int(match[1])


def test_people_are_counted_for_every_page(org: Org, admin: Client) -> None:
    org.session(by="ada", on="2026-03-17")
    before = people_counted(admin)
    Person.objects.create(email="new@example.com")
    assert people_counted(admin) == before + 1


def test_a_tree_that_was_made_meanwhile_is_counted(org: Org, admin: Client) -> None:
    org.session(by="ada", on="2026-03-17")
    people_counted(admin)
    org.tree("Teams")
    org.unit("Red", below="teams")
    org.join("ada", "red")
    page = admin.get("/insights/ai/").content.decode()
    assert re.search(r'id="tree-[^"]*"><b>Teams</b><span>1 person', page)


def sessions_before_last(freshness: Freshness) -> float | None:
    [answer] = read_series([Query("ai.sessions", WEEK_BEFORE_LAST)], freshness=freshness)
    return answer.total[0].value


def test_the_first_enrolment_is_looked_up_for_every_page(org: Org) -> None:
    org.session(by="ada", on="2026-03-17")
    org.fold()
    assert sessions_before_last(Freshness.OF_PAGES) is None
    org.session(by="bob", on="2026-02-24")
    org.fold()
    assert sessions_before_last(Freshness.OF_PAGES) == 0


def test_addresses_are_those_of_the_prefix_under_which_a_request_came() -> None:
    assert address("metric_page", "ai.spend") == "/insights/metrics/ai.spend/"
    try:
        set_script_prefix("/headway/")
        assert address("metric_page", "ai.spend") == "/headway/insights/metrics/ai.spend/"
    finally:
        set_script_prefix("/")
    assert address("metric_page", "ai.spend") == "/insights/metrics/ai.spend/"
