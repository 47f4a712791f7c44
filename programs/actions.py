"""What the program offers on the pages below it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from insights.actions import Action
from insights.metrics.declarations import Metric
from insights.metrics.query import Scope
from orgtree.services.access import Access


def ticket_about(metric: Metric, scope: Scope, access: Access) -> Action | None:
    """A new ticket that is to move the metric, for whoever may file one for these people."""
    sight = access.sight
    may = sight.leads_whole or (scope.unit is not None and sight.slugs.get(scope.unit) in sight.managed_ids)
    if not may:
        return None
    said = {"metric": metric.key, **({"unit": scope.unit} if scope.unit else {})}
    return Action("Make a ticket", f"{reverse('ticket_new')}?{urlencode(said)}", "list-check")
