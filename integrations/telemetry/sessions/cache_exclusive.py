"""Programs that count cached tokens separately from their input, contrary to OpenTelemetry's conventions.

A record with more cached tokens than input shows that its sender counts them separately.  From then on the sender's
input is read that way, and its earlier counts are corrected: a request stores the tokens subtracted from its input as
`subtracted_tokens`, until its sender is known.  Such requests go through the fold once more, which adds the tokens,
prices the requests and rebuilds their days.
"""

from __future__ import annotations

from typing import LiteralString

from core import sql
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions.fold_tables import COLLECTOR

REQUESTS_PER_TRANSACTION = 5_000


def note_cache_exclusive_senders() -> None:
    """Store the senders of staged requests that count cached tokens separately, in the caller's transaction."""
    sql.execute(NOTE_SENDERS, {"kind": int(EventKind.REQUEST), "collector": COLLECTOR})


def stage_requests_of_cache_exclusive_senders() -> int:
    """Stage a batch of requests whose cached tokens were wrongly subtracted from their input; return their number."""
    return int(sql.execute(STAGE_REQUESTS, {"kind": int(EventKind.REQUEST), "most": REQUESTS_PER_TRANSACTION}))


NOTE_SENDERS: LiteralString = """
    INSERT INTO integrations_apartsender (sender)
    SELECT DISTINCT sender FROM fold_event
    WHERE kind = %(kind)s AND sender NOT IN ('', %(collector)s) AND subtracted_tokens = 0
    ORDER BY sender
    ON CONFLICT (sender) DO NOTHING
"""

STAGE_REQUESTS: LiteralString = """
    INSERT INTO fold_event
    SELECT request.session_id, request.at, %(kind)s, request.key, request.model, '', '', '', request.input_tokens,
           request.cache_read_tokens, request.cache_write_tokens, request.output_tokens, request.duration_ms,
           request.reported_cost, CASE WHEN request.reports_1h_tokens THEN request.cache_write_1h_tokens END,
           request.service_tier, request.sender, request.subtracted_tokens
    FROM integrations_agentrequest request
    JOIN integrations_apartsender apart ON apart.sender = request.sender
    WHERE request.subtracted_tokens > 0
    ORDER BY request.session_id
    LIMIT %(most)s
"""
