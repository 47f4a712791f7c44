"""The links from other pages to the program: actions on a metric's page, and the objectives and tickets that a search
finds.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet
from django.urls import reverse

from core.page_links import url_with
from insights.catalogue.declarations import Metric
from insights.query.query import Scope
from insights.query.windows import local_today
from insights.ui import wording
from insights.ui.offers import Action
from orgtree.access.access import Access
from orgtree.access.search_sources import Hit, closeness, with_all
from programs.benchmarks.services.agreements import benchmark_url
from programs.benchmarks.services.fields import can_be_agreed_on
from programs.models import Experiment, Objective, ObjectiveStatus, Ticket, TicketState
from programs.objectives.queries.objectives import shown_status
from programs.tickets.queries import OPEN_FIRST

WHOLE = "Whole organisation"


def ticket_about(metric: Metric, scope: Scope, access: Access) -> Action | None:
    """A link that creates a ticket for the metric; None if the viewer may not create one for this scope."""
    if not _leads(scope, access):
        return None
    url = url_with(reverse("ticket_new"), {"metric": metric.key, "unit": scope.unit})
    return Action("Create ticket", url, "list-check", starts_work=True)


def objective_about(metric: Metric, scope: Scope, access: Access) -> Action | None:
    """A link that creates an objective with the metric as its first key result; None if the viewer may not
    write one.
    """
    if metric.always_by or scope.person_id is not None or scope.unassigned is not None or not _leads(scope, access):
        return None
    url = url_with(reverse("objective_new"), {"metric": metric.key, "unit": scope.unit})
    return Action("Set an objective", url, "target", starts_work=True)


def benchmark_of(metric: Metric, scope: Scope, access: Access) -> Action | None:
    """The benchmark that applies to the metric in this scope."""
    if scope.person_id is not None or scope.unassigned is not None or not can_be_agreed_on(metric):
        return None
    return Action("Benchmark", benchmark_url(metric.key, scope.unit), "ruler-measure")


def _leads(scope: Scope, access: Access) -> bool:
    """Whether the viewer may write for the unit; for the whole organisation, whether they may for every unit."""
    visibility = access.visibility
    return visibility.leads_whole or (
        scope.unit is not None and visibility.slugs.get(scope.unit) in visibility.managed_ids
    )


def alert_about(metric: Metric, scope: Scope, access: Access) -> Action | None:
    """A link that creates an alert on the metric; only for accounts."""
    if not can_be_agreed_on(metric) or not access.is_of_account or scope.person_id is not None:
        return None
    return Action("Alert me", url_with(reverse("alert_new"), {"metric": metric.key, "unit": scope.unit or ""}), "bell")


def objectives_found(access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    """Objectives whose title or unit matches the words, latest quarters first, with the status that the viewer
    may see.
    """
    seen = Objective.objects.within(access.visibility).filter(with_all(words, "title", "unit__name"))
    in_order: QuerySet[Objective] = seen.order_by(closeness(words, "title"), "-quarter__start", "pk")
    return [
        Hit(
            objective.title,
            reverse("objective", args=[objective.pk]),
            hint=f"{objective.unit.name if objective.unit else WHOLE}, {objective.quarter}",
            note=_status(objective, objective.shown),
            takes="context",
        )
        for objective in in_order.select_related("quarter", "unit").annotate(shown=shown_status(access))[:limit]
    ]


def _status(objective: Objective, shown: str) -> str:
    if objective.dropped_at:
        return "Dropped"
    return ObjectiveStatus(shown).label if objective.published_at else "Draft"


def experiments_found(access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    """Experiments whose hypothesis matches the words, latest first; the verdict is on the experiment's page."""
    seen = Experiment.objects.within(access.visibility).filter(with_all(words, "title"))
    in_order = seen.order_by(closeness(words, "title"), "-starts_on", "pk").select_related("unit")
    today = local_today()
    return [
        Hit(
            one.title,
            reverse("experiment", args=[one.pk]),
            hint=one.unit.name if one.unit else WHOLE,
            note=str(one.state(today).label),
            takes="context",
        )
        for one in in_order[:limit]
    ]


def tickets_found(access: Access, words: Sequence[str], limit: int) -> list[Hit]:
    """Tickets whose title matches the words, open ones first."""
    seen = Ticket.objects.within(access.visibility).filter(with_all(words, "title"))
    in_order = seen.order_by(closeness(words, "title"), OPEN_FIRST, "-due_on", "pk").select_related("unit")
    return [
        Hit(
            ticket.title,
            reverse("ticket", args=[ticket.pk]),
            hint=f"{ticket.get_nature_display()}, {ticket.unit.name if ticket.unit else WHOLE}",
            note=f"Due {wording.day(ticket.due_on)}" if ticket.is_standing else TicketState(ticket.state).label,
            takes="context",
        )
        for ticket in in_order[:limit]
    ]
