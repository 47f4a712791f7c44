"""Actions on a metric's page: links that upper apps register at start-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.hooks import Hook
from insights.catalogue.declarations import Metric
from insights.query.query import Scope
from orgtree.access.access import Access


@dataclass(frozen=True)
class Action:
    label: str
    url: str
    icon: str


OfferAction = Callable[[Metric, Scope, Access], Action | None]
# Actions of metric pages; one returns None where the viewer may not do it.
metric_actions: Hook[OfferAction] = Hook()


def actions_on(metric: Metric, scope: Scope, access: Access) -> list[Action]:
    """In the order in which they were registered."""
    return [action for offer in metric_actions if (action := offer(metric, scope, access))]
