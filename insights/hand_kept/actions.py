"""The link from a hand-kept metric's page to its values."""

from __future__ import annotations

from django.urls import reverse

from core.page_links import url_with
from insights.catalogue.declarations import Metric
from insights.query.query import Scope
from insights.ui.offers import Action
from integrations.models.hand_kept import KEY_PREFIX
from orgtree.access.access import Access


def values_of(metric: Metric, scope: Scope, _access: Access) -> Action | None:
    """The page on which values are entered and listed; None for metrics that tools measure."""
    if not metric.is_hand_kept:
        return None
    values = reverse("hand_kept_values", args=[metric.key.removeprefix(KEY_PREFIX)])
    return Action("Values", url_with(values, {"unit": scope.unit}), "writing")
