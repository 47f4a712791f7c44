"""The month in which the fiscal year starts is changed while Headway runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from insights.columns.refresh import refresh
from insights.engine.read import read_series
from insights.query import windows
from insights.query.query import Granularity, Query, Window
from orgtree.access.access import access_of
from orgtree.models import Organisation
from orgtree.organisation import fiscal_calendar
from orgtree.organisation.cached_settings import load_settings
from programs.quarters.fiscal_quarters import quarter_at
from tests.org import Org

AUGUST = 8


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    fiscal_calendar.cache_fiscal_year(None)


def set_in_admin(admin: Client, month: object) -> None:
    address = "/admin/orgtree/organisation/1/change/"
    Organisation.current()
    form = {
        name: value for name, value in admin.get(address).context["adminform"].form.initial.items() if value is not None
    }
    saved = admin.post(address, {**form, "fiscal_year_start_month": month})
    assert saved.status_code == 302 or month == 13, saved.context["adminform"].form.errors


def test_an_admin_sets_it_and_the_next_response_counts_by_it(org: Org, admin: Client) -> None:
    assert windows.quarter_name(date(2026, 8, 1)) == "2026-Q3"
    set_in_admin(admin, AUGUST)
    admin.get("/")
    assert windows.quarter_of(date(2026, 10, 31)) == Window(date(2026, 8, 1), date(2026, 11, 1))
    assert windows.quarter_name(date(2026, 8, 1)) == "2027-Q1", "the fiscal year ends in July 2027"
    set_in_admin(admin, "")
    access_of(User.objects.first())
    assert windows.quarter_name(date(2026, 8, 1)) == "2026-Q3"


def test_what_is_no_month_is_refused(org: Org, admin: Client) -> None:
    set_in_admin(admin, 13)
    assert Organisation.current().fiscal_year_start_month is None


def test_a_process_learns_it_when_it_connects_and_before_every_task(org: Org) -> None:
    Organisation.current()
    Organisation.objects.update(fiscal_year_start_month=AUGUST)
    load_settings(connection=connection)
    assert fiscal_calendar.first_month() == AUGUST


def test_quarters_of_another_calendar_are_computed_and_never_taken_for_nothing(org: Org) -> None:
    day = windows.local_today()
    org.push("deployments", {
        "id": "d1", "repository": "shop", "environment": "production", "status": "success",
        "finished_at": f"{day}T00:00:01+00:00",
    })  # fmt: skip
    refresh()
    # A year that starts in the running month, or the next where a quarter starts in it anyway: the running quarter
    # begins on another day.
    starts_now = windows.quarter_of(day).start.month == day.month
    month = day.month % 12 + 1 if starts_now else day.month

    def running_quarter() -> float | None:
        whole = windows.quarter_of(day)
        query = Query("dora.deployment_frequency", whole, granularity=Granularity.QUARTER)
        figure = read_series([query])[0].series[0]
        assert figure.window.start == whole.start
        return figure.numerator

    assert running_quarter() == 1
    before = windows.quarter_of(day)
    fiscal_calendar.cache_fiscal_year(month)
    assert windows.quarter_of(day) != before
    assert running_quarter() == 1


def test_a_quarter_that_is_there_keeps_its_days(org: Org) -> None:
    quarter = quarter_at(date(2026, 2, 1))
    fiscal_calendar.cache_fiscal_year(2)
    assert quarter_at(date(2026, 3, 31)).pk == quarter.pk
    following = quarter_at(date(2026, 4, 1))
    assert (following.start, following.end) == (date(2026, 4, 1), date(2026, 5, 1)), "the gap to the new calendar"
