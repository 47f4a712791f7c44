"""`manage.py suppression`: how many values each rule of insights/privacy hides, and what no rule hides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import Any

from core.commands import JsonCommand
from insights.catalogue.registry import get, metrics
from insights.engine.contributors import NOBODY, People, PeopleQuery
from insights.engine.read import read_together
from insights.privacy.evidence import Question
from insights.privacy.families import Family, Unassigned, Unit, family_of
from insights.privacy.suppression import Minimum
from insights.privacy.withhold import minimum_for, minimum_of
from insights.query import windows
from insights.query.enums import BelongsTo
from insights.query.query import Granularity, Query, Scope, Window
from orgtree.access.access import Access, public_access
from orgtree.models import Attribute, OrgTree, PersonAttribute
from orgtree.models import Unit as OrgUnit

WEEKS = 12
DAYS_BEFORE = 7  # on which edges of windows could lie
KEYS_BESIDE = ("ai.tokens", "ai.sessions")  # compared over trees and days, and filtered by attributes
KEYS_IN_PARTS = ("ai.tokens", "ai.sessions", "ai.spend", "ai.committed_code_share", "commit.count", "pr.cycle_time")
"""Counted by week and by segment: all metrics with all their segments did not finish in ten minutes."""


class Command(JsonCommand):
    help = "Count the values of 12 weeks that are hidden from who may see everything, by rule (docs/access.md)."

    def handle(self, *args: object, **options: Any) -> None:
        access = public_access()
        units = list(OrgUnit.objects.filter(tree__archived_at=None).values_list("pk", flat=True).order_by("pk"))
        window = windows.trailing(WEEKS)
        kinds = {
            "whole window": _plain(window),
            "by week": _plain(window, KEYS_IN_PARTS),
            "by an attribute": _filtered(window),
            "by segment": _split(window),
        }
        document: dict[str, Any] = {"trees": _over_trees(units, window, access), "edges": _edges(units, window, access)}
        for name, queries in kinds.items():
            document[name] = counted(queries, units, access, of_buckets=name == "by week")
        self.print_result(options, document, _lines(document))


def _plain(window: Window, keys: Collection[str] = ()) -> Iterator[Query]:
    """Queries of each metric that belongs to people, or of these keys; by week where buckets are counted."""
    for metric in metrics():
        if metric.belongs_to is BelongsTo.PERSON and (not keys or metric.key in keys):
            yield Query(metric.key, window, Granularity.WEEK)


def _split(window: Window) -> Iterator[Query]:
    for query in _plain(window, KEYS_IN_PARTS):
        yield from (replace(query, segments=(dimension,)) for dimension in get(query.key).segments)


def _filtered(window: Window) -> Iterator[Query]:
    """Queries of each AI metric by each value of each attribute of people."""
    values = PersonAttribute.objects.filter(attribute__in=Attribute.objects.all()).order_by("attribute", "value")
    held = [*values.values_list("attribute__slug", "value").distinct()]
    for key in KEYS_BESIDE:
        yield from (Query(key, window, scope=Scope(where={name: (value,)})) for name, value in held)


def counted(queries: Iterable[Query], units: Sequence[int], access: Access, *, of_buckets: bool) -> Mapping[str, int]:
    """The number of values of units, of who is in none, and of everybody; and of those that each rule hides."""
    trees = [Unassigned(pk) for pk in OrgTree.objects.filter(archived_at=None).values_list("pk", flat=True)]
    rows: list[Unit] = [*units, *trees]
    found: Counter[str] = Counter()
    for query in queries:
        questions = [
            Question(query, rows, family_of(rows, query.window, access), of_buckets),
            Question(query, [], Family([]), of_buckets),
        ]
        people_queries = [people for question in questions for people in question.people_queries]
        answers = iter(read_together(people=people_queries).people)
        minimum = minimum_for(query, minimum_of(access))
        for question in questions:
            own = [next(answers) for _ in question.people_queries]
            for row, hidden in question.hidden(own, minimum).items():
                values = question.fewest_known(own[0], row, minimum)
                found["values"] += len(values)
                found.update(hidden[key].value for key in values if key in hidden)
    return found


def _over_trees(units: Sequence[int], window: Window, access: Access) -> Mapping[str, int]:
    """Pairs of units of two trees of which one has all people of the other, and few more; and how many of them are not
    compared, because many of their members do not contribute."""
    compared = {*family_of(units, window, access).alike}
    tree_of = dict(OrgUnit.objects.values_list("pk", "tree"))
    found: Counter[str] = Counter()
    for key in KEYS_BESIDE:
        by_unit: dict[int, People] = defaultdict(int)
        [answer] = read_together(people=[PeopleQuery(Query(key, window), units=tuple(units), of_buckets=False)]).people
        for sets in answer.people_in(window)[:1]:
            for (place, _), people in sets.items():
                for unit in place:
                    by_unit[unit] |= people
        minimum = minimum_of(access)
        large = [(unit, people) for unit, people in by_unit.items() if minimum.is_enough(people)]
        for unit, people in large:
            for other, fewer in large:
                if tree_of[unit] != tree_of[other] and not fewer & ~people:
                    found["inside a unit of another tree"] += 1
                    leaves_few = minimum.is_few(people & ~fewer)
                    found["all but few of it"] += leaves_few
                    found["of these, not compared"] += leaves_few and (unit, other) not in compared
    return found


def _edges(units: Sequence[int], window: Window, access: Access) -> Mapping[str, float]:
    """The days by which windows of units would have to end earlier for any two to differ by nobody or enough people."""
    days = windows.trailing(2 * WEEKS)
    minimum, moved = minimum_of(access), []
    for key in KEYS_BESIDE:
        query = Query(key, days, Granularity.DAY)
        question = Question(query, units, Family(units), of_buckets=True)
        [answer] = read_together(people=[question.contributors_query]).people
        found = {day: answer.people_in(day)[:1] for day in answer.buckets}
        for unit in units:
            by_day = {day: _of(found[day], unit) for day in answer.buckets}
            if minimum.is_enough(_united(by_day.values())):
                cuts = _cuts(by_day, minimum)
                ends = [window.end - timedelta(days=n) for n in range(DAYS_BEFORE)]
                moved += [(end - max(cut for cut in cuts if cut <= end)).days for end in ends]
    further = [days for days in moved if days]
    return {"windows": len(moved), "moved": len(further), "days in the median of these": median(further or [0])}


def _of(sets: Sequence[Mapping[Any, People]], unit: int) -> People:
    return _united(people for found in sets for (place, _), people in found.items() if unit in place)


def _united(sets: Any) -> People:
    united = NOBODY
    for people in sets:
        united |= people
    return united


def _cuts(by_day: Mapping[Window, People], minimum: Minimum) -> Sequence[Any]:
    """The days, from the first on, between which nobody or enough people contributed."""
    cuts, since = [min(by_day).start], NOBODY
    for day, people in sorted(by_day.items()):
        since |= people
        if since == NOBODY or minimum.is_enough(since):
            cuts.append(day.end)
            since = NOBODY
    return cuts


def _lines(document: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    for name, counts in document.items():
        whole = next(iter(counts.values()), 0)
        yield name
        for what, number in counts.items():
            share = f"{number / whole:8.1%}" if whole and not what.startswith("days") else ""
            yield f"{number:>10,} {share:>8}  {what}"
