"""/api/v1/notifications/: which messages the token's account gets by which channel, and in which hours none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.parameters import only
from core.write_errors import FieldError
from insights.api import schema
from insights.query.errors import QueryError
from orgtree.access.invitation_mail import can_send_mail
from programs.models import Channel, MessageKind
from programs.reminders.services.preferences import Preferences, change_preferences, preferences_of
from programs.requests.fields import given_fields, text, yes_or_no
from programs.requests.program_view import ProgramView

ERRORS = dict.fromkeys((400, 401, 403), schema.ErrorsSerializer)
CLOCK = "HH:MM, by the clock of time_zone."


class ChannelSerializer(serializers.Serializer[object]):
    """By e-mail."""

    on = serializers.BooleanField(help_text="false: unsubscribed, nothing is sent.")
    kinds = serializers.DictField(child=serializers.BooleanField(), help_text="Whether it is sent, by kind of message.")


class QuietHoursSerializer(serializers.Serializer[object]):
    """Hours in which nothing is sent; the same twice: none."""

    begins = serializers.CharField(help_text=CLOCK)
    ends = serializers.CharField(help_text=CLOCK)
    time_zone = serializers.CharField(allow_null=True, help_text="IANA name; null: the organisation's.")


class NotificationsSerializer(serializers.Serializer[object]):
    email = ChannelSerializer()
    quiet_hours = QuietHoursSerializer()
    address = serializers.CharField(allow_null=True, help_text="Where e-mail goes.")
    sends_mail = serializers.BooleanField(help_text="This installation can send e-mail.")


class ChannelWriteSerializer(serializers.Serializer[object]):
    on = serializers.BooleanField(required=False)
    kinds = serializers.DictField(child=serializers.BooleanField(), required=False, help_text="Those that change.")


class QuietHoursWriteSerializer(serializers.Serializer[object]):
    begins = serializers.CharField(required=False, help_text=CLOCK)
    ends = serializers.CharField(required=False, help_text=CLOCK)
    time_zone = serializers.CharField(required=False, allow_null=True)


class NotificationsWriteSerializer(serializers.Serializer[object]):
    """What is not named stays."""

    email = ChannelWriteSerializer(required=False)
    quiet_hours = QuietHoursWriteSerializer(required=False)


class NotificationsView(ProgramView):
    @extend_schema(operation_id="v1_notifications", responses={200: NotificationsSerializer, **ERRORS})
    def get(self, request: Request) -> Response:
        """The settings of the token's account."""
        only(request)
        return Response(_document(_account(request)))

    @extend_schema(
        operation_id="v1_notifications_change",
        request=NotificationsWriteSerializer,
        responses={200: NotificationsSerializer, **ERRORS},
    )
    def patch(self, request: Request) -> Response:
        """Change what is named; also of what waits already."""
        account = _account(request)
        given = given_fields(request, (Channel.EMAIL.value, "quiet_hours"))
        preferences = _with_channel(preferences_of(account), _part(given, Channel.EMAIL.value, ("on", "kinds")))
        preferences = _with_hours(preferences, _part(given, "quiet_hours", ("begins", "ends", "time_zone")))
        try:
            change_preferences(account, preferences)
        except FieldError as problem:
            at = "email.kinds" if problem.field == "kinds" else f"quiet_hours.{problem.field}"
            raise QueryError(at, problem.message) from None
        return Response(_document(account))


def _account(request: Request) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied("A token without an account has no notifications and no settings.")
    return request.user


def _part(given: Mapping[str, Any], name: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    part = given.get(name, {})
    if not isinstance(part, Mapping):
        raise QueryError(name, "It must be an object.")
    for field in part:
        if field not in known:
            raise QueryError(f"{name}.{str(field)[:40]}", f"There is no such field. Use {', '.join(known)}.")
    return part


def _with_channel(known: Preferences, given: Mapping[str, Any]) -> Preferences:
    is_on, kinds = yes_or_no("email.on", given.get("on", known.is_on)), given.get("kinds", {})
    if not isinstance(kinds, Mapping):
        raise QueryError("email.kinds", "It must be an object, by kinds of messages.")
    chosen = known.kinds
    for kind, wants in kinds.items():
        if kind not in MessageKind.values:
            raise QueryError(f"email.kinds.{str(kind)[:40]}", f"One of: {', '.join(MessageKind.values)}.")
        chosen = chosen | {kind} if yes_or_no(f"email.kinds.{kind}", wants) else chosen - {kind}
    return replace(known, is_on=is_on, kinds=chosen)


def _with_hours(known: Preferences, given: Mapping[str, Any]) -> Preferences:
    zone = text("quiet_hours.time_zone", given.get("time_zone", known.time_zone)).strip()
    return replace(
        known, begins=_clock("begins", given, known.begins), ends=_clock("ends", given, known.ends), time_zone=zone
    )


def _clock(name: str, given: Mapping[str, Any], known: time) -> time:
    if name not in given:
        return known
    try:
        clock = time.fromisoformat(text(f"quiet_hours.{name}", given[name]))
    except ValueError:
        clock = None
    if clock is None or clock.tzinfo is not None:
        raise QueryError(f"quiet_hours.{name}", "It must be a time such as 20:00.")
    return clock.replace(second=0, microsecond=0)


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
