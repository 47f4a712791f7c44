"""The notices of an account, and which of them were read."""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.auth.models import User
from django.utils import timezone

from orgtree.access.access import Access
from programs.models import Notice
from programs.models.messages import NoticeQuerySet

COUNTED = 99  # more than that is “99+”


def notices_of(access: Access) -> NoticeQuerySet:
    """Those about what the viewer may see; none for a token of nobody."""
    if not isinstance(access.viewer, User):
        return Notice.objects.none()
    return Notice.objects.filter(account=access.viewer).within(access.visibility)


def count_unread(access: Access) -> int:
    """At most one more than COUNTED."""
    return len(notices_of(access).unread().order_by().values_list("pk")[: COUNTED + 1])


def read_notices(access: Access, ids: Collection[int] | None = None) -> int:
    """Those among them (None: all) that are the account's and unread; how many."""
    unread = notices_of(access).unread()
    return (unread if ids is None else unread.filter(pk__in=ids)).update(read_at=timezone.now())


def unread_notices(access: Access, ids: Collection[int]) -> int:
    """Those among them that are the account's and read; how many."""
    return notices_of(access).exclude(read_at=None).filter(pk__in=ids).update(read_at=None)
