"""Tickets as CSV, in the columns that the import reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from django.db.models import Prefetch, QuerySet

from core.csv_export import Cell
from integrations.delivery.records.visible import visible_pull_requests
from orgtree.access.access import Access
from programs.models import Objective, Ticket
from programs.tickets.columns import FILE
from programs.tickets.services.pull_request_names import name_of

AT_ONCE = 1000  # tickets that are held in memory


def ticket_rows(tickets: QuerySet[Ticket], access: Access) -> Iterator[Sequence[Cell]]:
    """Pull requests stand one a line; objectives and pull requests are those that the reader may see."""
    yield list(FILE.labels.values())
    linked_ones = Objective.objects.within(access.visibility).filter(pk__in=tickets.order_by().values("objective"))
    objectives = dict(linked_ones.values_list("pk", "title"))
    visible = visible_pull_requests(access).select_related("repository").order_by("pk")
    linked = Prefetch("pull_requests", queryset=visible)
    special: dict[str, Callable[[Ticket], Cell]] = {
        "number": lambda ticket: ticket.pk,
        "unit": lambda ticket: ticket.unit.slug if ticket.unit else "",
        "owner": lambda ticket: access.written(ticket.owner),
        "objective": lambda ticket: objectives.get(ticket.objective_id or 0, ""),
        "pull_requests": lambda ticket: "\n".join(map(name_of, ticket.pull_requests.all())),
    }
    for ticket in tickets.prefetch_related(linked).iterator(chunk_size=AT_ONCE):
        yield FILE.row(ticket, special)
