"""Moves and cancels a meeting, and ends a series."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core.forms import show_error
from core.write_errors import ConflictError, FieldError
from insights.privacy.scope_access import access_in
from insights.ui.views import action_view
from programs.meetings.pages.page import MoveForm, meeting_page, visible_meeting
from programs.meetings.pages.series_page import visible_series
from programs.meetings.services.writing import cancel, end_series, move

CONFLICT = "Somebody changed this meeting in the meantime; nothing was stored. This page shows it as it is now."


@action_view
def meeting_move(request: HttpRequest, pk: int) -> HttpResponse:
    meeting, form = visible_meeting(request, pk), MoveForm(request.POST)
    if not form.is_valid():
        return meeting_page(request, meeting, form=form, status=400)
    try:
        moved = move(access_in(request), meeting, *form.times(meeting), of_sequence=form.cleaned_data["sequence"])
    except ConflictError:
        return meeting_page(request, visible_meeting(request, pk), problem=CONFLICT, status=409)
    except FieldError as problem:
        show_error(form, problem)
        return meeting_page(request, meeting, form=form, status=400)
    messages.success(request, "The meeting is moved. Participants are notified.")
    return redirect("meeting", moved.pk)


@action_view
def meeting_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    meeting = visible_meeting(request, pk)
    sequence = request.POST.get("sequence", "")
    number = int(sequence) if sequence.isascii() and sequence.isdecimal() and len(sequence) < 10 else -1
    try:
        cancel(access_in(request), meeting, request.POST.get("reason", ""), of_sequence=number)
    except ConflictError:
        return meeting_page(request, visible_meeting(request, pk), problem=CONFLICT, status=409)
    except FieldError as problem:
        return meeting_page(request, meeting, problem=problem.message, status=400)
    messages.success(request, "The meeting is cancelled. Participants are notified.")
    return redirect("meeting", pk)


@action_view
def series_end(request: HttpRequest, pk: int) -> HttpResponse:
    series = visible_series(request, pk)
    try:
        end_series(access_in(request), series)
    except ConflictError:
        messages.error(request, "Somebody changed this schedule in the meantime. Check it, then end it.")
    else:
        messages.success(request, "The schedule has ended: coming meetings are cancelled. Participants are notified.")
    return redirect("meeting_series", pk)
