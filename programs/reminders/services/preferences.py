"""Notification preferences of an account: kinds, channels and quiet hours."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from core.write_errors import FieldError
from programs.models import Channel, Delivery, MessageKind, OptOut, QuietHours
from programs.reminders.services.quiet_hours import quiet_of


@dataclass(frozen=True)
class Preferences:
    """`kinds` are those that are sent by e-mail; none of them where `is_on` is false.

    `begins` and `ends` stand for quiet hours by the clock of `time_zone` (empty: the organisation's); the same: none.
    """

    is_on: bool
    kinds: frozenset[str]
    begins: time
    ends: time
    time_zone: str


def preferences_of(account: User) -> Preferences:
    opted_out = set(OptOut.objects.filter(account=account, channel=Channel.EMAIL).values_list("kind", flat=True))
    chosen = QuietHours.objects.filter(account=account).first()
    quiet = quiet_of(chosen)
    return Preferences(
        is_on="" not in opted_out,
        kinds=frozenset(set(MessageKind.values) - opted_out),
        begins=quiet.begins,
        ends=quiet.ends,
        time_zone=chosen.time_zone if chosen else "",
    )


def change_preferences(account: User, preferences: Preferences) -> None:
    """Also of what waits already: it is sent as is wanted now.  Raises FieldError."""
    if preferences.time_zone:
        try:
            ZoneInfo(preferences.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise FieldError("time_zone", f"There is no time zone “{preferences.time_zone}”.") from None
    unknown = preferences.kinds - set(MessageKind.values)
    if unknown:
        raise FieldError("kinds", f"There is no kind of message called {min(unknown)}.")
    with transaction.atomic():
        _mute(account, [*sorted(set(MessageKind.values) - preferences.kinds), *([] if preferences.is_on else [""])])
        QuietHours.objects.update_or_create(
            account=account,
            defaults={"begins": preferences.begins, "ends": preferences.ends, "time_zone": preferences.time_zone},
        )
        waiting = Delivery.objects.filter(notice__account=account, email=None, left_out="")
        waiting.update(not_before=timezone.now())  # the next turn asks for the quiet hours anew


def _mute(account: User, kinds: Collection[str]) -> None:
    """These and no others."""
    known = OptOut.objects.filter(account=account, channel=Channel.EMAIL)
    known.exclude(kind__in=kinds).delete()
    OptOut.objects.bulk_create(
        [OptOut(account=account, channel=Channel.EMAIL, kind=kind) for kind in kinds], ignore_conflicts=True
    )
