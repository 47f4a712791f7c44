"""The history of an objective and of its key results, from the database's events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from core.authorship import account_of
from insights.query import windows
from orgtree.access.access import Access
from programs.history.events import Changed, CurrentNames, Undisclosed, Value, events_of, together
from programs.key_results.services.reading import unit_of
from programs.models import KeyResult, Objective
from programs.objectives.columns import COLUMNS, KEY_RESULTS
from programs.objectives.queries.objectives import progress_of
from programs.objectives.services.writing import may_change

FIELDS = COLUMNS.of_events(Objective)
KEY_RESULT_FIELDS = KEY_RESULTS.of_events(KeyResult)
WRITTEN, REMOVED = "insert", "delete"  # of events; the first that is read may be a later one
AMOUNTS = ("baseline", "target", "hand_value", "final_value")


@dataclass(frozen=True)
class KeyResultSnapshot:
    """A key result that was added, or removed."""

    key_result: int
    title: str
    target: Value  # in `unit`; HIDDEN where it is withheld
    unit: str


@dataclass(frozen=True)
class ObjectiveStep:
    """The objective or one of its key results changed: at most one of the first three is said, or none of them."""

    is_first: bool = False  # the objective was written then
    added: KeyResultSnapshot | None = None
    removed: KeyResultSnapshot | None = None
    changes: Sequence[Changed] = ()


@dataclass(frozen=True)
class ObjectiveChange:
    """What one account (None: Headway itself) changed at once."""

    by: int | None
    at: datetime
    steps: Sequence[ObjectiveStep]


@dataclass(frozen=True)
class _TimedStep:
    at: datetime
    order: tuple[datetime, bool, int]  # of what was changed at once the objective itself comes first
    together: object  # what was changed in one transaction stands together
    account: int | None
    step: ObjectiveStep


def objective_changes(objective: Objective, access: Access) -> list[ObjectiveChange]:
    """The latest first, as far as the viewer may see it."""
    is_visible = _visible_amounts(objective, access)
    of_objective = events_of("ObjectiveEvent", pgh_obj=objective.pk)
    of_results = events_of("KeyResultEvent", objective=objective.pk)
    names = CurrentNames(of_objective, access.visibility, objective="parent_id")
    placed = [*_objective_steps(of_objective, names), *_key_result_steps(of_results, is_visible)]
    placed.sort(key=lambda event: event.order)
    changes = []
    for (_, account), at_once in groupby(placed, key=lambda event: (event.together, event.account)):
        same = list(at_once)
        changes.append(ObjectiveChange(account, same[0].at, [event.step for event in same]))
    return changes[::-1]


def _visible_amounts(objective: Objective, access: Access) -> Callable[[Any], bool]:
    """Whether the baselines and targets of a key result (an event of it) are shown: where the page shows them, too.

    Of one that was removed, and of what was hidden, only those who write for the objective are told.
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


def _objective_steps(events: Sequence[Any], names: CurrentNames) -> Iterator[_TimedStep]:
    if events and events[0].pgh_label == WRITTEN:
        yield _timed_step(events[0], ObjectiveStep(is_first=True))
    for before, event in pairwise(events):
        changes = [
            Changed(field, names.value_of(before, field), names.value_of(event, field))
            for field in FIELDS
            if getattr(before, field) != getattr(event, field)
        ]
        if changes:
            yield _timed_step(event, ObjectiveStep(changes=changes))


def _key_result_steps(events: Sequence[Any], is_visible: Callable[[Any], bool]) -> Iterator[_TimedStep]:
    latest: dict[int, Any] = {}
    for event in events:
        before = latest.get(event.pgh_obj_id)
        latest[event.pgh_obj_id] = event
        if event.pgh_label == REMOVED:
            yield _timed_step(event, ObjectiveStep(removed=_shown(event, is_visible)))
        elif event.pgh_label == WRITTEN:
            yield _timed_step(event, ObjectiveStep(added=_shown(event, is_visible)))
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
                yield _timed_step(event, ObjectiveStep(changes=changes))


def _timed_step(event: Any, step: ObjectiveStep) -> _TimedStep:
    order = (event.pgh_created_at, hasattr(event, "objective_id"), event.pgh_id)
    return _TimedStep(event.pgh_created_at, order, together(event), account_of(event), step)


def _shown(event: Any, is_visible: Callable[[Any], bool]) -> KeyResultSnapshot:
    return KeyResultSnapshot(event.pgh_obj_id, event.title, _value("target", event, is_visible), unit_of(event))


def _value(field: str, event: Any, is_visible: Callable[[Any], bool]) -> Value:
    if field in AMOUNTS and not is_visible(event):
        return Undisclosed.HIDDEN
    value: Value = getattr(event, field)
    return value
