"""What of a closed quarter goes on in the following one, as drafts with new baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from django.contrib.auth.models import User

from orgtree.models import UnitPlace
from programs.key_results.services.drafts import Baseline, baselines
from programs.models import KeyResult, Objective, Quarter, TargetKind
from programs.objectives.services.drafts import draft_of


def carry_over(objectives: Sequence[Objective], into: Quarter, *, by: User | None, today: date) -> list[Objective]:
    """A draft for each, which says the same and aims at the same values; its baseline is the quarter that was closed.

    A relative target becomes the value that it meant: carried over, it is still the same goal.  What stands beyond its
    target already becomes a guardrail: it is to hold.  It stays the team's mandatory objective where the team has none
    yet in the quarter.  A parent that is carried over, too, is followed.
    """
    mandatory = Objective.objects.filter(quarter=into, is_mandatory=True, dropped_at=None)
    taken = {unit for unit in mandatory.values_list("unit", flat=True) if unit is not None}
    standing = set(
        UnitPlace.objects.filter(
            unit__in=[each.unit_id for each in objectives if each.unit_id], during__contains=today
        ).values_list("unit", flat=True)
    )
    carried: dict[int, Objective] = {}
    for objective in objectives:
        stays_mandatory = objective.is_mandatory and objective.unit_id in standing and objective.unit_id not in taken
        carried[objective.pk] = Objective.objects.create(
            quarter=into,
            unit=objective.unit,
            title=objective.title,
            description=objective.description,
            template=objective.template,
            owner=objective.owner,
            is_mandatory=stays_mandatory,
            carried_from=objective,
            written_by=by,
        )
        if stays_mandatory and objective.unit_id is not None:
            taken.add(objective.unit_id)
        _carry_key_results(objective, carried[objective.pk], into, today)
    _follow_parents(objectives, carried)
    return list(carried.values())


def _carry_key_results(objective: Objective, draft: Objective, into: Quarter, today: date) -> None:
    known = list(objective.key_results.order_by("position"))
    asked = {row: draft_of(each) for row, each in enumerate(known) if each.metric}
    stood = baselines(asked, objective.unit, into, today=today)
    for row, each in enumerate(known):
        baseline = stood.get(row, Baseline(each.hand_value))
        window = baseline.window if baseline.value is not None else None
        is_guardrail = each.is_guardrail or _is_reached(each, baseline.value)
        KeyResult.objects.create(
            objective=draft,
            position=each.position,
            title=each.title,
            metric=each.metric,
            statistic=each.statistic,
            unit_of_measure=each.unit_of_measure,
            better=each.better,
            target_kind=TargetKind.GUARDRAIL if is_guardrail else TargetKind.ABSOLUTE,
            target=each.target,
            baseline=baseline.value,
            baseline_from=window.start if window else None,
            baseline_to=window.end if window else None,
            baseline_people=baseline.people if window else None,
        )


def _is_reached(key_result: KeyResult, value: float | None) -> bool:
    if value is None:
        return False
    is_higher = key_result.better == KeyResult.Better.HIGHER
    return value >= key_result.target if is_higher else value <= key_result.target


def _follow_parents(objectives: Sequence[Objective], carried: Mapping[int, Objective]) -> None:
    for objective in objectives:
        parent = carried.get(objective.parent_id or 0)
        if parent is not None:
            carried[objective.pk].parent = parent
            carried[objective.pk].save(update_fields=["parent"])
