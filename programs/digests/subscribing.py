"""An account's subscriptions to digests: unit, day and hour of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from core.write_errors import FieldError
from orgtree.access.access import Access
from programs.models import Digest, DigestSubscription, Rhythm
from programs.requests.visible import account_of
from programs.teams.fields import seen_unit

HOURS = 24
MOST_LISTED = 50
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Wish:
    """`unit` is a slug; empty means the whole organisation.  `weekday` 0 is Monday."""

    unit: str = ""
    weekday: int = 0
    hour: int = 8


def subscriptions_of(account: User) -> Mapping[str, DigestSubscription]:
    """The account's subscriptions by rhythm."""
    return {one.rhythm: one for one in DigestSubscription.objects.filter(account=account).select_related("unit")}


def subscribe(access: Access, wishes: Mapping[Rhythm, Wish]) -> User:
    """Replaces the account's subscriptions.  Raises FieldError, with the rhythm as its field."""
    account = account_of(access)
    with transaction.atomic():
        DigestSubscription.objects.filter(account=account).exclude(rhythm__in=wishes).delete()
        for rhythm, wish in wishes.items():
            if not (0 <= wish.weekday < len(WEEKDAYS) and 0 <= wish.hour < HOURS):
                raise FieldError(rhythm.value, "Choose a day and an hour.")
            unit = seen_unit(wish.unit, access.visibility, rhythm.value)
            values = {"unit": unit, "weekday": wish.weekday, "hour": wish.hour}
            stored, is_new = DigestSubscription.objects.get_or_create(account=account, rhythm=rhythm, defaults=values)
            if not is_new and any(getattr(stored, name) != value for name, value in values.items()):
                # A digest that was due at the former time is not made up for.
                DigestSubscription.objects.filter(pk=stored.pk).update(**values, since=timezone.now())
    return account


def digests_of(access: Access) -> list[Digest]:
    """The latest digests that the account may see, newest first."""
    if not isinstance(access.viewer, User):
        return []
    made = Digest.objects.filter(account=access.viewer).within(access.visibility)
    return [*made.select_related("unit").order_by("-made_at", "-pk")[:MOST_LISTED]]
