"""Seats: what they cost by day, who uses theirs, and adoption of those who could."""

from __future__ import annotations

import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.authorship import changes_by
from insights.engine.contributions import read_rows
from insights.engine.read import read_series
from insights.query.query import Dimension, Granularity, MetricValue, Query, Window
from integrations.models import FactFamily, SeatAssignment, SeatPlan
from integrations.outbox.fact_changes import take_changes
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.seats.csv_import import ImportedSeats, import_seats
from integrations.telemetry.seats.history import history_of
from integrations.telemetry.sessions.fold import fold_received_batches
from tests.telemetry.raw_rows import Event, at, receive

pytestmark = pytest.mark.django_db
HEAD = "agent,plan,monthly_price,email,seats,start,end\n"


def imported(*rows: str, **more: bool) -> ImportedSeats:
    return import_seats((HEAD + "\n".join(rows)).encode(), **more)


def worked(who: str, when: str) -> None:
    receive([Event(at(when), session=f"{who} {when}", email=f"{who}@example.com", kind=EventKind.PROMPT)])
    fold_received_batches()


def figure(key: str, first: str, after: str, *segments: Dimension) -> MetricValue:
    window = Window(date.fromisoformat(first), date.fromisoformat(after))
    [answer] = read_series([Query(key, window, granularity=Granularity.MONTH, segments=segments)])
    return answer.total[0]


def test_a_seat_costs_its_daily_share_of_the_month() -> None:
    imported(
        "claude_code,Team,31,ada@example.com,,2026-03-01,",
        "claude_code,Team,31,ben@example.com,,2026-03-22,2026-04-01",
    )
    # ada 31 days and ben 10 days of March at a dollar a day; in April, of 30 days, ada alone
    assert figure("ai.seat_cost", "2026-03-01", "2026-04-01").value == pytest.approx(41)
    assert figure("ai.seat_cost", "2026-03-22", "2026-03-24").value == pytest.approx(4)
    assert figure("ai.seat_cost", "2026-04-01", "2026-05-01").value == pytest.approx(31)
    assert figure("ai.seat_cost", "2026-02-01", "2026-03-01").value is None


def test_seats_that_nobody_has_cost_as_much() -> None:
    imported(
        "codex,Business,28,,10,2026-02-01,2026-03-01",
        "codex,Business,28,ada@example.com,,2026-02-01,2026-02-15",
    )
    assert figure("ai.seat_cost", "2026-02-01", "2026-03-01").value == pytest.approx(280)


def test_who_has_a_seat_and_uses_none_is_idle() -> None:
    imported(
        "claude_code,Team,30,ada@example.com,,2026-03-01,",
        "claude_code,Team,30,ben@example.com,,2026-03-01,",
        "codex,Business,30,cem@example.com,,2026-03-01,",
        "claude_code,Team,30,dan@example.com,,2026-03-20,",
    )
    worked("ada", "2026-03-05 10:00")
    worked("cem", "2026-03-05 10:00")  # with Claude Code, of which cem has no seat
    worked("dan", "2026-03-05 10:00")  # before dan had one
    worked("eve", "2026-03-05 10:00")
    licensed = figure("ai.licensed_seats", "2026-03-01", "2026-04-01")
    idle = figure("ai.idle_seats", "2026-03-01", "2026-04-01")
    adoption = figure("ai.adoption_of_licensed", "2026-03-01", "2026-04-01")
    assert licensed.value == 4
    assert (idle.value, idle.numerator, idle.denominator) == (3, 1, 4)
    assert (adoption.value, adoption.numerator, adoption.denominator) == (25, 1, 4)
    everybody = figure("ai.adoption_of_everybody", "2026-03-01", "2026-04-01")
    assert (everybody.numerator, everybody.denominator) == (4, 5)
    assert figure("ai.idle_seats", "2026-03-01", "2026-03-10").denominator == 3


def test_no_seat_is_idle_before_any_telemetry() -> None:
    imported("claude_code,Team,30,ada@example.com,,2026-02-01,", "claude_code,Team,30,ben@example.com,,2026-02-01,")
    worked("ada", "2026-03-05 10:00")
    assert figure("ai.licensed_seats", "2026-02-01", "2026-03-01").value == 2
    for key, reason in (
        ("ai.idle_seats", "No data in this time."),
        ("ai.adoption_of_licensed", "No telemetry had been received by then."),
    ):
        before = figure(key, "2026-02-01", "2026-03-01")
        assert (before.value, before.denominator) == (None, 0)
        assert before.reason == reason
        assert read_rows(Query(key, before.window)).total == 0
    assert figure("ai.idle_seats", "2026-03-01", "2026-04-01").value == 1  # ben never sent anything


def test_who_has_two_seats_is_one_developer() -> None:
    imported(
        "claude_code,Team,30,ada@example.com,,2026-03-01,", "codex,Business,30,ada@example.com,,2026-03-01,2026-03-10"
    )
    assert figure("ai.licensed_seats", "2026-03-01", "2026-04-01").value == 1


def test_a_repetition_changes_nothing_and_an_end_ends_a_seat() -> None:
    row = "claude_code,Team,30,ada@example.com,,2026-03-01,"
    first = imported(row)
    assert (first.applied, first.plans, first.added) == (True, 1, 1)
    again = imported(row)
    assert (again.plans, again.added, again.changed, again.unchanged) == (0, 0, 0, 1)
    assert imported(row + "2026-04-01").changed == 1
    assert SeatAssignment.objects.get().during == DateRange(date(2026, 3, 1), date(2026, 4, 1))


def test_a_dry_run_stores_nothing() -> None:
    assert imported("claude_code,Team,30,ada@example.com,,2026-03-01,", dry_run=True).added == 1
    assert not SeatPlan.objects.exists()


def test_the_days_of_a_new_seat_are_announced() -> None:
    imported("claude_code,Team,30,ada@example.com,,2026-03-01,")
    changed_since = {change.day_from for change in take_changes() if change.family is FactFamily.SEATS}
    assert changed_since == {date(2026, 3, 1)}


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        (",Team,30,ada@example.com,,2026-03-01,", "agent", "empty"),
        ("claude_code,Team,-1,ada@example.com,,2026-03-01,", "monthly_price", "not a possible price"),
        ("claude_code,Team,NaN,ada@example.com,,2026-03-01,", "monthly_price", "not a possible price"),
        ("claude_code,Team,much,ada@example.com,,2026-03-01,", "monthly_price", "not a price"),
        ("claude_code,Team,30,ada,,2026-03-01,", "email", "not an e-mail address"),
        ("claude_code,Team,30,,,2026-03-01,", "email", "either an address or a number"),
        ("claude_code,Team,30,ada@example.com,3,2026-03-01,", "email", "either an address or a number"),
        ("claude_code,Team,30,,many,2026-03-01,", "seats", "not a number"),
        ("claude_code,Team,30,ada@example.com,,March,", "start", "not a day"),
        ("claude_code,Team,30,ada@example.com,,2026-03-01,2026-03-01", "end", "after the start"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(row: str, column: str, message: str) -> None:
    result = imported("claude_code,Team,30,ben@example.com,,2026-03-01,", row)
    assert not result.applied
    assert (result.errors[0].row, result.errors[0].column) == (3, column)
    assert message in result.errors[0].message
    assert not SeatPlan.objects.exists()


def test_another_price_on_the_same_days_is_refused() -> None:
    imported("claude_code,Team,30,ada@example.com,,2026-03-01,")
    [problem] = imported("claude_code,Team,40,ben@example.com,,2026-03-05,").errors
    assert "costs 30.00" in problem.message
    [problem] = imported("claude_code,Team,30,ada@example.com,,2026-02-05,").errors
    assert "has a seat" in problem.message


def changed(admin: Client, **fields: object) -> str:
    """The response of the only plan's page to a change."""
    plan = SeatPlan.objects.get()
    days = {"during_0": plan.during.lower or "", "during_1": plan.during.upper or ""}
    form = {"agent": plan.agent, "name": plan.name, "monthly_price": plan.monthly_price, "seats": plan.seats or ""}
    address = reverse("admin:integrations_seatplan_change", args=[plan.pk])
    answer = admin.post(address, {**form, **days, **fields}, follow=True)
    return answer.content.decode()


def test_a_new_price_leaves_the_days_before_it_as_they_were(admin: Client) -> None:
    imported(
        "claude_code,Team,31,,3,2026-03-01,",
        "claude_code,Team,31,ada@example.com,,2026-03-01,",
        "claude_code,Team,31,ben@example.com,,2026-03-01,2026-03-05",
        "claude_code,Team,31,cem@example.com,,2026-03-21,",
    )
    assert "another continues from 2026-03-11 at $62" in changed(admin, monthly_price="62", price_since="2026-03-11")
    # three seats: a dollar a day until the tenth, two from then on
    assert figure("ai.seat_cost", "2026-03-01", "2026-03-11").value == pytest.approx(30)
    assert figure("ai.seat_cost", "2026-03-11", "2026-04-01").value == pytest.approx(126)
    assert figure("ai.licensed_seats", "2026-03-11", "2026-04-01").value == 2
    assert figure("ai.licensed_seats", "2026-03-01", "2026-03-11").value == 2
    later = SeatPlan.objects.get(monthly_price=62)
    assert {(assignment.identity.value, assignment.during.lower) for assignment in later.assignments.all()} == {
        ("ada@example.com", date(2026, 3, 11)),
        ("cem@example.com", date(2026, 3, 21)),
    }
    assert [change.by for change in history_of(later) if "$62" in change.words] == ["admin@example.com"]


def test_a_new_price_holds_from_today_where_nothing_is_said(admin: Client) -> None:
    imported("claude_code,Team,31,ada@example.com,,2026-03-01,")
    changed(admin, monthly_price="62")
    assert figure("ai.seat_cost", "2026-03-01", "2026-04-01").value == pytest.approx(31)
    assert SeatPlan.objects.get(monthly_price=62).during == DateRange(timezone.localdate(), None)


def test_a_price_that_was_wrong_all_along_is_corrected(admin: Client) -> None:
    imported("claude_code,Team,31,ada@example.com,,2026-03-01,")
    changed(admin, monthly_price="62", price_since="2026-03-01")
    assert figure("ai.seat_cost", "2026-03-01", "2026-04-01").value == pytest.approx(62)
    assert SeatPlan.objects.count() == 1


def test_a_price_cannot_begin_after_its_plan_ended(admin: Client) -> None:
    imported("claude_code,Team,31,,3,2026-03-01,2026-04-01")
    assert "ended before 2026-04-01" in changed(admin, monthly_price="62", price_since="2026-04-01")
    assert SeatPlan.objects.get().monthly_price == 31


@pytest.mark.parametrize(
    "row", ["claude_code,Team,31,,5,2026-03-01,", "claude_code,Team,31,ada@example.com,,2026-03-01,"]
)
def test_a_row_of_days_with_two_prices_is_refused(admin: Client, row: str) -> None:
    imported("claude_code,Team,31,,3,2026-03-01,", "claude_code,Team,31,ada@example.com,,2026-03-01,")
    changed(admin, monthly_price="62", price_since="2026-03-11")
    [problem] = imported(row).errors
    assert problem.column == "start"
    assert "costs 62.00 from 2026-03-11 on" in problem.message


def test_a_plan_ends_where_the_next_of_its_name_begins() -> None:
    imported("claude_code,Team,62,,3,2026-06-01,")
    assert imported("claude_code,Team,31,ada@example.com,,2026-03-01,2026-04-01").applied
    assert SeatPlan.objects.get(monthly_price=31).during == DateRange(date(2026, 3, 1), date(2026, 6, 1))


def test_a_file_without_its_columns_is_refused() -> None:
    for content, words in (
        (b"name,price\nada,3\n", "missing: agent, plan, monthly_price, start"),
        (f"{HEAD.strip()},until\n".encode(), "There is no column “until”"),
        (b"", "empty"),
        (HEAD.encode() + b'"claude', "never closed"),
    ):
        [problem] = import_seats(content).errors
        assert words in problem.message


def test_a_file_with_semicolons_in_utf_16_is_read() -> None:
    row = "claude_code;Team;30;ada@example.com;;2026-03-01;\r\n"
    assert import_seats((HEAD.replace(",", ";") + row).encode("utf-16")).added == 1


def test_two_plans_of_a_name_do_not_overlap() -> None:
    imported("claude_code,Team,30,ada@example.com,,2026-03-01,")
    other = SeatPlan(agent="claude_code", name="Team", monthly_price=Decimal(40), during=DateRange(date(2026, 5, 1)))
    with pytest.raises(ValidationError, match="overlap"):
        other.full_clean()


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    path = tmp_path / "seats.csv"
    path.write_text(HEAD + "claude_code,Team,30,ada@example.com,,2026-03-01,\n")
    out = io.StringIO()
    call_command("import_seats", str(path), "--json", stdout=out)
    assert json.loads(out.getvalue()) == {
        "applied": True,
        "plans": 1,
        "added": 1,
        "changed": 0,
        "unchanged": 0,
        "errors": [],
    }


def test_every_change_of_a_plan_and_of_its_seats_stays_in_its_history() -> None:
    admin = User.objects.create_user("ada.admin@example.com")
    imported("claude_code,Team,30,ada@example.com,,2026-03-01,")
    plan = SeatPlan.objects.get()
    with changes_by(admin):
        plan.monthly_price = Decimal(40)
        plan.save()
    imported("claude_code,Team,40,ada@example.com,,2026-03-01,2026-06-01")
    changes = {(change.words, change.by) for change in history_of(plan)}
    assert changes == {
        ("plan added: $30.00 a month, from 2026-03-01", "an import or a command"),
        ("seat of ada@example.com added, from 2026-03-01", "an import or a command"),
        ("plan changed: $40.00 a month, from 2026-03-01", "ada.admin@example.com"),
        ("seat of ada@example.com changed, 2026-03-01 – 2026-06-01", "an import or a command"),
    }
    admin.delete()
    assert [change.by for change in history_of(plan) if "$40" in change.words] == ["a removed account"]
    with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
        apps.get_model("integrations", "SeatPlanEvent")._default_manager.all().delete()
