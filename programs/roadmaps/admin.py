"""Admin of personas, with the metrics of their four quarters."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from programs.models import Persona, PersonaMetric
from programs.roadmaps.services.personas import HAND_KEPT, QUARTERS, measured_metric, restore_personas, why_unmeasured

MOST_METRICS = 40  # ten per quarter


class PersonaMetricForm(forms.ModelForm[PersonaMetric]):
    quarter = forms.TypedChoiceField(choices=[(number, f"Q{number}") for number in QUARTERS], coerce=int)

    class Meta:
        model = PersonaMetric
        fields = ("quarter", "position", "label", "metric")

    def clean_metric(self) -> str:
        """Accepts any key: one that is not measured yet is shown as such.  Rejects a metric without a single value."""
        key = str(self.cleaned_data["metric"]).strip()
        if "\x00" in key:
            raise forms.ValidationError("A NUL character cannot be stored.")
        if measured_metric(key) is None and "for each" in why_unmeasured(key):
            raise forms.ValidationError(f"{why_unmeasured(key)} Choose another.")
        return key


class PersonaMetrics(admin.TabularInline[PersonaMetric, Persona]):
    model = PersonaMetric
    form = PersonaMetricForm
    extra = 0
    max_num = MOST_METRICS
    readonly_fields = ("measured",)
    verbose_name, verbose_name_plural = "metric", f"metrics; a key that begins with {HAND_KEPT} is entered by hand"

    @admin.display(description="is measured as")
    def measured(self, row: PersonaMetric) -> str:
        metric = measured_metric(row.metric) if row.metric else None
        return metric.name if metric else why_unmeasured(row.metric) if row.metric else "–"


@admin.register(Persona)
class PersonaAdmin(admin.ModelAdmin[Persona]):
    list_display = ("name", "position", "job_titles")
    list_editable = ("position",)
    search_fields = ("name", "job_titles", "metrics__label", "metrics__metric")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (PersonaMetrics,)
    actions = ("restore",)

    @admin.action(description="Restore the built-in table (ignores the selection)")
    def restore(self, request: HttpRequest, _queryset: QuerySet[Persona]) -> None:
        restore_personas()
        self.message_user(request, "The built-in personas are restored.", messages.SUCCESS)
