"""Somebody who reads every list of rows that a viewer may read, and joins it with all others to learn who is who.

What is read: each metric that has rows, as it stands, with each of its segments, and filtered by values of each of its
facets and by an attribute of people; of the whole window, and of shorter ones; the leaderboard in each order; and the
commits of the organisation's repositories, which whoever has a clone knows.  A sample of it is each metric as it stands
and in one of the other ways, which rotate.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

from django.db.models import Count

from insights.catalogue.registry import get, metrics
from insights.engine.read import read_totals
from insights.leaderboard.ranking import COLUMNS, FIGURES, RANKINGS
from insights.leaderboard.visible import VisibleLeaderboard
from insights.privacy.rows import pseudonyms_of
from insights.privacy.visible import visible_rows
from insights.privacy.withhold import AI_DIMENSIONS, is_of_delivery
from insights.query.errors import QueryError
from insights.query.query import Dimension, Query, Scope, Window
from integrations.models import Commit
from orgtree.access.access import Access
from orgtree.models import IndividualPolicy, Organisation, Person, Placement

OF_AI = {*(dimension.value for dimension in AI_DIMENSIONS), "spend", "tokens", "outcome", "models"}
VALUES_TRIED = 1  # of each facet
Row = Mapping[str, Any]
Questions = Callable[[], list[Query]]


@dataclass(frozen=True)
class Named:
    """So many pseudonyms were given a name, of these the right one, and at most by chance (in 99 of 100 cases)."""

    elected: int
    right: int
    by_chance: int


@dataclass(frozen=True)
class RowList:
    """The answer to one question: rows, and the people behind their labels."""

    question: str
    rows: Sequence[Row]
    is_of_ai: bool
    truth: Mapping[str, str]  # pseudonym → name, which the attacker does not know

    def of_others(self, own: str) -> list[Row]:
        return [row for row in self.rows if row["person"] != own]


@contextmanager
def policy_of(policy: IndividualPolicy) -> Iterator[None]:
    """The organisation of the demo, whose policy is to name people, has this one for a while."""
    Organisation.objects.update(individual_policy=policy)
    try:
        yield
    finally:
        Organisation.objects.update(individual_policy=IndividualPolicy.NAMED)


class RowsAttacker:
    """Reads as `access` allows, in the largest unit of those that it may see; `names` are those of everybody."""

    def __init__(self, access: Access, window: Window, *, sample: bool = False) -> None:
        self.access = access
        self._sample = sample
        units = access.visibility.slugs
        placed = Placement.objects.filter(ancestor__slug__in=units).values_list("ancestor__slug")
        largest = placed.annotate(people=Count("person", distinct=True)).order_by("-people", "ancestor__slug").first()
        self._unit = largest[0] if largest else None
        self.people = list(Person.objects.all())
        self.names = {person.full_name for person in self.people}
        self.own = next((person.full_name for person in self.people if person.pk == access.visibility.person_id), "")
        self._window = window

    def lists(self) -> Iterator[RowList]:
        """The answer to each question."""
        for query in self._queries():
            yield self._answer(query)
        yield from self._leaderboards()

    def names_in_rows_of_ai(self, lists: Sequence[RowList]) -> set[str]:
        """Questions whose rows show other people by name although AI is a column, a filter or a split of them."""
        return {
            ids.question
            for ids in lists
            for row in ids.of_others(self.own)
            if row["person"] in self.names and (ids.is_of_ai or OF_AI & row.keys())
        }

    def identified_people(self, lists: Sequence[RowList]) -> Named:
        """Names that the attacker assigns to pseudonyms by joining all pairs of lists.

        A join: each value, or each place in the order, that occurs once in a list with pseudonyms and once in one with
        names makes a pair; each pair is a vote, and a pseudonym gets the name with most votes.  Among few people the
        order identifies nobody: the person who works most often is first in both lists, and docs/access.md says so.
        """
        named = [*_named(lists, self.names - {self.own}), *_clones()]
        hidden = [ids for ids in lists if any(row["person"] in ids.truth for row in ids.rows)]
        truth: dict[str, str] = {}
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        few = len({entry.truth[label] for entry in hidden for label in _people(entry.rows) & entry.truth.keys()}) < MANY
        joins = JOINS if few else (*JOINS, _places)
        alone_in_named = [[_alone(signatures(rows)) for rows in named] for signatures in joins]
        for entry in hidden:
            truth |= entry.truth
            rows = [row for row in entry.rows if row["person"] in entry.truth]
            for signatures, of_others in zip(joins, alone_in_named, strict=True):
                labels = _alone(signatures(rows))
                for names in of_others:
                    for signature in labels.keys() & names.keys():
                        votes[labels[signature]][names[signature]] += 1
        elected = {label: votes_for.most_common(1)[0][0] for label, votes_for in votes.items()}
        right = sum(truth[label] == name for label, name in elected.items())
        return Named(len(elected), right, _by_chance(elected, truth))

    def rows_matched_in_clones(self, lists: Sequence[RowList]) -> int:
        """Rows under pseudonyms of which day and lines are those of one author's commits alone."""
        authors: dict[Hashable, set[str]] = defaultdict(set)
        for row in next(_clones()):
            authors[row["day"], row["lines_added"]].add(row["person"])
        return sum(
            len(authors[row.get("day"), row.get("lines_added")]) == 1
            for ids in lists
            for row in ids.rows
            if row["person"] in ids.truth
        )

    def _queries(self) -> Iterator[Query]:
        for number, metric in enumerate(metrics()):
            whole = Query(metric.key, self._window, scope=Scope(self._unit))
            yield whole
            others = [*self._narrowed(whole), *self._by_dimension(whole)]
            for question in [others[number % len(others)]] if self._sample else others:
                yield from question()

    def _narrowed(self, whole: Query) -> Iterator[Questions]:
        last_days = Window(self._window.end - timedelta(days=7), self._window.end)
        engineers = Scope(self._unit, where={"role": ("engineer",)})
        yield lambda: [replace(whole, window=last_days)]
        yield lambda: [replace(whole, scope=engineers)]

    def _by_dimension(self, whole: Query) -> Iterator[Questions]:
        metric = get(whole.key)
        of_ai = AI_DIMENSIONS if is_of_delivery(metric) else {*Dimension}  # what tools show is shown split, too
        for dimension in filter(of_ai.__contains__, metric.segments):
            yield partial(_split, whole, dimension)
        for dimension in filter(of_ai.__contains__, metric.facets):
            yield partial(self._filtered, whole, dimension)

    def _filtered(self, whole: Query, dimension: Dimension) -> list[Query]:
        return [replace(whole, facets={dimension: (value,)}) for value in self._values(whole.key, dimension)]

    def _values(self, key: str, dimension: Dimension) -> Sequence[str]:
        if dimension not in get(key).segments:
            return ("none",)
        [answer] = read_totals([Query(key, self._window, scope=Scope(self._unit), segments=(dimension,))])
        return [figure.segment[dimension] for figure in answer.total if dimension in figure.segment][:VALUES_TRIED]

    def _answer(self, query: Query) -> RowList:
        try:
            page = visible_rows(query, self.access, size=1000)
        except QueryError:  # an attribute that nobody has
            return RowList(str(query), (), is_of_ai=False, truth={})
        used = {*query.segments, *query.facets}
        is_of_ai = not is_of_delivery(get(query.key)) or not AI_DIMENSIONS.isdisjoint(used)
        rows = [row for row in page.rows if "person" in row]
        return RowList(_in_words(query), rows, is_of_ai, self._truth(query))

    def _truth(self, query: Query) -> Mapping[str, str]:
        labels = self.access.labels(self.people, question=pseudonyms_of(query))
        return {labels[person.pk]: person.full_name for person in self.people if person.full_name != self.own}

    def _leaderboards(self) -> Iterator[RowList]:
        truth = self._truth(Query("ai.spend", self._window, scope=Scope(self._unit)))
        for ranked_by in RANKINGS:
            board = VisibleLeaderboard(self._window, Scope(self._unit), {}, self.access, ranked_by=ranked_by)
            for column in COLUMNS:
                shown, _ = board.page(sort=f"-{column.key}", search="", page=1, size=1000)
                rows = [
                    {
                        "person": row.label,
                        "agents": tuple(row.agents),
                        **{figure.key: row.values[figure.metric].value for figure in FIGURES},
                    }
                    for row in shown
                ]
                yield RowList(f"leaderboard by {ranked_by}, {column.key}", rows, is_of_ai=True, truth=truth)


def _split(whole: Query, dimension: Dimension) -> list[Query]:
    return [replace(whole, segments=(dimension,))]


def _in_words(query: Query) -> str:
    return " ".join(
        map(str, (query.key, query.window.days, dict(query.scope.where), dict(query.facets), query.segments))
    )


def _named(lists: Sequence[RowList], names: set[str]) -> Iterator[Sequence[Row]]:
    for ids in lists:
        rows = [row for row in ids.rows if row["person"] in names]
        if rows:
            yield rows


def _clones() -> Iterator[Sequence[Row]]:
    """Commits as each clone has them: by whom, when, and how large."""
    yield [
        {"person": commit.credited.person.full_name, "day": commit.counted_on, "lines_added": commit.lines_added}
        for commit in Commit.objects.filter(credited__person__isnull=False).select_related("credited__person")
        if commit.credited and commit.credited.person
    ]


def _totals(rows: Sequence[Row]) -> Mapping[str, Hashable]:
    """The totals of rows, by person."""
    sums: dict[str, float] = defaultdict(float)
    for row in rows:
        sums[row["person"]] += row.get("contribution") or row.get("spend") or row.get("lines_added") or 0.0
    return {person: round(total, 6) for person, total in sums.items()}


def _counts(rows: Sequence[Row]) -> Mapping[str, Hashable]:
    return Counter(row["person"] for row in rows)


def _facts(rows: Sequence[Row]) -> Mapping[str, Hashable]:
    """The number of facts, as a list of people gives it and a list of facts lets one count it."""
    if any("facts" in row for row in rows):
        return {row["person"]: int(row["facts"]) for row in rows}
    return _counts(rows)


def _days(rows: Sequence[Row]) -> Mapping[str, Hashable]:
    days: dict[str, set[Any]] = defaultdict(set)
    for row in rows:
        if row.get("day") is not None:
            days[row["person"]].add(row["day"])
    return {person: frozenset(values) for person, values in days.items()}


def _places(rows: Sequence[Row]) -> Mapping[str, Hashable]:
    """The place of each in the order of what they add up to; equals have none."""
    totals = _totals(rows)
    order = sorted(set(totals.values()), key=lambda total: -float(str(total)))
    alone = Counter(totals.values())
    return {person: order.index(total) for person, total in totals.items() if alone[total] == 1}


JOINS: Sequence[Callable[[Sequence[Row]], Mapping[str, Hashable]]] = (_totals, _counts, _facts, _days)
MANY = 20  # people


def _people(rows: Sequence[Row]) -> set[str]:
    return {row["person"] for row in rows}


def _alone(signatures: Mapping[str, Hashable]) -> Mapping[Hashable, str]:
    """People by signature, for signatures that only one person has."""
    counts = Counter(signatures.values())
    return {signature: person for person, signature in signatures.items() if counts[signature] == 1}


def _by_chance(elected: Mapping[str, str], truth: Mapping[str, str], tries: int = 1000) -> int:
    """The number of correct names by chance, at most, in 99 of 100 cases, if people's names were shuffled.

    A coincidence of two counts gives the same person a name in several lists: people's names change, labels do not.
    """
    random, names = Random(7), sorted({*elected.values(), *(truth[label] for label in elected)})
    right = []
    for _ in range(tries):
        dealt = dict(zip(names, random.sample(names, len(names)), strict=True))
        right.append(sum(truth[label] == dealt[name] for label, name in elected.items()))
    return sorted(right)[tries * 99 // 100]
