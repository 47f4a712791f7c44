"""How many records no relation holds, or none with its measured value, by why: one query for a page."""

from __future__ import annotations

from datetime import date
from typing import LiteralString

from django.db import connection

TELEMETRY, MERGES = "telemetry", "merges"

_LEFT_OUT: LiteralString = """
    SELECT 'telemetry' AS what, count(*) AS records FROM integrations_quarantinedrecord
    WHERE replayed_at IS NULL AND received_at >= %(start)s::date AND received_at < %(end)s::date
    UNION ALL
    SELECT 'merges', count(*) FROM integrations_deployedpullrequest
    WHERE predates AND deployed_on >= %(start)s AND deployed_on < %(end)s
    UNION ALL
    SELECT payload.kind, count(*) FROM integrations_quarantinedpayload payload
    JOIN integrations_connection source ON source.id = payload.connection_id
    WHERE payload.replayed_at IS NULL AND source.removed_at IS NULL
    GROUP BY payload.kind
"""


def left_out(start: date, end: date) -> dict[str, int]:
    """TELEMETRY: agents' records of these days in quarantine; MERGES: those long before the first known deployment.

    By the value of `Kind`: providers' records in quarantine, of any time: when what was not understood happened is
    unknown.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_OUT, {"start": start, "end": end})
        return {what: records for what, records in cursor.fetchall() if records}
