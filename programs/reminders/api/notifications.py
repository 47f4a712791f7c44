"""/api/v1/notifications/: the account's messages by channel, and its quiet hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bodies import body
from core.api.model_serializers import BodySerializer, Text, YesOrNo
from core.api.operations import REFUSALS, operation
from core.write_errors import FieldError
from insights.api.program_view import ProgramView
from insights.query.errors import QueryError
from orgtree.access.invitations import can_send_mail
from programs.models import MessageKind
from programs.reminders.services.preferences import change_preferences, preferences_of

CLOCK = "HH:MM, by the clock of time_zone."


class ChannelSerializer(serializers.Serializer[object]):
    """E-mail settings of the account."""

    on = serializers.BooleanField(help_text="false: unsubscribed, nothing is sent.")
    kinds = serializers.DictField(child=serializers.BooleanField(), help_text="Whether it is sent, by kind of message.")


class QuietHoursSerializer(serializers.Serializer[object]):
    """Hours in which nothing is sent; none if both times are equal."""

    begins = serializers.CharField(help_text=CLOCK)
    ends = serializers.CharField(help_text=CLOCK)
    time_zone = serializers.CharField(allow_null=True, help_text="IANA name; null: the organisation's.")


class NotificationsSerializer(serializers.Serializer[object]):
    email = ChannelSerializer()
    quiet_hours = QuietHoursSerializer()
    address = serializers.CharField(allow_null=True, help_text="The address that e-mail goes to.")
    sends_mail = serializers.BooleanField(help_text="This installation can send e-mail.")


class ClockField(Text):
    def to_internal_value(self, data: Any) -> Any:
        try:
            clock = time.fromisoformat(super().to_internal_value(data))
        except ValueError:
            clock = None
        if clock is None or clock.tzinfo is not None:
            raise serializers.ValidationError("It must be a time such as 20:00.")
        return clock.replace(second=0, microsecond=0)


class ChannelWriteSerializer(BodySerializer):
    on = YesOrNo(required=False)
    kinds = serializers.DictField(
        child=YesOrNo(), required=False, help_text="The kinds to switch on or off; others stay."
    )

    def validate_kinds(self, kinds: dict[str, bool]) -> dict[str, bool]:
        unknown = next((kind for kind in kinds if kind not in MessageKind.values), None)
        if unknown is not None:
            raise serializers.ValidationError({unknown[:40]: [f"One of: {', '.join(MessageKind.values)}."]})
        return kinds


class QuietHoursWriteSerializer(BodySerializer):
    begins = ClockField(required=False, help_text=CLOCK)
    ends = ClockField(required=False, help_text=CLOCK)
    time_zone = Text(required=False, allow_null=True, allow_blank=True)


class NotificationsWriteSerializer(BodySerializer):
    """Fields to change; omitted fields keep their value."""

    email = ChannelWriteSerializer(required=False)
    quiet_hours = QuietHoursWriteSerializer(required=False)


class NotificationsView(ProgramView):
    @operation("v1_notifications", NotificationsSerializer, parameters=(), errors=REFUSALS)
    def get(self, request: Request) -> Response:
        """Get the settings of the token's account."""
        return Response(_document(_account(request)))

    @operation(
        "v1_notifications_change", NotificationsSerializer, request=NotificationsWriteSerializer, errors=REFUSALS
    )
    def patch(self, request: Request) -> Response:
        """Change the given settings; they also apply to waiting messages."""
        account = _account(request)
        given, known = body(request, NotificationsWriteSerializer), preferences_of(account)
        email, hours = given.get("email", {}), given.get("quiet_hours", {})
        wanted = {kind for kind, is_wanted in email.get("kinds", {}).items() if is_wanted}
        kinds = (known.kinds - email.get("kinds", {}).keys()) | wanted
        try:
            change_preferences(account, replace(known, is_on=email.get("on", known.is_on), kinds=kinds, **hours))
        except FieldError as problem:
            at = "email.kinds" if problem.field == "kinds" else f"quiet_hours.{problem.field}"
            raise QueryError(at, problem.message) from None
        return Response(_document(account))


def _account(request: Request) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied("A token without an account has no notifications and no settings.")
    return request.user


def _document(account: User) -> dict[str, Any]:
    preferences = preferences_of(account)
    return {
        "email": {"on": preferences.is_on, "kinds": {kind: kind in preferences.kinds for kind in MessageKind.values}},
        "quiet_hours": {
            "begins": f"{preferences.begins:%H:%M}",
            "ends": f"{preferences.ends:%H:%M}",
            "time_zone": preferences.time_zone or None,
        },
        "address": account.email or None,
        "sends_mail": can_send_mail(),
    }
