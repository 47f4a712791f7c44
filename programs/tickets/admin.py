"""Read-only admin of action tickets, and admin of their templates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin

from insights.ui.metric_choice import metric_field
from programs.history.admin import ProgramRecordAdmin
from programs.models import Ticket, TicketTemplate


class TicketTemplateForm(forms.ModelForm[TicketTemplate]):
    class Meta:
        model = TicketTemplate
        fields = ("title", "slug", "nature", "kind", "resolution", "metric", "days", "position", "is_offered")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["metric"] = metric_field(
            help_text="The metric that it is to move.", current=self.instance.metric if self.instance.pk else ""
        )


@admin.register(TicketTemplate)
class TicketTemplateAdmin(admin.ModelAdmin[TicketTemplate]):
    form = TicketTemplateForm
    list_display = ("title", "nature", "kind", "metric", "days", "position", "is_offered")
    list_editable = ("position", "is_offered")
    list_filter = ("nature", "kind", "is_offered")
    search_fields = ("title", "resolution")
    prepopulated_fields = {"slug": ("title",)}


@admin.register(Ticket)
class TicketAdmin(ProgramRecordAdmin):
    page_name, title = "ticket", "Action tickets"
    list_display = ("title", "nature", "kind", "unit", "owner", "due_on", "state", "completed_on")
    list_filter = ("state", "nature", "kind", "effort", ("owner", admin.EmptyFieldListFilter))
    list_select_related = ("unit", "owner")
    search_fields = ("title", "metric", "unit__name", "unit__slug", "owner__full_name", "owner__email")
    date_hierarchy = "due_on"
    ordering = ("-due_on", "pk")
