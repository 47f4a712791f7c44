"""Names with unknown words that no admin has confirmed yet: until then they do not count as deployments."""

from __future__ import annotations

from datetime import date
from typing import LiteralString

from core import sql
from integrations.delivery.mappings.effective import Subject, value_mappings_by_connection

_USED: LiteralString = """
    SELECT connection_id, 'environment', native_environment, count(*)
    FROM integrations_deployment
    WHERE finished_at >= %(start)s::date AND finished_at < %(end)s::date AND environment = 'other'
      AND deleted_at IS NULL AND pipeline_run_id IS NULL AND activation_of_id IS NULL
    GROUP BY connection_id, native_environment
    UNION ALL
    SELECT connection_id, 'deploying', name, count(*)
    FROM integrations_pipelinerun
    WHERE finished_at >= %(start)s::date AND finished_at < %(end)s::date AND status = 'success'
      AND deleted_at IS NULL
    GROUP BY connection_id, name
"""


def unconfirmed_deployments(start: date, end: date) -> tuple[int, int]:
    """How many deployments and successful pipeline runs of these days wait for a word to be confirmed."""
    used = sql.rows(_USED, {"start": start, "end": end})
    mappings = value_mappings_by_connection({row[0] for row in used})
    counts = {Subject.ENVIRONMENT.value: 0, Subject.DEPLOYING.value: 0}
    for connection, subject, word, records in used:
        if word and mappings[connection].proposed(Subject(subject), word):
            counts[subject] += records
    return counts[Subject.ENVIRONMENT.value], counts[Subject.DEPLOYING.value]
