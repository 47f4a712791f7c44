"""The demo's hand-kept metrics: a year of months, entered once through the services, and none in the quiet flavour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from demo.load.hand_kept import DRIFT, MONTHS, SERIES, write_demo_hand_kept
from demo.load.personas import open_demo_accounts
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from insights.catalogue.registry import get
from insights.engine.read import read_series
from insights.query.query import Granularity, Query, Scope, Window
from integrations.hand_kept.templates import TEMPLATES
from integrations.models import HandKeptMetric, HandKeptValue
from orgtree.models import Person, Unit
from tests.org import Org

END = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
TODAY = END.date()


@pytest.fixture
def teams(org: Org) -> Iterator[None]:
    """The teams with values; Maya manages Checkout, as in the demo."""
    with time_machine.travel(END, tick=False):
        org.people({"full_name": "Maya Manager", "email": "maya.manager@example.com"})
        org.tree("teams")
        for team in dict.fromkeys(series.team for series in SERIES if series.team):
            org.unit(team, below="teams")
        Unit.objects.filter(slug="checkout").update(leader=Person.objects.get())
        open_demo_accounts()
        yield


@pytest.mark.usefixtures("teams")
def test_a_year_of_values_is_entered_once_and_is_on_charts() -> None:
    for _ in range(2):
        write_demo_hand_kept(DemoYear(seed=1, flavour=Flavour.STORIES, anchor=END), today=TODAY)
    assert HandKeptValue.objects.count() == MONTHS * len(SERIES)
    assert get("hand.customer_satisfaction").is_hand_kept
    whole = Window(date(2025, 12, 1), TODAY + timedelta(days=1))
    [answer] = read_series([Query("hand.customer_satisfaction", whole, Granularity.MONTH, Scope("checkout"))])
    values = [figure.value for figure in answer.series]
    assert (len(values), values[0], values[-1]) == (MONTHS, 82.0, 74.0)
    assert None not in values
    authors = set(HandKeptValue.objects.values_list("entered_by__email", flat=True))
    assert authors == {"erin.executive@example.com", "maya.manager@example.com"}


@pytest.mark.usefixtures("teams")
def test_nothing_is_entered_in_the_quiet_flavour() -> None:
    write_demo_hand_kept(DemoYear(seed=1, flavour=Flavour.QUIET, anchor=END), today=TODAY)
    assert not HandKeptMetric.objects.exists()


def test_every_series_is_a_year_of_months_up_to_today() -> None:
    for today in (date(2026, 1, 1), date(2026, 3, 31), date(2026, 12, 15)):
        for series in SERIES:
            assert series.slug in TEMPLATES
            days = [day for day, _ in series.values(today)]
            assert len(days) == len(set(days)) == MONTHS == len(DRIFT)
            assert days[-1] == today.replace(day=1)
            assert all(day.day == 1 for day in days)
            values = [value for _, value in series.values(today)]
            assert (values[0], values[-1]) == (series.first, series.last)


def test_every_metric_is_entered_once_for_several_units() -> None:
    places = [(series.slug, series.team) for series in SERIES]
    assert len(places) == len(set(places))
    for slug in {slug for slug, _ in places}:
        assert sum(place[0] == slug for place in places) >= 2
