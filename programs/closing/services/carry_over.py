"""Carries objectives over into the next quarter, as drafts with new baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from django.contrib.auth.models import User

from orgtree.models import UnitPlace
from programs.key_results.services.baselines import Baseline, baselines
from programs.key_results.services.fields import FIELDS as KEY_RESULT_FIELDS
from programs.models import KeyResult, Objective, Quarter, TargetKind
from programs.objectives.services.fields import FIELDS


def carry_over(objectives: Sequence[Objective], into: Quarter, *, by: User | None, today: date) -> list[Objective]:
    """A draft for each, which says the same and aims at the same values; its baseline is the quarter that was closed.

    A relative target becomes the value that it meant: carried over, it is still the same goal.  What stands beyond its
    target already becomes a guardrail: it is to hold.  It stays the team's mandatory objective where the team has none
    yet in the quarter.  A parent that is carried over, too, is followed.
    """
    mandatory = Objective.objects.filter(quarter=into, is_mandatory=True, dropped_at=None)
    with_mandatory = {unit for unit in mandatory.values_list("unit", flat=True) if unit is not None}
    existing_units = set(
        UnitPlace.objects.filter(
            unit__in=[source.unit_id for source in objectives if source.unit_id], during__contains=today
        ).values_list("unit", flat=True)
    )
    carried: dict[int, Objective] = {}
    for objective in objectives:
        stays_mandatory = (
            objective.is_mandatory and objective.unit_id in existing_units and objective.unit_id not in with_mandatory
        )
        carried[objective.pk] = Objective.objects.create(
            **{
                **{name: getattr(objective, name) for name in FIELDS},
                "quarter": into,
                "is_mandatory": stays_mandatory,
                "parent": None,
            },
            carried_from=objective,
            written_by=by,
        )
        if stays_mandatory and objective.unit_id is not None:
            with_mandatory.add(objective.unit_id)
        _carry_key_results(objective, carried[objective.pk], into, today)
    _follow_parents(objectives, carried)
    return list(carried.values())


def _carry_key_results(objective: Objective, draft: Objective, into: Quarter, today: date) -> None:
    known = list(objective.key_results.order_by("position"))
    queries = {row: (result.metric, result.statistic) for row, result in enumerate(known) if result.metric}
    stood = baselines(queries, objective.unit, into, today=today)
    for row, key_result in enumerate(known):
        baseline = stood.get(row, Baseline(key_result.hand_value))
        is_guardrail = key_result.is_guardrail or _is_reached(key_result, baseline.value)
        KeyResult.objects.create(
            objective=draft,
            position=key_result.position,
            **{
                **{name: getattr(key_result, name) for name in KEY_RESULT_FIELDS},
                "target_kind": TargetKind.GUARDRAIL if is_guardrail else TargetKind.ABSOLUTE,
                "change_percent": None,
                **baseline.fields,
            },
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
