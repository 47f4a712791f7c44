"""Predicted work types of items without a label: accuracy by class, versions, and the predictions to correct."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from core.views import action_view, record_view
from core.write_errors import FieldError
from insights.privacy.scope_access import access_in
from insights.ui import wording
from insights.ui.labels import WORK_TYPES
from integrations.delivery.records.visible import visible_work_items
from integrations.delivery.work_types.learning import BAR, LEAST_LABELS, LEAST_PREDICTED, SURE, is_installed
from integrations.delivery.work_types.predicting import classes_of, correct, may_correct
from integrations.enums import WorkType
from integrations.models import PredictedWorkType, WorkItem, WorkTypeModel
from orgtree.access.access import Access

VERSIONS, LISTED = 8, 30


@record_view
def work_types(request: HttpRequest) -> HttpResponseBase:
    access = access_in(request)
    versions = [*WorkTypeModel.objects.order_by("-pk")[:VERSIONS]]
    predicted = visible_work_items(access).filter(predicted_type__isnull=False, predicted_type__corrected_to=None)
    latest = predicted.select_related("predicted_type").order_by("-pk")[:LISTED]
    context = {
        "is_on": access.organisation.predicts_work_types,
        "is_installed": is_installed(),
        "is_admin": request.user.is_staff,
        "classes": [_class_line(one) for one in classes_of(versions[0])] if versions else [],
        "versions": [
            {"number": one.pk, "at": one.trained_at, "labels": one.labels, "right": wording.percent_of(one.right, 1)}
            for one in versions
        ],
        "lines": [prediction_of(item, access) for item in latest],
        "total": predicted.count(),
        "bar": wording.percent_of(BAR, 1),
        "sure": wording.percent_of(SURE, 1),
        "least": LEAST_PREDICTED,
        "least_labels": LEAST_LABELS,
    }
    return render(request, "insights/context/work_types.html", context)


@action_view
def work_type_correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct an item's predicted work type.  Raises Http404, MayNotWriteError."""
    access = access_in(request)
    item = get_object_or_404(visible_work_items(access), pk=pk)
    try:
        correct(access, item, request.POST.get("work_type", ""))
    except FieldError as problem:
        messages.error(request, problem.message)
    back = request.POST.get("back", "")
    return redirect(reverse("work_item", args=[pk]) if back == "item" else reverse("work_types"))


def prediction_of(item: WorkItem, access: Access) -> dict[str, Any] | None:
    """The item's predicted type and the choices to correct it; None without a prediction."""
    one: PredictedWorkType | None = getattr(item, "predicted_type", None)
    if one is None or one.corrected_to or not one.work_type:
        return None
    return {
        "pk": item.pk,
        "title": item.title or item.key,
        "key": item.key,
        "url": reverse("work_item", args=[item.pk]),
        "work_type": WORK_TYPES[one.work_type],
        "probability": wording.percent_of(one.probability or 0.0, 1),
        "version": one.model_id,
        "choices": [(one_type.value, WORK_TYPES[one_type]) for one_type in WorkType] if may_correct(access) else [],
        "is_in_use": item.work_type == one.work_type,
    }


def _class_line(one: Any) -> dict[str, Any]:
    return {
        "name": WORK_TYPES[one.work_type],
        "labels": one.labels,
        "predicted": one.predicted,
        "right": wording.percent_of(one.right, one.predicted) if one.predicted else "",
        "found": wording.percent_of(one.right, one.labels) if one.labels else "",
        "is_used": one.is_used,
    }
