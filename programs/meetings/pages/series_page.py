"""The pages of schedules: the list, one schedule with its coming meetings, and the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from core.form_page import FormTexts
from core.page_links import page_links, read_page
from core.views import action_view, record_view
from core.write_errors import ConflictError
from core.write_forms import WriteForm
from insights.privacy.scope_access import access_in
from insights.query import windows
from orgtree.models import Unit
from orgtree.models.visibility import Visibility, person_of
from programs.meetings.pages.labels import holiday_words, participants_with_notes
from programs.meetings.services.fields import CHANGEABLE
from programs.meetings.services.recurrence import Occurrence, countries, occurrences
from programs.meetings.services.writing import change_series, end_series, schedule
from programs.models import MeetingKind, MeetingSeries, MeetingState, Place, Rule, Weekday
from programs.requests.list_pages import ProgramForm
from programs.requests.visible import visible_series
from programs.teams.fields import exists_today
from programs.teams.pages import UnitForm, offer, units_to_write_for, word_of

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
SEPARATORS = str.maketrans(",;", "\n\n")
PAGE_SIZE = 25


class SeriesForm(WriteForm, forms.ModelForm[MeetingSeries]):
    participants = forms.CharField(
        label="Participants",
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off"}),
        help_text="One e-mail address per line.",
    )
    country = forms.ChoiceField(label="Public holidays of", required=False)

    class Meta:
        model = MeetingSeries
        fields: tuple[str, ...] = tuple(name for name in CHANGEABLE if name != "participants")
        widgets: ClassVar = {
            "starts_on": DAY,
            "ends_on": DAY,
            "begins": CLOCK,
            "rule": forms.RadioSelect,
            "time_zone": forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
        }

    def __init__(self, data: Any = None, *, instance: MeetingSeries | None = None, **kwargs: Any) -> None:
        if instance is not None:
            people = instance.participants.order_by("full_name")
            addresses = "\n".join(person.email for person in people if person.email)
            begins = f"{instance.begins:%H:%M}"  # as browsers send it, so that versions compare equal
            kwargs["initial"] = {"participants": addresses, "begins": begins, "version": instance.version}
        super().__init__(data, instance=instance, **kwargs)
        offer(self, "country", [("", "None"), *countries().items()])
        offer(self, "rule", Rule.choices)

    def given(self) -> dict[str, Any]:
        data = super().given()
        return {
            **data,
            "location": " ".join(data["location"].split()),
            "participants": data["participants"].translate(SEPARATORS).splitlines(),
        }


class NewSeriesForm(UnitForm, SeriesForm):
    """The form of a new series also has its unit and kind."""

    class Meta(SeriesForm.Meta):
        fields = ("kind", *SeriesForm.Meta.fields)

    def __init__(self, data: Any = None, *, visibility: Visibility, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        offer(self, "unit", units_to_write_for(visibility))


class SeriesPage(ProgramForm):
    """`unit` and `kind` in the address fill in the form of a new schedule."""

    template_name = "programs/meetings/form.html"
    adding = FormTexts("Schedule meetings", "Schedule", "Scheduled. Participants are invited.")
    changing = FormTexts("Schedule", "Save", "Saved. Participants are notified of what changes for them.")
    list_route, record_route = "meetings", "meeting_series"
    find, add, change = staticmethod(visible_series), staticmethod(schedule), staticmethod(change_series)

    def refusal(self) -> str:
        may_write = self.record is not None or self.access.visibility.leads_any
        return "" if may_write else "Managers of a unit, executives and admins schedule meetings."

    @property
    def title(self) -> str:
        return self.record.title if self.record else super().title

    def form_of(self, record: MeetingSeries | None, data: Any = None) -> SeriesForm:
        if record is not None:
            return SeriesForm(data, instance=record)
        visibility = self.access.visibility
        return NewSeriesForm(data, visibility=visibility, initial=_beginning(self.request, visibility))

    def context(self, form: SeriesForm) -> dict[str, Any]:
        return {"time_zones": sorted(available_timezones())}


def _beginning(request: HttpRequest, visibility: Visibility) -> Mapping[str, Any]:
    """Initial values: reviews on first Tuesdays, with the unit's leader and whoever schedules them."""
    slug = request.GET.get("unit", "").replace("\x00", "") or visibility.home_unit or ""
    unit = Unit.objects.within(visibility).select_related("leader").filter(slug=slug).first()
    if unit is not None and not visibility.leads(unit.pk):
        unit = None
    kind = request.GET.get("kind", "") or (MeetingKind.REVIEW if unit else MeetingKind.QBR)
    people = [unit.leader if unit else None, person_of(request.user)]
    addresses = dict.fromkeys(person.email for person in people if person is not None and person.email)
    return {
        "kind": kind,
        "unit": word_of(unit),
        "rule": Rule.WEEKDAY,
        "place": Place.FIRST,
        "weekday": Weekday.TUESDAY,
        "week": 2,
        "begins": "10:00",
        "time_zone": settings.TIME_ZONE,
        "starts_on": windows.local_today(),
        "participants": "\n".join(addresses),
    }


@record_view
def series_list(request: HttpRequest) -> HttpResponseBase:
    visibility, now = access_in(request).visibility, timezone.now()
    to_come = Q(meetings__state=MeetingState.PLANNED, meetings__starts_at__gt=now)
    found = MeetingSeries.objects.within(visibility).select_related("unit")
    counted = found.annotate(
        next_at=Min("meetings__starts_at", filter=to_come), people=Count("participants", distinct=True)
    )
    page = Paginator(counted.order_by("unit__name", "kind", "pk"), PAGE_SIZE).get_page(read_page(request))
    path = reverse("meeting_series_list")
    context: dict[str, Any] = {
        "listed": page,
        "may_schedule": visibility.leads_any,
        **page_links(page, lambda number: f"{path}?page={number}"),
    }
    return render(request, "programs/meetings/series_list.html", context)


@record_view
def series(request: HttpRequest, pk: int) -> HttpResponse:
    record = visible_series(pk, access_in(request))
    to_come = list(record.meetings.filter(starts_at__gt=timezone.now()).select_related("series__unit"))
    context: dict[str, Any] = {
        "series": record,
        "holidays": holiday_words(record),
        "unit_is_gone": record.unit is not None and not exists_today(record.unit),
        "participants": participants_with_notes(record.participants.all()),
        "meetings": [(meeting, None) for meeting in to_come],
        "skipped": _skipped(record),
    }
    return render(request, "programs/meetings/series.html", context)


def _skipped(record: MeetingSeries) -> list[Occurrence]:
    """Coming days of the rule on which a holiday skips the meeting."""
    today = windows.local_today()
    if record.made_until is None:
        return []
    return [
        occurrence
        for occurrence in occurrences(record, until=record.made_until)
        if occurrence.day is None and occurrence.rule_day >= today
    ]


@action_view
def series_end(request: HttpRequest, pk: int) -> HttpResponse:
    series = visible_series(pk, access_in(request))
    try:
        end_series(access_in(request), series)
    except ConflictError:
        messages.error(request, "Somebody changed this schedule in the meantime. Check it, then end it.")
    else:
        messages.success(request, "The schedule has ended: coming meetings are cancelled. Participants are notified.")
    return redirect("meeting_series", pk)
