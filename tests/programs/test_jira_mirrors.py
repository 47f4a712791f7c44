"""Action tickets mirrored to Jira: what each side sends, what happens where both changed, and what Jira may refuse."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.jira_issues import DONE, IN_PROGRESS, TO_DO
from demo.providers.jira_server import JiraServer
from integrations.enums import ResourceKind
from integrations.models import Connection, Resource
from integrations.sync.resources import discover_resources
from integrations.webhooks.process import process_waiting
from orgtree.models import Identity, IdentityKind
from programs.mirrors.services.mirroring import Side, mirror_targets, resolve_difference, start_mirror
from programs.mirrors.services.syncing import sync_mirrors
from programs.models import Ticket, TicketMirror, TicketState
from programs.tickets.services.writing import change_ticket, move_ticket
from tests.demo.small_history import small_history
from tests.org import Org
from tests.personas import MANAGER, MEMBER, signed_in
from tests.programs.tickets import as_, ticket
from tests.sync.readings import read_everything
from tests.teams import create_teams

pytestmark = pytest.mark.django_db
EMAIL, TOKEN, SECRET = "reader@example.com", "token_of_the_tests", "only-for-tests"


@pytest.fixture(params=["Cloud", "Data Center"])
def jira(request: pytest.FixtureRequest, org: Org) -> Iterator[JiraServer]:
    create_teams()
    email = EMAIL if request.param == "Cloud" else ""
    with JiraServer(small_history(), email=email, token=TOKEN) as server:
        connection = Connection.objects.create(
            provider="jira",
            name="Jira",
            settings={
                "base_url": server.url,
                "email": email,
                "mirror_tickets": "true",
                "resources": {"match": ["*"]},
            },
            secrets={"token": TOKEN, "webhook_secret": SECRET},
        )
        discover_resources(connection)
        yield server


@pytest.fixture
def mirrored(jira: JiraServer) -> Ticket:
    written = ticket(title="Reviews wait", resolution="A *rota*.")
    mirror_it(written)
    return written


def mirror_it(written: Ticket) -> None:
    start_mirror(as_(MANAGER), written, mirror_targets().get().pk)
    sync_mirrors()


def mirror() -> TicketMirror:
    return TicketMirror.objects.get()


def issue_in(jira: JiraServer) -> dict[str, Any]:
    (issue,) = jira.written.issues.values()
    return issue


def sync_again() -> None:
    TicketMirror.objects.update(next_try_at=timezone.now())
    sync_mirrors()


def hears(payload: dict[str, Any], delivery: str = "1") -> None:
    """The connection's webhook brings it, and the sweep follows."""
    body = json.dumps(payload).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Atlassian-Webhook-Identifier": delivery, "X-Hub-Signature": f"sha256={signature}"}
    address = f"/hooks/jira/{Connection.objects.get().pk}/"
    answer = Client().post(address, body, content_type="application/json", headers=headers)
    assert answer.status_code in (200, 202), answer.content
    process_waiting()
    sync_again()


def test_a_ticket_becomes_a_task_that_leads_back_to_it(mirrored: Ticket, jira: JiraServer) -> None:
    fields = issue_in(jira)["fields"]
    assert (fields["summary"], fields["issuetype"], fields["duedate"]) == (
        "Reviews wait",
        {"id": "10"},
        mirrored.due_on.isoformat(),
    )
    assert reverse("ticket", args=[mirrored.pk]) in json.dumps(fields["description"])
    assert (mirror().status, mirror().url) == ("synced", f"{jira.url}/browse/{issue_in(jira)['key']}")
    assert str(mirror()) == issue_in(jira)["key"]
    assert mirror_targets().filter(kind=ResourceKind.BOARD).count() == 0


def test_what_is_changed_here_is_sent_and_an_end_moves_the_issue(mirrored: Ticket, jira: JiraServer) -> None:
    later = mirrored.due_on + timedelta(days=7)
    change_ticket(as_(MANAGER), mirrored, {"title": "Reviews wait overnight", "due_on": later}, of_version=1)
    sync_again()
    assert issue_in(jira)["fields"]["summary"] == "Reviews wait overnight"
    assert issue_in(jira)["fields"]["duedate"] == later.isoformat()
    before = issue_in(jira)["fields"]["updated"]
    sync_again()
    assert issue_in(jira)["fields"]["updated"] == before
    move_ticket(as_(MANAGER), mirrored, TicketState.DROPPED, dropped_why="Not worth it")
    sync_again()
    assert issue_in(jira)["fields"]["resolution"] == {"name": "Won't Do"}
    move_ticket(as_(MANAGER), mirrored, TicketState.OPEN)
    sync_again()
    assert issue_in(jira)["fields"]["status"]["id"] == TO_DO


def test_the_owner_is_assigned_by_the_account_that_is_known(jira: JiraServer, org: Org) -> None:
    written = ticket(title="Reviews wait", owner=MEMBER.email)
    assert written.owner is not None
    kind = (
        IdentityKind.INSTALLATION if jira.written and Connection.objects.get().settings["email"] else IdentityKind.LOGIN
    )
    Identity.objects.create(kind=kind, provider="jira", value="5b10-ada", person=written.owner)
    mirror_it(written)
    assert list(issue_in(jira)["fields"]["assignee"].values()) == ["5b10-ada"]


@pytest.mark.parametrize(("resolution", "state"), [("Done", "done"), ("Won't Do", "dropped")])
def test_an_issue_that_is_done_ends_its_ticket_by_webhook_and_by_sync(
    mirrored: Ticket, jira: JiraServer, resolution: str, state: str
) -> None:
    hears(jira.written.put(issue_in(jira), DONE, resolution))
    mirrored.refresh_from_db()
    assert (mirrored.state, mirror().status) == (state, "synced")
    jira.written.put(issue_in(jira), IN_PROGRESS)
    read_everything(Connection.objects.get())
    sync_again()
    mirrored.refresh_from_db()
    assert (mirrored.state, mirrored.completed_on, mirrored.dropped_why) == ("open", None, "")


def test_a_due_day_that_is_changed_there_holds_here(mirrored: Ticket, jira: JiraServer) -> None:
    later = mirrored.due_on + timedelta(days=20)
    hears(jira.written.change(issue_in(jira), duedate=later.isoformat()))
    mirrored.refresh_from_db()
    assert (mirrored.due_on, mirrored.state, mirror().status) == (later, "open", "synced")
    hears(jira.written.change(issue_in(jira), duedate=None), delivery="2")
    mirrored.refresh_from_db()
    assert mirrored.due_on == later


@pytest.mark.parametrize("side", list(Side))
def test_where_both_sides_changed_somebody_says_which_holds(mirrored: Ticket, jira: JiraServer, side: Side) -> None:
    here, there = mirrored.due_on + timedelta(days=7), mirrored.due_on + timedelta(days=14)
    change_ticket(as_(MANAGER), mirrored, {"due_on": here}, of_version=1)
    TicketMirror.objects.update(next_try_at=timezone.now() + timedelta(hours=1))
    body = jira.written.change(issue_in(jira), duedate=there.isoformat())
    jira.faults = [Fault(faults.bad_gateway(), method="PUT", times=None)]
    hears(body)
    assert mirror().status == "differs"
    page = signed_in(MANAGER).get(reverse("ticket", args=[mirrored.pk])).content.decode()
    assert f"here it is open, due by {shown(here)}, there it is open, due by {shown(there)}." in page
    jira.faults = []
    resolve_difference(as_(MANAGER), mirrored, side)
    sync_again()
    mirrored.refresh_from_db()
    held = here if side is Side.HEADWAY else there
    assert (mirrored.due_on, issue_in(jira)["fields"]["duedate"], mirror().status) == (held, held.isoformat(), "synced")


def shown(day: date) -> str:
    from insights.ui import wording

    return wording.day(day)


def test_an_answer_that_was_lost_makes_no_second_issue(jira: JiraServer) -> None:
    jira.faults = [Fault(lost, path="/issue\\?$", method="POST", times=1)]
    start_mirror(as_(MANAGER), ticket(), mirror_targets().get().pk)
    for _ in range(3):
        sync_again()
    assert len(jira.written.issues) == 1
    assert mirror().status == "synced"


def lost(request: Any, answer: Any) -> faults.Answer:
    """It is done, and the answer does not arrive."""
    answer()
    return faults.Answer(502)


def test_a_required_field_is_named(jira: JiraServer) -> None:
    jira.written.required = {"customfield_10050": "Cost centre"}
    mirror_it(ticket())
    assert mirror().status == "failed"
    assert "Cost centre is required (customfield_10050)" in mirror().problem
    assert not jira.written.issues


def test_a_project_without_due_days_has_issues_without_them(jira: JiraServer) -> None:
    jira.written.lacking = {"duedate", "labels"}
    written = ticket()
    mirror_it(written)
    assert (mirror().status, issue_in(jira)["fields"]["duedate"]) == ("synced", None)
    hears(jira.written.put(issue_in(jira), DONE))
    written.refresh_from_db()
    assert (written.state, mirror().status) == ("done", "synced")


def test_a_project_in_which_nobody_may_create_is_named(jira: JiraServer) -> None:
    jira.written.closed = {"101"}
    mirror_it(ticket())
    assert mirror().problem == "Jira does not let this account create issues in SHOP · shop."
    assert "Create issues" in mirror().remedy


def test_a_token_that_is_refused_on_the_way_is_no_missing_permission(jira: JiraServer) -> None:
    jira.faults = [Fault(faults.unauthorised(), path="/createmeta/", times=None)]
    mirror_it(ticket())
    assert "Jira refused the" in mirror().problem


def test_an_issue_that_cannot_be_moved_says_from_where(mirrored: Ticket, jira: JiraServer) -> None:
    jira.written.stuck = {TO_DO}
    move_ticket(as_(MANAGER), mirrored, TicketState.DONE)
    sync_again()
    assert "is in “To Do”, from which this account has no transition to a done status." in mirror().problem


def test_an_issue_that_moves_to_another_key_stays_the_mirror(mirrored: Ticket, jira: JiraServer) -> None:
    jira.written.move(issue_in(jira), {"id": "101", "key": "SALES", "name": "Sales"})
    change_ticket(as_(MANAGER), mirrored, {"title": "Reviews wait on"}, of_version=1)
    sync_again()
    assert (mirror().status, mirror().key) == ("synced", issue_in(jira)["key"])
    assert mirror().key.startswith("SALES-")


def test_an_issue_that_is_deleted_is_said_to_be_gone(mirrored: Ticket, jira: JiraServer) -> None:
    read_everything(Connection.objects.get())
    hears(jira.written.delete(issue_in(jira)))
    assert (mirror().status, "was deleted" in mirror().problem) == ("failed", True)
    mirrored.refresh_from_db()
    assert mirrored.state == "open"


def test_only_synced_projects_are_offered(jira: JiraServer) -> None:
    Resource.objects.filter(kind=ResourceKind.PROJECT).update(picked=False)
    assert not mirror_targets().exists()
