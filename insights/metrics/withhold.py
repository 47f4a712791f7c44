"""What of an answer is withheld from a viewer because it tells of too few people.  PRODUCT.md §9, Minimum group size.

The engine knows nothing of viewers: commands, snapshots and programs read whole answers.  Whatever is shown to
somebody (pages, charts, CSV, API) passes through here, once, in `insights.metrics.visible`.
"""

from __future__ import annotations

from dataclasses import replace

from insights.metrics.distribution import Spread
from insights.metrics.query import Figure, MetricQuery, SeriesAnswer
from insights.metrics.registry import get
from insights.metrics.terms import BelongsTo
from orgtree.services.access import Access


def withheld(answer: SeriesAnswer, access: Access) -> SeriesAnswer:
    """The answer without the figures of fewer people than the viewer may be shown: of windows, buckets and segments.

    Unchanged where the policy names people (as in trial mode), the metric is nobody's own, or the data are the
    viewer's.
    """
    if not withholds(answer.query, access):
        return answer
    total = [_withheld(figure, access) for figure in answer.total]
    return replace(
        answer,
        total=total,
        series=[_withheld(figure, access) for figure in answer.series],
        unmatched=None if any(figure.withheld for figure in total) else answer.unmatched,
    )


def is_withheld(query: MetricQuery, people: int, access: Access) -> bool:
    """Whether a figure of that query to which so many people contribute is withheld from this viewer."""
    return withholds(query, access) and _too_few(people, access)


def withheld_spread(spread: Spread, people: int, access: Access) -> Spread:
    """The distribution, or none of it where it is of fewer than the minimum of `people`."""
    if not is_withheld(spread.query, people, access):
        return spread
    return Spread(spread.query, 0, None, None, None, {}, (), reason(access))


def withholds(query: MetricQuery, access: Access) -> bool:
    """Whether figures of this query are subject to the minimum group size before this viewer."""
    is_own = query.scope.person_id is not None and query.scope.person_id == access.sight.person_id
    return not (is_own or access.shows_small_groups or get(query.key).belongs_to is not BelongsTo.PERSON)


def reason(access: Access) -> str:
    return f"Hidden: fewer than {access.minimum_group_size} people contribute, and it would tell of each of them."


def _withheld(figure: Figure, access: Access) -> Figure:
    if not _too_few(figure.people, access):
        return figure
    return Figure(
        window=figure.window,
        segment=figure.segment,
        value=None,
        numerator=None,
        denominator=None,
        sample_size=0,
        people=0,
        reason=reason(access),
        to_date=figure.to_date,
        withheld=True,
    )


def _too_few(people: int, access: Access) -> bool:
    """Nobody is no group: there is nothing to tell of anybody."""
    return 0 < people < access.minimum_group_size
