"""Freezes a business review into one document, signs it (which publishes it), and reopens it as a new revision."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.authorship import changes_by
from core.write_errors import FieldError, MayNotWriteError, checked_text
from insights.query.query import Freshness
from orgtree.access.access import Access
from programs.closing.services.frozen import freeze
from programs.key_results.services.measuring import measure_objectives
from programs.models import FrozenDocument, Qbr, QbrAudience, QbrDecision, QbrSection, QbrState
from programs.models.qbr import LONGEST_REASON
from programs.qbr.queries import following_revision
from programs.qbr.services.content import content_of, objectives_of
from programs.qbr.services.decisions import make_tickets
from programs.qbr.services.writing import ONLY_LEADERS, may_write
from programs.requests.visible import account_of

NOT_FROZEN = "Freeze the review first: only figures that no longer change can be signed off."
IS_DRAFT = "This review is a draft: its figures and texts can be changed without reopening it."


def freeze_qbr(access: Access, qbr: Qbr, *, at: datetime | None = None) -> FrozenDocument:
    """Freezes figures, series, labels and texts as they are now.

    Idempotent: freezing a frozen review returns its document.  `at` backdates the freeze.  Raises FieldError,
    QueryError, MayNotWriteError.
    """
    account, now = account_of(access), at or timezone.now()
    if not may_write(access, qbr):
        raise MayNotWriteError(ONLY_LEADERS)
    today = timezone.localdate(now, settings.ORGANISATION_TIME_ZONE)
    if not qbr.is_frozen:
        still_open = [one.pk for one in objectives_of(qbr) if not one.quarter.is_closed and one.dropped_at is None]
        measure_objectives(only=still_open, today=today)
    with changes_by(account):
        stored = Qbr.objects.select_for_update().get(pk=qbr.pk)  # no join: joined rows would predate the wait
        if stored.document is not None:
            return stored.document
        sections = list(stored.sections.filter(is_included=True).order_by("position"))
        content = content_of(
            stored, sections, today=today, frozen_at=now, frozen_by=account.pk, freshness=Freshness.AT_ONCE
        )
        document = freeze(content, by=account, at=now)
        stored.document, stored.state = document, QbrState.FROZEN
        stored.save(update_fields=["document", "state"])
    return document


@transaction.atomic
def sign_qbr(access: Access, qbr: Qbr, *, audience: QbrAudience = QbrAudience.UNIT, at: datetime | None = None) -> Qbr:
    """Publishes the review to its audience, and creates tickets for its decisions.  The first signature stays; signing
    it again can choose another audience.

    Raises FieldError for a draft and for a decision without an owner, MayNotWriteError.
    """
    account = account_of(access)
    if not may_write(access, qbr):
        raise MayNotWriteError(ONLY_LEADERS)
    with changes_by(account):
        stored = Qbr.objects.select_for_update().get(pk=qbr.pk)  # no join: joined rows would predate the wait
        if not stored.is_frozen:
            raise FieldError("state", NOT_FROZEN)
        if stored.state == QbrState.FROZEN:
            if newest := following_revision(stored):
                raise FieldError("revision", f"Revision {newest.revision} follows it: sign that one off.")
            make_tickets(access, stored)
            stored.state, stored.signed_at, stored.signed_by = QbrState.SIGNED, at or timezone.now(), account
        stored.audience = audience
        stored.save(update_fields=["state", "signed_at", "signed_by", "audience"])
    return stored


def reopen_qbr(access: Access, qbr: Qbr, *, because: str) -> Qbr:
    """Creates a draft of the next revision, with the texts and decisions of this one and live figures.

    The frozen one stays as it is.  Raises FieldError for a draft, for one with a later revision, and without a reason;
    MayNotWriteError.
    """
    account = account_of(access)
    if not may_write(access, qbr):
        raise MayNotWriteError(ONLY_LEADERS)
    reason = checked_text("because", " ".join(because.split()), LONGEST_REASON, missing="Say why it is reopened.")
    with changes_by(account):
        stored = Qbr.objects.select_for_update().get(pk=qbr.pk)  # no join: joined rows would predate the wait
        if not stored.is_frozen:
            raise FieldError("state", IS_DRAFT)
        if newest := following_revision(stored):
            raise FieldError("revision", f"Revision {newest.revision} follows it already: reopen or change that one.")
        draft = Qbr.objects.create(
            **{name: getattr(stored, name) for name in ("unit", "period", "start", "end", "audience")},
            revision=stored.revision + 1,
            reopened_because=reason,
            written_by=account,
        )
        sections = list(stored.sections.order_by("position"))
        for section in sections:
            section.pk, section.qbr, section._state.adding = None, draft, True
        QbrSection.objects.bulk_create(sections)
        decisions = list(stored.decisions.all())
        for decision in decisions:
            decision.pk, decision.qbr, decision._state.adding = None, draft, True
        QbrDecision.objects.bulk_create(decisions)
    return draft
