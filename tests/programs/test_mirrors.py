"""Action tickets mirrored to issues: texts go there, the state goes both ways by the connection's own webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.write_errors import FieldError, MayNotWriteError
from integrations.connectors.base import ResourceDraft
from integrations.enums import ResourceKind
from integrations.intake.places import store_resource
from integrations.models import Connection, Resource
from integrations.webhooks.process import process_waiting
from programs.mirrors.services.mirroring import Side, resolve_difference, retry_mirror, start_mirror
from programs.mirrors.services.syncing import sync_mirrors
from programs.models import Ticket, TicketMirror, TicketState
from programs.tickets.services.writing import change_ticket, move_ticket
from tests.org import Org
from tests.personas import EXECUTIVE, MANAGER, OTHER_MEMBER, signed_in
from tests.programs.api_pages import got, sent
from tests.programs.issue_tracker import TOKEN, IssueTracker, served_tracker
from tests.programs.tickets import as_, ticket
from tests.teams import create_teams

pytestmark = pytest.mark.django_db
SECRET = "only-for-tests"


@pytest.fixture
def tracker(org: Org, settings: Any) -> Iterator[IssueTracker]:
    create_teams()
    with served_tracker() as served:
        connection = Connection.objects.create(
            provider="github",
            name="GitHub",
            settings={"base_url": served.url, "mirror_tickets": "true"},
            secrets={"token": TOKEN, "webhook_secret": SECRET},
        )
        store_resource(connection, ResourceDraft(ResourceKind.REPOSITORY, "101", "acme/shop", remote="x/acme/shop"))
        Resource.objects.update(picked=True)
        yield served


@pytest.fixture
def mirrored(tracker: IssueTracker) -> Ticket:
    written = ticket(title="Reviews wait", resolution="A *rota*.")
    start_mirror(as_(MANAGER), written, Resource.objects.get().pk)
    sync_mirrors()
    return written


def mirror() -> TicketMirror:
    return TicketMirror.objects.get()


def hears(payload: dict[str, Any], delivery: str = "1") -> None:
    """The connection's webhook brings it, and the sweep follows."""
    body = json.dumps(payload).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": f"sha256={signature}"}
    address = f"/hooks/github/{Connection.objects.get().pk}/"
    answer = Client().post(address, body, content_type="application/json", headers=headers)
    assert answer.status_code in (200, 202), answer.content
    process_waiting()
    sync_mirrors()


def test_a_ticket_becomes_an_issue_that_leads_back_to_it(mirrored: Ticket, tracker: IssueTracker) -> None:
    [issue] = tracker.issues
    assert issue["title"] == "Reviews wait"
    assert issue["body"].startswith("A *rota*.")
    assert reverse("ticket", args=[mirrored.pk]) in issue["body"]
    assert (mirror().status, mirror().key, mirror().url) == ("synced", "1", issue["html_url"])


def test_what_is_changed_here_is_sent_and_nothing_is_sent_twice(mirrored: Ticket, tracker: IssueTracker) -> None:
    change_ticket(as_(MANAGER), mirrored, {"title": "Reviews wait overnight"}, of_version=1)
    sync_mirrors()
    assert tracker.issues[0]["title"] == "Reviews wait overnight"
    before = tracker.issues[0]["updated_at"]
    sync_mirrors()
    assert tracker.issues[0]["updated_at"] == before
    move_ticket(as_(MANAGER), mirrored, TicketState.DROPPED, dropped_why="Not worth it")
    sync_mirrors()
    assert (tracker.issues[0]["state"], tracker.issues[0]["state_reason"]) == ("closed", "not_planned")


@pytest.mark.parametrize(("reason", "state"), [("completed", "done"), ("not_planned", "dropped")])
def test_an_issue_that_is_closed_closes_its_ticket(
    mirrored: Ticket, tracker: IssueTracker, reason: str, state: str
) -> None:
    hears(tracker.change(tracker.issues[0], state="closed", state_reason=reason))
    mirrored.refresh_from_db()
    assert (mirrored.state, mirror().status) == (state, "synced")
    hears(tracker.change(tracker.issues[0], state="open", state_reason="reopened"), delivery="2")
    mirrored.refresh_from_db()
    assert (mirrored.state, mirrored.completed_on, mirrored.dropped_why) == ("open", None, "")


def test_a_delivery_from_before_the_last_change_undoes_nothing(mirrored: Ticket, tracker: IssueTracker) -> None:
    old = tracker.change(tracker.issues[0], title="Reviews wait")
    move_ticket(as_(MANAGER), mirrored, TicketState.DONE)
    sync_mirrors()
    hears(old)
    mirrored.refresh_from_db()
    assert (mirrored.state, tracker.issues[0]["state"]) == ("done", "closed")


@pytest.mark.parametrize(
    ("side", "state", "there"), [(Side.HEADWAY, "done", "completed"), (Side.PROVIDER, "dropped", "not_planned")]
)
def test_where_both_sides_changed_somebody_says_whose_state_holds(
    mirrored: Ticket, tracker: IssueTracker, side: Side, state: str, there: str
) -> None:
    dropped = tracker.change(tracker.issues[0], state="closed", state_reason="not_planned")
    move_ticket(as_(MANAGER), mirrored, TicketState.DONE)
    TicketMirror.objects.update(next_try_at=timezone.now() + timedelta(hours=1))
    hears(dropped)
    assert mirror().status == "differs"
    page = signed_in(MANAGER).get(reverse("ticket", args=[mirrored.pk])).content.decode()
    assert "Both sides changed: here it is done, there it is dropped." in page
    resolve_difference(as_(MANAGER), mirrored, side)
    TicketMirror.objects.update(next_try_at=timezone.now())
    sync_mirrors()
    mirrored.refresh_from_db()
    assert (mirrored.state, tracker.issues[0]["state_reason"], mirror().status) == (state, there, "synced")


def test_an_answer_that_was_lost_makes_no_second_issue(tracker: IssueTracker) -> None:
    start_mirror(as_(MANAGER), ticket(), Resource.objects.get().pk)
    tracker.broken = ["", "lost"]
    for _ in range(3):
        TicketMirror.objects.update(next_try_at=timezone.now())
        sync_mirrors()
    assert len(tracker.issues) == 1
    assert mirror().status == "synced"


def test_a_missing_permission_is_shown_and_the_mirror_can_be_retried(tracker: IssueTracker) -> None:
    written = ticket()
    start_mirror(as_(MANAGER), written, Resource.objects.get().pk)
    tracker.broken = [403, 403, 403]
    sync_mirrors()
    assert mirror().status == "failed"
    assert mirror().problem
    tracker.broken = []
    retry_mirror(as_(MANAGER), written)
    sync_mirrors()
    assert mirror().status == "synced"


def test_only_where_an_admin_allows_it_and_only_by_whoever_may_change_the_ticket(tracker: IssueTracker) -> None:
    written, shop = ticket(), Resource.objects.get().pk
    with pytest.raises(MayNotWriteError):
        start_mirror(as_(OTHER_MEMBER), written, shop)
    with pytest.raises(FieldError):
        start_mirror(as_(MANAGER), written, 4711)
    Connection.objects.update(settings={"mirror_tickets": "false"})
    with pytest.raises(FieldError):
        start_mirror(as_(EXECUTIVE), written, shop)
    assert "mirror-title" not in signed_in(MANAGER).get(reverse("ticket", args=[written.pk])).content.decode()


def test_the_page_and_the_api_start_and_end_a_mirror(tracker: IssueTracker) -> None:
    written, shop = ticket(), Resource.objects.get().pk
    client, api = signed_in(MANAGER), f"/api/v1/tickets/{ticket(title='Another').pk}/mirror/"
    url = reverse("ticket_mirror", args=[written.pk])
    assert client.post(url, {"action": "start", "resource": shop}).status_code == 302
    assert client.post(url, {"action": "dance"}).status_code == 400
    assert client.post(url, {"action": "end"}).status_code == 302
    got(client, api, 404)
    assert sent(client, "POST", api, {"resource": shop})["status"] == "waiting"
    assert got(client, api)["resource"] == "acme/shop"
    sent(client, "PATCH", api, {"action": "shout"}, 400)
    assert client.delete(api).status_code == 204
