"""The list of tickets as CSV, in the columns that the import reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from insights.scope_access import access_in
from insights.views.bad_filter import explains_bad_filters
from integrations.services.records.visible import visible_pull_requests
from orgtree.csv_export import Cell, csv_response
from orgtree.services.access import Access
from programs.models import Objective, Ticket
from programs.queries.tickets import filtered, ordered
from programs.services.tickets.csv_import import COLUMNS
from programs.services.tickets.pull_request_names import name_of
from programs.views.tickets.listing import read_asked

AT_ONCE = 1000  # tickets that are held in memory


@login_required
@require_GET
@explains_bad_filters
def tickets_csv(request: HttpRequest) -> HttpResponseBase:
    """What the list is narrowed to, all of its pages."""
    access = access_in(request)
    asked = read_asked(request, access)
    found = filtered(asked.narrowed, access.sight, today=asked.filters.today)
    return csv_response("tickets", _rows(ordered(found, asked.sort, descending=asked.descending), access))


def _rows(found: QuerySet[Ticket], access: Access) -> Iterator[Sequence[Cell]]:
    """Pull requests stand one a line; objectives and pull requests are those that the reader may see."""
    yield tuple(COLUMNS.values())
    linked_ones = Objective.objects.within(access.sight).filter(pk__in=found.order_by().values("objective"))
    objectives = dict(linked_ones.values_list("pk", "title"))
    visible = visible_pull_requests(access).select_related("repository").order_by("pk")
    linked = Prefetch("pull_requests", queryset=visible)
    for each in found.prefetch_related(linked).iterator(chunk_size=AT_ONCE):
        yield (
            *(each.pk, each.nature, each.title, each.resolution, each.kind, each.unit.slug if each.unit else ""),
            *((each.owner.email or each.owner.full_name) if each.owner else "", each.starts_on, each.due_on),
            *(each.completed_on, each.state, each.dropped_why, each.metric),
            objectives.get(each.objective_id or 0, ""),
            "\n".join(map(name_of, each.pull_requests.all())),
        )
