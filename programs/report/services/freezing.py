"""Freezes an executive report as a document, in the same way as a closed quarter and a business review."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from core.authorship import changes_by
from core.locks import Lock
from core.write_errors import MayNotWriteError
from insights.query.query import Freshness
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.closing.services.frozen import freeze
from programs.models import Quarter, Report
from programs.report.services.content import report_of
from programs.requests.visible import account_of

FREEZING = Lock("freezing an executive report")
ONLY_LEADERS = "Only those who lead the unit, executives and admins can freeze its report."


def may_freeze(access: Access, unit: Unit | None) -> bool:
    return isinstance(access.viewer, User) and access.visibility.leads(unit.pk if unit else None)


def freeze_report(
    access: Access, unit: Unit | None, quarter: Quarter, *, after: int, at: datetime | None = None
) -> Report:
    """Freezes the revision after `after` (0: the first).  Idempotent: an existing one is returned.

    Raises QueryError, MayNotWriteError.
    """
    if not may_freeze(access, unit):
        raise MayNotWriteError(ONLY_LEADERS)
    account, now = account_of(access), at or timezone.now()
    today = timezone.localdate(now, settings.ORGANISATION_TIME_ZONE)
    newest = Report.objects.of(unit, quarter.start).first()
    if newest is not None and newest.revision > after:
        return newest
    document = report_of(
        unit,
        quarter,
        today=today,
        revision=after + 1,
        frozen_at=now,
        frozen_by=account.pk,
        freshness=Freshness.AT_ONCE,
    )
    with changes_by(account):
        FREEZING.hold()
        newest = Report.objects.of(unit, quarter.start).first()
        if newest is not None and newest.revision > after:
            return newest
        return Report.objects.create(
            unit=unit,
            start=quarter.start,
            end=quarter.end,
            revision=after + 1,
            document=freeze(document, by=account, at=now),
        )
