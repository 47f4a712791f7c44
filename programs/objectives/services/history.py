"""The history of an objective and its key results, from the database's events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from insights.query import windows
from orgtree.access.access import Access
from programs.history.events import (
    REMOVED,
    WRITTEN,
    Change,
    Changed,
    CurrentNames,
    Step,
    Undisclosed,
    Value,
    author_of,
    changes_from,
    events_of,
    field_steps,
)
from programs.key_results.services.reading import unit_of
from programs.models import KeyResult, Objective
from programs.objectives.columns import COLUMNS, KEY_RESULTS
from programs.objectives.queries.objectives import progress_of
from programs.objectives.services.writing import may_change

FIELDS = COLUMNS.of_events(Objective)
KEY_RESULT_FIELDS = KEY_RESULTS.of_events(KeyResult)
AMOUNTS = ("baseline", "target", "hand_value", "final_value")


@dataclass(frozen=True)
class KeyResultSnapshot:
    """A key result that was added or removed."""

    key_result: int
    title: str
    target: Value  # in `unit`; HIDDEN if it is withheld
    unit: str


@dataclass(frozen=True)
class KeyResultStep(Step):
    """A key result that was added, removed or changed."""

    added: KeyResultSnapshot | None = None
    removed: KeyResultSnapshot | None = None


def objective_changes(objective: Objective, access: Access) -> list[Change]:
    """The changes that the viewer may see, latest first; among simultaneous changes the objective's own come first."""
    of_objective = events_of("ObjectiveEvent", pgh_obj=objective.pk)
    of_results = events_of("KeyResultEvent", objective=objective.pk)
    names = CurrentNames(of_objective, access.visibility, objective="parent_id")
    steps = field_steps(of_objective, FIELDS, names)
    return changes_from([*steps, *_key_result_steps(of_results, _visible_amounts(objective, access))])


def _visible_amounts(objective: Objective, access: Access) -> Callable[[Any], bool]:
    """Whether the baselines and targets in an event of a key result are shown: only if the page shows them, too.

    Those of removed key results, and hidden ones, are shown only to those who can change the objective.
    """
    if may_change(access.visibility, objective):
        return lambda event: True
    [progress] = progress_of([objective], access, today=windows.local_today())
    shown = {
        result.key_result.pk
        for result in progress.key_results
        if not result.withheld
        and result.target is not None
        and (result.baseline is not None or result.key_result.baseline is None)
    }
    return lambda event: not event.metric or event.pgh_obj_id in shown


def _key_result_steps(events: Sequence[Any], is_visible: Callable[[Any], bool]) -> Iterator[KeyResultStep]:
    latest: dict[int, Any] = {}
    for event in events:
        before = latest.get(event.pgh_obj_id)
        latest[event.pgh_obj_id] = event
        if event.pgh_label == REMOVED:
            yield KeyResultStep(**author_of(event), removed=_shown(event, is_visible))
        elif event.pgh_label == WRITTEN:
            yield KeyResultStep(**author_of(event), added=_shown(event, is_visible))
        elif before is not None:
            changes = [
                Changed(
                    field,
                    _value(field, before, is_visible),
                    _value(field, event, is_visible),
                    event.pgh_obj_id,
                    event.title,
                    unit_of(event),
                    unit_of(before),
                )
                for field in KEY_RESULT_FIELDS
                if getattr(before, field) != getattr(event, field)
            ]
            if changes:
                yield KeyResultStep(**author_of(event), changes=changes)


def _shown(event: Any, is_visible: Callable[[Any], bool]) -> KeyResultSnapshot:
    return KeyResultSnapshot(event.pgh_obj_id, event.title, _value("target", event, is_visible), unit_of(event))


def _value(field: str, event: Any, is_visible: Callable[[Any], bool]) -> Value:
    if field in AMOUNTS and not is_visible(event):
        return Undisclosed.HIDDEN
    value: Value = getattr(event, field)
    return value
