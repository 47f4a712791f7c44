"""A fold reads what it claimed, however much else its day holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from integrations.models import ReceivedBatch
from integrations.telemetry.sessions.fold import STAGE_EVENTS, STAGE_POINTS
from integrations.telemetry.sessions.fold_tables import create_tables
from tests.telemetry.raw_rows import Event, Point, receive

ROWS_OF_THE_DAY = 30_000
# Of this test alone: partitions of other tests' days stay, with statistics of what those had in them.
DAY = datetime(2019, 5, 17, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize("statement", [STAGE_EVENTS, STAGE_POINTS])
def test_a_fold_reads_few_blocks_of_a_large_day(statement: str) -> None:
    """Autovacuum analysed the day within its first minute, and not since; a device's clock spans the whole day."""
    receive([Event(at=DAY), Point(at=DAY, value=1)])
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_agent_event (at, digest, batch_id, kind, name)
            SELECT %(day)s + number * interval '1 second', gen_random_uuid(), 0, 4, 'compaction'
            FROM generate_series(1, %(rows)s) AS number
            """,
            {"day": DAY, "rows": ROWS_OF_THE_DAY},
        )
        cursor.execute(
            """
            INSERT INTO integrations_agent_point
                (at, series, start, batch_id, session_id, cumulative, measure, value)
            SELECT %(day)s + number * interval '1 second', gen_random_uuid(), %(day)s, 0, 0, false, 'commits', 1
            FROM generate_series(1, %(rows)s) AS number
            """,
            {"day": DAY, "rows": ROWS_OF_THE_DAY},
        )
        cursor.execute("ANALYZE integrations_agent_event, integrations_agent_point")
    for _ in range(20):
        receive([Event(at=DAY + timedelta(hours=20)), Point(at=DAY + timedelta(hours=20), value=1)])
    batches = list(ReceivedBatch.objects.values_list("pk", flat=True))
    create_tables()
    with connection.cursor() as cursor:
        bounds: dict[str, Any] = {"batches": batches, "at_from": DAY, "at_to": DAY + timedelta(days=1)}
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", bounds)
        plan = cursor.fetchone()[0][0]["Plan"]
    scanned = list(blocks_of_scans(plan))
    assert scanned, plan
    assert sum(scanned) < 100, plan


def blocks_of_scans(plan: dict[str, Any]) -> list[int]:
    """Blocks that each scan of a raw table looked at."""
    blocks = []
    if "integrations_agent_" in plan.get("Relation Name", ""):
        blocks.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
    for part in plan.get("Plans", []):
        blocks += blocks_of_scans(part)
    return blocks
