"""Reviews and their points as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.errors import ErrorsSerializer
from core.api.model_serializers import BodySerializer, ReadSerializer, Text, WholeNumber
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from programs.models import BottleneckKind, Review, ReviewPoint, Ticket
from programs.reviews.services.agenda import visible_figures


class ReviewSerializer(ReadSerializer[Review]):
    """A review in a list."""

    unit = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    signed_by = serializers.SerializerMethodField(help_text="Name of the account; null: not signed, or no names.")

    class Meta:
        model = Review
        fields = ("id", "unit", "month", "agenda_until", "prepared_at", "signed_at", "signed_by", "version")

    def get_signed_by(self, review: Review) -> str | None:
        access: Access = self.context["access"]
        if review.signed_by is None or not access.is_of_account:
            return None
        return names_of([review.signed_by])[review.signed_by.pk]


class ReviewPointSerializer(ReadSerializer[ReviewPoint]):
    """`figures` has only what the reader may see; empty if nothing is left."""

    figures = serializers.SerializerMethodField()
    tickets = serializers.SerializerMethodField(help_text="Ids of those that you may see.")

    class Meta:
        model = ReviewPoint
        fields = ("id", "kind", "reference", "title", "detail", "figures", "notes", "decision", "tickets", "version")

    @extend_schema_field(serializers.DictField())
    def get_figures(self, point: ReviewPoint) -> Mapping[str, Any]:
        return visible_figures(point, self.context["review"], self.context["access"])

    def get_tickets(self, point: ReviewPoint) -> list[int]:
        return [ticket.pk for ticket in point.tickets.all() if ticket.pk in self.context["visible_tickets"]]


class AttendeeSerializer(serializers.Serializer[object]):
    person = serializers.EmailField(allow_null=True, help_text="Null: without an address, or gone.")
    attended = serializers.BooleanField()


class ReviewDocumentSerializer(ReviewSerializer):
    """One review with its agenda in order, and the invited people."""

    points = serializers.SerializerMethodField()
    attendance = serializers.SerializerMethodField(help_text="Invited people; empty for a token without an account.")

    class Meta:
        model = Review
        fields = (*ReviewSerializer.Meta.fields, "summary", "points", "attendance")

    @extend_schema_field(ReviewPointSerializer(many=True))
    def get_points(self, review: Review) -> Any:
        points = list(review.points.order_by("position", "pk").prefetch_related("tickets"))
        ids = {ticket.pk for point in points for ticket in point.tickets.all()}
        access: Access = self.context["access"]
        visible = set(Ticket.objects.within(access.visibility).filter(pk__in=ids).values_list("pk", flat=True))
        context = {**self.context, "review": review, "visible_tickets": visible}
        return ReviewPointSerializer(points, many=True, context=context).data

    @extend_schema_field(AttendeeSerializer(many=True))
    def get_attendance(self, review: Review) -> list[dict[str, Any]]:
        if not self.context["access"].is_of_account:
            return []
        rows = review.attendance.order_by("pk").values_list("person__email", "attended")
        return [{"person": email, "attended": attended} for email, attended in rows]


class ReviewPrepareSerializer(BodySerializer):
    unit = serializers.SlugField(max_length=200)
    month = serializers.DateField(help_text="Any day of it.")


class SummarySerializer(BodySerializer):
    summary = Text(allow_blank=True, help_text="Markdown.")
    version = WholeNumber(help_text="Version of the review that the summary is based on.")


class PointAddSerializer(BodySerializer):
    title = Text()


class PointWriteSerializer(BodySerializer):
    notes = Text(allow_blank=True, required=False, help_text="Markdown.")
    decision = Text(allow_blank=True, required=False, help_text="Markdown.")
    version = WholeNumber(help_text="Version of the point that the notes are based on.")


class PointTicketSerializer(BodySerializer):
    title = Text()
    kind = serializers.ChoiceField(choices=BottleneckKind.choices)
    owner = serializers.CharField(required=False, allow_blank=True, default="", help_text="E-mail address.")
    due_on = serializers.DateField()


class AttendanceSerializer(BodySerializer):
    attended = serializers.ListField(child=serializers.EmailField(), help_text="Whoever came; the others were absent.")


class ReviewConflictSerializer(ErrorsSerializer):
    stored = ReviewDocumentSerializer()
