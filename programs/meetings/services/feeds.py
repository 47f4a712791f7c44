"""Calendar feeds: the meetings of an account at a secret address.

A feed is found by the SHA-256 of its secret in a unique index: the secret itself is neither stored nor compared.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from core.secret_links import secret_digest
from insights.query import windows
from orgtree.models import Person
from orgtree.models.visibility import person_of
from programs.meetings.services.calendars import calendar_file
from programs.models import CalendarFeed, Meeting, MeetingParticipant

PAST_IN_FEED = timedelta(days=400)  # the last year's meetings, as calendars keep them
MOST_READS = 30  # per minute; calendar programs read about hourly
CALENDAR_NAME = "Headway meetings"


class TooManyReadsError(Exception):
    """Raised if a feed is read too often; it may be read again in the next minute."""


@dataclass(frozen=True)
class FeedContent:
    """The meetings of a feed; `etag` changes whenever the file would, `changed_at` whenever a meeting does."""

    meetings: Sequence[Meeting]
    etag: str
    changed_at: datetime

    @property
    def file(self) -> bytes:
        return calendar_file(self.meetings, name=CALENDAR_NAME)


def renew_feed(account: User) -> str:
    """Returns a new secret, which is not stored, so it can be shown only once.  The previous one stops working."""
    secret = secrets.token_urlsafe(32)
    CalendarFeed.objects.update_or_create(
        account=account, defaults={"digest": secret_digest(secret), "made_at": timezone.now(), "last_read_at": None}
    )
    return secret


def revoke_feed(account: User) -> None:
    """Revokes the account's feed from the next request on; idempotent."""
    CalendarFeed.objects.filter(account=account).delete()


def find_feed(secret: str) -> CalendarFeed | None:
    """The feed with this secret, and its account; None if it is unknown or the account is inactive."""
    feed = CalendarFeed.objects.select_related("account").filter(digest=secret_digest(secret)).first()
    return feed if feed is not None and feed.account.is_active else None


def read_feed(feed: CalendarFeed) -> FeedContent | None:
    """The feed's current content, only for its person; None if the person has left.  Raises TooManyReadsError."""
    _count_read(feed)
    person = person_of(feed.account)
    if person is None:  # takes part in no meeting
        return _content([], feed)
    if not Person.objects.there_on(windows.local_today()).filter(pk=person.pk).exists():
        return None
    rows = MeetingParticipant.objects.filter(person=person, meeting__starts_at__gt=timezone.now() - PAST_IN_FEED)
    return _content(list(rows.select_related("meeting__series__unit").order_by("meeting__starts_at", "pk")), feed)


def _count_read(feed: CalendarFeed) -> None:
    """Counts a read in the database row, so that the limit holds across processes."""
    now = timezone.now()
    is_same_minute = feed.last_read_at is not None and now - feed.last_read_at < timedelta(minutes=1)
    if is_same_minute and feed.reads >= MOST_READS:
        raise TooManyReadsError
    rows = CalendarFeed.objects.filter(pk=feed.pk)
    if is_same_minute:
        rows.update(reads=F("reads") + 1)
    else:
        rows.update(reads=1, last_read_at=now)


def _content(rows: Sequence[MeetingParticipant], feed: CalendarFeed) -> FeedContent:
    """The content; a meeting that the person was removed from counts as a change, because it disappears."""
    meetings = [row.meeting for row in rows if row.removed_at is None]
    shown = [
        (meeting.pk, meeting.sequence, meeting.changed_at, meeting.series.title, meeting.series.location)
        for meeting in meetings
    ]
    changed_at = max([feed.made_at, *(row.meeting.changed_at for row in rows)])
    return FeedContent(meetings, hashlib.sha256(repr(shown).encode()).hexdigest()[:32], changed_at)
