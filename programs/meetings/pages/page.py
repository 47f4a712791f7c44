"""The page of one meeting: time, subject, participants and its record; with forms to move and cancel it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from core.forms import show_error
from core.views import action_view, record_view
from core.write_errors import ConflictError, FieldError
from insights.privacy.scope_access import access_in
from programs.meetings.pages.labels import holiday_words, participants_with_notes
from programs.meetings.services.calendars import calendar_file
from programs.meetings.services.records import records_of
from programs.meetings.services.writing import cancel, move
from programs.models import Meeting, MeetingParticipant
from programs.requests.visible import visible_meeting

CONFLICT = "Somebody changed this meeting in the meantime; nothing was stored. This page shows it as it is now."
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class MoveForm(forms.Form):
    """The form that moves a meeting, in the series' local time."""

    day = forms.DateField(label="Day", widget=DAY)
    begins = forms.TimeField(label="From", widget=CLOCK)
    minutes = forms.IntegerField(label="Minutes", min_value=5, max_value=720)
    sequence = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def of(cls, meeting: Meeting) -> MoveForm:
        begins = meeting.starts_at.astimezone(meeting.series.zone)
        minutes = (meeting.ends_at - meeting.starts_at) // timedelta(minutes=1)
        return cls(
            initial={
                "day": begins.date(),
                "begins": begins.time(),
                "minutes": minutes,
                "sequence": meeting.sequence,
            }
        )

    def times(self, meeting: Meeting) -> tuple[datetime, datetime]:
        """Start and end of the meeting from a valid form."""
        data = self.cleaned_data
        starts_at = datetime.combine(data["day"], data["begins"], meeting.series.zone).astimezone(UTC)
        return starts_at, starts_at + timedelta(minutes=data["minutes"])


@record_view
def meeting(request: HttpRequest, pk: int) -> HttpResponse:
    return meeting_page(request, visible_meeting(pk, access_in(request)))


@record_view
def meeting_ics(request: HttpRequest, pk: int) -> HttpResponse:
    """The meeting as a calendar file, for people who got no invitation by e-mail."""
    record = visible_meeting(pk, access_in(request))
    content = calendar_file([record], name=record.series.title)
    return HttpResponse(content, content_type="text/calendar; charset=utf-8")


def meeting_page(
    request: HttpRequest, record: Meeting, *, form: MoveForm | None = None, problem: str = "", status: int = 200
) -> HttpResponse:
    """The page; `form` is a rejected submission, `problem` says why it was rejected."""
    visibility = access_in(request).visibility
    invited = MeetingParticipant.objects.within(visibility).invited().filter(meeting=record).select_related("person")
    people = [participant.person for participant in invited]
    may_change = visibility.leads(record.series.unit_id)
    context: dict[str, Any] = {
        "meeting": record,
        "record": records_of([record], visibility).get(record.pk),
        "holidays": holiday_words(record.series),
        "participants": participants_with_notes(people),
        "sees_participants": may_change or bool(people),
        "may_change": may_change,
        "is_over": record.ends_at <= timezone.now(),
        "form": form or MoveForm.of(record),
        "problem": problem,
    }
    return render(request, "programs/meetings/meeting.html", context, status=status)


@action_view
def meeting_move(request: HttpRequest, pk: int) -> HttpResponse:
    meeting, form = visible_meeting(pk, access_in(request)), MoveForm(request.POST)
    if not form.is_valid():
        return meeting_page(request, meeting, form=form, status=400)
    try:
        moved = move(access_in(request), meeting, *form.times(meeting), of_sequence=form.cleaned_data["sequence"])
    except ConflictError:
        return meeting_page(request, visible_meeting(pk, access_in(request)), problem=CONFLICT, status=409)
    except FieldError as problem:
        show_error(form, problem)
        return meeting_page(request, meeting, form=form, status=400)
    messages.success(request, "The meeting is moved. Participants are notified.")
    return redirect("meeting", moved.pk)


@action_view
def meeting_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    meeting = visible_meeting(pk, access_in(request))
    sequence = request.POST.get("sequence", "")
    number = int(sequence) if sequence.isascii() and sequence.isdecimal() and len(sequence) < 10 else -1
    try:
        cancel(access_in(request), meeting, request.POST.get("reason", ""), of_sequence=number)
    except ConflictError:
        return meeting_page(request, visible_meeting(pk, access_in(request)), problem=CONFLICT, status=409)
    except FieldError as problem:
        return meeting_page(request, meeting, problem=problem.message, status=400)
    messages.success(request, "The meeting is cancelled. Participants are notified.")
    return redirect("meeting", pk)
