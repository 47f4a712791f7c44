"""Working agreements of units and categories of investment, in Django admin."""

from __future__ import annotations

from django.contrib import admin

from core.admin_permissions import ReadOnly
from core.dated_rows_admin import DAYS_WIDGET, days
from integrations.models import InvestmentCategory, PullRequestMark, WorkingAgreement


@admin.register(WorkingAgreement)
class WorkingAgreementAdmin(admin.ModelAdmin[WorkingAgreement]):
    """Admin of working agreements; the worker recomputes the effects of a change within seconds."""

    list_display = (
        "unit",
        days,
        "most_lines",
        "size_thresholds",
        "review_hours",
        "hotfix_branches",
        "hotfix_labels",
        "trunk",
        "sprint_grace_days",
        "work_starts_at",
    )
    list_select_related = ("unit",)
    search_fields = ("unit__name", "unit__slug")
    autocomplete_fields = ("unit",)
    formfield_overrides = DAYS_WIDGET


@admin.register(PullRequestMark)
class PullRequestMarkAdmin(ReadOnly, admin.ModelAdmin[PullRequestMark]):
    """The labels that Headway set, and why it could not; see docs/agreements.md."""

    list_display = ("pull_request", "labels", "changed_at", "problem", "remedy", "next_try_at")
    list_select_related = ("pull_request__repository",)
    search_fields = ("pull_request__repository__name", "pull_request__title")


@admin.register(InvestmentCategory)
class InvestmentCategoryAdmin(admin.ModelAdmin[InvestmentCategory]):
    """Admin of categories.  Deleting one deletes its rules and targets; its time goes to the next rule that matches."""

    list_display = ("name", "kind", "position")
    list_editable = ("position",)
    search_fields = ("name",)
