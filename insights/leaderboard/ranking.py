"""The columns of the leaderboard; the figures and agents of everybody with agent activity in a scope, and their ranks.

What a viewer may see of them is decided by `visible`.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from django.conf import settings

from insights.catalogue.agents import AGENT_NAMES
from insights.catalogue.registry import get
from insights.engine.by_person import People, PersonValue, read_people
from insights.privacy.rows import is_named_elsewhere
from insights.privacy.withhold import rounded
from insights.query.query import Dimension, Query

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags, Floats, Integers

RANK, NAME, AGENT = "rank", "developer", "agent"
AI_SHARE, AI_LINES = "ai.committed_code_share", "ai.lines_committed"
ALL_LINES = "commit.lines"
SPEND, WASTED = "ai.spend", "ai.spend_wasted"
SESSIONS, TOKENS = "ai.sessions", "ai.tokens"
UNPRICED = "ai.unpriced_tokens"


@dataclass(frozen=True)
class Column:
    """`key` names it in the URL; a column without a metric shows no figure."""

    key: str
    label: str
    metric: str = ""


COLUMNS = (
    Column(RANK, "Rank"),
    Column(NAME, "Developer"),
    Column(AGENT, "Agent"),
    Column("ai_share", "AI Committed Code %", AI_SHARE),
    Column("ai_lines", "AI Lines of Code", AI_LINES),
    Column("sessions", "Sessions", SESSIONS),
    Column("session_duration", "Avg Session Duration", "ai.session_duration"),
    Column("tokens", "Tokens Used", TOKENS),
    Column("spend", "Total Spend", SPEND),
    Column("spend_per_commit", "Spend/Commit", "ai.spend_per_commit"),
    Column("wasted", "Spend Wastage", WASTED),
    Column("cache_hit_rate", "Cache Hit Rate", "ai.cache_hit_rate"),
    Column("error_rate", "Error Rate", "ai.error_rate"),
    Column("ship_rate", "Ship Rate", "ai.ship_rate"),
)
BY_KEY = {column.key: column for column in COLUMNS}
FIGURES = tuple(column for column in COLUMNS if column.metric)

# Read for each person: the figures, and all committed lines, of which a share needs enough.
METRICS = (*(column.metric for column in FIGURES), ALL_LINES, UNPRICED)

RANKINGS = {"ai_share": "AI Committed Code %", "spend": "Total Spend", "wasted": "Spend Wastage"}
"""The columns to rank by, highest first: column key → label."""

ENOUGH_LINES = 100
"""Developers with fewer committed lines are not ranked by their share, and listed last."""


NAMED_ELSEWHERE = "Not shown under a pseudonym: commits show the same with names."


class FactFigures:
    """Figures of `people`, who are in an order that reveals nothing about them, as of `read_at`."""

    def __init__(self, query: Query) -> None:
        """`query` gives scope, window and facets, its key is ignored.  Raises QueryError where they can't be read."""
        self._query = query
        self._people = read_people([*(_query(query, key) for key in METRICS), _by_agent(query, SESSIONS)])
        self.read_at = self._people.read_at

    @cached_property
    def people(self) -> Sequence[int]:
        """Everybody with agent activity."""
        value, of_agents = self._people.value, (SESSIONS, TOKENS, AI_LINES)
        active = [person for person in self._people.ids if any(value(key, person).value for key in of_agents)]
        return sorted(active, key=shuffle_key)

    def numbers(self, key: str) -> Sequence[float]:
        """The metric's values in the order of `people`; NaN for a missing one."""
        return self._people.numbers(key, self.people)

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


@dataclass(frozen=True)
class Ranks:
    """The order of everybody, and the ranks of those who are ranked; ties share a rank."""

    order: Sequence[int]
    by_person: Mapping[int, int]


class Ranking:
    """The figures of everybody with agent activity in a scope and window, and their orders, each computed once."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.people: Sequence[int] = figures.people
        self._numbers: dict[str, Floats] = {}
        self._orders: dict[str, Ranks] = {}

    def ranks(self, column: str) -> Ranks:
        """Ranked by that column, highest first; ties by AI lines.

        By AI share only people with enough committed lines are ranked; the others follow without a rank.
        """
        if column not in self._orders:
            self._orders[column] = self._rank(BY_KEY[column].metric)
        return self._orders[column]

    def sorted_by(self, column: str, *, descending: bool) -> Sequence[int]:
        """Everybody by a figure, ties by AI lines; people without a value come last in both directions."""
        import numpy as np

        values, lines = self._of(BY_KEY[column].metric), self._of(AI_LINES)
        has_none = np.isnan(values)
        return self._people_at(np.lexsort((-np.nan_to_num(lines), -values if descending else values, has_none)))

    def sorted_by_agent(self, *, descending: bool) -> Sequence[int]:
        """By the first of their agents, in the order of agents that all pages use."""
        order = list(AGENT_NAMES)

        def place(person: int) -> tuple[int, str]:
            first = next(iter(self.figures.agents(person)), "")
            return (order.index(first) if first in order else len(order), first)

        return sorted(self.people, key=place, reverse=descending)

    def share_of_spenders(self, metric: str, count: int) -> float | None:
        """The share of the metric's total (0–1) of the `count` who spend most; None for a total of 0."""
        import numpy as np

        values = np.nan_to_num(self._of(metric))
        total, spenders = values.sum(), self._ordered_by(SPEND, np.ones(len(values), dtype=bool))[:count]
        return float(values[spenders].sum() / total) if total > 0 else None

    def _of(self, key: str) -> Floats:
        """The metric's values in the order of `people`; NaN for a missing one."""
        import numpy as np

        if key not in self._numbers:
            self._numbers[key] = np.asarray(self.figures.numbers(key), dtype=np.float64)
        return self._numbers[key]

    def _rank(self, key: str) -> Ranks:
        import numpy as np

        values, lines = self._of(key), np.nan_to_num(self._of(AI_LINES))
        is_ranked = ~np.isnan(values)
        if key == AI_SHARE:
            is_ranked &= np.nan_to_num(self._of(ALL_LINES)) >= ENOUGH_LINES
        order = self._ordered_by(key, is_ranked)
        ranked = order[: int(is_ranked.sum())]
        is_next = np.ones(len(ranked), dtype=bool)  # not tied with the previous one
        is_next[1:] = (np.diff(values[ranked]) != 0) | (np.diff(lines[ranked]) != 0)
        ranks = np.maximum.accumulate(np.where(is_next, np.arange(1, len(ranked) + 1), 0))
        people = self._people_at(order)
        return Ranks(people, dict(zip(people, ranks.tolist(), strict=False)))

    def _ordered_by(self, key: str, is_ranked: Flags) -> Integers:
        """Indexes of everybody: ranked people first, the greatest value first, then the others; ties by AI lines."""
        import numpy as np

        values, lines = self._of(key), self._of(AI_LINES)
        return np.lexsort((-np.nan_to_num(lines), -np.nan_to_num(values), np.isnan(values), ~is_ranked))

    def _people_at(self, places: Integers) -> Sequence[int]:
        import numpy as np

        people: list[int] = np.asarray(self.people, dtype=np.int64)[places].tolist()
        return people
