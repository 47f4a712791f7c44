"""Keeps tickets and their issues in step.

Issues are read from the work items that the connection's webhook and sync store; nothing is fetched here.  An item
counts once the provider has changed it after our last write, so that a response in flight undoes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone

from core.locks import Lock
from core.queue import Backoff, run_all
from integrations.connectors.base import MirrorDraft, MirroredItem
from integrations.connectors.drafts import Who
from integrations.connectors.errors import ConnectorError, TransientError
from integrations.delivery.mappings.defaults import default_ending
from integrations.enums import Ending, MirrorState, StatusCategory
from integrations.models import WorkItem
from integrations.sync.clients import fetched, open_client
from orgtree.models import Identity, IdentityKind
from programs.models import Ticket, TicketMirror
from programs.tickets.services.writing import STATE_OF, apply_remote

Value = TypeVar("Value")
Status = TicketMirror.Status
MIRROR = Lock("mirror of a ticket")
BACKOFF = Backoff(first=timedelta(seconds=30), longest=timedelta(hours=1))
AT_ONCE = 100
GONE = "The issue was deleted, or moved to a place that this connection does not read."
GONE_REMEDY = "End the mirror, or mirror the ticket again."


def sync_mirrors() -> None:
    """Applies changes made at the providers, then sends changes made here."""
    for mirror, item in _changed_items():
        _take(mirror, item)
    run_all(_to_send(), _send)


def _changed_items() -> Iterator[tuple[TicketMirror, WorkItem]]:
    """Mirrors whose issue the provider has changed or deleted since the last sync, with that issue."""
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
    """Applies the provider's state of the issue; if both sides changed differently, marks the conflict."""
    ticket = Ticket.objects.select_for_update().get(pk=listed.ticket_id)
    mirror = TicketMirror.objects.select_for_update(of=("self",)).select_related("resource").get(pk=listed.pk)
    if item.deleted_at is not None:
        mirror.status, mirror.problem, mirror.remedy = Status.FAILED, GONE, GONE_REMEDY
        mirror.save()
        return
    state = Comparison(_state_of(item), STATE_OF[ticket.state], MirrorState(mirror.agreed_state))
    due_on = Comparison(item.due_on or mirror.agreed_due_on, ticket.due_on, mirror.agreed_due_on)
    mirror.remote_state, mirror.remote_due_on, mirror.remote_updated_at = state.remote, due_on.remote, item.updated_at
    if state.differs or due_on.differs:
        mirror.status = Status.DIFFERS
    elif not (state.is_unsent or due_on.is_unsent):
        mirror.status = Status.SYNCED
    elif mirror.status == Status.DIFFERS:
        mirror.status = Status.WAITING
    if mirror.status != Status.DIFFERS and (state.is_news or due_on.is_news):
        new_state = state.remote if state.is_news else state.local
        changed = apply_remote(ticket, new_state, due_on.remote if due_on.is_news else None, where=str(mirror))
        if mirror.sent_version == ticket.version:
            mirror.sent_version = changed.version
    if mirror.status != Status.DIFFERS:
        mirror.agreed_state, mirror.agreed_due_on = state.agreement, due_on.agreement
    mirror.save()


@dataclass(frozen=True, slots=True)
class Comparison(Generic[Value]):
    """The value that each side has, and the last one that both had.

    A tracker without due dates never has one, so the ticket's due date is no difference.
    """

    remote: Value
    local: Value
    agreed: Value

    @property
    def is_news(self) -> bool:
        return self.remote != self.agreed and self.local == self.agreed

    @property
    def is_unsent(self) -> bool:
        return self.agreed is not None and self.remote == self.agreed and self.local != self.agreed

    @property
    def differs(self) -> bool:
        return self.agreed not in (self.remote, self.local) and self.remote != self.local

    @property
    def agreement(self) -> Value:
        return self.remote if self.is_news or self.remote == self.local else self.agreed


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
    """Sends the ticket, outside of a transaction because the provider may be slow.  Raises BusyError."""
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
                agreed_due_on=item.due_on,
                remote_due_on=item.due_on,
                remote_updated_at=item.updated_at,
                sent_version=mirror.ticket.version,
                problem="",
                remedy="",
                failures=0,
            )


def _written(mirror: TicketMirror) -> MirroredItem:
    """Writes the ticket to its mirror.  Raises ConnectorError."""
    ticket, connection = mirror.ticket, mirror.resource.connection
    address = f"{settings.BASE_URL.rstrip('/')}{reverse('ticket', args=[ticket.pk])}"
    draft = MirrorDraft(
        title=ticket.title,
        body=ticket.resolution,
        marker=f"Action ticket in Headway: {address}",
        state=STATE_OF[ticket.state],
        label=f"headway-ticket-{ticket.pk}",
        due_on=ticket.due_on,
        owner=_owner(ticket, connection.provider),
    )
    with open_client(connection, reserve=0) as (connector, http):
        return connector.write_mirror(http, fetched(mirror.resource), draft, mirror.key)


def _owner(ticket: Ticket, provider: str) -> Who | None:
    """The ticket's owner, with the identities that the provider may know; None without an owner."""
    if ticket.owner_id is None:
        return None
    names = {
        identity.kind: identity.value
        for identity in Identity.objects.filter(person=ticket.owner_id, provider__in=("", provider)).order_by("pk")
    }
    return Who(
        login=names.get(IdentityKind.LOGIN, ""),
        email=names.get(IdentityKind.EMAIL, ""),
        account=names.get(IdentityKind.INSTALLATION, ""),
    )


def _note_failure(mirror: TicketMirror, problem: ConnectorError) -> None:
    """Records a failure: transient ones are retried, others wait for somebody to act."""
    passes = isinstance(problem, TransientError)
    retry_at = problem.retry_at if isinstance(problem, TransientError) else None
    TicketMirror.objects.filter(pk=mirror.pk).update(
        status=mirror.status if passes else Status.FAILED,
        problem=problem.problem,
        remedy=problem.what_to_do,
        failures=mirror.failures + 1,
        next_try_at=retry_at or timezone.now() + BACKOFF.wait(mirror.failures),
    )
