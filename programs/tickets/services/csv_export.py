"""Tickets as CSV, in the columns that the import reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import Prefetch, QuerySet

from core.csv_export import Cell
from integrations.delivery.records.visible import visible_pull_requests
from orgtree.access.access import Access
from programs.models import Objective, Ticket
from programs.tickets.services.csv_import import COLUMNS
from programs.tickets.services.pull_request_names import name_of

AT_ONCE = 1000  # tickets that are held in memory


def ticket_rows(tickets: QuerySet[Ticket], access: Access) -> Iterator[Sequence[Cell]]:
    """Pull requests stand one a line; objectives and pull requests are those that the reader may see."""
    yield tuple(COLUMNS.values())
    linked_ones = Objective.objects.within(access.visibility).filter(pk__in=tickets.order_by().values("objective"))
    objectives = dict(linked_ones.values_list("pk", "title"))
    visible = visible_pull_requests(access).select_related("repository").order_by("pk")
    linked = Prefetch("pull_requests", queryset=visible)
    for ticket in tickets.prefetch_related(linked).iterator(chunk_size=AT_ONCE):
        yield (
            *(
                ticket.pk,
                ticket.nature,
                ticket.title,
                ticket.resolution,
                ticket.kind,
                ticket.unit.slug if ticket.unit else "",
            ),
            *(access.written(ticket.owner), ticket.starts_on, ticket.due_on),
            *(ticket.completed_on, ticket.state, ticket.dropped_why, ticket.metric),
            objectives.get(ticket.objective_id or 0, ""),
            "\n".join(map(name_of, ticket.pull_requests.all())),
        )
