"""Starts the work on a finding, and reads what works on it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from core.write_errors import MayNotWriteError
from insights.findings.deciding import ONLY_LEADERS, begin_work, may_decide
from insights.models import Finding
from orgtree.access.access import Access
from programs.models import FindingWork, Objective, Ticket


def start_work(access: Access, finding: Finding, work: Ticket | Objective) -> FindingWork:
    """Let a ticket or an objective work on a finding, which is *in work* from then on.

    Raises MayNotWriteError, and FieldError where the finding is closed.
    """
    if not may_decide(finding, access):
        raise MayNotWriteError(ONLY_LEADERS)
    ticket, objective = (work, None) if isinstance(work, Ticket) else (None, work)
    with transaction.atomic():
        begin_work(access, finding)
        stored, _ = FindingWork.objects.update_or_create(
            ticket=ticket, objective=objective, defaults={"finding": finding}
        )
    return stored


def work_on(finding: Finding, access: Access) -> Sequence[Ticket | Objective]:
    """The tickets and objectives that work on the finding, as far as the viewer may see them."""
    objectives = Objective.objects.within(access.visibility).filter(finding_work__finding=finding)
    tickets = Ticket.objects.within(access.visibility).filter(finding_work__finding=finding)
    return [*objectives.order_by("pk"), *tickets.order_by("pk")]
