"""Keeps tickets and their issues in step.

Issues are read from the work items that the connection's webhook and sync store; they are not asked for here.  An item
counts once the provider changed it after what was last sent, so that an answer on its way undoes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone

from core.locks import Lock
from core.queue import Backoff, run_all
from integrations.connectors.base import MirrorDraft, MirroredItem
from integrations.connectors.errors import ConnectorError, TransientError
from integrations.delivery.mappings.defaults import default_ending
from integrations.enums import Ending, MirrorState, StatusCategory
from integrations.models import WorkItem
from integrations.sync.budgets import BudgetBook
from integrations.sync.clients import client_of, connector_of, fetched
from programs.mirrors.services.mirroring import STATE_OF
from programs.models import Ticket, TicketMirror
from programs.tickets.services.writing import apply_state

Status = TicketMirror.Status
MIRROR = Lock("mirror of a ticket")
BACKOFF = Backoff(first=timedelta(seconds=30), longest=timedelta(hours=1))
AT_ONCE = 100
GONE = "The issue is gone, or moved to another repository."
GONE_REMEDY = "End the mirror, or mirror the ticket again."


def sync_mirrors() -> None:
    """Take what changed at the providers, then send what changed here."""
    for mirror, item in _changed_items():
        _take(mirror, item)
    run_all(_to_send(), _send)


def _changed_items() -> Iterator[tuple[TicketMirror, WorkItem]]:
    """Mirrors whose issue the provider changed since, or deleted, with it."""
    issue = WorkItem.objects.filter(connection=OuterRef("resource__connection"), external_id=OuterRef("external_id"))
    mirrors = TicketMirror.objects.exclude(external_id="").annotate(
        issue=Subquery(issue.values("pk")[:1]),
        issue_updated_at=Subquery(issue.values("updated_at")[:1]),
        issue_deleted_at=Subquery(issue.values("deleted_at")[:1]),
    )
    is_gone = Q(issue_deleted_at__isnull=False) & ~Q(status=Status.FAILED)
    changed = {
        mirror.issue: mirror for mirror in mirrors.filter(Q(issue_updated_at__gt=F("remote_updated_at")) | is_gone)
    }
    for item in WorkItem.objects.filter(pk__in=changed):
        yield changed[item.pk], item


@transaction.atomic
def _take(listed: TicketMirror, item: WorkItem) -> None:
    """What the provider says of the issue; a ticket that changed meanwhile to another state differs."""
    ticket = Ticket.objects.select_for_update().get(pk=listed.ticket_id)
    mirror = TicketMirror.objects.select_for_update(of=("self",)).select_related("resource").get(pk=listed.pk)
    if item.deleted_at is not None:
        mirror.status, mirror.problem, mirror.remedy = Status.FAILED, GONE, GONE_REMEDY
        mirror.save()
        return
    remote, local = _state_of(item), STATE_OF[ticket.state]
    mirror.remote_state, mirror.remote_updated_at = remote, item.updated_at
    if remote == local:
        mirror.agreed_state, mirror.status = remote, Status.SYNCED
    elif local == mirror.agreed_state:
        changed = apply_state(ticket, remote, where=str(mirror))
        mirror.agreed_state, mirror.status = remote, Status.SYNCED
        if mirror.sent_version == ticket.version:
            mirror.sent_version = changed.version
    elif remote != mirror.agreed_state:
        mirror.status = Status.DIFFERS
    mirror.save()


def _state_of(item: WorkItem) -> MirrorState:
    if item.status_category != StatusCategory.DONE:
        return MirrorState.OPEN
    ended = default_ending(item.resolution or item.native_status)
    return MirrorState.DROPPED if ended is Ending.DROPPED else MirrorState.DONE


def _to_send() -> list[TicketMirror]:
    waiting = Q(status=Status.WAITING) | Q(status=Status.SYNCED, ticket__version__gt=F("sent_version"))
    due = TicketMirror.objects.filter(waiting, next_try_at__lte=timezone.now())
    return list(due.order_by("next_try_at", "pk")[:AT_ONCE])


def _send(listed: TicketMirror) -> None:
    """Outside of a transaction: the provider may take its time.  Raises BusyError."""
    with MIRROR.alone(listed.pk):
        mirror = TicketMirror.objects.select_related("ticket", "resource__connection").filter(pk=listed.pk).first()
        if mirror is None:
            return
        try:
            item = _written(mirror)
        except ConnectorError as problem:
            _note_failure(mirror, problem)
        else:
            TicketMirror.objects.filter(pk=mirror.pk).update(
                external_id=item.external_id,
                key=item.key,
                url=item.url,
                status=Status.SYNCED,
                agreed_state=item.state,
                remote_state=item.state,
                remote_updated_at=item.updated_at,
                sent_version=mirror.ticket.version,
                problem="",
                remedy="",
                failures=0,
            )


def _written(mirror: TicketMirror) -> MirroredItem:
    """Raises ConnectorError."""
    ticket, connection = mirror.ticket, mirror.resource.connection
    address = f"{settings.BASE_URL.rstrip('/')}{reverse('ticket', args=[ticket.pk])}"
    draft = MirrorDraft(
        title=ticket.title,
        body=ticket.resolution,
        marker=f"Action ticket in Headway: {address}",
        state=STATE_OF[ticket.state],
    )
    budgets = BudgetBook(connection, reserve=0)
    try:
        connector = connector_of(connection)
        with client_of(connector, budgets) as http:
            return connector.write_mirror(http, fetched(mirror.resource), draft, mirror.key)
    finally:
        budgets.save()


def _note_failure(mirror: TicketMirror, problem: ConnectorError) -> None:
    """What passes by itself is tried again; the rest waits for somebody to act."""
    passes = isinstance(problem, TransientError)
    retry_at = problem.retry_at if isinstance(problem, TransientError) else None
    TicketMirror.objects.filter(pk=mirror.pk).update(
        status=mirror.status if passes else Status.FAILED,
        problem=problem.problem,
        remedy=problem.what_to_do,
        failures=mirror.failures + 1,
        next_try_at=retry_at or timezone.now() + BACKOFF.wait(mirror.failures),
    )
