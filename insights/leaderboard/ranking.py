"""Everybody with agent activity, ranked: what of them may be shown to whom is decided in `visible`."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import groupby

from django.conf import settings
from django.utils import timezone

from insights.agents import AGENT_NAMES
from insights.leaderboard.columns import (
    AI_LINES,
    AI_SHARE,
    ALL_LINES,
    BY_KEY,
    ENOUGH_LINES,
    METRICS,
    SESSIONS,
    TOKENS,
)
from insights.metrics.by_person import People, PersonValue, read_people
from insights.metrics.query import Dimension, MetricQuery
from insights.metrics.registry import get


@dataclass(frozen=True)
class Ranks:
    """The order of everybody, and the ranks of those who have one; equals share theirs."""

    order: Sequence[int]
    by_person: Mapping[int, int]


class Ranking:
    """The figures of everybody with agent activity in a scope and window, and the orders in which they can stand.

    Orders are worked out once each: a second page, or the same sorted anew, reads nothing.
    """

    def __init__(self, asked: MetricQuery) -> None:
        """`asked` says scope, window and facets; its key says nothing.  Raises QueryError where they can't be."""
        people = read_people([*(_query(asked, key) for key in METRICS), _by_agent(asked, SESSIONS)])
        self.read_at: datetime = timezone.now()
        self._asked = asked
        self._people = people
        self._values: dict[str, Mapping[int, PersonValue]] = {}
        self._orders: dict[str, Ranks] = {}
        active = [
            person
            for person in people.ids
            if any(people.value(key, person).value for key in (SESSIONS, TOKENS, AI_LINES))
        ]
        self.people: Sequence[int] = sorted(active, key=_shuffled)

    def values(self, key: str) -> Mapping[int, PersonValue]:
        """The metric's value of everybody."""
        if key not in self._values:
            self._values[key] = {person: self._people.value(key, person) for person in self.people}
        return self._values[key]

    def value(self, key: str, person_id: int) -> PersonValue:
        known = self._values.get(key)
        return known[person_id] if known else self._people.value(key, person_id)

    def agents(self, person_id: int) -> Sequence[str]:
        """The person's agents, the one of most sessions first; of whoever has no session, the one of most AI lines."""
        return [*(self._people.split(SESSIONS, person_id) or self._writing.split(AI_LINES, person_id))]

    @cached_property
    def _writing(self) -> People:
        """Who wrote in whose commits; read where somebody has no session, of whom trailers or notes tell alone."""
        return read_people([_by_agent(self._asked, AI_LINES)])

    def ranks(self, column: str) -> Ranks:
        """Ranked by that column, the greatest first; ties by AI lines.

        By their share only those who committed enough lines are ranked.  Who is not stands behind, without a rank.
        """
        if column not in self._orders:
            self._orders[column] = self._rank(BY_KEY[column].metric)
        return self._orders[column]

    def sorted_by(self, column: str, *, descending: bool) -> Sequence[int]:
        """Everybody by a figure; who has none stands last, whichever way."""
        values, lines = self.values(BY_KEY[column].metric), self.values(AI_LINES)
        known = [person for person in self.people if values[person].value is not None]
        known.sort(key=lambda person: lines[person].value or 0.0, reverse=True)
        known.sort(key=lambda person: values[person].value or 0.0, reverse=descending)
        return [*known, *(person for person in self.people if values[person].value is None)]

    def sorted_by_agent(self, *, descending: bool) -> Sequence[int]:
        """By the first of their agents, in the order in which agents stand everywhere."""
        order = list(AGENT_NAMES)

        def place(person: int) -> tuple[int, str]:
            first = next(iter(self.agents(person)), "")
            return (order.index(first) if first in order else len(order), first)

        return sorted(self.people, key=place, reverse=descending)

    def _rank(self, key: str) -> Ranks:
        values, lines = self.values(key), self.values(AI_LINES)
        committed = self.values(ALL_LINES) if key == AI_SHARE else {}

        def standing(person: int) -> tuple[float, float]:
            return -(values[person].value or 0.0), -(lines[person].value or 0.0)

        def is_ranked(person: int) -> bool:
            enough = key != AI_SHARE or (committed[person].value or 0.0) >= ENOUGH_LINES
            return enough and values[person].value is not None

        ranked = sorted(filter(is_ranked, self.people), key=standing)
        behind = [person for person in self.people if not is_ranked(person)]
        behind.sort(key=lambda person: (values[person].value is None, *standing(person)))
        by_person: dict[int, int] = {}
        for _, equals in groupby(ranked, key=standing):
            rank = len(by_person) + 1
            by_person |= dict.fromkeys(equals, rank)
        return Ranks([*ranked, *behind], by_person)


def _query(asked: MetricQuery, key: str) -> MetricQuery:
    metric = get(key)
    return replace(
        asked, key=key, facets={name: values for name, values in asked.facets.items() if name in metric.facets}
    )


def _by_agent(asked: MetricQuery, key: str) -> MetricQuery:
    return replace(_query(asked, key), segments=(Dimension.AGENT,))


def _shuffled(person_id: int) -> bytes:
    """Who is equal in everything stands in an order that tells nothing of who it is."""
    return hmac.digest(b"leaderboard" + settings.SECRET_KEY.encode(), str(person_id).encode(), hashlib.sha256)
