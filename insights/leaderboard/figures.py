"""The figures and agents of everybody with agent activity in a scope."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from django.conf import settings

from insights.catalogue.registry import get
from insights.engine.by_person import People, PersonValue, read_people
from insights.leaderboard.columns import AI_LINES, METRICS, SESSIONS, TOKENS
from insights.privacy.rows import is_named_elsewhere
from insights.privacy.withhold import rounded
from insights.query.query import Dimension, Query

NAMED_ELSEWHERE = "Not shown under a pseudonym: commits show the same with names."


class FactFigures:
    """Figures of `people`, who are in an order that reveals nothing about them, as of `read_at`."""

    def __init__(self, query: Query) -> None:
        """`query` gives scope, window and facets, its key is ignored.  Raises QueryError where they can't be read."""
        self._query = query
        self._people = read_people([*(_query(query, key) for key in METRICS), _by_agent(query, SESSIONS)])
        self.read_at = self._people.read_at
        self._numbers: dict[str, Sequence[float]] = {}

    @cached_property
    def people(self) -> Sequence[int]:
        """Everybody with agent activity."""
        value, of_agents = self._people.value, (SESSIONS, TOKENS, AI_LINES)
        active = [person for person in self._people.ids if any(value(key, person).value for key in of_agents)]
        return sorted(active, key=shuffle_key)

    def numbers(self, key: str) -> Sequence[float]:
        """The metric's values in the order of `people`; NaN for a missing one."""
        if key not in self._numbers:
            self._numbers[key] = self._people.numbers(key, self.people)
        return self._numbers[key]

    def value(self, key: str, person_id: int) -> PersonValue:
        """The person's value of one of METRICS."""
        return self._people.value(key, person_id)

    def agents(self, person_id: int) -> Sequence[str]:
        """The person's agents, the one of most sessions first; of whoever has no session, the one of most AI lines."""
        return [*(self._people.split(SESSIONS, person_id) or self._writing.split(AI_LINES, person_id))]

    @cached_property
    def _writing(self) -> People:
        """AI lines by agent; read only for people without a session, known from trailers or notes alone."""
        return read_people([_by_agent(self._query, AI_LINES)])


class PseudonymousFigures:
    """What one viewer sees of figures under pseudonyms.

    One's own are exact.  Others' totals are rounded, and what other tools show with names is left out: lines of commits
    and the agents that commits name.  Ties are broken by a key of this `question` alone: with one order everywhere,
    pseudonyms of two units or quarters could be matched.
    """

    def __init__(self, figures: FactFigures, own_id: int | None, question: str) -> None:
        self.read_at = figures.read_at
        self.people = sorted(figures.people, key=lambda person: shuffle_key(person, question))
        self._figures = figures
        self._own_id = own_id

    def numbers(self, key: str) -> Sequence[float]:
        numbers = by_person(self._figures, key)
        return [numbers[person] if person == self._own_id else _rounded(key, numbers[person]) for person in self.people]

    def value(self, key: str, person_id: int) -> PersonValue:
        exact = self._figures.value(key, person_id)
        if person_id == self._own_id:
            return exact
        if is_named_elsewhere(key):
            return PersonValue(None, NAMED_ELSEWHERE)
        return exact if exact.value is None else replace(exact, value=rounded(exact.value))

    def agents(self, person_id: int) -> Sequence[str]:
        return self._figures.agents(person_id) if person_id == self._own_id else ()


Figures = FactFigures | PseudonymousFigures


def _rounded(key: str, value: float) -> float:
    if is_named_elsewhere(key):
        return math.nan
    return value if math.isnan(value) else rounded(value)


def by_person(figures: FactFigures, key: str) -> dict[int, float]:
    """Person → the metric's number."""
    return dict(zip(figures.people, figures.numbers(key), strict=True))


def shuffle_key(person_id: int, question: str = "") -> bytes:
    """The sort key of a tie: it reveals nothing about the person, and differs per question."""
    message = f"{question} {person_id}".encode()
    return hmac.digest(b"leaderboard" + settings.SECRET_KEY.encode(), message, hashlib.sha256)


def _query(query: Query, key: str) -> Query:
    metric = get(key)
    return replace(
        query, key=key, facets={name: values for name, values in query.facets.items() if name in metric.facets}
    )


def _by_agent(query: Query, key: str) -> Query:
    return replace(_query(query, key), segments=(Dimension.AGENT,))
