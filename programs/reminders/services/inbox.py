"""The notices of an account, and whether they were read."""

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
COUNTED = 99  # anything more is shown as “99+”


def notices_of(access: Access) -> NoticeQuerySet:
    """Notices about records that the viewer may see; none for a token without an account."""
    if not isinstance(access.viewer, User):
        return Notice.objects.none()
    return Notice.objects.filter(account=access.viewer).within(access.visibility)


def count_unread(access: Access) -> int:
    """The number of unread notices, at most COUNTED + 1."""
    return len(notices_of(access).unread().order_by().values_list("pk")[: COUNTED + 1])


def read_notices(access: Access, ids: Collection[int] | None = None) -> int:
    """Marks the account's unread notices among `ids` (None: all) as read; returns their number."""
    unread = notices_of(access).unread()
    return (unread if ids is None else unread.filter(pk__in=ids)).update(read_at=timezone.now())


def end_notices(today: date) -> int:
    """Marks unread notices whose reason has ended as read; returns their number.

    Of those that only the meetings' hook can judge, just the newest are checked.
    """
    unread = Notice.objects.unread()
    of_meetings = with_related(unread.filter(meeting__isnull=False)).order_by("-pk")[:MEETINGS_AT_ONCE]
    settled = settled_among(list(of_meetings))
    ended = ended_among(unread, today) | settled
    return Notice.objects.filter(pk__in=ended).unread().update(read_at=timezone.now())


def unread_notices(access: Access, ids: Collection[int]) -> int:
    """Marks the account's read notices among `ids` as unread; returns their number."""
    return notices_of(access).exclude(read_at=None).filter(pk__in=ids).update(read_at=None)
