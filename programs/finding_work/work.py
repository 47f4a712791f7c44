"""Starts, ends and reads the work on a finding."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from core.write_errors import FieldError, MayNotWriteError
from insights.findings.deciding import ONLY_LEADERS, begin_work, may_decide, resume_work, return_from_work
from insights.models import Finding
from orgtree.access.access import Access
from programs.models import FindingWork, Objective, Ticket, TicketState


def start_work(access: Access, finding: Finding, work: Ticket | Objective) -> FindingWork:
    """Links a ticket or an objective to a finding, which is *in work* from then on.

    Raises MayNotWriteError, and FieldError if the finding is closed or the work was dropped.
    """
    if not may_decide(finding, access):
        raise MayNotWriteError(ONLY_LEADERS)
    ticket, objective = (work, None) if isinstance(work, Ticket) else (None, work)
    with transaction.atomic():
        # Locked before the finding, in the same order as when work is dropped.
        stored_work = type(work)._default_manager.select_for_update(of=("self",)).get(pk=work.pk)
        if is_dropped(stored_work):
            raise FieldError("ticket" if ticket else "objective", "It was dropped: nobody works on it.")
        begin_work(access, finding)
        before = FindingWork.objects.filter(ticket=ticket, objective=objective).select_related("finding").first()
        stored, _ = FindingWork.objects.update_or_create(
            ticket=ticket, objective=objective, defaults={"finding": finding}
        )
        if before is not None and before.finding_id != finding.pk:
            _leave_where_idle(before.finding)
    return stored


def is_dropped(work: Ticket | Objective) -> bool:
    return work.state == TicketState.DROPPED if isinstance(work, Ticket) else work.dropped_at is not None


def follow_drop(work: Ticket | Objective) -> None:
    """Takes the finding out of work once all work on it is dropped, and back in once a dropped ticket is reopened.

    Runs in the transaction that locked and changed the work; does nothing for work without a finding.
    """
    kind = "ticket" if isinstance(work, Ticket) else "objective"
    finding = Finding.objects.select_for_update(of=("self",)).filter(**{f"work__{kind}": work}).first()
    if finding is None:
        return
    if is_dropped(work):
        _leave_where_idle(finding)
    else:
        resume_work(finding)


def _leave_where_idle(finding: Finding) -> None:
    working = FindingWork.objects.filter(finding=finding).exclude(ticket__state=TicketState.DROPPED)
    if not working.exclude(objective__dropped_at__isnull=False).exists():
        return_from_work(finding)


def work_on(finding: Finding, access: Access) -> Sequence[Ticket | Objective]:
    """The tickets and objectives that address the finding and that the viewer may see."""
    objectives = Objective.objects.within(access.visibility).filter(finding_work__finding=finding)
    tickets = Ticket.objects.within(access.visibility).filter(finding_work__finding=finding)
    return [*objectives.order_by("pk"), *tickets.order_by("pk")]
