"""The page of one meeting: when, about what, who takes part, and what is written of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from insights.privacy.scope_access import access_in
from insights.ui.views import record_view
from programs.meetings.pages.labels import holiday_words, meeting_lines, participant_lines, rule_words
from programs.meetings.services.calendars import calendar_file
from programs.meetings.services.records import records_of
from programs.models import Meeting, MeetingParticipant

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class MoveForm(forms.Form):
    """By the clock of the series."""

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
        """Of a valid form."""
        data = self.cleaned_data
        starts_at = datetime.combine(data["day"], data["begins"], meeting.series.zone).astimezone(UTC)
        return starts_at, starts_at + timedelta(minutes=data["minutes"])


@record_view
def meeting(request: HttpRequest, pk: int) -> HttpResponse:
    return meeting_page(request, visible_meeting(request, pk))


@record_view
def meeting_ics(request: HttpRequest, pk: int) -> HttpResponse:
    """To be opened in a calendar, by whoever has no invitation by e-mail."""
    record = visible_meeting(request, pk)
    content = calendar_file([record], name=record.series.title)
    return HttpResponse(content, content_type="text/calendar; charset=utf-8")


def visible_meeting(request: HttpRequest, pk: int) -> Meeting:
    """Raises Http404 for one that the viewer may not see, as for one that is not there."""
    seen = Meeting.objects.within(access_in(request).visibility).select_related("series__unit")
    return get_object_or_404(seen, pk=pk)


def meeting_page(
    request: HttpRequest, record: Meeting, *, form: MoveForm | None = None, problem: str = "", status: int = 200
) -> HttpResponse:
    """`form` is what was sent and not stored, `problem` says why."""
    visibility = access_in(request).visibility
    [line] = meeting_lines([record], records_of([record], visibility))
    invited = MeetingParticipant.objects.within(visibility).invited().filter(meeting=record).select_related("person")
    people = [participant.person for participant in invited]
    may_change = visibility.leads(record.series.unit_id)
    context: dict[str, Any] = {
        "meeting": record,
        "line": line,
        "rule": rule_words(record.series),
        "holidays": holiday_words(record.series),
        "participants": participant_lines(people),
        "takes_part": visibility.person_id in {person.pk for person in people},
        "sees_participants": may_change or bool(people),
        "may_change": may_change,
        "is_over": record.ends_at <= timezone.now(),
        "form": form or MoveForm.of(record),
        "problem": problem,
    }
    return render(request, "programs/meetings/meeting.html", context, status=status)
