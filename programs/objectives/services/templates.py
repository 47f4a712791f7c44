"""Objective templates, and drafts made from them with a unit's baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from django.db.models import Prefetch

from core.write_errors import FieldError
from insights.privacy.withhold import is_withheld
from insights.query import windows
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.key_results.services.drafts import Baseline, baselines
from programs.key_results.services.reading import metric_of, metric_query
from programs.models import Quarter, TargetKind
from programs.models.objective_templates import ObjectiveTemplate, TemplateKeyResult
from programs.objectives.services.drafts import KeyResultDraft, ObjectiveDraft


def objective_templates() -> Sequence[ObjectiveTemplate]:
    """Those that are offered, with their key results; two queries."""
    ordered = TemplateKeyResult.objects.order_by("position", "pk")
    return list(ObjectiveTemplate.objects.filter(is_offered=True).prefetch_related(Prefetch("key_results", ordered)))


def draft_from(
    slug: str, unit: str | None, quarter: Quarter, access: Access, *, today: date | None = None
) -> ObjectiveDraft:
    """An unwritten objective with the unit's baselines, as far as this viewer may see them, and targets that follow.

    A key result whose metric has no baseline, or one of 0, is proposed without a target.

    Raises FieldError where there is no such template or unit.
    """
    today = today or windows.local_today()
    template = ObjectiveTemplate.objects.filter(slug=slug.replace("\x00", ""), is_offered=True).first()
    if template is None:
        raise FieldError("template", "There is no such template.")
    unit_found = None
    if unit is not None:
        unit_found = Unit.objects.within(access.visibility).filter(slug=unit.replace("\x00", "")).first()
        if unit_found is None:
            raise FieldError("unit", "There is no such unit, or you may not see it.")
    outcomes = list(template.key_results.order_by("position", "pk"))
    plain = {row: key_result_from(outcome) for row, outcome in enumerate(outcomes)}
    drafts = {row: draft for row, draft in plain.items() if draft.metric}
    may_see = access.visibility.whole if unit_found is None else access.visibility.can_see(unit_found.pk)
    stood = baselines(drafts, unit_found, quarter, today=today) if may_see else {}
    return ObjectiveDraft(
        quarter=quarter,
        unit=unit,
        title=template.title,
        description=template.description,
        owner=access.visibility.person_id,
        template=template.slug,
        key_results=tuple(
            _with_baseline(draft, outcomes[row], stood.get(row), unit, access) for row, draft in plain.items()
        ),
    )


def key_result_from(outcome: TemplateKeyResult) -> KeyResultDraft:
    """Without a baseline; one whose metric is gone is entered by hand."""
    known = metric_of(outcome.metric) if outcome.metric else None
    return KeyResultDraft(
        title=outcome.title,
        metric=outcome.metric if known else "",
        statistic=outcome.statistic if known else "",
        unit_of_measure="" if known else outcome.unit_of_measure,
        better=outcome.better,
        target_kind=outcome.target_kind,
        target=outcome.target,
        change_percent=outcome.change_percent,
    )


def _with_baseline(
    draft: KeyResultDraft, outcome: TemplateKeyResult, stood: Baseline | None, unit: str | None, access: Access
) -> KeyResultDraft:
    if stood is None or stood.value is None or stood.window is None:
        return draft
    query = metric_query(draft.metric, draft.statistic, unit, stood.window)
    if is_withheld(query, stood.people or 0, access):
        return draft
    if not stood.value and outcome.target_kind == TargetKind.RELATIVE:  # any percent of nothing is nothing
        return replace(draft, baseline=stood.value, target_kind=TargetKind.ABSOLUTE, change_percent=None)
    target = outcome.target
    if target is None and outcome.change_percent is not None:
        target = stood.value * (1 + outcome.change_percent / 100)
    return replace(draft, baseline=stood.value, target=target)
