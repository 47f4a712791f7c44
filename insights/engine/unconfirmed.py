"""Unconfirmed people, known from telemetry alone, do not count towards the minimum group size.  docs/access.md.

Their activity counts in every value.  But a token that belongs to nobody can claim any address, and could make a group
of two look like one of five.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from core.cache import Cache
from insights.engine.by_person import among
from insights.engine.plan import Plan
from insights.query.enums import BelongsTo
from insights.query.query import Answer, MetricValue
from integrations.facts.unconfirmed import unconfirmed_people

CACHED_SECONDS = 60
_BYTES_OF_AN_ID = 40

unconfirmed_by_version: Cache[tuple[int, ...]] = Cache(8_000_000, lambda people: 100 + len(people) * _BYTES_OF_AN_ID)
"""By version of people and minute."""


def unconfirmed(people_version: int) -> tuple[int, ...]:
    """The ids of everybody known from telemetry alone, at least as recent as that version of people.

    Claiming, moving or importing people makes a new version.  Anything else that confirms people is seen within a
    minute.
    """
    key = f"{people_version} {int(time.monotonic() / CACHED_SECONDS)}"
    people = unconfirmed_by_version.get(key)
    if people is None:
        people = unconfirmed_people()
        unconfirmed_by_version.put(key, people)
    return people


def plans_of_unconfirmed(plans: Sequence[Plan], people: Sequence[int]) -> list[Plan | None]:
    """Each plan restricted to these people; None where they cannot contribute."""
    return [among(plan, people) if _tells_of_telemetry(plan) else None for plan in plans]


def noting_unconfirmed(answer: Answer, of_unconfirmed: Answer) -> Answer:
    """The answer with the number of unconfirmed people in each value."""
    people_by_window = {
        (figure.window, *sorted(figure.segment.items())): figure.people
        for figure in (*of_unconfirmed.total, *of_unconfirmed.series)
    }

    def noted(figures: Sequence[MetricValue]) -> list[MetricValue]:
        return [
            replace(figure, unconfirmed=people_by_window.get((figure.window, *sorted(figure.segment.items())), 0))
            for figure in figures
        ]

    return replace(answer, total=noted(answer.total), series=noted(answer.series))


def _tells_of_telemetry(plan: Plan) -> bool:
    """Whether telemetry contributes: not to what other tools show everybody, nor to facts of owners."""
    of_people = plan.metric.belongs_to is BelongsTo.PERSON
    return of_people and not all(measure.relation.open_as_in_tools for measure in plan.metric.measures)
