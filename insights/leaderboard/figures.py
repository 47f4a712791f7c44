"""What stands on the leaderboard: everybody with agent activity in a scope, with their figures and agents.

They are read from facts, or taken from what is kept of the whole organisation (insights/leaderboard/packed.py).  What
a person did counts for a unit while they were in it: of whoever was in the unit on all days of their activity, figures
of the whole organisation are those of the unit.  All others, who are few, are read from facts.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from django.conf import settings

from insights.leaderboard.columns import AI_LINES, METRICS, SESSIONS, TOKENS
from insights.metrics.by_person import People, PersonValue, read_people
from insights.metrics.plan import Places
from insights.metrics.query import Dimension, MetricQuery
from insights.metrics.registry import get
from insights.metrics.row_privacy import is_named_elsewhere
from insights.metrics.withhold import rounded
from insights.people_figures.members import members

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

NAMED_ELSEWHERE = "Not shown under a pseudonym: commits show the same with names."


class Figures(Protocol):
    """Of `people`, in an order that tells nothing of who they are, as of `read_at`."""

    @property
    def read_at(self) -> datetime: ...

    @property
    def people(self) -> Sequence[int]: ...

    def numbers(self, key: str) -> Sequence[float]:
        """The metric's values in the order of `people`; NaN where there is none."""

    def value(self, key: str, person_id: int) -> PersonValue:
        """Of one of METRICS."""

    def agents(self, person_id: int) -> Sequence[str]:
        """The person's agents, the one of most sessions first; of whoever has no session, the one of most AI lines."""


class FactFigures:
    """Read from facts."""

    def __init__(
        self,
        asked: MetricQuery,
        only: Collection[int] | None = None,
        places: Places | None = None,
        *,
        keys: Sequence[str] = METRICS,
    ) -> None:
        """`asked` says scope, window and facets, `only` of whom; its key says nothing.

        `keys` are the metrics of which values will be asked for.  Raises QueryError where they can't be read.
        """
        self._asked = asked
        self._only = only
        self._places = places or Places()
        self._people = self._read(queries_of(asked, keys))
        self.read_at = self._people.read_at
        self._ids = tuple(self._people.ids)
        self._known: dict[str, Floats] = {}

    @cached_property
    def people(self) -> Sequence[int]:
        return [self._ids[place] for place in self._places_of_people]

    @cached_property
    def _places_of_people(self) -> Sequence[int]:
        """Of those with agent activity among everybody of whom anything was found, in the order of `people`."""
        import numpy as np

        active = np.zeros(len(self._ids), dtype=bool)
        for key in (SESSIONS, TOKENS, AI_LINES):
            active |= np.nan_to_num(self._numbers(key)) != 0
        return sorted(np.flatnonzero(active).tolist(), key=lambda place: shuffled(self._ids[place]))

    def numbers(self, key: str) -> Sequence[float]:
        found: Sequence[float] = self._numbers(key)[self._places_of_people].tolist()
        return found

    def _numbers(self, key: str) -> Floats:
        """Of everybody of whom anything was found."""
        if key not in self._known:
            self._known[key] = self._people.numbers(key, self._ids)
        return self._known[key]

    def value(self, key: str, person_id: int) -> PersonValue:
        return self._people.value(key, person_id)

    def agents(self, person_id: int) -> Sequence[str]:
        return [*(self._people.split(SESSIONS, person_id) or self._writing.split(AI_LINES, person_id))]

    def days(self, person_id: int) -> tuple[date, date]:
        """Between which lie the person's facts in the window, and the day of enrolment, on which reasons depend."""
        first, last = self._people.days(person_id)
        enrolled = self._people.since(SESSIONS, person_id)
        if enrolled is None or not self._asked.window.start <= enrolled < self._asked.window.end:
            return first, last
        return min(first, enrolled), max(last, enrolled)

    @cached_property
    def _writing(self) -> People:
        """Who wrote in whose commits; read where somebody has no session, of whom trailers or notes tell alone."""
        return self._read([_by_agent(self._asked, AI_LINES)])

    def _read(self, queries: Sequence[MetricQuery]) -> People:
        return read_people(queries, only=self._only, places=self._places)


class KeptFigures(Figures, Protocol):
    """Figures of the whole organisation, with the days between which each person's facts lie (`date.toordinal`)."""

    @property
    def firsts(self) -> Sequence[int]: ...

    @property
    def lasts(self) -> Sequence[int]: ...


class UnitFigures:
    """Of a unit: kept figures of the whole organisation, and of whoever came or went meanwhile from facts."""

    def __init__(self, asked: MetricQuery, whole: KeptFigures, places: Places) -> None:
        self.read_at = whole.read_at
        self._whole = whole
        [unit_id] = places.of(asked.scope).ids
        stayed, moved = members(unit_id, whole.people, whole.firsts, whole.lasts)
        self._moved: FactFigures | None = FactFigures(asked, moved, places) if moved else None
        self.movers = {*self._moved.people} if self._moved else set()
        self.people: Sequence[int] = sorted([*stayed, *self.movers], key=shuffled)

    def numbers(self, key: str) -> Sequence[float]:
        found = by_person(self._whole, key)
        if self._moved:
            found |= by_person(self._moved, key)
        return [found[person] for person in self.people]

    def value(self, key: str, person_id: int) -> PersonValue:
        return self._of(person_id).value(key, person_id)

    def agents(self, person_id: int) -> Sequence[str]:
        return self._of(person_id).agents(person_id)

    def _of(self, person_id: int) -> Figures:
        return self._moved if self._moved and person_id in self.movers else self._whole


class FilteredFigures:
    """Filtered by agent or model: what heeds no such filter is what it is of `whole`, the same without filters.

    `whole` may be of a while ago; `is_whole` says whether it knows everybody.
    """

    def __init__(self, asked: MetricQuery, whole: Figures) -> None:
        heeding = [key for key in METRICS if asked.facets.keys() & get(key).facets]
        filtered = FactFigures(asked, keys=heeding)
        self.people: Sequence[int] = filtered.people
        self.read_at = min(filtered.read_at, whole.read_at)
        self.is_whole = {*filtered.people} <= {*whole.people}
        self._filtered = filtered
        self._of: Mapping[str, Figures] = {key: filtered if key in heeding else whole for key in METRICS}

    def numbers(self, key: str) -> Sequence[float]:
        found = by_person(self._of[key], key)
        return [found[person] for person in self.people]

    def value(self, key: str, person_id: int) -> PersonValue:
        return self._of[key].value(key, person_id)

    def agents(self, person_id: int) -> Sequence[str]:
        return self._filtered.agents(person_id)


class PseudonymousFigures:
    """What one viewer sees of figures under pseudonyms.

    One's own are exact.  Of others, totals are rounded, and what tools show with names is left out: lines of commits,
    and with them the agents, whom commits name.  Equals stand in an order of this `question` alone: by one that is the
    same everywhere, pseudonyms of two units or quarters could be laid side by side.
    """

    def __init__(self, figures: Figures, own_id: int | None, question: str) -> None:
        self.read_at = figures.read_at
        self.people = sorted(figures.people, key=lambda person: shuffled(person, question))
        self._figures = figures
        self._own_id = own_id

    def numbers(self, key: str) -> Sequence[float]:
        found = by_person(self._figures, key)
        return [found[person] if person == self._own_id else _rounded(key, found[person]) for person in self.people]

    def value(self, key: str, person_id: int) -> PersonValue:
        found = self._figures.value(key, person_id)
        if person_id == self._own_id:
            return found
        if is_named_elsewhere(key):
            return PersonValue(None, NAMED_ELSEWHERE)
        return found if found.value is None else replace(found, value=rounded(found.value))

    def agents(self, person_id: int) -> Sequence[str]:
        return self._figures.agents(person_id) if person_id == self._own_id else ()


def _rounded(key: str, value: float) -> float:
    if is_named_elsewhere(key):
        return math.nan
    return value if math.isnan(value) else rounded(value)


def by_person(figures: Figures, key: str) -> dict[int, float]:
    """The numbers of each."""
    return dict(zip(figures.people, figures.numbers(key), strict=True))


def shuffled(person_id: int, question: str = "") -> bytes:
    """Who is equal in everything stands in an order that tells nothing of who it is; a different one per question."""
    message = f"{question} {person_id}".encode()
    return hmac.digest(b"leaderboard" + settings.SECRET_KEY.encode(), message, hashlib.sha256)


def queries_of(asked: MetricQuery, keys: Sequence[str] = METRICS) -> Sequence[MetricQuery]:
    """What is read of everybody first."""
    return [*(_query(asked, key) for key in keys), _by_agent(asked, SESSIONS)]


def _query(asked: MetricQuery, key: str) -> MetricQuery:
    metric = get(key)
    return replace(
        asked, key=key, facets={name: values for name, values in asked.facets.items() if name in metric.facets}
    )


def _by_agent(asked: MetricQuery, key: str) -> MetricQuery:
    return replace(_query(asked, key), segments=(Dimension.AGENT,))
