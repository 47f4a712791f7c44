"""Answers as a viewer may see them: allowed scopes only, and nothing of groups that are too small.

Views and the API read figures here and nowhere else (a test holds it); commands and snapshots use
`insights.metrics.read`, which knows nothing of viewers.
"""

from __future__ import annotations

from collections.abc import Sequence

from insights.metrics.distribution import Spread
from insights.metrics.query import MetricQuery, SeriesAnswer
from insights.metrics.read import Freshness, read_distribution, read_series, read_totals
from insights.metrics.withhold import withheld, withheld_spread, withholds
from insights.scope_access import check_scopes
from orgtree.services.access import Access

__all__ = ["Freshness", "visible_distribution", "visible_series", "visible_totals"]


def visible_series(
    queries: Sequence[MetricQuery], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[SeriesAnswer]:
    """As `read_series`, for this viewer.  Raises UnknownUnitError and ScopeNeededError: see insights.scope_access."""
    check_scopes((query.scope for query in queries), access)
    return [withheld(answer, access) for answer in read_series(queries, freshness=freshness)]


def visible_totals(
    queries: Sequence[MetricQuery], access: Access, *, freshness: Freshness = Freshness.AT_ONCE
) -> list[SeriesAnswer]:
    """As `visible_series`, for the whole window alone: `series` is empty."""
    check_scopes((query.scope for query in queries), access)
    return [withheld(answer, access) for answer in read_totals(queries, freshness=freshness)]


def visible_distribution(query: MetricQuery, access: Access) -> Spread:
    """As `read_distribution`, for this viewer."""
    check_scopes([query.scope], access)
    spread = read_distribution(query)
    if not spread.sample_size or not withholds(query, access):
        return spread
    [answer] = read_totals([query])
    return withheld_spread(spread, answer.total[0].people, access)
