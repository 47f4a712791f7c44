"""Creates the digests that are due, each once across all workers, with its notice and e-mail."""

from __future__ import annotations

import logging
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from insights.query.errors import QueryError
from insights.query.query import Window
from orgtree.access.access import Access, access_of
from orgtree.models import Unit
from programs.digests.content import content_of
from programs.digests.periods import current_period, last_due
from programs.models import Digest, DigestContent, DigestSubscription, MessageKind, Rhythm
from programs.reminders.services.planning import PLANNING, store_notices
from programs.reminders.services.preferences import quiet_of

logger = logging.getLogger(__name__)
NOTICE_COLUMNS = "account_id, kind, digest_id, number"


def make_digests(*, now: datetime | None = None) -> int:
    """Creates the digests that are due; returns their number."""
    at, made = now or timezone.now(), 0
    wanted = DigestSubscription.objects.filter(account__is_active=True)
    for subscription in wanted.select_related("account__quiet_hours", "unit"):
        zone = quiet_of(getattr(subscription.account, "quiet_hours", None)).zone
        due = last_due(subscription, at, zone)
        if due is None or _is_made(subscription, due.period):
            continue
        try:
            made += _make(subscription, due.period, at)
        except Exception:  # one failure must not hold up the others; the next run tries again
            logger.exception("Digest of subscription %s failed", subscription.pk)
    return made


def preview(rhythm: Rhythm, subscription: DigestSubscription | None, access: Access, *, now: datetime) -> DigestContent:
    """The digest of the last complete period as it would be created now; without a subscription, for the widest unit
    that the viewer may see.  Raises QueryError.
    """
    unit = subscription.unit if subscription else None
    if subscription is None and not access.visibility.whole:
        unit = Unit.objects.filter(slug=access.visibility.home_unit or "").first()
    return content_of(rhythm, unit, current_period(rhythm, timezone.localdate(now)), access)


def _is_made(subscription: DigestSubscription, period: Window) -> bool:
    made = Digest.objects.filter(account=subscription.account_id, rhythm=subscription.rhythm)
    return made.filter(first_day=period.start).exists()


def _make(subscription: DigestSubscription, period: Window, at: datetime) -> int:
    account = subscription.account
    assert isinstance(account, User)  # noqa: S101 — accounts are
    try:
        content = content_of(Rhythm(subscription.rhythm), subscription.unit, period, access_of(account))
    except QueryError:
        return 0  # they may no longer see it
    with transaction.atomic():
        PLANNING.hold()
        if _is_made(subscription, period):
            return 0
        digest = Digest.objects.create(
            account=account,
            rhythm=subscription.rhythm,
            unit=subscription.unit,
            first_day=period.start,
            end=period.end,
            content=content.as_json(),
            made_at=at,
        )
        store_notices(
            (
                "SELECT account_id, %(kind)s AS kind, id AS digest_id, 0 AS number "
                "FROM programs_digest WHERE id = %(digest)s",
                {"kind": MessageKind.DIGEST.value, "digest": digest.pk},
            ),
            now=at,
            columns=NOTICE_COLUMNS,
        )
    return 1
