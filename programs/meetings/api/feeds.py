"""/api/v1/calendar-feed/: the address of the calendar feed of the token's account."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.operations import operation
from insights.api.program_view import ProgramView
from orgtree.access.access import access_of
from programs.meetings.services.feeds import renew_feed, revoke_feed
from programs.models import CalendarFeed
from programs.requests.visible import check_is_of_account


class CalendarFeedSerializer(serializers.Serializer[object]):
    made_at = serializers.DateTimeField()
    last_read_at = serializers.DateTimeField(allow_null=True)


class NewCalendarFeedSerializer(serializers.Serializer[object]):
    url = serializers.CharField(help_text="Shown this once; whoever has it reads the meetings.")


class CalendarFeedView(ProgramView):
    @operation("v1_calendar_feed", CalendarFeedSerializer)
    def get(self, request: Request) -> Response:
        """Get the time when the account's feed address was created and last read; 404 without a feed."""
        feed = CalendarFeed.objects.filter(account=_account(request)).first()
        if feed is None:
            raise NotFound
        return Response(CalendarFeedSerializer(feed).data)

    @operation("v1_calendar_feed_renew", {201: NewCalendarFeedSerializer})
    def post(self, request: Request) -> Response:
        """Create a new address; the previous one stops working."""
        body(request)
        secret = renew_feed(_account(request))
        url = settings.BASE_URL + reverse("calendar_ics", args=[secret])
        return Response({"url": url}, status=status.HTTP_201_CREATED)

    @operation("v1_calendar_feed_revoke", {204: None})
    def delete(self, request: Request) -> Response:
        """Revoke the address."""
        revoke_feed(_account(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _account(request: Request) -> User:
    check_is_of_account(access_of(request.user))
    assert isinstance(request.user, User), "checked above"  # noqa: S101
    return request.user
