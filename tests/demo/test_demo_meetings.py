"""The demo's meetings: a year behind, half a year ahead, told to whoever takes part."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.utils import timezone

from demo.load.meetings import write_demo_meetings
from demo.load.organisation import load_demo_organisation
from demo.load.personas import open_demo_accounts
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear
from insights.query.windows import local_today
from programs.models import Meeting, MeetingSeries, Notice
from tests.org import Org


def year(flavour: Flavour, today: date) -> DemoYear:
    return DemoYear(seed=1, flavour=flavour, anchor=datetime(today.year, today.month, today.day, 12, tzinfo=UTC))


def test_a_year_of_reviews_and_qbrs(org: Org) -> None:
    today = local_today()
    planned_year = year(Flavour.STORIES, today)
    load_demo_organisation(planned_year)
    open_demo_accounts()
    write_demo_meetings(planned_year, today=today)
    held = Meeting.objects.filter(ends_at__lte=timezone.now())
    of_checkout = held.filter(series__kind="review", series__unit__slug="checkout")
    assert 11 <= of_checkout.count() <= 13
    assert 3 <= held.filter(series__kind="qbr", series__unit=None).count() <= 5
    assert Meeting.objects.filter(state="cancelled").count() == 1
    assert Meeting.objects.filter(is_exception=True, state="planned").count() == 1
    assert all(series.participants.count() >= 2 for series in MeetingSeries.objects.all())
    accounts = set(Notice.objects.exclude(meeting=None).values_list("account__username", flat=True))
    assert {"maya.manager@example.com", "erin.executive@example.com", "max.member@example.com"} <= accounts
    before = Meeting.objects.count()
    write_demo_meetings(planned_year, today=today)
    assert Meeting.objects.count() == before


def test_the_quiet_flavour_has_none(org: Org) -> None:
    write_demo_meetings(year(Flavour.SMALL_QUIET, local_today()), today=local_today())
    assert not Meeting.objects.exists()
