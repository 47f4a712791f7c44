"""Adds and changes objectives: managers for their units, executives and admins for all, owners their own. The history
(django-pghistory) records each change with its account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError
from django.db.models import F
from django.utils import timezone

from core import sql
from core.authorship import changes_by
from core.edit_conflicts import take_fields
from core.write_errors import FieldError, MayNotWriteError, checked_text
from insights.query import windows
from orgtree.access.access import Access
from orgtree.models.visibility import Visibility
from programs.finding_work.work import follow_drop
from programs.key_results.services.fields import FIELDS as KEY_RESULT_FIELDS
from programs.key_results.services.measuring import measure_batch
from programs.models import KeyResult, Objective, ObjectiveStatus, Quarter, RoadmapIntent
from programs.objectives.services.fields import check_publishable, objective_fields
from programs.requests.visible import account_of
from programs.teams.services import settle_teams_tree

ONLY_LEADERS = "Only its owner, the managers of its unit, executives and admins can change an objective."
ONE_MANDATORY = "one_mandatory_objective_per_unit_and_quarter"
COMPUTED = ("baseline_from", "baseline_to", "baseline_people")  # stored with a key result's baseline
LONGEST_REASON = 2_000  # characters
LONGEST_RETROSPECTIVE = 20_000  # characters
ONLY_LEADERS_OF_ALL = "Only executives and admins can write what the organisation learned."


def may_change(visibility: Visibility, objective: Objective) -> bool:
    """Whether the viewer owns the objective or leads its unit; false once the quarter is closed or the objective
    dropped.

    Needs `objective.quarter`.
    """
    if objective.quarter.is_closed or objective.dropped_at is not None:
        return False
    return is_answerable(visibility, objective)


def is_answerable(visibility: Visibility, objective: Objective) -> bool:
    owns = objective.owner_id is not None and objective.owner_id == visibility.person_id
    return owns or visibility.leads(objective.unit_id)


def add_objective(access: Access, given: Mapping[str, Any]) -> Objective:
    """Adds an objective; `given` has the fields of the API.  Raises FieldError, MayNotWriteError."""
    account = account_of(access)
    with _one_mandatory(), changes_by(account):
        fields = objective_fields(access, given)
        hold_open(fields["quarter"])
        key_results, intent = fields.pop("key_results"), fields.pop("intent", None)
        published_at = timezone.now() if fields.pop("publish", False) else None
        added = Objective.objects.create(**fields, published_at=published_at, written_by=account)
        _store_key_results(added, key_results)
        _measure(added)
        if intent is not None:
            _resolve_intent(access.visibility, intent)
        if added.is_mandatory:
            settle_teams_tree()
    return added


def change_objective(access: Access, objective: Objective, given: Mapping[str, Any], *, of_version: int) -> Objective:
    """Changes an objective; raises like `add_objective`, and ConflictError if it changed since `of_version`.

    Omitted fields stay, and a change without a difference is not recorded.  Publishing is a change; a published
    objective cannot be unpublished, only dropped with a reason.
    """
    account = account_of(access)
    with _one_mandatory(), changes_by(account):
        stored = locked_to_change(access, objective)
        fields = objective_fields(access, given, stored)
        fields.pop("intent", None)
        key_results: Sequence[KeyResult] = fields.pop("key_results")
        publishes = fields.pop("publish", False) and stored.published_at is None
        moves = fields.get("quarter", stored.quarter) != stored.quarter
        also = publishes or list(map(_values, stored.key_results.all())) != list(map(_values, key_results))
        conflict = "Somebody changed this objective in the meantime."
        if take_fields(stored, fields, of_version, conflict, also=also):
            if publishes:
                stored.published_at = timezone.now()
            if moves:
                hold_open(stored.quarter)
            stored.save()
            _store_key_results(stored, key_results)
            if moves:  # an objective supports one of its own quarter
                stored.aligned.update(parent=None, version=F("version") + 1)
            _measure(stored)
            if stored.is_mandatory:
                settle_teams_tree()
    return stored


def move_objective(
    access: Access, objective: Objective, *, unit: str | None, quarter: Quarter, of_version: int
) -> Objective:
    """Moves an objective and its key results to another quarter, another unit (slug; None: the whole organisation), or
    both.

    Computed baselines are read again, for the days before the new quarter, and targets in percent follow them. Links to
    a parent in another quarter are removed.  Raises like `change_objective`.
    """
    place: dict[str, Any] = {"unit": unit, "quarter": quarter.start.isoformat()}
    if (quarter, unit) != (objective.quarter, objective.unit.slug if objective.unit else None):
        place["parent"] = None
    return change_objective(access, objective, place, of_version=of_version)


def publish_objective(access: Access, objective: Objective) -> Objective:
    """Publishes an objective to everybody whom it concerns; a published one stays as it is.

    Raises FieldError, MayNotWriteError.
    """
    with changes_by(account_of(access)):
        stored = locked_to_change(access, objective)
        if stored.published_at is None:
            check_publishable([result.is_guardrail for result in stored.key_results.all()])
            stored.published_at = timezone.now()
            save_change(stored)
            _measure(stored)
    return stored


def drop_objective(access: Access, objective: Objective, why: str) -> Objective:
    """Drops the objective during its quarter, with a reason; it stays readable.  Raises FieldError,
    MayNotWriteError.
    """
    reason = checked_text("dropped_why", why, LONGEST_REASON, missing="Give a reason for dropping it.")
    with changes_by(account_of(access)):
        stored = locked_to_change(access, objective)
        stored.dropped_at, stored.dropped_why = timezone.now(), reason
        save_change(stored)
        follow_drop(stored)
    return stored


def override_status(access: Access, objective: Objective, status: str, reason: str) -> Objective:
    """Overrides the computed status, with a reason; an empty status removes the override.

    Raises FieldError, MayNotWriteError.
    """
    if status not in ("", ObjectiveStatus.ON_TRACK, ObjectiveStatus.AT_RISK, ObjectiveStatus.OFF_TRACK):
        raise FieldError("override", "One of: on_track, at_risk, off_track, or nothing.")
    why = checked_text(
        "override_reason",
        reason,
        LONGEST_REASON,
        missing="Give a reason: the computed status differs." if status else "",
    )
    account = account_of(access)
    with changes_by(account):
        stored = locked_to_change(access, objective)
        if (stored.override, stored.override_reason) == (status, why if status else ""):
            return stored
        stored.override, stored.override_reason = status, why if status else ""
        stored.override_by = account if status else None
        save_change(stored)
    return stored


def hold_open(quarter: Quarter) -> None:
    """Keeps the quarter open until this transaction ends.  Raises FieldError if it is closed already."""
    closed_at = sql.column("SELECT closed_at FROM programs_quarter WHERE id = %s FOR SHARE", [quarter.pk])
    if closed_at != [None]:
        raise FieldError("quarter", f"{quarter} is closed and cannot be changed. Use the following quarter.")


def locked_to_change(access: Access, objective: Objective) -> Objective:
    """The objective as stored, locked for this transaction.  Raises MayNotWriteError, FieldError."""
    if not is_answerable(access.visibility, objective):
        raise MayNotWriteError(ONLY_LEADERS)
    hold_open(objective.quarter)
    stored = (
        Objective.objects.select_for_update(of=("self",))
        .select_related("quarter", "unit", "owner", "parent")
        .get(pk=objective.pk)
    )
    if not is_answerable(access.visibility, stored):  # it was moved to another unit meanwhile
        raise MayNotWriteError(ONLY_LEADERS)
    if stored.dropped_at is not None:
        raise FieldError("dropped_at", "It was dropped: write a new one instead.")
    return stored


def save_change(stored: Objective) -> None:
    stored.version += 1
    stored.save()


def _resolve_intent(visibility: Visibility, intent: int) -> None:
    """Deletes the roadmap's intent, which is an objective now.  Does nothing if it is gone already, or belongs to
    another unit.
    """
    intended = RoadmapIntent.objects.within(visibility).select_for_update(of=("self",)).filter(pk=intent).first()
    if intended is not None and visibility.leads(intended.unit_id):
        intended.delete()


def _measure(objective: Objective) -> None:
    measure_batch(Objective.objects.filter(pk=objective.pk), today=windows.local_today())


def _values(key_result: KeyResult) -> tuple[Any, ...]:
    return (key_result.pk, *(getattr(key_result, name) for name in (*KEY_RESULT_FIELDS, *COMPUTED)))


def _store_key_results(objective: Objective, key_results: Sequence[KeyResult]) -> None:
    """Stores these key results in their order, and deletes all others.  Raises FieldError."""
    stored = {key_result.pk: key_result for key_result in objective.key_results.all()}
    gone = objective.key_results.exclude(pk__in=[key_result.pk for key_result in key_results if key_result.pk])
    spoken_of = gone.filter(check_ins__isnull=False).first()
    if spoken_of is not None:
        raise FieldError(
            "key_results",
            f"“{spoken_of.title}” has check-ins, which would be lost with it: leave it, or drop the objective.",
        )
    gone.delete()
    for position, key_result in enumerate(key_results):
        before = stored.get(key_result.pk)
        if before is None or before.position != position or _values(before) != _values(key_result):
            key_result.objective, key_result.position = objective, position
            key_result.save()


@contextmanager
def _one_mandatory() -> Iterator[None]:
    """Turns a violated constraint into an error at its field: somebody else wrote the unit's mandatory objective at the
    same moment.
    """
    try:
        yield
    except IntegrityError as problem:
        if ONE_MANDATORY not in str(problem):
            raise
        raise FieldError(
            "is_mandatory", "Somebody has just written the mandatory objective of this unit and quarter."
        ) from None


def decide(access: Access, objective: Objective, carry_over: str, retrospective: str) -> Objective:
    """Decides on carrying an objective over, for accounts that can change it.  Raises FieldError, MayNotWriteError."""
    if carry_over not in Objective.CarryOver.values:
        raise FieldError("carry_over", f"One of: {', '.join(Objective.CarryOver.values)}.")
    lesson = checked_text("retrospective", retrospective, LONGEST_RETROSPECTIVE)
    with changes_by(account_of(access)):
        stored = locked_to_change(access, objective)
        if (stored.carry_over, stored.retrospective) != (carry_over, lesson):
            stored.carry_over, stored.retrospective = carry_over, lesson
            save_change(stored)
    return stored


def keep_decisions(
    access: Access,
    quarter: Quarter,
    *,
    decisions: Mapping[int, str],
    retrospectives: Mapping[int, str],
    retrospective: str,
) -> int:
    """Stores the given objectives' decisions and the organisation's retrospective; returns how many changed.

    All or none of them.  Raises FieldError, MayNotWriteError.
    """
    if not access.visibility.leads_whole:
        raise MayNotWriteError(ONLY_LEADERS_OF_ALL)
    lesson = checked_text("retrospective", retrospective, LONGEST_RETROSPECTIVE)
    named = {*decisions, *retrospectives}
    with changes_by(account_of(access)):
        hold_open(quarter)
        objectives = list(
            Objective.objects.filter(quarter=quarter, dropped_at=None, pk__in=named).select_related("quarter")
        )
        if len(objectives) != len(named):
            raise FieldError("decisions", "One of them is not an objective of this quarter, or has been dropped.")
        for objective in objectives:
            decide(
                access,
                objective,
                decisions.get(objective.pk, objective.carry_over),
                retrospectives.get(objective.pk, objective.retrospective),
            )
        Quarter.objects.filter(pk=quarter.pk).update(retrospective=lesson)
    return len(objectives)
