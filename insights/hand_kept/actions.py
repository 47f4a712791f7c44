"""The link from a hand-kept metric's page to its values."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from insights.catalogue.declarations import Metric
from insights.query.query import Scope
from insights.ui.offers import Action
from integrations.models.hand_kept import KEY_PREFIX
from orgtree.access.access import Access


def values_of(metric: Metric, scope: Scope, _access: Access) -> Action | None:
    """The page on which values are entered and listed; None for metrics that tools measure."""
    if not metric.is_hand_kept:
        return None
    unit = f"?{urlencode({'unit': scope.unit})}" if scope.unit else ""
    return Action(
        "Values", f"{reverse('hand_kept_values', args=[metric.key.removeprefix(KEY_PREFIX)])}{unit}", "writing"
    )
