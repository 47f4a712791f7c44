"""Read-only admin of objectives, and admin of their templates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin

from insights.query.query import Statistic
from insights.ui.metric_choice import metric_field
from programs.history.admin import ProgramRecordAdmin
from programs.key_results.services.fields import OF_TEMPLATES, source_problems
from programs.models import Objective, ObjectiveTemplate, TargetKind, TemplateKeyResult
from programs.models.objectives import MOST_KEY_RESULTS


class TemplateKeyResultForm(forms.ModelForm[TemplateKeyResult]):
    statistic = forms.ChoiceField(
        choices=[("", "The metric's default"), *((statistic.value, statistic.value) for statistic in Statistic)],
        required=False,
    )

    class Meta:
        model = TemplateKeyResult
        fields = (*(name for name in OF_TEMPLATES if name != "baseline"), "position")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["metric"] = metric_field(
            empty="Entered by hand", current=self.instance.metric if self.instance.pk else ""
        )

    def clean(self) -> dict[str, Any]:
        """Checks that direction and statistic fit the metric, and that there is a target."""
        data = super().clean() or {}
        if "metric" in self.changed_data or not self.instance.pk:
            for problem in source_problems(*(data.get(name, "") for name in ("metric", "statistic", "better"))):
                self.add_error(*problem)
        if data.get("target") is None and data.get("change_percent") is None:
            self.add_error("change_percent", "Give a change from the baseline in percent, or a target.")
        if data.get("target_kind") == TargetKind.RELATIVE and data.get("change_percent") is None:
            self.add_error("change_percent", "Enter by how many percent it should change.")
        if data.get("target_kind") == TargetKind.ABSOLUTE and data.get("target") is None:
            self.add_error("target", "Enter the value to reach.")
        return data


class TemplateKeyResults(admin.StackedInline[TemplateKeyResult, ObjectiveTemplate]):
    model = TemplateKeyResult
    form = TemplateKeyResultForm
    extra = 0
    max_num = MOST_KEY_RESULTS
    verbose_name, verbose_name_plural = "key result", "key results"


@admin.register(ObjectiveTemplate)
class ObjectiveTemplateAdmin(admin.ModelAdmin[ObjectiveTemplate]):
    list_display = ("name", "title", "position", "is_offered")
    list_editable = ("position", "is_offered")
    list_filter = ("is_offered",)
    search_fields = ("name", "title", "description")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (TemplateKeyResults,)


@admin.register(Objective)
class ObjectiveAdmin(ProgramRecordAdmin):
    page_name, title = "objective", "Objectives"
    list_display = ("title", "unit", "quarter", "owner", "is_mandatory", "published_at", "dropped_at", "score")
    list_filter = (
        "quarter",
        "is_mandatory",
        ("published_at", admin.EmptyFieldListFilter),
        ("dropped_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("unit", "quarter", "owner")
    search_fields = ("title", "unit__name", "unit__slug", "owner__full_name", "owner__email")
    ordering = ("-quarter__start", "title", "pk")
