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


def ticket_rows(found: QuerySet[Ticket], access: Access) -> Iterator[Sequence[Cell]]:
    """Pull requests stand one a line; objectives and pull requests are those that the reader may see."""
    yield tuple(COLUMNS.values())
    linked_ones = Objective.objects.within(access.sight).filter(pk__in=found.order_by().values("objective"))
    objectives = dict(linked_ones.values_list("pk", "title"))
    visible = visible_pull_requests(access).select_related("repository").order_by("pk")
    linked = Prefetch("pull_requests", queryset=visible)
    for each in found.prefetch_related(linked).iterator(chunk_size=AT_ONCE):
        yield (
            *(each.pk, each.nature, each.title, each.resolution, each.kind, each.unit.slug if each.unit else ""),
            *(access.written(each.owner), each.starts_on, each.due_on),
            *(each.completed_on, each.state, each.dropped_why, each.metric),
            objectives.get(each.objective_id or 0, ""),
            "\n".join(map(name_of, each.pull_requests.all())),
        )
