"""/api/v1/notices/: the notices of the token's account, and whether they were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.model_serializers import AnswerSerializer, BodySerializer, WholeNumber
from core.api.operations import REFUSALS, operation
from core.api.parameters import page_parameters, requested_slice
from insights.api.program_view import ProgramView
from insights.query.errors import QueryError
from programs.models import MessageKind, Notice
from programs.reminders.services.inbox import notices_of, read_notices, unread_notices
from programs.reminders.services.labels import items_of, notices_of_page

SHOWN = ("unread", "all")
MOST_READ = 1000  # per request


class NoticeSerializer(AnswerSerializer):
    id = serializers.IntegerField(source="notice.pk")
    kind = serializers.ChoiceField(choices=MessageKind.choices, source="notice.kind")
    label = serializers.CharField(  # type: ignore[assignment]  # a field of that name, which DRF takes from the class
        source="item.label", help_text="Current state, such as “5 days overdue”."
    )
    title = serializers.CharField(source="item.title", help_text="Title of the subject.")
    detail = serializers.CharField(source="item.detail")
    quote = serializers.CharField(source="item.quote", help_text="The beginning of a comment.")
    url = serializers.SerializerMethodField()
    ticket = serializers.IntegerField(allow_null=True, source="notice.ticket_id")
    finding = serializers.IntegerField(allow_null=True, source="notice.finding_id")
    objective = serializers.IntegerField(allow_null=True, source="notice.objective_id")
    unit = serializers.CharField(
        allow_null=True, source="notice.unit.slug", help_text="Slug, of a team that lacks its objective."
    )
    meeting = serializers.IntegerField(allow_null=True, source="notice.meeting_id")
    budget = serializers.IntegerField(allow_null=True, source="notice.alert.budget_id")
    silence = serializers.IntegerField(
        allow_null=True, source="notice.silence_id", help_text="The source that stopped sending, for admins."
    )
    at = serializers.DateTimeField(source="notice.at")
    read_at = serializers.DateTimeField(allow_null=True, source="notice.read_at")

    def get_url(self, listed: Mapping[str, Any]) -> str:
        return settings.BASE_URL + str(listed["item"].path)


class NoticesSerializer(serializers.Serializer[object]):
    total = serializers.IntegerField()
    notices = NoticeSerializer(many=True)


class NoticeNumbersField(serializers.ListField):
    child = WholeNumber()
    default_error_messages = dict.fromkeys(("not_a_list", "max_length"), f"A list of at most {MOST_READ:,} numbers.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MOST_READ, **kwargs)


class NoticesReadSerializer(BodySerializer):
    """The notices to mark as read; all if `notices` is omitted."""

    notices = NoticeNumbersField(required=False)


class ReadCountSerializer(serializers.Serializer[object]):
    read = serializers.IntegerField(help_text="Number of notices that were unread before.")


class NoticesUnreadSerializer(BodySerializer):
    notices = NoticeNumbersField()


class UnreadCountSerializer(serializers.Serializer[object]):
    unread = serializers.IntegerField(help_text="Number of notices that were read before.")


class NoticesView(ProgramView):
    @operation(
        "v1_notices_list",
        NoticesSerializer,
        parameters=[
            OpenApiParameter("show", str, enum=list(SHOWN), description="Default: unread."),
            *page_parameters("Notices"),
        ],
        errors=REFUSALS,
    )
    def get(self, request: Request) -> Response:
        """List the account's notices about records that it may see, newest first."""
        shown = request.query_params.get("show") or "unread"
        if shown not in SHOWN:
            raise QueryError("show", f"One of: {', '.join(SHOWN)}.")
        page = requested_slice(request)
        notices = notices_of(self.access)
        listed = notices.unread() if shown == "unread" else notices
        numbers = listed.order_by("-at", "-pk").values_list("pk", flat=True)[page]
        return Response({"total": listed.count(), "notices": _documents(notices_of_page(list(numbers)))})


class NoticesReadView(ProgramView):
    @operation("v1_notices_read", ReadCountSerializer, request=NoticesReadSerializer, errors=REFUSALS)
    def post(self, request: Request) -> Response:
        """Mark notices as read; numbers that are not the account's notices are ignored."""
        given = body(request, NoticesReadSerializer)
        return Response({"read": read_notices(self.access, given.get("notices"))})


class NoticesUnreadView(ProgramView):
    @operation("v1_notices_unread", UnreadCountSerializer, request=NoticesUnreadSerializer, errors=REFUSALS)
    def post(self, request: Request) -> Response:
        """Mark notices as unread; numbers that are not the account's notices are ignored."""
        given = body(request, NoticesUnreadSerializer)
        return Response({"unread": unread_notices(self.access, given["notices"])})


def _documents(notices: Sequence[Notice]) -> Any:
    listed = [{"notice": notice, "item": item} for notice, item in zip(notices, items_of(notices), strict=True)]
    return NoticeSerializer(listed, many=True).data
