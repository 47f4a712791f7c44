"""Notices silences, once each, and ends those whose data arrives again.  Run each hour by the schedule."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.locks import Lock
from integrations.models import SenderDay, Silence
from integrations.silence.bills import BillShare, bill_shares, has_recovered
from integrations.silence.counting import version_days
from integrations.silence.senders import names_of_senders, note_sender_days, silent_senders
from integrations.silence.signals import SIGNALS
from integrations.silence.versions import VersionDay, by_agent, has_returned, sessions_without, silent_versions

WATCHING = Lock("watching for silence")
KEPT_ENDED = timedelta(days=180)  # as long as the notices about them


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def watch_silence() -> None:
    """Notice signals and senders that stopped, and those that resumed."""
    watch()


@transaction.atomic
def watch(now: datetime | None = None) -> int:
    """Notice and end silences; return the number of new ones."""
    at = now or timezone.now()
    today = at.astimezone(settings.ORGANISATION_TIME_ZONE).date()
    WATCHING.hold()
    note_sender_days(at)
    days = version_days(at)
    known = {_key(silence): silence for silence in Silence.objects.open()}
    bills = bill_shares(today)
    _update(known.values(), days, bills, today, at)
    Silence.objects.filter(ended_at__lt=at - KEPT_ENDED).delete()
    found = [
        *(Silence(**asdict(silence)) for silence in silent_versions(days, today)),
        *(
            Silence(sender=silence.sender, sender_name=silence.name, since=silence.since)
            for silence in silent_senders(at)
        ),
        *(
            Silence(sender=bill.sender, sender_name=bill.agent, since=bill.since, share_before=bill.before)
            for bill in bills.values()
            if bill.has_fallen
        ),
    ]
    still_open = {key for key, silence in known.items() if silence.ended_at is None}
    new = [silence for silence in found if _key(silence) not in still_open]
    Silence.objects.bulk_create(new)
    return len(new)


def _update(
    silences: Collection[Silence],
    days: Sequence[VersionDay],
    bills: Mapping[str, BillShare],
    today: date,
    now: datetime,
) -> None:
    """End silences that are over, and update the counts of the others."""
    of_agents = by_agent(days)
    senders = {silence.sender for silence in silences if silence.sender}
    sent = set(SenderDay.objects.filter(sender__in=senders).values_list("sender", "day"))
    names = names_of_senders(senders)
    for silence in silences:
        if silence.sender_kind == "bill":
            end = _end_of_bill(silence, bills.get(silence.sender))
        elif silence.sender:
            end = _end_of_sender(silence, sent, is_there=silence.sender in names)
        elif silence.signal not in SIGNALS:  # a signal of an earlier version of Headway
            end = Silence.End.REMOVED
        else:
            of_agent = of_agents.get(silence.agent, ())
            silence.sessions = max(silence.sessions, sessions_without(of_agent, silence))
            end = _end_of_version(silence, of_agent, today)
        if end:
            silence.ended_at, silence.end = now, end
    Silence.objects.bulk_update(silences, ["sessions", "ended_at", "end"])


def _end_of_sender(silence: Silence, sent: set[tuple[str, date]], *, is_there: bool) -> Silence.End | None:
    if not is_there:
        return Silence.End.REMOVED
    returned = any(sender == silence.sender and day > silence.since for sender, day in sent)
    return Silence.End.RETURNED if returned else None


def _end_of_bill(silence: Silence, bill: BillShare | None) -> Silence.End | None:
    if bill is None:
        return Silence.End.REMOVED
    return Silence.End.RETURNED if has_recovered(bill, silence.share_before) else None


def _end_of_version(silence: Silence, days: Sequence[VersionDay], today: date) -> Silence.End | None:
    if not any(day.version == silence.version for day in days):
        return Silence.End.UNUSED
    return Silence.End.RETURNED if has_returned(days, silence, today) else None


def _key(silence: Silence) -> tuple[str, str, str, str]:
    return silence.agent, silence.version, silence.signal, silence.sender
