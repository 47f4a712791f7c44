"""The figures of a review's points, as far as a reader may see them.

A review is read by more people than its figures: whoever leads the unit sees them as they were, others as the metric's
page would show them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from insights.catalogue.registry import find
from insights.privacy.withhold import is_withheld
from insights.query.enums import BelongsTo
from insights.query.query import Query, Scope, Window
from orgtree.access.access import Access
from programs.models import Review, ReviewPoint


def visible_figures(point: ReviewPoint, review: Review, access: Access) -> Mapping[str, Any]:
    """Empty where the point has none, or they are withheld from this reader."""
    figures: Mapping[str, Any] = point.figures
    if not figures or access.visibility.leads(review.unit_id):
        return figures
    if "metric" not in figures or not access.visibility.can_see(review.unit_id):
        return {}
    metric = find(figures["metric"])
    if metric is None:
        return {}
    if not figures["people"]:  # how many people are behind it was not recorded
        return figures if metric.belongs_to is BelongsTo.OWNER else {}
    window = Window(date.fromisoformat(figures["from"]), date.fromisoformat(figures["to"]))
    query = Query(metric.key, window, scope=Scope(review.unit.slug))
    return {} if is_withheld(query, figures["people"], access) else figures
