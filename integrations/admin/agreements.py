"""Working agreements of units, in Django admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.dated_rows_admin import DAYS_WIDGET, days
from core.nudges import nudge_on_commit
from integrations.delivery.agreements.apply import apply_agreements
from integrations.models import WorkingAgreement


@admin.register(WorkingAgreement)
class WorkingAgreementAdmin(admin.ModelAdmin[WorkingAgreement]):
    """The worker recomputes what a change affects, within seconds."""

    list_display = ("unit", days, "size_thresholds", "hotfix_branches", "hotfix_labels", "trunk")
    list_select_related = ("unit",)
    search_fields = ("unit__name", "unit__slug")
    autocomplete_fields = ("unit",)
    formfield_overrides = DAYS_WIDGET

    def save_model(self, request: HttpRequest, obj: WorkingAgreement, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        nudge_on_commit(apply_agreements)

    def delete_model(self, request: HttpRequest, obj: WorkingAgreement) -> None:
        super().delete_model(request, obj)
        nudge_on_commit(apply_agreements)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[WorkingAgreement]) -> None:
        super().delete_queryset(request, queryset)
        nudge_on_commit(apply_agreements)
