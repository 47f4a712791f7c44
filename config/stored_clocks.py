"""Corrects stored times in the future, left by a machine clock that was ahead and set back.

Schedules, syncs and sign-in locks compare them with now, and would do nothing until then; invitations and sessions
would stay valid for too long.  Facts keep their times, which come from the provider or record what was observed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Model, Q
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from integrations.connectors.rate_limits import LONGEST_WAIT
from integrations.models import Connection, IngestToken, LineHistory, Quota, RepositorySource, Stream
from integrations.sync.leases import LEASE
from orgtree.access.invitations import LIFETIME as INVITATION_LIFETIME
from orgtree.models import ApiToken, Invitation, MatchWork
from programs.models import Delivery, OutgoingEmail
from programs.reminders.services.outbox import HOLD

LEEWAY = timedelta(minutes=1)  # clocks of machines that share a database differ
IN_THE_PAST = timedelta()
SESSION_LIFETIME = timedelta(seconds=settings.SESSION_COOKIE_AGE)
LONGEST_QUIET = timedelta(days=2)  # quiet hours, and the pause after a mail server that did not answer


@dataclass(frozen=True)
class StoredClock:
    """A time column, its maximum distance ahead of now, and a column of the row that is certainly in the past.

    `from_now`: the distance at which a time that is too far ahead is set.
    """

    model: type[Model]
    field: str
    longest: timedelta = IN_THE_PAST
    passed: str = ""
    from_now: timedelta = timedelta()

    def wrong(self, now: datetime) -> Q:
        latest = now + LEEWAY
        too_far = Q(**{f"{self.field}__gt": latest + self.longest})
        return too_far | Q(**{f"{self.passed}__gt": latest, f"{self.field}__gt": now}) if self.passed else too_far


CLOCKS = (
    StoredClock(PeriodicTask, "last_run_at"),
    StoredClock(PeriodicTask, "date_changed"),  # used as the last run of a task that never ran
    StoredClock(RepositorySource, "tried_at"),
    StoredClock(RepositorySource, "requested_at"),
    StoredClock(LineHistory, "requested_at"),
    StoredClock(Stream, "due_at", LONGEST_WAIT, passed="served_at"),
    StoredClock(Stream, "leased_until", LEASE),
    StoredClock(Stream, "served_at"),
    StoredClock(Stream, "full_at"),
    StoredClock(Stream, "reading_since"),
    StoredClock(Connection, "discover_at", LONGEST_WAIT, passed="discovered_at"),
    StoredClock(Connection, "discovered_at"),
    StoredClock(Quota, "blocked_until", LONGEST_WAIT),
    StoredClock(Quota, "resets_at", LONGEST_WAIT),
    StoredClock(MatchWork, "noted_at"),
    StoredClock(OutgoingEmail, "next_try_at", LONGEST_QUIET),
    StoredClock(OutgoingEmail, "held_until", HOLD),
    StoredClock(Delivery, "not_before", LONGEST_QUIET),
    StoredClock(AccessAttempt, "attempt_time"),
    StoredClock(ApiToken, "last_used_at"),
    StoredClock(IngestToken, "last_used_at"),
    StoredClock(Invitation, "expires_at", INVITATION_LIFETIME, from_now=INVITATION_LIFETIME),
    StoredClock(Session, "expire_date", SESSION_LIFETIME, from_now=SESSION_LIFETIME),
)


def correct_clocks(now: datetime) -> Mapping[str, int]:
    """Set times that are too far ahead to `now`, or to their limit; returns the number of rows by column.

    Idempotent, cheap if there are none.
    """
    put_right = {}
    for clock in CLOCKS:
        count = clock.model._default_manager.filter(clock.wrong(now)).update(**{clock.field: now + clock.from_now})
        if count:
            put_right[f"{clock.model._meta.label_lower}.{clock.field}"] = count
    if any(name.startswith(PeriodicTask._meta.label_lower) for name in put_right):
        PeriodicTasks.update_changed()
    return put_right


def schedules_ahead(now: datetime) -> list[PeriodicTask]:
    """Enabled tasks that would not run before a stored time in the future."""
    ahead = PeriodicTask.objects.filter(enabled=True, last_run_at__gt=now + LEEWAY)
    return list(ahead.order_by("-last_run_at", "name"))
