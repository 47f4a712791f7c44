"""Adds, changes and removes intents, and fills a roadmap from the method's example.

Anybody who may write a unit's objectives may write its intents.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import IntegrityError

from core.authorship import changes_by
from core.edit_conflicts import take_fields
from core.write_errors import ConflictError, FieldError, MayNotWriteError
from orgtree.access.access import Access
from programs.models import ObjectiveTemplate, Quarter, RoadmapIntent
from programs.objectives.services.writing import hold_open
from programs.quarters.fiscal_quarters import quarter_at, quarters_from
from programs.requests.visible import account_of
from programs.roadmaps.services.fields import THINGS, intent_fields
from programs.teams.fields import unit_to_write_for


class ExampleIntent(NamedTuple):
    """An intent of the example; without a template, its objective is written from scratch."""

    title: str
    template: str = ""


# The example's improvements in four consecutive quarters; teams take the rows in turn.
EXAMPLE_OF_ORGANISATION = (ExampleIntent("Improve quality", "quality"),) * 4
EXAMPLES_OF_TEAMS = (
    (
        ExampleIntent("Scale velocity", "velocity"),
        ExampleIntent("Better lead time", "lead-time"),
        ExampleIntent("Improve deployment frequency"),
        ExampleIntent("Improve developer productivity"),
    ),
    (
        ExampleIntent("Improve planning", "planning"),
        ExampleIntent("Healthy sprint results"),
        ExampleIntent("Improve lead time", "lead-time"),
        ExampleIntent("Better business alignment", "allocation"),
    ),
)
IN_A_YEAR = len(EXAMPLE_OF_ORGANISATION)  # quarters
MOST_IN_A_QUARTER = 10  # per unit; with more, the priority is unclear
ONCE = "roadmap_intent_once_in_a_quarter"
GONE = "Somebody wrote this objective, or removed the intent, in the meantime."
ONLY_LEADERS = "Only managers of a unit, executives and admins can write a roadmap."


def add_intent(access: Access, given: Mapping[str, Any]) -> RoadmapIntent:
    """Adds an intent; `given` has the fields of `IntentWriteSerializer`.  Raises FieldError, MayNotWriteError."""
    account = account_of(access)
    with _once(), changes_by(account):
        intent = RoadmapIntent(**intent_fields(access, given), written_by=account)
        _check_place(intent)
        intent.save()
    return intent


def change_intent(access: Access, intent: RoadmapIntent, given: Mapping[str, Any], *, of_version: int) -> RoadmapIntent:
    """Changes the given fields; unchanged values are no change.  Raises like `add_intent`, and ConflictError if the
    intent changed since `of_version`.
    """
    with _once(), changes_by(account_of(access)):
        stored = _locked(access, intent)
        fields = intent_fields(access, given, stored)
        if take_fields(stored, fields, of_version, "Somebody changed this intent in the meantime."):
            _check_place(stored)
            stored.save()
    return stored


def remove_intent(access: Access, intent: RoadmapIntent) -> None:
    """Deletes the intent; its history remains.  Raises FieldError, MayNotWriteError, ConflictError."""
    with changes_by(account_of(access)):
        _locked(access, intent).delete()


def fill_from_example(access: Access, units: Sequence[str | None], *, first: Quarter) -> list[RoadmapIntent]:
    """Stores the example's intents for units (slugs; None: the whole organisation) in four quarters, beginning with
    `first`.

    Stores nothing if one of the units or quarters is rejected.  Raises FieldError, MayNotWriteError.
    """
    account = account_of(access)
    offered = set(ObjectiveTemplate.objects.filter(is_offered=True).values_list("slug", flat=True))
    rows = itertools.cycle(EXAMPLES_OF_TEAMS)
    with _once(), changes_by(account):
        ahead = quarters_from(Quarter.objects.all(), first.start, IN_A_YEAR)
        quarters = [quarter_at(quarter.start) for quarter in ahead]
        for quarter in quarters:
            hold_open(quarter)
        intents = [
            RoadmapIntent(
                unit=unit,
                quarter=quarter,
                title=intended.title,
                template=intended.template if intended.template in offered else "",
                written_by=account,
            )
            for unit in [unit_to_write_for(slug or "", access.visibility, THINGS) for slug in units]
            for quarter, intended in zip(quarters, next(rows) if unit else EXAMPLE_OF_ORGANISATION, strict=True)
        ]
        return RoadmapIntent.objects.bulk_create(intents)


def _check_place(intent: RoadmapIntent) -> None:
    """Checks that the quarter is open and that the unit does not have too many intents in it.  Raises FieldError."""
    hold_open(intent.quarter)
    others = RoadmapIntent.objects.filter(unit=intent.unit, quarter=intent.quarter).exclude(pk=intent.pk or 0)
    if others.count() >= MOST_IN_A_QUARTER:
        raise FieldError("quarter", f"At most {MOST_IN_A_QUARTER} of a unit in a quarter: remove one first.")


def _locked(access: Access, intent: RoadmapIntent) -> RoadmapIntent:
    """The stored intent, locked in this transaction.  Raises ConflictError, MayNotWriteError, FieldError."""
    held = RoadmapIntent.objects.select_for_update(of=("self",)).select_related("unit", "quarter")
    stored = held.filter(pk=intent.pk).first()
    if stored is None:
        raise ConflictError(GONE, None)
    if not access.visibility.leads(stored.unit_id):
        raise MayNotWriteError(ONLY_LEADERS)
    hold_open(stored.quarter)
    return stored


@contextmanager
def _once() -> Iterator[None]:
    """Turns a violated constraint into an error at its field: the unit already intends the same in that quarter."""
    try:
        yield
    except IntegrityError as problem:
        if ONCE not in str(problem):
            raise
        raise FieldError("title", "The unit already intends this in that quarter.") from None
