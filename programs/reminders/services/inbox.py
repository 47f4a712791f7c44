"""The notices of an account, and which of them were read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.contrib.auth.models import User
from django.utils import timezone

from orgtree.access.access import Access
from programs.models import Notice
from programs.models.messages import NoticeQuerySet
from programs.reminders.queries.notices import ended_among
from programs.reminders.services.channels import settled_among
from programs.reminders.services.labels import with_related

MEETINGS_AT_ONCE = 2_000  # notices
COUNTED = 99  # more than that is “99+”


def notices_of(access: Access) -> NoticeQuerySet:
    """Notices about what the viewer may see; none for a token without an account."""
    if not isinstance(access.viewer, User):
        return Notice.objects.none()
    return Notice.objects.filter(account=access.viewer).within(access.visibility)


def count_unread(access: Access) -> int:
    """The number of unread notices, at most COUNTED + 1."""
    return len(notices_of(access).unread().order_by().values_list("pk")[: COUNTED + 1])


def read_notices(access: Access, ids: Collection[int] | None = None) -> int:
    """Mark the account's unread notices among `ids` (None: all) as read; return how many."""
    unread = notices_of(access).unread()
    return (unread if ids is None else unread.filter(pk__in=ids)).update(read_at=timezone.now())


def end_notices(today: date) -> int:
    """Mark as read what is unread although its reason has ended; how many.

    Of those that only meetings can judge the newest are looked at.
    """
    unread = Notice.objects.unread()
    of_meetings = with_related(unread.filter(meeting__isnull=False)).order_by("-pk")[:MEETINGS_AT_ONCE]
    settled = settled_among(list(of_meetings))
    ended = ended_among(unread, today) | settled
    return Notice.objects.filter(pk__in=ended).unread().update(read_at=timezone.now())


def unread_notices(access: Access, ids: Collection[int]) -> int:
    """Mark the account's read notices among `ids` as unread; return how many."""
    return notices_of(access).exclude(read_at=None).filter(pk__in=ids).update(read_at=None)
