"""Unknown telemetry events in Django admin: the list, and an administrator's mapping of each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from core.admin_permissions import NoAdding, NoDeleting
from core.nudges import nudge_on_commit
from integrations.models import UnreadEvent
from integrations.telemetry.agents.dictionary import possible_meanings, set_value_mapping
from integrations.telemetry.agents.vocabulary import NOTHING
from integrations.telemetry.otlp.store_tallies import OTHERS, add_up_tallies
from integrations.telemetry.tasks import read_again

NO_MEANING = ("", "Unknown")


class MeaningForm(forms.ModelForm[UnreadEvent]):
    """The choice of a meaning among the names in the agent's vocabulary."""

    means = forms.ChoiceField(
        required=False,
        help_text="Applies to new records and to stored records, which Headway reads again.",
    )

    class Meta:
        model = UnreadEvent
        fields = ("means",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = [(word, word) for word in possible_meanings(self.instance)]
        meaning = self.fields["means"]
        if isinstance(meaning, forms.ChoiceField):
            meaning.choices = [NO_MEANING, (NOTHING, "Not needed"), *words]


@admin.register(UnreadEvent)
class UnreadEventAdmin(NoAdding, NoDeleting, admin.ModelAdmin[UnreadEvent]):
    """Admin of unread events; `known` marks names that the agent's vocabulary ignores or has learnt; only a meaning can
    be edited.
    """

    form = MeaningForm
    list_display = ("agent", "signal", "name", "attribute", "known", "means", "count", "last_at")
    list_display_links = ("name", "attribute")
    list_filter = ("known", "agent", "signal")
    search_fields = ("agent", "name", "attribute")
    ordering = ("known", "-count")
    readonly_fields = ("agent", "signal", "name", "attribute", "known", "count", "first_at", "last_at")
    fields = (*readonly_fields, "means")
    actions = ("read_what_was_kept",)

    def has_change_permission(self, request: HttpRequest, obj: UnreadEvent | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.name != OTHERS)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        add_up_tallies()
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: UnreadEvent, form: Any, change: bool) -> None:
        set_value_mapping(obj, form.cleaned_data["means"])
        nudge_on_commit(read_again.s())
        self.message_user(request, "Stored records are being read again.", messages.INFO)

    @admin.action(description="Read stored records of these agents again", permissions=["change"])
    def read_what_was_kept(self, request: HttpRequest, chosen: QuerySet[UnreadEvent]) -> None:
        agents = sorted(set(chosen.values_list("agent", flat=True)))
        UnreadEvent.objects.filter(agent__in=agents).update(tried_with="")
        nudge_on_commit(read_again.s())
        self.message_user(request, "Stored records are being read again.", messages.INFO)
