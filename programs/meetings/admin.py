"""Admin of meeting series: the same fields as on their pages, for all series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin_permissions import NoDeleting
from core.forms import show_error
from core.write_errors import FieldError
from orgtree.access.access import Access, access_of
from programs.meetings.services.fields import CHANGEABLE, WRITTEN, series_fields
from programs.meetings.services.recurrence import countries
from programs.meetings.services.writing import change_series, end_series, schedule
from programs.models import MeetingSeries
from programs.teams.pages import offer


class MeetingSeriesForm(forms.ModelForm[MeetingSeries]):
    """The form's data is validated by the service; `access` is the admin's."""

    access: ClassVar[Access]
    country = forms.ChoiceField(label="Public holidays of", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "country", [("", "None"), *countries().items()])

    def _post_clean(self) -> None:
        if self.errors:
            return
        try:
            series_fields(self.access, self.given(), self.instance if self.instance.pk else None)
        except FieldError as problem:
            show_error(self, problem)

    def given(self) -> Mapping[str, Any]:
        """The data of a valid form, as services take it."""
        data = dict(self.cleaned_data)
        data["participants"] = [person.email for person in data["participants"] if person.email]
        return {**data, "unit": data["unit"].slug if data["unit"] else ""} if "unit" in data else data


@admin.register(MeetingSeries)
class MeetingSeriesAdmin(NoDeleting, admin.ModelAdmin[MeetingSeries]):
    """Saves through the service, which updates future meetings and notifies participants.  A series is ended, not
    deleted.
    """

    form = MeetingSeriesForm
    fields = WRITTEN
    list_display = ("title", "kind", "unit", "rule", "time_zone", "starts_on", "ends_on")
    list_filter = ("kind", "rule", "time_zone")
    list_select_related = ("unit",)
    search_fields = ("unit__name", "location", "participants__full_name", "participants__email")
    autocomplete_fields = ("unit", "participants")
    actions = ("end",)

    def get_form(
        self, request: HttpRequest, obj: MeetingSeries | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.access = access_of(request.user)  # type: ignore[attr-defined]  # a class of its own for each request
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: MeetingSeries | None = None) -> tuple[str, ...]:
        return tuple(name for name in WRITTEN if name not in CHANGEABLE) if obj else ()

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> MeetingSeries:
        if not change:
            return schedule(form.access, form.given())
        return change_series(form.access, form.instance, form.given(), of_version=form.instance.version)

    def save_model(self, request: HttpRequest, obj: MeetingSeries, form: Any, change: bool) -> None:
        """Does nothing: the service has saved it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Does nothing: the service has saved it."""

    @admin.action(description="End: cancel all coming meetings")
    def end(self, request: HttpRequest, chosen: QuerySet[MeetingSeries]) -> None:
        for series in chosen.select_related("unit"):
            end_series(access_of(request.user), series)
        messages.success(request, "Ended. Participants are notified of what is cancelled.")
