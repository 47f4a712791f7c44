"""Decisions of business reviews: tickets once a review is signed off, and the first page of the next one."""

from __future__ import annotations

import json
from datetime import date

import pytest
import time_machine
from django.db import DatabaseError, transaction

from core.write_errors import ConflictError, FieldError, MayNotWriteError
from orgtree.models import Person
from programs.models import Qbr, QbrDecision, Ticket, TicketState
from programs.qbr.services.decisions import add_decision, change_decision, remove_decision
from programs.qbr.services.freezing import reopen_qbr, sign_qbr
from programs.tickets.services.writing import move_ticket
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, MEMBER, Persona, signed_in
from tests.programs.api_pages import got, problem, sent
from tests.programs.qbrs import IN_OCTOBER, frozen, read, review, say, signed
from tests.programs.test_closing_quarters import delivered, in_september
from tests.programs.test_qbr_pages import page_of
from tests.programs.tickets import as_

__all__ = ["delivered", "in_september"]  # fixtures
DUE = date(2026, 11, 13)


def decided(qbr: Qbr, title: str = "Reviewer time", persona: Persona = EXECUTIVE) -> QbrDecision:
    given = {"title": title, "reason": "**Half a day** a week.", "owner": "ada@example.com", "due_on": DUE}
    return add_decision(as_(persona), qbr, given)


def test_signing_makes_tickets_of_decisions(delivered: Org) -> None:
    qbr = review(unit="platform")
    frozen(qbr)
    decided(qbr), decided(qbr, "Smoke tests first", MANAGER)
    assert not Ticket.objects.exists(), "the meeting has not decided yet"
    with time_machine.travel(IN_OCTOBER, tick=False):
        sign_qbr(as_(EXECUTIVE), qbr)
        sign_qbr(as_(EXECUTIVE), qbr)
    first, second = Ticket.objects.order_by("pk")
    assert (first.title, first.resolution, first.due_on) == ("Reviewer time", "**Half a day** a week.", DUE)
    assert first.unit is not None
    assert (first.unit.slug, first.owner) == ("platform", Person.objects.get(email="ada@example.com"))
    assert second.title == "Smoke tests first"
    assert [one.ticket for one in qbr.decisions.all()] == [first, second]
    assert "Reviewer time" in page_of(MEMBER, f"/programs/qbr/{qbr.pk}/")


def test_the_next_review_opens_with_what_was_decided_and_its_state(delivered: Org) -> None:
    before = review(unit="platform", day=date(2026, 5, 1))
    decided(before), decided(before, "Smoke tests first")
    signed(before)
    done, _ = Ticket.objects.order_by("pk")
    with time_machine.travel(IN_OCTOBER, tick=False):
        move_ticket(as_(EXECUTIVE), done, TicketState.DONE)
    qbr = review(unit="platform")
    body = json.loads(frozen(qbr).body)
    assert [(one["title"], one["state"]) for one in body["decided"]] == [
        ("Reviewer time", "done"),
        ("Smoke tests first", "open"),
    ]
    assert body["decided_in"] == "Q2 2026"
    with time_machine.travel(IN_OCTOBER, tick=False):
        move_ticket(as_(EXECUTIVE), Ticket.objects.get(state="open"), TicketState.DROPPED, dropped_why="Not now")
    shown = page_of(EXECUTIVE, f"/programs/qbr/{qbr.pk}/")
    assert "1 of 2 decisions done" in shown
    assert "What was decided in the review of Q2 2026" in shown
    assert "Dropped" not in shown, "it stands as on the day of freezing"
    document = got(signed_in(EXECUTIVE), f"/api/v1/qbr/{qbr.pk}/")["document"]
    assert (document["decided"][0]["owner"], document["decided"][1]["state"]) == ("ada@example.com", "open")


def test_a_new_revision_keeps_its_decisions_and_makes_no_second_ticket(delivered: Org) -> None:
    qbr = review(unit="platform")
    decided(qbr)
    signed(qbr)
    draft = reopen_qbr(as_(EXECUTIVE), qbr, because="A late incident.")
    decided(draft, "One more")
    signed(draft)
    assert sorted(Ticket.objects.values_list("title", flat=True)) == ["One more", "Reviewer time"]
    tickets = [one.ticket_id for revision in (qbr, draft) for one in revision.decisions.order_by("pk")]
    assert tickets[0] == tickets[1]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": "", "owner": "ada@example.com", "due_on": DUE}, "title"),
        ({"title": "x", "due_on": DUE}, "owner"),
        ({"title": "x", "owner": "", "due_on": DUE}, "owner"),
        ({"title": "x", "owner": "nobody@example.com", "due_on": DUE}, "owner"),
        ({"title": "x", "owner": "ada@example.com"}, "due_on"),
        ({"title": "x", "owner": "ada@example.com", "due_on": date(1990, 1, 1)}, "due_on"),
        ({"title": "x" * 201, "owner": "ada@example.com", "due_on": DUE}, "title"),
    ],
)
def test_a_decision_has_a_title_an_owner_and_a_due_date(delivered: Org, given: dict[str, object], field: str) -> None:
    with pytest.raises(FieldError) as refused:
        add_decision(as_(EXECUTIVE), review(), given)
    assert refused.value.field == field
    assert not QbrDecision.objects.exists()


def test_decisions_of_a_signed_review_stay(delivered: Org) -> None:
    qbr = review(unit="platform")
    decision = decided(qbr)
    with pytest.raises(ConflictError):
        change_decision(as_(EXECUTIVE), decision, {"title": "Other"}, of_version=7)
    change_decision(as_(MANAGER), decision, {"title": "Reviewer time, weekly"}, of_version=1)
    remove_decision(as_(EXECUTIVE), decided(qbr, "Withdrawn"))
    with pytest.raises(MayNotWriteError):
        decided(qbr, persona=MEMBER)
    signed(qbr)
    decision.refresh_from_db()
    for refused in (
        lambda: decided(qbr),
        lambda: remove_decision(as_(EXECUTIVE), decision),
        lambda: change_decision(as_(EXECUTIVE), decision, {"title": "Other"}, of_version=2),
    ):
        with pytest.raises(FieldError, match="signed off"):
            refused()
    with pytest.raises(DatabaseError), transaction.atomic():
        QbrDecision.objects.update(title="Other")
    assert [one.title for one in qbr.decisions.all()] == ["Reviewer time, weekly"]


def test_pages_and_api_write_decisions(delivered: Org) -> None:
    qbr = review(unit="platform")
    manager, address = signed_in(MANAGER), f"/programs/qbr/{qbr.pk}/decisions/"
    fields = {"title": "Reviewer time", "reason": "", "owner": "ada@example.com", "due_on": "2026-11-13"}
    assert manager.post(f"{address}new/", {**fields, "owner": ""}).status_code == 400
    assert manager.post(f"{address}new/", fields).status_code == 302
    decision = QbrDecision.objects.get()
    assert manager.post(f"{address}{decision.pk}/", {**fields, "title": "Later", "version": "9"}).status_code == 409
    assert manager.post(f"{address}{decision.pk}/", {**fields, "title": "Weekly", "version": "1"}).status_code == 302
    api = f"/api/v1/qbr/{qbr.pk}/decisions/"
    assert problem(sent(manager, "POST", api, {"title": "x", "due_on": "2026-11-13"}, 400))[0] == "owner"
    added = sent(
        manager, "POST", api, {"title": "From a program", "owner": "ada@example.com", "due_on": "2026-11-13"}, 201
    )
    changed = sent(manager, "PATCH", f"{api}{added['id']}/", {"due_on": "2026-12-01", "version": 1})
    assert (changed["due_on"], changed["owner"], changed["version"]) == ("2026-12-01", "ada@example.com", 2)
    listed = got(manager, f"/api/v1/qbr/{qbr.pk}/")["decisions"]
    assert [one["title"] for one in listed] == ["Weekly", "From a program"]
    assert manager.delete(f"{api}{added['id']}/").status_code == 204
    assert manager.post(f"{address}{decision.pk}/", {"remove": "1"}).status_code == 302
    assert not QbrDecision.objects.exists()


def test_sections_without_content_have_no_sheet(delivered: Org) -> None:
    """A sheet with a title alone is paper; what somebody wrote is always shown."""
    shown = page_of(EXECUTIVE, f"/programs/qbr/{signed(review(unit='search')).pk}/")
    for key in ("decided", "objectives", "action_plans", "asks", "next"):
        assert f'id="{key}"' not in shown, key
    written = review(unit="platform")
    say(written, "objectives", "We had none.")
    assert "We had none." in page_of(EXECUTIVE, f"/programs/qbr/{signed(written).pk}/")


def test_a_running_period_is_marked_as_to_date(delivered: Org) -> None:
    qbr = review()
    assert "Q3 2026 to date: business review" in page_of(EXECUTIVE, f"/programs/qbr/{qbr.pk}/")
    frozen(qbr)
    assert "to date" not in page_of(EXECUTIVE, f"/programs/qbr/{qbr.pk}/")
    assert read(qbr).period.is_over
