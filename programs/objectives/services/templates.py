"""Objective templates, and objectives started from them with a unit's baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Prefetch

from core.write_errors import FieldError
from insights.catalogue.registry import find
from insights.privacy.withhold import is_withheld
from insights.query import windows
from orgtree.access.access import Access
from orgtree.models import Person, Unit
from programs.key_results.services.baselines import Baseline, baselines
from programs.key_results.services.fields import OF_TEMPLATES
from programs.key_results.services.reading import metric_query
from programs.models import Quarter, TargetKind
from programs.models.objectives import ObjectiveTemplate, TemplateKeyResult


def objective_templates() -> Sequence[ObjectiveTemplate]:
    """The available templates with their key results; two queries."""
    ordered = TemplateKeyResult.objects.order_by("position", "pk")
    return list(ObjectiveTemplate.objects.filter(is_offered=True).prefetch_related(Prefetch("key_results", ordered)))


def objective_from_template(slug: str, unit: str | None, quarter: Quarter, access: Access) -> dict[str, Any]:
    """Fields for `add_objective`, with the unit's baselines that this viewer may see and the targets derived from them.
    The viewer is the owner.

    A key result whose metric has no baseline, or a baseline of 0, is proposed without a target.

    Raises FieldError if there is no such template or unit.
    """
    template = ObjectiveTemplate.objects.filter(slug=slug.replace("\x00", ""), is_offered=True).first()
    if template is None:
        raise FieldError("template", "There is no such template.")
    unit_found = None
    if unit is not None:
        unit_found = Unit.objects.within(access.visibility).filter(slug=unit.replace("\x00", "")).first()
        if unit_found is None:
            raise FieldError("unit", "There is no such unit, or you may not see it.")
    rows = [key_result_from(outcome) for outcome in template.key_results.order_by("position", "pk")]
    queries = {number: (row["metric"], row["statistic"]) for number, row in enumerate(rows) if row["metric"]}
    may_see = access.visibility.whole if unit_found is None else access.visibility.can_see(unit_found.pk)
    stood = baselines(queries, unit_found, quarter, today=windows.local_today()) if may_see else {}
    return {
        "quarter": quarter.start.isoformat(),
        "unit": unit,
        "title": template.title,
        "description": template.description,
        "owner": own_address(access),
        "template": template.slug,
        "key_results": [_with_baseline(row, stood.get(number), unit, access) for number, row in enumerate(rows)],
    }


def own_address(access: Access) -> str:
    """The viewer's own address, because the author of an objective usually owns it."""
    own = access.visibility.person_id
    return (Person.objects.filter(pk=own).values_list("email", flat=True).first() or "") if own is not None else ""


def key_result_from(outcome: TemplateKeyResult) -> dict[str, Any]:
    """A new key result without a baseline; without its metric, it is entered by hand."""
    row = {name: getattr(outcome, name, None) for name in OF_TEMPLATES}
    is_by_hand = find(outcome.metric) is None
    return {**row, **({"metric": "", "statistic": ""} if is_by_hand else {"unit_of_measure": ""})}


def _with_baseline(
    row: Mapping[str, Any], stood: Baseline | None, unit: str | None, access: Access
) -> Mapping[str, Any]:
    if stood is None or stood.value is None or stood.window is None:
        return row
    query = metric_query(row["metric"], row["statistic"], unit, stood.window)
    if is_withheld(query, stood.people or 0, access):
        return row
    if not stood.value and row["target_kind"] == TargetKind.RELATIVE:  # any percentage of zero is zero
        return {**row, "baseline": stood.value, "target_kind": TargetKind.ABSOLUTE, "change_percent": None}
    target = row["target"]
    if target is None and row["change_percent"] is not None:
        target = stood.value * (1 + row["change_percent"] / 100)
    return {**row, "baseline": stood.value, "target": target}
