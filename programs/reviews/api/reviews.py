"""/api/v1/reviews/: monthly reviews, read and written with the permissions of their pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.operations import ERRORS, answer_change, operation
from core.api.resources import ListCreate
from core.write_errors import FieldError
from insights.api.program_view import ProgramView
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.models import Review, ReviewPoint
from programs.requests.visible import visible_review
from programs.reviews.api.documents import (
    AttendanceSerializer,
    PointAddSerializer,
    PointTicketSerializer,
    PointWriteSerializer,
    ReviewConflictSerializer,
    ReviewDocumentSerializer,
    ReviewPrepareSerializer,
    ReviewSerializer,
    SummarySerializer,
)
from programs.reviews.queries import ReviewFilters, point_of
from programs.reviews.services.writing import (
    add_point,
    invite,
    make_ticket,
    prepare_review,
    save_attendance,
    save_point,
    save_summary,
    sign_review,
    update_agenda,
)

CHANGE_ERRORS = {**ERRORS, 409: ReviewConflictSerializer}


class Reviews(ProgramView, ListCreate):
    operations = {"list": ("v1_reviews", "The monthly reviews that one may see, the latest first.")}
    plural = "reviews"
    filters = ReviewFilters
    serializer = ReviewSerializer

    @operation("v1_review_prepare", {201: ReviewDocumentSerializer}, request=ReviewPrepareSerializer)
    def create(self, request: Request) -> Response:
        """Prepare a unit's review of a month; an existing one is returned as it is."""
        given = body(request, ReviewPrepareSerializer)
        unit = Unit.objects.within(self.access.visibility).filter(slug=given["unit"]).first()
        if unit is None:
            raise FieldError("unit", "There is no such unit, or you may not see it.")
        prepared = prepare_review(self.access, unit, given["month"])
        return Response(_document(prepared.pk, self.access), status=status.HTTP_201_CREATED)


class ReviewView(ProgramView):
    @operation("v1_review", ReviewDocumentSerializer, parameters=())
    def get(self, request: Request, pk: int) -> Response:
        """Get one review with its agenda."""
        return Response(_document(pk, self.access))

    @operation("v1_review_change", ReviewDocumentSerializer, request=SummarySerializer, errors=CHANGE_ERRORS)
    def patch(self, request: Request, pk: int) -> Response:
        """Change the summary."""
        access, given = self.access, body(request, SummarySerializer)
        return _changed(
            pk, access, lambda review: save_summary(access, review, given["summary"], of_version=given["version"])
        )


class ReviewAgendaView(ProgramView):
    @operation("v1_review_update_agenda", ReviewDocumentSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Update the agenda from today's figures."""
        return _changed(pk, self.access, lambda review: update_agenda(self.access, review))


class ReviewPointsView(ProgramView):
    @operation("v1_review_add_point", ReviewDocumentSerializer, request=PointAddSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Add a point that the data does not bring up."""
        access, given = self.access, body(request, PointAddSerializer)
        return _changed(pk, access, lambda review: add_point(access, review, given["title"]))


class ReviewPointView(ProgramView):
    @operation("v1_review_write_point", ReviewDocumentSerializer, request=PointWriteSerializer, errors=CHANGE_ERRORS)
    def patch(self, request: Request, pk: int, point: int) -> Response:
        """Write notes and a decision."""
        access, given = self.access, body(request, PointWriteSerializer)

        def save(review: Review) -> ReviewPoint:
            stored = point_of(review, point)
            notes, decision = given.get("notes", stored.notes), given.get("decision", stored.decision)
            return save_point(access, stored, notes=notes, decision=decision, of_version=given["version"])

        return _changed(pk, access, save)


class ReviewTicketView(ProgramView):
    @operation("v1_review_make_ticket", ReviewDocumentSerializer, request=PointTicketSerializer)
    def post(self, request: Request, pk: int, point: int) -> Response:
        """Create a ticket from the point's decision."""
        access, given = self.access, body(request, PointTicketSerializer)
        return _changed(pk, access, lambda review: make_ticket(access, point_of(review, point), **given))


class ReviewAttendanceView(ProgramView):
    @operation("v1_review_attendance", ReviewDocumentSerializer, request=AttendanceSerializer)
    def put(self, request: Request, pk: int) -> Response:
        """Record attendance by e-mail address; people who were not invited are added."""
        access, given = self.access, body(request, AttendanceSerializer)

        def save(review: Review) -> None:
            addresses = {address.lower() for address in given["attended"]}
            invited = dict(review.attendance.values_list("person__email", "person"))
            known = {email.lower(): pk for email, pk in invited.items() if email}
            people = {address: known[address] for address in addresses if address in known}
            for address in sorted(addresses - people.keys()):
                people[address] = invite(access, review, address).person_id
            save_attendance(access, review, set(people.values()))

        return _changed(pk, access, save)


class ReviewSignView(ProgramView):
    @operation("v1_review_sign", ReviewDocumentSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Sign the review; nothing in it can be changed any more."""
        return _changed(pk, self.access, lambda review: sign_review(self.access, review))


def _changed(pk: int, access: Access, change: Callable[[Review], object]) -> Response:
    review = visible_review(pk, access)
    return answer_change(lambda: change(review), lambda _: _document(pk, access))


def _document(pk: int, access: Access) -> dict[str, Any]:
    return ReviewDocumentSerializer(visible_review(pk, access), context={"access": access}).data
