"""Senders that sent something every working day, and then nothing for a whole one.

A sender is an ingest token, a connection, an agent, or an agent's line checkpoints.  A single developer's machine is
not a sender: it is silent whenever its user is away, which is private.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile

from django.conf import settings

from core import sql
from integrations.models import Connection, IngestToken, SenderDay
from integrations.silence.versions import ENOUGH_PEOPLE

# The number of consecutive working days on which a sender must have sent something: a week's.
DAILY = 5
# The number of calendar days that contain them, and the silent ones, across holidays.
LOOKED_BACK = timedelta(days=28)
NOTED = timedelta(days=3)  # days noted again, for late records and for hours without a worker
FIRST_WEEKEND_DAY = 5

# Only a token's last use is stored, so this runs each hour.  A token of one person is no sender.
_SEEN = """
    SELECT 'token:' || id, (last_used_at AT TIME ZONE %(zone)s)::date
    FROM integrations_ingesttoken
    WHERE last_used_at >= %(since)s AND identity_id IS NULL
    UNION
    SELECT 'connection:' || resource.connection_id, (run.started_at AT TIME ZONE %(zone)s)::date
    FROM integrations_syncrun run
    JOIN integrations_stream stream ON stream.id = run.stream_id
    JOIN integrations_resource resource ON resource.id = stream.resource_id
    WHERE run.started_at >= %(since)s AND run.added + run.changed > 0
    UNION
    SELECT 'connection:' || connection_id, (received_at AT TIME ZONE %(zone)s)::date
    FROM integrations_webhookdelivery
    WHERE received_at >= %(since)s
    UNION
    SELECT 'agent:' || agent, started_on
    FROM integrations_agentsession session JOIN orgtree_identity name ON name.id = session.identity_id
    WHERE has_work AND NOT told_by_file AND started_on >= %(since)s::date AND started_at <= %(now)s
    GROUP BY agent, started_on
    HAVING count(DISTINCT coalesce(name.person_id, -name.id)) >= %(people)s
    UNION
    SELECT 'lines:' || lines.agent, (lines.received_at AT TIME ZONE %(zone)s)::date AS day
    FROM integrations_collectedlines lines
    JOIN integrations_ingesttoken token ON token.id = lines.token_id
    JOIN orgtree_identity name ON name.id = token.identity_id
    WHERE lines.received_at >= %(since)s
    GROUP BY lines.agent, day
    HAVING count(DISTINCT coalesce(name.person_id, -name.id)) >= %(people)s
"""


@dataclass(frozen=True)
class SenderSilence:
    sender: str
    name: str
    since: date


def note_sender_days(now: datetime) -> None:
    """Store the senders of the last days; delete days that are no longer needed for comparison."""
    zone = settings.ORGANISATION_TIME_ZONE
    sql.execute(
        f"INSERT INTO integrations_senderday (sender, day) {_SEEN} ON CONFLICT DO NOTHING",
        {"zone": settings.TIME_ZONE, "since": now - NOTED, "now": now, "people": ENOUGH_PEOPLE},
    )
    SenderDay.objects.filter(day__lt=now.astimezone(zone).date() - LOOKED_BACK).delete()


def silent_senders(now: datetime) -> list[SenderSilence]:
    """The senders that are silent now, except removed, paused or revoked ones.

    Missing line checkpoints of an agent that is silent as a whole are not reported separately.
    """
    today = now.astimezone(settings.ORGANISATION_TIME_ZONE).date()
    days: dict[str, set[date]] = {}
    for sender, day in SenderDay.objects.values_list("sender", "day"):
        days.setdefault(sender, set()).add(day)
    silent = silent_since(days, today)
    found = {
        sender: since
        for sender, since in silent.items()
        if not (sender.startswith("lines:") and sender.replace("lines:", "agent:", 1) in silent)
    }
    names = names_of_senders(found)
    return [SenderSilence(sender, names[sender], since) for sender, since in found.items() if sender in names]


def silent_since(days: Mapping[str, Collection[date]], today: date) -> dict[str, date]:
    """Sender → its first silent working day, for those that sent something daily before.

    A day on which nobody sent anything counts as a holiday, unless a second one follows: then nothing reaches Headway
    any more.
    """
    past = [today - timedelta(days=back) for back in range(1, LOOKED_BACK.days)]
    working = [day for day in past if day.weekday() < FIRST_WEEKEND_DAY]
    with_anybody = {day for sent in days.values() for day in sent}
    found = {}
    for sender, sent in sorted(days.items()):
        silent = list(takewhile(lambda day: day not in sent, working))  # noqa: B023 — used at once
        before = working[len(silent) : len(silent) + DAILY]
        is_daily = len(before) == DAILY and set(before) <= set(sent)
        is_no_holiday = len(silent) > 1 or not with_anybody.isdisjoint(silent)
        if today not in sent and silent and is_daily and is_no_holiday:
            found[sender] = silent[-1]
    return found


def names_of_senders(senders: Collection[str]) -> dict[str, str]:
    """The names of the senders that are still expected to send."""
    connections = Connection.objects.filter(pk__in=_ids(senders, "connection"), removed_at=None, paused_at=None)
    tokens = IngestToken.objects.filter(pk__in=_ids(senders, "token"), revoked_at=None, identity=None)
    return {
        **{f"connection:{connection.pk}": connection.name for connection in connections},
        **{f"token:{token.pk}": str(token) for token in tokens},
        **{sender: sender.partition(":")[2] for sender in senders if sender.startswith(("agent:", "lines:"))},
    }


def _ids(senders: Collection[str], kind: str) -> list[int]:
    return [int(sender.partition(":")[2]) for sender in senders if sender.startswith(f"{kind}:")]
