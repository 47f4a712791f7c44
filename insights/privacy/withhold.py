"""Withholds values to which too few people contribute.  docs/access.md.

The engine knows nothing about viewers: commands, figure records and programs read complete answers.  Everything shown
to a viewer (pages, charts, CSV, API) passes through here, once, in `insights.privacy.visible`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from insights.catalogue.declarations import Count, Metric, Ratio
from insights.catalogue.registry import get, metrics
from insights.engine.contributors import PeopleQuery, people_of, unconfirmed
from insights.engine.distribution import Bin, DistributionAnswer
from insights.engine.read import read_together
from insights.privacy.suppression import WHOLE, Hidden, Key, Minimum, Rule
from insights.query.enums import BelongsTo
from insights.query.query import Answer, Dimension, MetricValue, Query, Window
from orgtree.access.access import Access

UNKNOWN_PEOPLE = (
    "People named by telemetry alone do not count until an import of people, an account or a connected repository "
    "confirms them."
)
DIFFERENCE = "Hidden: together with other visible figures, it would reveal a group of few people."
LEAST_STEP = 5  # smallest rounding step
AI_DIMENSIONS = frozenset({Dimension.AGENT, Dimension.MODEL, Dimension.ASSISTANCE})


def withheld(answer: Answer, access: Access, hidden: Hidden, unit_id: int | None = None) -> Answer:
    """The answer without the `hidden` values.

    Unchanged if the policy names people (as in trial mode), the metric belongs to owners, or the data are the viewer's
    own.  `unit_id` is the unit of the answer if it is not the query's own.
    """
    if not withholds(answer.query, access, unit_id):
        return answer

    if WHOLE in hidden:
        return _hidden_whole(answer, access)

    def shown(figure: MetricValue) -> MetricValue:
        key = key_of(figure)
        if key not in hidden:
            return figure
        why = reason(access) if hidden[key] is Rule.PRIMARY else DIFFERENCE
        return MetricValue(figure.window, figure.segment, reason=why, to_date=figure.to_date, withheld=True)

    total = [shown(figure) for figure in answer.total]
    return replace(
        answer,
        total=total,
        series=[shown(figure) for figure in answer.series],
        unmatched=None if any(figure.withheld for figure in total) else answer.unmatched,
    )


def withheld_by_number(answer: Answer, access: Access, *, whole: bool = False) -> Answer:
    """The answer without figures of few people, for metrics of teams only, even if the policy names people.

    With `whole`, the entire answer is withheld, so that others cannot be computed from it.
    """
    if not (access.shows_small_groups and get(answer.query.key).of_teams_only):
        return answer
    if whole or any(too_few(figure.people, 0, access) for figure in answer.total):
        return _hidden_whole(answer, access)
    series = [_hidden(figure, access) if too_few(figure.people, 0, access) else figure for figure in answer.series]
    return replace(answer, series=series)


def _hidden(figure: MetricValue, access: Access) -> MetricValue:
    return MetricValue(figure.window, figure.segment, reason=reason(access), to_date=figure.to_date, withheld=True)


def few_beside(position: int, by_unit: Mapping[int, Sequence[Answer]], access: Access) -> Collection[int]:
    """The units, among those shown together, whose figures of teams only are withheld although the policy names people.

    These are the units of few people, and the smallest others until the withheld units have enough people together:
    otherwise the few could be computed from the unit above.
    """
    people = {
        unit: max((figure.people for figure in answers[position].total), default=0)
        for unit, answers in by_unit.items()
        if access.shows_small_groups and get(answers[position].query.key).of_teams_only
    }
    return _few_and_beside(people, 0, access)


def _few_and_beside(people: Mapping[int, int], unconfirmed: int, access: Access) -> Collection[int]:
    hidden = {unit: number for unit, number in people.items() if too_few(number, unconfirmed, access)}
    others = sorted((number, unit) for unit, number in people.items() if number and unit not in hidden)
    for number, unit in others:
        if not 0 < sum(hidden.values()) < access.minimum_group_size:
            break
        hidden[unit] = number
    return hidden


def without_few_in_buckets(
    position: int, by_unit: Mapping[int, Sequence[Answer]], access: Access
) -> Mapping[int, Answer]:
    """One query's answers of units shown together, without buckets of few people.

    If a total is withheld, so is every bucket.  In each bucket, the smallest units are withheld together with the few,
    until the withheld units have enough people together.
    """
    answers = {unit: of_unit[position] for unit, of_unit in by_unit.items()}
    protected = {unit: answer for unit, answer in answers.items() if withholds(answer.query, access, unit)}
    if not protected:
        return answers
    query = next(iter(protected.values())).query
    unconfirmed = 0 if is_of_delivery(get(query.key)) else _unconfirmed_in(query, access)
    people: dict[Window, dict[int, int]] = defaultdict(dict)
    for unit, answer in protected.items():
        for figure in answer.series:
            people[figure.window][unit] = max(figure.people, people[figure.window].get(unit, 0))
    hidden = {window: _few_and_beside(of_units, unconfirmed, access) for window, of_units in people.items()}

    def shown(unit: int, answer: Answer) -> Answer:
        if any(figure.withheld for figure in answer.total):
            return _hidden_whole(answer, access)
        return replace(
            answer, series=[_hidden(one, access) if unit in hidden[one.window] else one for one in answer.series]
        )

    return {unit: shown(unit, answer) if unit in protected else answer for unit, answer in answers.items()}


def _hidden_whole(answer: Answer, access: Access) -> Answer:
    """The answer with one hidden value for the window and for each bucket: the same for nobody as for few people."""

    def hidden(figures: Sequence[MetricValue]) -> Sequence[MetricValue]:
        found = {figure.window: figure.to_date for figure in figures}
        return [
            MetricValue(window, {}, reason=reason(access), to_date=to_date, withheld=True)
            for window, to_date in found.items()
        ]

    return replace(answer, total=hidden(answer.total), series=hidden(answer.series), unmatched=None)


def key_of(figure: MetricValue) -> Key:
    """The figure's window and segment, by the names of values in the order in which the query has the dimensions."""
    return figure.window, tuple(figure.segment.values())


def minimum_of(access: Access) -> Minimum:
    return Minimum(access.minimum_group_size, people_of(unconfirmed_for(access)))


def minimum_for(query: Query, minimum: Minimum) -> Minimum:
    """The minimum for the query; in figures without telemetry, everybody counts."""
    return Minimum(minimum.people) if is_of_delivery(get(query.key)) else minimum


def too_few(people: int, unconfirmed: int, access: Access) -> bool:
    """Whether a group is too small to show.  Unconfirmed people do not count; an empty group needs no protection."""
    return people > 0 and people - max(0, unconfirmed) < access.minimum_group_size


def is_withheld(query: Query, people: int, access: Access) -> bool:
    """Whether a value of that query with `people` contributors is withheld from this viewer."""
    if not withholds(query, access):
        return False
    return too_few(people, 0, access) or too_few(people, _unconfirmed_in(query, access), access)


def _unconfirmed_in(query: Query, access: Access) -> int:
    """The number of unconfirmed people who contribute in the query's window: an upper bound for any group in it."""
    unconfirmed = minimum_of(access).unconfirmed
    if not unconfirmed:
        return 0
    whole = replace(query, segments=(), statistic=None)
    [contributors] = read_together(people=[PeopleQuery(whole, of_buckets=False)]).people
    sets = (people for by_place in contributors.people_in(query.window) for people in by_place.values())
    return max(((people & unconfirmed).bit_count() for people in sets), default=0)


def is_of_few(query: Query, known: int, access: Access) -> bool:
    """`is_withheld` for a stored value with the number of people confirmed at that time."""
    return withholds(query, access) and too_few(known, 0, access)


def reveals_few_people(then: int, now: int, access: Access) -> bool:
    """Whether a stored value and today's, with these numbers of confirmed people, reveal few people when shown side by
    side: the difference can be computed from both."""
    return any(0 < people < access.minimum_group_size for people in (then, abs(now - then)))


def unconfirmed_for(access: Access) -> Sequence[int]:
    """The people who count in no group for this viewer, because they are known from telemetry alone."""
    return () if access.shows_small_groups else unconfirmed(access.organisation.people_version)


def withheld_distribution(spread: DistributionAnswer, total: MetricValue, access: Access) -> DistributionAnswer:
    """The distribution as this viewer may see it: withheld if its `total` is, and without single facts.

    The maximum of an AI metric belongs to one commit or session: anyone who knows the commit would know the author.
    """
    if total.withheld:
        return DistributionAnswer(spread.query, 0, None, None, None, {}, (), total.reason)
    is_exact = is_of_delivery(get(spread.query.key)) or not withholds(spread.query, access)
    return spread if is_exact or not spread.histogram else _without_single_facts(spread)


def _without_single_facts(spread: DistributionAnswer) -> DistributionAnswer:
    """The distribution with borders rounded to the magnitude of a bin's width; the maximum has one digit."""
    first, last = spread.histogram[0], spread.histogram[-1]
    step = 10 ** math.floor(math.log10(first.end - first.start)) if first.end > first.start else 1.0

    def shown(border: float) -> float:
        return rounded(border) if border == last.end else round(border / step) * step

    return replace(
        spread,
        minimum=shown(first.start),
        maximum=shown(last.end),
        percentiles={name: shown(value) for name, value in spread.percentiles.items()},
        histogram=[Bin(shown(bin_.start), shown(bin_.end), bin_.count) for bin_ in spread.histogram],
    )


def rounded(value: float) -> float:
    """Rounded to one significant digit, and to fives below ten, so that nobody can be re-identified by a count.

    >>> [rounded(value) for value in (0, 2, 3, 12, 4_213, 0.4, -7)]
    [0.0, 0.0, 5.0, 10.0, 4000.0, 0.0, -5.0]
    """
    step = max(LEAST_STEP, 10 ** math.floor(math.log10(abs(value)))) if value else LEAST_STEP
    return round(value / step) * float(step)


def rounded_as_sql(number: str) -> str:
    """`rounded` in DuckDB: equal to the last bit."""
    step = f"greatest({LEAST_STEP}, pow(10, floor(log10(abs(nullif({number}, 0))))))"
    return f"round_even({number} / {step}, 0) * {step}"


def withholds(query: Query, access: Access, unit_id: int | None = None) -> bool:
    """Whether values of this query are subject to the minimum group size for this viewer.

    Members and managers of a unit see its delivery, however small it is, because its own tools show them as much.  This
    holds for the unit as a whole: a filter may leave one person, and tools show less of what mentions AI.
    """
    metric = get(query.key)
    if metric.of_teams_only:
        return True
    is_own = query.scope.person_id is not None and query.scope.person_id == access.visibility.person_id
    if is_own or access.shows_small_groups or metric.belongs_to is not BelongsTo.PERSON:
        return False
    own_units = access.visibility.slugs
    is_of_own_unit = query.scope.unit in own_units if unit_id is None else unit_id in own_units.values()
    is_narrowed = bool(query.scope.where or query.facets)
    return is_narrowed or not (is_of_own_unit and is_of_delivery(metric) and not names_ai(query))


def is_of_delivery(metric: Metric) -> bool:
    """Whether all its facts are visible to everybody in the source tools."""
    return all(measure.relation.open_as_in_tools for measure in metric.measures)


def names_ai(query: Query) -> bool:
    """Whether the query is split or filtered by agents' work, so that it counts as a query of an AI metric."""
    return not AI_DIMENSIONS.isdisjoint({*query.segments, *query.facets})


def reason(access: Access) -> str:
    few = f"Hidden: fewer than {access.minimum_group_size} people contribute, so it would reveal individual data."
    return f"{few} {UNKNOWN_PEOPLE}" if unconfirmed_for(access) else few


def numerator_query(query: Query, access: Access) -> Query | None:
    """The same query for the metric's numerator; None without one, or if nothing is withheld.

    One person's AI lines stay personal when they are shown as a share of everybody's lines.
    """
    return numerator_of(query) if withholds(query, access) else None


def numerator_of(query: Query) -> Query | None:
    """`numerator_query` for any viewer."""
    metric = get(query.key)
    if not isinstance(metric, Ratio):
        return None
    segments = query.segments or metric.always_by
    for metric_above in metrics():
        alone = isinstance(metric_above, Count) and metric_above.out_of is None and metric_above.of == metric.numerator
        if alone and {*segments} <= {*metric_above.segments} and {*query.facets} <= {*metric_above.facets}:
            return replace(query, key=metric_above.key, segments=segments, statistic=None)
    return None
