"""What misses its planned day is on the home page, in the business review, on the agenda and in the persona roadmap."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from insights.forecasts.listing import delivery_risks
from insights.forecasts.records import record_forecasts, record_planned_days
from insights.models import PlannedDay
from insights.query import windows
from integrations.delivery.records.initiatives import InitiativeKind
from integrations.models import WorkItem
from orgtree.access.access import aggregates_access
from orgtree.models import Attribute, Person, PersonAttribute, Unit
from orgtree.trees.people_filter import EVERYBODY
from programs.models import PointKind
from programs.qbr.services.freezing import freeze_qbr
from programs.reviews.services.writing import prepare_review
from tests.forecasts.test_forecasts import key_of, text, visible, words
from tests.forecasts.work import REFUNDS, RULES, working_day_after, working_days_before
from tests.personas import EXECUTIVE, MANAGER, MEMBER, signed_in
from tests.programs.qbrs import review
from tests.programs.tickets import as_

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("board")]
SHIPPING = "/insights/planning/parts/shipping/"


def test_the_home_page_lists_dates_and_odds_and_begins_with_them_for_a_product_manager() -> None:
    today = windows.local_today()
    listed = text(signed_in(EXECUTIVE), SHIPPING)
    assert f"40 of 50 {words(working_day_after(today, 10))} {words(working_day_after(today, 10))}" in listed
    assert f"{words(working_day_after(today, 7))} 0%" in listed
    assert "1 of 2 misses its planned day" in listed
    assert listed.index(REFUNDS) < listed.index(RULES)

    def begins_with_planning() -> bool:
        home = signed_in(MEMBER).get("/", {"home": "page"})
        assert SHIPPING in home.content.decode()
        return bool(home.context["is_planner"])

    assert not begins_with_planning()
    role = Attribute.objects.get_or_create(slug="role", defaults={"name": "Role"})[0]
    PersonAttribute.objects.create(
        person=Person.objects.get(email="ada@example.com"),
        attribute=role,
        value="Senior Product Manager",
        during=DateRange(date(2025, 1, 1), None),
    )
    assert begins_with_planning()


def test_a_business_review_lists_them_and_leads_to_the_list() -> None:
    record_forecasts()
    qbr = review(day=windows.local_today())
    page = signed_in(EXECUTIVE).get(f"/programs/qbr/{qbr.pk}/").content.decode()
    assert "1 delivery misses its planned day" in visible(page)
    row = re.search(rf"<tr>(?:(?!</tr>).)*{REFUNDS}.*?</tr>", page, re.DOTALL)
    assert row
    today = windows.local_today()
    planned, likely = working_day_after(today, 7), working_day_after(today, 10)
    assert f"{words(planned)} 0% {words(likely)} 3 working days" in visible(row[0])
    assert f"{REFUNDS} misses its planned day" in visible(page), "among the risks, too"
    address = re.search(r'<a href="([^"]+)">Open the delivery risks', page)
    assert address
    assert "Delivery risk" in text(signed_in(EXECUTIVE), address[1].partition("#")[0])
    assert address[1].endswith("#risks-title")
    document = freeze_qbr(as_(EXECUTIVE), qbr)
    [risk] = json.loads(document.body)["delivery_risks"]
    assert (risk["key"], risk["likely_on"], risk["days_late"]) == (key_of(REFUNDS), likely.isoformat(), 3)


def test_a_review_that_is_frozen_as_of_an_earlier_day_knows_nothing_of_what_came_later() -> None:
    """Ten working days ago twice as many items were left, so that the date was the same, and missed as it is now."""
    record_forecasts()
    today = windows.local_today()
    then = working_days_before(today, 11)[0]
    document = freeze_qbr(as_(EXECUTIVE), review(day=then), at=datetime.combine(then, time(12), UTC))
    body = json.loads(document.body)
    [risk] = body["delivery_risks"]
    assert (body["risks_on"], risk["key"]) == (then.isoformat(), key_of(REFUNDS))
    planned, likely = working_day_after(today, 7), working_day_after(then, 20)
    assert risk["likely_on"] == likely.isoformat()
    assert working_day_after(planned, risk["days_late"]) == likely
    assert risk["since"] is None or risk["since"] <= then.isoformat()


def test_it_has_the_days_that_were_planned_at_the_end_of_its_day() -> None:
    """Planned for one day until the day before yesterday, then for another, and since today for none."""
    today, epic = windows.local_today(), WorkItem.objects.get(title=REFUNDS)
    first, second = working_day_after(today, 7), working_day_after(today, 8)
    for planned, nights_ago in ((first, 9), (first, 2), (second, 1), (None, 0)):
        WorkItem.objects.filter(pk=epic.pk).update(due_on=planned)
        record_planned_days(InitiativeKind.EPIC, today - timedelta(days=nights_ago))
    rows = PlannedDay.objects.filter(key=str(epic.pk)).order_by("since").values_list("since", "planned_on")
    days = [today - timedelta(days=number) for number in (10, 2, 1)]
    assert [*rows] == [*zip(days, (first, second, None), strict=True)]

    def planned_at_end_of(day: date) -> list[date]:
        risks = delivery_risks(aggregates_access(), people=EVERYBODY, today=day)
        return [risk.planned_on for risk in risks if risk.name == REFUNDS]

    expected = {20: [first], 3: [first], 2: [second], 1: [], 0: []}
    assert {ago: planned_at_end_of(today - timedelta(days=ago)) for ago in expected} == expected


def test_the_agenda_names_them_and_leads_to_their_pages() -> None:
    today = windows.local_today()
    made = prepare_review(as_(MANAGER), Unit.objects.get(slug="platform"), (today - timedelta(days=1)).replace(day=1))
    [point] = made.points.filter(kind=PointKind.DELIVERY)
    assert (point.title, point.reference) == (REFUNDS, f"epic:{key_of(REFUNDS)}")
    planned, as_of = working_day_after(today, 7), made.agenda_until - timedelta(days=1)
    assert point.detail == f"Planned for {words(planned)} · 85% date: {words(working_day_after(as_of, 10))}"
    page = signed_in(MANAGER).get(f"/programs/reviews/{made.pk}/").content.decode()
    assert f"/insights/planning/initiative/?unit=platform&amp;kind=epic&amp;of={key_of(REFUNDS)}" in page


def test_the_roadmap_of_a_product_manager_counts_epics_on_time() -> None:
    cells = text(signed_in(EXECUTIVE), "/programs/roadmap/personas/")
    assert "Project delivery status Open epics on time 0 of 1" in cells
