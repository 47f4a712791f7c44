"""Additions to pages of insights by the apps above, registered at start-up.

An offer returns None if the viewer has nothing there, or may not use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.hooks import Hook
from insights.catalogue.declarations import Metric
from insights.query.query import Scope
from insights.ui.filters import Filters
from orgtree.access.access import Access


@dataclass(frozen=True)
class Action:
    """A link on a metric's page."""

    label: str
    url: str
    icon: str
    starts_work: bool = False  # work on the metric: an objective, a ticket


@dataclass(frozen=True)
class OfferedSection:
    """A template, its context, and the style sheets that it needs."""

    template: str
    context: Mapping[str, Any]
    style_sheets: tuple[str, ...] = ()


OfferSection = Callable[[Filters], OfferedSection | None]
metric_actions: Hook[Callable[[Metric, Scope, Access], Action | None]] = Hook()
home_sections: Hook[OfferSection] = Hook()
planners: Hook[Callable[[Access], bool]] = Hook()  # whether the viewer plans: their home page begins with forecasts
spend_budgets: Hook[OfferSection] = Hook()  # next to the spend of the AI page, for the page's unit


def actions_on(metric: Metric, scope: Scope, access: Access) -> list[Action]:
    """Offered actions, in the order in which they were registered."""
    return [action for offer in metric_actions if (action := offer(metric, scope, access))]


def sections_of(hook: Hook[OfferSection], filters: Filters) -> list[OfferedSection]:
    """Offered sections, in the order in which they were registered."""
    return [section for offer in hook if (section := offer(filters)) is not None]
