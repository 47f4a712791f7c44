"""The link from a chart to the form of a note."""

from __future__ import annotations

from urllib.parse import urlencode

from insights.annotations.writing import may_annotate
from insights.ui.addresses import address
from insights.ui.filters import Filters


def note_url(filters: Filters, key: str) -> str:
    """The URL of the form for a note on a metric's chart; empty if the viewer may not, or without a unit."""
    scope = filters.scope
    if scope.person_id is not None or scope.unassigned is not None or not may_annotate(filters.access, scope.unit):
        return ""
    params = {"about": key, **({"unit": scope.unit} if scope.unit else {})}
    return f"{address('annotation_new')}?{urlencode(params)}"
