"""What of an answer is withheld from a viewer because it tells of too few people.  docs/access.md.

The engine knows nothing of viewers: commands, the record of figures and programs read whole answers.  Whatever is
shown to somebody (pages, charts, CSV, API) passes through here, once, in `insights.privacy.visible`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from insights.catalogue.declarations import Count, Metric, Ratio
from insights.catalogue.registry import get, metrics
from insights.engine.distribution import Bin, Spread
from insights.engine.read import unconfirmed_in
from insights.engine.unconfirmed import unconfirmed
from insights.query.query import Dimension, Figure, MetricQuery, SeriesAnswer
from insights.query.terms import BelongsTo
from orgtree.access.access import Access

UNKNOWN_PEOPLE = (
    "People whom telemetry alone names do not count: an import of people, an account or a connected repository makes "
    "them known."
)
LEAST_STEP = 5  # to which numbers are rounded
AI_DIMENSIONS = frozenset({Dimension.AGENT, Dimension.MODEL, Dimension.ASSISTANCE})


def withheld(
    answer: SeriesAnswer, access: Access, numerator: SeriesAnswer | None = None, unit_id: int | None = None
) -> SeriesAnswer:
    """The answer without the figures of fewer people than the viewer may be shown: of windows, buckets and segments.

    Unchanged where the policy names people (as in trial mode), the metric is nobody's own, or the data are the
    viewer's.  `numerator` answers `numerator_query`: a quotient goes where few people make what stands above the line.
    `unit_id` says of which unit it is where that is not the query's own.
    """
    if not withholds(answer.query, access, unit_id):
        return answer
    of_few = (
        {
            (figure.window, *sorted(figure.segment.items()))
            for figure in (*numerator.total, *numerator.series)
            if _too_few(figure.people, access, figure.unconfirmed)
        }
        if numerator
        else set()
    )

    def shown(figure: Figure) -> Figure:
        told = (figure.window, *sorted(figure.segment.items())) in of_few
        return _hidden(figure, access) if told or _too_few(figure.people, access, figure.unconfirmed) else figure

    total = [shown(figure) for figure in answer.total]
    return replace(
        answer,
        total=total,
        series=[shown(figure) for figure in answer.series],
        unmatched=None if any(figure.withheld for figure in total) else answer.unmatched,
    )


def known_people(figure: Figure) -> int:
    """Of how many people it is, for who keeps it: at least one where nobody is known, who is somebody all the same."""
    return max(1, figure.people - figure.unconfirmed) if figure.people else 0


def is_withheld(query: MetricQuery, people: int, access: Access) -> bool:
    """Whether a figure of that query to which so many people contribute is withheld from this viewer."""
    if not withholds(query, access):
        return False
    return _too_few(people, access) or _too_few(people, access, unconfirmed_in(query, unconfirmed_for(access)))


def is_of_few(query: MetricQuery, known: int, access: Access) -> bool:
    """As `is_withheld` of what was computed before, with the people whom something beside telemetry knew then."""
    return withholds(query, access) and _too_few(known, access)


def tells_of_few(then: int, now: int, access: Access) -> bool:
    """Whether a figure of before and one of today, of so many known people, tell of few where they stand side by side:
    who sees both subtracts one from the other."""
    return any(0 < people < access.minimum_group_size for people in (then, abs(now - then)))


def unconfirmed_for(access: Access) -> Sequence[int]:
    """Who is no part of any group before this viewer, whom nothing but telemetry names."""
    return () if access.shows_small_groups else unconfirmed(access.people_version)


def withheld_spread(spread: Spread, people: int, access: Access) -> Spread:
    """The distribution as this viewer may see it: none of fewer than the minimum of `people`, and no single fact.

    The greatest value of an AI metric is one commit's or session's own: who knows the commit would know the author.
    """
    if is_withheld(spread.query, people, access):
        return Spread(spread.query, 0, None, None, None, {}, (), reason(access))
    is_exact = is_of_delivery(get(spread.query.key)) or not withholds(spread.query, access)
    return spread if is_exact or not spread.histogram else _without_single_facts(spread)


def _without_single_facts(spread: Spread) -> Spread:
    """With borders that are round numbers, of the size of a bin's width; the greatest has one digit."""
    first, *_, last = spread.histogram
    step = 10 ** math.floor(math.log10(first.end - first.start)) if first.end > first.start else 1.0

    def shown(border: float) -> float:
        return rounded(border) if border == last.end else round(border / step) * step

    return replace(
        spread,
        minimum=shown(first.start),
        maximum=shown(last.end),
        percentiles={name: shown(value) for name, value in spread.percentiles.items()},
        histogram=[Bin(shown(each.start), shown(each.end), each.count) for each in spread.histogram],
    )


def rounded(value: float) -> float:
    """To one significant digit, and to fives below ten: no count by which somebody could be known again.

    >>> [rounded(value) for value in (0, 2, 3, 12, 4_213, 0.4, -7)]
    [0.0, 0.0, 5.0, 10.0, 4000.0, 0.0, -5.0]
    """
    step = max(LEAST_STEP, 10 ** math.floor(math.log10(abs(value)))) if value else LEAST_STEP
    return round(value / step) * float(step)


def withholds(query: MetricQuery, access: Access, unit_id: int | None = None) -> bool:
    """Whether figures of this query are subject to the minimum group size before this viewer.

    Members and managers of a unit see how it delivers, however small it is: its own tools show them as much.  That is
    the unit as a whole: a filter may leave one person of it, and with a word of AI the tools show less.
    """
    is_own = query.scope.person_id is not None and query.scope.person_id == access.sight.person_id
    if is_own or access.shows_small_groups or get(query.key).belongs_to is not BelongsTo.PERSON:
        return False
    own_units = access.sight.slugs
    is_of_own_unit = query.scope.unit in own_units if unit_id is None else unit_id in own_units.values()
    is_narrowed = bool(query.scope.where or query.facets)
    return is_narrowed or not (is_of_own_unit and is_of_delivery(get(query.key)) and not names_ai(query))


def is_of_delivery(metric: Metric) -> bool:
    """Whether it is computed from what the tools that it comes from show to everybody."""
    return all(measure.relation.open_as_in_tools for measure in metric.measures)


def names_ai(query: MetricQuery) -> bool:
    """Whether it is split or filtered by what agents did, which makes it a question of an AI metric."""
    return not AI_DIMENSIONS.isdisjoint({*query.segments, *query.facets})


def reason(access: Access) -> str:
    few = f"Hidden: fewer than {access.minimum_group_size} people contribute, and it would tell of each of them."
    return f"{few} {UNKNOWN_PEOPLE}" if unconfirmed_for(access) else few


def numerator_query(query: MetricQuery, access: Access) -> MetricQuery | None:
    """The same question to the metric that is this one's numerator; None where there is none, or nothing is withheld.

    One person's AI lines stay theirs when they are given as a share of everybody's lines.
    """
    return numerator_of(query) if withholds(query, access) else None


def numerator_of(query: MetricQuery) -> MetricQuery | None:
    """As `numerator_query`, whoever looks."""
    metric = get(query.key)
    if not isinstance(metric, Ratio):
        return None
    segments = query.segments or metric.always_by
    for each in metrics():
        alone = isinstance(each, Count) and each.out_of is None and each.of == metric.numerator
        if alone and {*segments} <= {*each.segments} and {*query.facets} <= {*each.facets}:
            return replace(query, key=each.key, segments=segments, statistic=None)
    return None


def _hidden(figure: Figure, access: Access) -> Figure:
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


def _too_few(people: int, access: Access, unconfirmed: int = 0) -> bool:
    """Whom nothing but telemetry names is no part of a group.  Nobody is none: there is nothing to tell of anybody."""
    return people > 0 and people - unconfirmed < access.minimum_group_size
