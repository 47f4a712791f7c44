"""Changes of a review from its page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from core.forms import posted_number
from core.write_errors import ConflictError, FieldError
from insights.privacy.scope_access import access_in
from insights.ui.views import action_view
from orgtree.access.access import Access
from programs.models import Review, ReviewPoint
from programs.reviews.pages.page import review_page, visible_review
from programs.reviews.services.writing import (
    add_point,
    invite,
    make_ticket,
    save_attendance,
    save_point,
    save_summary,
    sign_review,
    update_agenda,
)

CONFLICT = "Somebody saved this while you were writing. Your text is not saved yet: both are shown below."


@action_view
def review_agenda(request: HttpRequest, pk: int) -> HttpResponse:
    """Update the agenda from today's figures."""
    return _changed(request, pk, update_agenda, "Agenda updated.")


@action_view
def review_summary(request: HttpRequest, pk: int) -> HttpResponse:
    """`summary` and the `version` of the review that it was written for."""
    summary = request.POST.get("summary", "")

    def save(access: Access, record: Review) -> None:
        save_summary(access, record, summary, of_version=posted_number(request, "version"))

    return _changed(request, pk, save, "Saved.", unsaved={"summary": summary}, conflict="summary")


@action_view
def review_point(request: HttpRequest, pk: int, point: int) -> HttpResponse:
    """`notes`, `decision` and the `version` of the point that they were written for."""
    notes, decision = request.POST.get("notes", ""), request.POST.get("decision", "")

    def save(access: Access, record: Review) -> None:
        of_version = posted_number(request, "version")
        save_point(access, _point(record, point), notes=notes, decision=decision, of_version=of_version)

    unsaved = {"notes": notes, "decision": decision}
    return _changed(request, pk, save, "Saved.", at=f"point-{point}", unsaved=unsaved, conflict=str(point))


@action_view
def review_points(request: HttpRequest, pk: int) -> HttpResponse:
    """A point of one's own: `title`."""
    return _changed(
        request, pk, lambda access, record: add_point(access, record, request.POST.get("title", "")), "Point added."
    )


@action_view
def review_ticket(request: HttpRequest, pk: int, point: int) -> HttpResponse:
    """A ticket from a point's decision: `title`, `kind`, `owner`, `due_on`."""

    def create(access: Access, record: Review) -> None:
        words = {name: request.POST.get(name, "") for name in ("title", "kind", "owner")}
        try:
            due_on = date.fromisoformat(request.POST.get("due_on", ""))
        except ValueError:
            raise FieldError("due_on", "A ticket needs a due date.") from None
        make_ticket(access, _point(record, point), due_on=due_on, **words)

    return _changed(request, pk, create, "Ticket created.", at=f"point-{point}")


@action_view
def review_attendance(request: HttpRequest, pk: int) -> HttpResponse:
    """`attended`: ids of people; `email`: somebody else who came."""
    attended = {int(word) for word in request.POST.getlist("attended") if word.isdecimal() and len(word) < 16}
    email = request.POST.get("email", "").strip()

    def save(access: Access, record: Review) -> None:
        save_attendance(access, record, attended)
        if email:
            invite(access, record, email)

    return _changed(request, pk, save, "Attendance saved.", at="attendance")


@action_view
def review_sign(request: HttpRequest, pk: int) -> HttpResponse:
    return _changed(request, pk, sign_review, "Signed. The review is final.")


def _changed(
    request: HttpRequest,
    pk: int,
    change: Callable[[Access, Review], object],
    done: str,
    *,
    at: str = "",
    unsaved: dict[str, str] | None = None,
    conflict: str = "",
) -> HttpResponse:
    """The page again; where the change was refused, with the reason and with what was sent."""
    record = visible_review(request, pk)
    try:
        change(access_in(request), record)
    except ConflictError:
        current = visible_review(request, pk)
        return review_page(request, current, problems=[CONFLICT], unsaved=unsaved, conflict=conflict, status=409)
    except FieldError as problem:
        return review_page(request, record, problems=[problem.message], unsaved=unsaved, status=400)
    messages.success(request, done)
    return redirect(f"{reverse('review', args=[pk])}{f'#{at}' if at else ''}")


def _point(record: Review, pk: int) -> ReviewPoint:
    point = record.points.select_related("review__unit").filter(pk=pk).first()
    if point is None:
        raise Http404("There is no such point.")
    return point
