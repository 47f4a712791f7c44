"""Who does not count towards the minimum group size, because nothing but telemetry names them.  docs/access.md.

Their activity is in every figure: what telemetry brings is not lost.  But whoever holds a token of nobody can claim
anybody's address, and so make a group of two look like one of five.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from core.cache import Cache
from insights.engine.by_person import among
from insights.engine.plan import Plan
from insights.query.query import Figure, SeriesAnswer
from insights.query.terms import BelongsTo
from integrations.facts.unconfirmed import unconfirmed_people

CACHED_SECONDS = 60
_BYTES_OF_AN_ID = 40

unconfirmed_by_version: Cache[tuple[int, ...]] = Cache(8_000_000, lambda people: 100 + len(people) * _BYTES_OF_AN_ID)
"""Of each version of people, in each minute."""


def unconfirmed(people_version: int) -> tuple[int, ...]:
    """The ids of everybody whom nothing but telemetry names, as of that version of people at least.

    Whoever is claimed, moved or imported makes another one.  What else makes somebody known is seen within a minute.
    """
    key = f"{people_version} {int(time.monotonic() / CACHED_SECONDS)}"
    found = unconfirmed_by_version.get(key)
    if found is None:
        found = unconfirmed_people()
        unconfirmed_by_version.put(key, found)
    return found


def plans_of_unconfirmed(plans: Sequence[Plan], people: Sequence[int]) -> list[Plan | None]:
    """Each plan for these people alone; None where they have no part in it."""
    return [among(plan, people) if _tells_of_telemetry(plan) else None for plan in plans]


def noting_unconfirmed(answer: SeriesAnswer, of_unconfirmed: SeriesAnswer) -> SeriesAnswer:
    """The answer whose figures say how many of their people are unconfirmed."""
    found = {
        (figure.window, *sorted(figure.segment.items())): figure.people
        for figure in (*of_unconfirmed.total, *of_unconfirmed.series)
    }

    def noted(figures: Sequence[Figure]) -> list[Figure]:
        return [
            replace(figure, unconfirmed=found.get((figure.window, *sorted(figure.segment.items())), 0))
            for figure in figures
        ]

    return replace(answer, total=noted(answer.total), series=noted(answer.series))


def _tells_of_telemetry(plan: Plan) -> bool:
    """What other tools show everybody has nothing of telemetry, and what is owned is no person's."""
    of_people = plan.metric.belongs_to is BelongsTo.PERSON
    return of_people and not all(measure.relation.open_as_in_tools for measure in plan.metric.measures)
