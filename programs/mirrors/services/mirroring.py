"""Starts, ends and repairs mirrors of action tickets."""

from __future__ import annotations

from enum import StrEnum

from celery import signature
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.nudges import nudge_on_commit
from core.write_errors import FieldError, MayNotWriteError
from integrations.connectors.base import MIRROR_TICKETS
from integrations.enums import MirrorState, ResourceKind
from integrations.models import Resource
from orgtree.access.access import Access
from programs.models import Ticket, TicketMirror
from programs.tickets.services.writing import apply_remote, may_change

SYNC_MIRRORS = signature("programs.tasks.sync_mirrors")  # by name, to avoid an import cycle
ONLY_LEADERS = "Only the ticket's owner, the managers of its unit, executives and admins can mirror it."


class Side(StrEnum):
    """The side that wins if both have changed."""

    HEADWAY = "headway"
    PROVIDER = "provider"


def mirror_targets() -> QuerySet[Resource]:
    """Synced repositories and projects of connections whose admin allows mirrored tickets, by name."""
    kinds = (ResourceKind.REPOSITORY, ResourceKind.PROJECT)
    connected = Resource.objects.filter(
        connection__removed_at=None, picked=True, gone_at=None, archived=False, kind__in=kinds
    )
    allowed = connected.filter(**{f"connection__settings__{MIRROR_TICKETS}": "true"})
    return allowed.select_related("connection").order_by("name", "pk")


def start_mirror(access: Access, ticket: Ticket, resource: int) -> TicketMirror:
    """Mirrors the ticket to that repository; one already mirrored there stays as it is.

    Raises FieldError, MayNotWriteError.
    """
    account = _check(access, ticket)
    target = mirror_targets().filter(pk=resource).first()
    if target is None:
        raise FieldError("resource", "Choose a repository or project whose connection lets action tickets be mirrored.")
    with transaction.atomic():
        Ticket.objects.select_for_update().get(pk=ticket.pk)
        mirror = TicketMirror.objects.filter(ticket=ticket).first()
        if mirror is not None and mirror.resource_id != target.pk:
            raise FieldError("resource", f"It is mirrored to {mirror} already: end that first.")
        if mirror is None:
            mirror = TicketMirror.objects.create(ticket=ticket, resource=target, requested_by=account)
            nudge_on_commit(SYNC_MIRRORS)
    return mirror


def end_mirror(access: Access, ticket: Ticket) -> None:
    """Ends the mirror; the issue stays as it is."""
    _check(access, ticket)
    TicketMirror.objects.filter(ticket=ticket).delete()


def retry_mirror(access: Access, ticket: Ticket) -> None:
    """Sends the ticket again after a failure."""
    _check(access, ticket)
    failed = TicketMirror.objects.filter(ticket=ticket, status=TicketMirror.Status.FAILED)
    with transaction.atomic():
        failed.update(status=TicketMirror.Status.WAITING, failures=0, next_try_at=timezone.now())
        nudge_on_commit(SYNC_MIRRORS)


def resolve_difference(access: Access, ticket: Ticket, side: Side) -> None:
    """Resolves a conflict with this side's state and due date; does nothing if the sides agree."""
    _check(access, ticket)
    with transaction.atomic():
        mirror = TicketMirror.objects.select_for_update().filter(ticket=ticket, status=TicketMirror.Status.DIFFERS)
        for differing in mirror:
            if side is Side.PROVIDER:
                changed = apply_remote(
                    ticket, MirrorState(differing.remote_state), differing.remote_due_on, where=str(differing)
                )
                differing.status, differing.sent_version = TicketMirror.Status.SYNCED, changed.version
            else:
                differing.status, differing.next_try_at = TicketMirror.Status.WAITING, timezone.now()
            differing.agreed_state, differing.agreed_due_on = differing.remote_state, differing.remote_due_on
            differing.save()
        nudge_on_commit(SYNC_MIRRORS)


def _check(access: Access, ticket: Ticket) -> User:
    if not isinstance(access.viewer, User) or not may_change(access.visibility, ticket):
        raise MayNotWriteError(ONLY_LEADERS)
    return access.viewer
