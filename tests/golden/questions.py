"""The questions about an organisation: its scopes, and the queries of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from insights.catalogue.declarations import Metric
from insights.catalogue.registry import metrics
from insights.query import windows
from insights.query.query import Dimension, Granularity, Query, Scope, Window
from orgtree.models import OrgTree, Person, PersonAttribute, Placement, Unit

GRANULARITIES = (Granularity.WEEK, Granularity.MONTH, Granularity.QUARTER)
DAYS_SHOWN = timedelta(weeks=2)
PERIOD_WEEKS = 4


@dataclass(frozen=True)
class Organisation:
    """An organisation that is stored: all of its time with some days that have not come, and whose figures are asked.

    `people` are addresses of some whose figures are asked one by one: they moved, left, or never came.
    """

    name: str
    window: Window
    people: Sequence[str]
    scopes: Mapping[str, Scope] = field(default_factory=dict)  # by how they are called in the text

    @property
    def everybody_and_units(self) -> Mapping[str, Scope]:
        return {name: scope for name, scope in self.scopes.items() if scope in (Scope(), Scope(scope.unit))}


def stored_organisation(name: str, window: Window, people: Sequence[str]) -> Organisation:
    """With the scopes that the database has: everybody, units, who is in none, these people, attributes."""
    ids = {address: Person.objects.get(email=address).pk for address in people}
    units = list(Unit.objects.order_by("slug").values_list("slug", flat=True))
    scopes = {"everybody": Scope()}
    scopes |= {f"unit {slug}": Scope(slug) for slug in units}
    scopes |= {f"unassigned {slug}": Scope(unassigned=slug) for slug in OrgTree.objects.values_list("slug", flat=True)}
    scopes |= {f"person {address}": Scope(person_id=pk) for address, pk in ids.items()}
    if people and units:
        slug = _unit_of(ids[people[0]])
        scopes[f"unit {slug} person {people[0]}"] = Scope(slug, person_id=ids[people[0]])
    held = _most_held()
    scopes |= {f"people with {slug} {value}": Scope(where={slug: (value,)}) for slug, value in held.items()}
    if len(held) > 1:
        both = {slug: (value,) for slug, value in held.items()}
        scopes["people with both attributes"] = Scope(where=both)
        scopes[f"unit {units[0]}, people with both attributes"] = Scope(units[0], where=both)
    return Organisation(name, window, people, scopes)


def _unit_of(person_id: int) -> str:
    """The first by slug of those that the person was ever in."""
    of_person = Placement.objects.filter(person_id=person_id)
    return str(of_person.order_by("unit__slug").values_list("unit__slug", flat=True)[0])


def _most_held(number: int = 2) -> Mapping[str, str]:
    """The most frequent value of each of the first attributes by slug, past values included."""
    counted = Counter(PersonAttribute.objects.values_list("attribute__slug", "value"))
    values: dict[str, str] = {}
    for (slug, value), _ in sorted(counted.items(), key=lambda item: (item[0][0], -item[1], item[0][1])):
        values.setdefault(slug, value)
    return {slug: values[slug] for slug in sorted(values)[:number]}


def series_queries(organisation: Organisation, scope: Scope) -> Iterator[Query]:
    """Each metric and statistic by weeks, months and quarters; of everybody each split, too, and single days."""
    everybody = scope == Scope()
    for metric in metrics():
        for statistic in (None, *metric.statistics):
            for granularity in GRANULARITIES:
                query = Query(metric.key, organisation.window, granularity, scope, statistic=statistic)
                yield query
                if everybody:
                    yield from split(metric, query)
    if everybody:
        today = windows.local_today()
        of_days = Window(today - DAYS_SHOWN, today + timedelta(days=2))
        yield from (Query(metric.key, of_days, Granularity.DAY) for metric in metrics())


def total_queries(organisation: Organisation, scope: Scope) -> Iterator[Query]:
    """Queries for four weeks, and by each split: for everybody in all statistics, for others also for all time.

    Splits of units in all statistics are read together.
    """
    for metric in metrics():
        trailing = Query(metric.key, windows.trailing(PERIOD_WEEKS), scope=scope)
        if scope == Scope():
            for statistic in (None, *metric.statistics):
                yield replace(trailing, statistic=statistic)
                yield from split(metric, replace(trailing, statistic=statistic))
        else:
            yield trailing
            yield from split(metric, replace(trailing, window=organisation.window))


def split(metric: Metric, query: Query) -> Iterator[Query]:
    """Queries split by each of its dimensions, and by the first two of them at once."""
    for dimension in metric.segments:
        yield replace(query, segments=(dimension,))
    if len(metric.segments) > 1:
        yield replace(query, segments=metric.segments[:2])


def filtered_queries(organisation: Organisation, values: Mapping[Dimension, Sequence[str]]) -> Iterator[Query]:
    """Each metric filtered by each dimension, with the first and the last of the values that were found anywhere."""
    for metric in metrics():
        for dimension in metric.facets:
            for value in dict.fromkeys([*values.get(dimension, ())[:1], *values.get(dimension, ())[-1:]]):
                yield Query(metric.key, organisation.window, Granularity.MONTH, facets={dimension: (value,)})
