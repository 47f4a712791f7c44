"""Links from metric pages to the program: create a ticket, set an objective, open the benchmark."""

from __future__ import annotations

from django.urls import reverse

from core.page_links import url_with
from insights.catalogue.declarations import Metric
from insights.query.query import Scope
from insights.ui.offers import Action
from orgtree.access.access import Access
from programs.benchmarks.services.agreements import benchmark_url
from programs.benchmarks.services.fields import can_be_agreed_on


def ticket_about(metric: Metric, scope: Scope, access: Access) -> Action | None:
    """A new ticket for the metric; None where the viewer may not create one for this scope."""
    if not _leads(scope, access):
        return None
    url = url_with(reverse("ticket_new"), {"metric": metric.key, "unit": scope.unit})
    return Action("Create ticket", url, "list-check", starts_work=True)


def objective_about(metric: Metric, scope: Scope, access: Access) -> Action | None:
    """A new objective with the metric as its first key result; None where the viewer may not write one."""
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
