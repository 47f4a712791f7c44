"""An account's message preferences, quiet hours, and unsubscribing by a link."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.utils import timezone

from core.write_errors import FieldError
from programs.models import Channel, Delivery, MessageKind, OptOut, QuietHours

SALT = "programs.unsubscribe"
# The default: reminders are planned after midnight, when nobody wants them.
USUAL_BEGIN, USUAL_END = time(20), time(8)


@dataclass(frozen=True)
class Preferences:
    """`kinds` are those sent by e-mail; none if `is_on` is false.

    Quiet hours last from `begins` to `ends` in `time_zone` (empty: the organisation's); none if both are equal.
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


def change_preferences(account: User, preferences: Preferences) -> Preferences:
    """Stores preferences, and applies them to waiting messages.  Raises FieldError."""
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
        waiting.update(not_before=timezone.now())  # the next run checks the quiet hours again
    return preferences


def _mute(account: User, kinds: Collection[str]) -> None:
    """Replaces the account's opt-outs."""
    known = OptOut.objects.filter(account=account, channel=Channel.EMAIL)
    known.exclude(kind__in=kinds).delete()
    OptOut.objects.bulk_create(
        [OptOut(account=account, channel=Channel.EMAIL, kind=kind) for kind in kinds], ignore_conflicts=True
    )


class NoSuchLinkError(Exception):
    """Raised for a link that was not signed here, or that belongs to a deleted account."""


@dataclass(frozen=True)
class Link:
    """An unsubscribe link: the kind of messages (empty: all) and the channel that it ends."""

    account: User
    channel: Channel
    kind: str = ""


def unsubscribe_token(account: User, channel: Channel, kind: str = "") -> str:
    """A token that works without signing in, does nothing else, and never expires: an e-mail may be read years
    later.
    """
    named = [account.pk, channel.value, *([kind] if kind else [])]
    return signing.Signer(salt=SALT).sign_object(named).replace(":", "~")


def read_token(token: str) -> Link:
    """The link with this token.  Raises NoSuchLinkError."""
    try:
        account_id, word, *kinds = signing.Signer(salt=SALT).unsign_object(token.replace("~", ":"))
        kind = MessageKind(kinds[0]).value if kinds else ""
        return Link(User.objects.get(pk=int(account_id)), Channel(word), kind)
    except (signing.BadSignature, User.DoesNotExist, ValueError, TypeError) as problem:
        raise NoSuchLinkError from problem


def unsubscribe(link: Link) -> None:
    """Ends such messages, waiting ones included.  Idempotent."""
    OptOut.objects.get_or_create(account=link.account, channel=link.channel, kind=link.kind)


def is_unsubscribed(link: Link) -> bool:
    return OptOut.objects.filter(account=link.account, channel=link.channel, kind__in=["", link.kind]).exists()


@dataclass(frozen=True)
class Quiet:
    """Quiet hours from `begins` to `ends` in `zone`, past midnight if `begins` is later; none if both are equal.

    Messages wait until they are over; none is dropped.
    """

    begins: time
    ends: time
    zone: ZoneInfo

    def until(self, at: datetime) -> datetime | None:
        """The first moment after `at` outside of the quiet hours; None if `at` is outside already.

        An end that the clock skips in spring moves forward by the same amount; of one that occurs twice in autumn, the
        first that is still ahead counts.
        """
        local = at.astimezone(self.zone)
        if not self._covers(local.time()):
            return None
        day = local.date() if local.time() < self.ends else local.date() + timedelta(days=1)
        for fold in (0, 1):
            end = datetime.combine(day, self.ends, self.zone).replace(fold=fold).astimezone(UTC)
            if end > at:
                return end
        return None

    def _covers(self, clock: time) -> bool:
        if self.begins <= self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends


def quiet_of(chosen: QuietHours | None) -> Quiet:
    """The account's quiet hours, else the organisation's defaults."""
    if chosen is None:
        return Quiet(USUAL_BEGIN, USUAL_END, settings.ORGANISATION_TIME_ZONE)
    return Quiet(chosen.begins, chosen.ends, _zone(chosen.time_zone))


def _zone(name: str) -> ZoneInfo:
    """The zone, or the organisation's if the machine no longer knows it, so that it does not hold up all e-mails."""
    organisation: ZoneInfo = settings.ORGANISATION_TIME_ZONE
    try:
        return ZoneInfo(name) if name else organisation
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return organisation
