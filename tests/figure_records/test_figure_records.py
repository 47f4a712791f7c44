"""The recorded figure of a closed period stays; its later value is shown beside it."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from insights.catalogue.registry import get
from insights.figure_records.recording import DAYS_KEPT, HEADLINES, closed_periods, record_figures
from insights.figure_records.restatements import restatements
from insights.models import FigureRecord
from insights.query import windows
from insights.query.query import Scope, Window
from orgtree.access.access import public_access
from tests.delivery.linking.delivery import Delivery
from tests.engine.facts import create_world
from tests.org import Org

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 3, 9, 2, 30, tzinfo=UTC)  # a Monday: a week has closed, and no month
WEEK = Window(date(2026, 3, 2), date(2026, 3, 9))
KEY = "dora.deployment_frequency"
PAGE = f"/insights/metrics/{KEY}/"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NIGHT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def shop(org: Org) -> Delivery:
    org.tree("Engineering")
    for unit in ("Red", "Blue"):
        org.unit(unit, below="engineering")
    delivery = Delivery()
    delivery.deploys("d1", at="Tue 10:00")
    delivery.deploys("d2", at="Wed 10:00")
    org.own("acme/shop", "red")
    return delivery


def of_week() -> dict[str | None, int]:
    """Facts by unit, None for the organisation."""
    records = FigureRecord.objects.filter(metric=KEY, start=WEEK.start, end=WEEK.end).select_related("unit")
    return {row.unit.slug if row.unit else None: row.sample_size for row in records}


def restated(client: Client, **parameters: str) -> str:
    page = html.unescape(client.get(PAGE, parameters).content.decode())
    return page.partition('class="hw-restated"')[2].partition("</div>")[0]


def test_days_weeks_months_and_quarters_are_recorded_when_they_are_over() -> None:
    first_of_april = date(2026, 4, 1)  # a Wednesday
    closed = closed_periods(first_of_april)
    for period in (
        Window(date(2026, 3, 31), first_of_april),
        Window(date(2026, 3, 23), date(2026, 3, 30)),
        Window(date(2026, 3, 1), first_of_april),
        windows.quarter_of(date(2026, 3, 31)),
    ):
        assert period in closed
    assert all(period.end <= first_of_april for period in closed)
    assert len(set(closed)) == len(closed)


@pytest.mark.usefixtures("shop")
def test_units_in_which_nothing_counts_have_no_row() -> None:
    assert record_figures() > len(HEADLINES)
    assert of_week() == {None: 2, "engineering": 2, "red": 2}
    assert record_figures() == 0, "once"


def test_what_was_recorded_stays_and_the_page_says_what_it_is_today(shop: Delivery, admin: Client) -> None:
    record_figures()
    assert not restated(admin)
    shop.deploys("d3", at="Thu 10:00")
    record_figures()
    assert of_week()[None] == 2
    assert restated(admin).count("<li>") == 1
    for words in ("8 Mar", "recorded on", "1 deployment came in later (2 then, 3 now)"):
        assert words in restated(admin)
    assert "1 deployment came in later" in restated(admin, unit="red")
    assert not restated(admin, unit="blue")
    shop.takes_back("deployments", "d2")
    shop.takes_back("deployments", "d1")
    assert "1 deployment no longer counts (2 then, 1 now)" in restated(admin, unit="")


def test_a_new_version_of_the_formula_is_recorded_beside_the_old_one(shop: Delivery, admin: Client) -> None:
    record_figures()
    FigureRecord.objects.filter(metric=KEY).update(version=0, value=9)
    assert "by version" in restated(admin)
    assert record_figures() > 0
    assert not restated(admin), "that of the same version counts"


def test_a_record_of_few_people_is_shown_to_nobody_else() -> None:
    create_world(3, days=[WEEK.start + timedelta(days=n) for n in range(7)])
    record_figures()
    of_sessions = FigureRecord.objects.filter(metric="ai.sessions_per_developer", unit=None)
    of_sessions.update(value=1, people=2)
    metric, everybody, public = get("ai.sessions_per_developer"), Scope(), public_access()
    assert all(
        restatement.hidden and "recorded on" in restatement.sentence
        for restatement in restatements(metric, everybody, public)
    )
    of_sessions.update(people=20)
    assert {restatement.hidden for restatement in restatements(metric, everybody, public)} == {""}


def test_single_days_are_forgotten_and_longer_periods_stay(shop: Delivery, clock: time_machine.Traveller) -> None:
    record_figures()
    clock.shift(DAYS_KEPT + timedelta(days=10))
    record_figures()
    lengths = {row.end - row.start for row in FigureRecord.objects.filter(end__lte=WEEK.end)}
    assert timedelta(days=1) not in lengths
    assert timedelta(days=7) in lengths


def test_what_a_clock_that_ran_ahead_recorded_is_recorded_again_when_it_is_over(
    shop: Delivery, clock: time_machine.Traveller
) -> None:
    """Else a week that had not begun stands as one of nothing, beside what it came to."""
    clock.shift(timedelta(days=30))
    record_figures()
    assert FigureRecord.objects.filter(end__gt=NIGHT.date())
    clock.move_to(NIGHT)
    record_figures()
    assert of_week() == {None: 2, "engineering": 2, "red": 2}
    assert not FigureRecord.objects.filter(end__gt=NIGHT.date())


def test_a_process_that_was_killed_goes_on_where_it_was(shop: Delivery) -> None:
    record_figures()
    FigureRecord.objects.filter(start=WEEK.start, end=WEEK.end, unit=None).delete()
    FigureRecord.objects.filter(start=WEEK.start, end=WEEK.end, unit__slug="red").delete()
    record_figures()
    assert of_week() == {None: 2, "engineering": 2, "red": 2}
