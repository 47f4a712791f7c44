"""The time at which pull requests were first ready for review, and their work type."""

from __future__ import annotations

from collections.abc import Iterable

from core import sql
from core.batches import batched
from integrations.delivery.mappings.defaults import default_work_type_of_title
from integrations.delivery.mappings.effective import ValueMappings, value_mappings_of
from integrations.enums import LinkMethod, WorkType

AT_ONCE = 5000  # rows read at once; a changed mapping may concern all pull requests
# A pull request that was created as a draft must be marked ready before it can be made a draft again.
_READ = """
    SELECT pull_request.id, pull_request.connection_id,
           CASE WHEN first_mark.kind = 'ready' THEN first_mark.at
                WHEN first_mark.kind = 'draft' OR NOT pull_request.is_draft THEN pull_request.created_at
           END AS ready_at,
           pull_request.ready_at, pull_request.work_type, pull_request.labels, item.work_type,
           pull_request.title, pull_request.source_branch
    FROM integrations_pullrequest pull_request
    LEFT JOIN LATERAL (
        SELECT event.kind, event.at FROM integrations_pullrequestevent event
        WHERE event.pull_request_id = pull_request.id AND event.kind IN ('ready', 'draft')
        ORDER BY event.at, event.position, event.id
        LIMIT 1
    ) AS first_mark ON true
    LEFT JOIN LATERAL (
        SELECT item.work_type
        FROM integrations_workitemlink link
        JOIN integrations_workitem item ON item.id = link.work_item_id AND item.deleted_at IS NULL
        WHERE link.pull_request_id = pull_request.id AND item.work_type <> 'other'
        ORDER BY array_position(%(methods)s, link.method::text), link.key
        LIMIT 1
    ) AS item ON true
    WHERE pull_request.id = ANY (%(ids)s)
"""
_WRITE = """
    UPDATE integrations_pullrequest pull_request SET ready_at = derived.ready_at, work_type = derived.work_type
    FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS derived (id, ready_at, work_type)
    WHERE pull_request.id = derived.id
"""


def recompute_ready_and_work_type(ids: Iterable[int]) -> set[int]:
    """Recompute the first ready time and the work type of these pull requests; return those that changed.

    The work type is that of a label, else of the linked item, else of the title's or branch's convention.
    """
    changed: set[int] = set()
    meanings: dict[int, ValueMappings] = {}
    for some in batched(sorted(ids), AT_ONCE):
        rows = []
        stored = sql.rows(_READ, {"ids": some, "methods": list(LinkMethod)})
        for id_, connection_id, ready_at, ready_before, type_before, labels, of_item, title, branch in stored:
            if connection_id not in meanings:
                meanings[connection_id] = value_mappings_of(connection_id)
            work_type = (
                meanings[connection_id].of_labels(labels)
                or of_item
                or default_work_type_of_title(title, branch)
                or WorkType.OTHER
            )
            if (ready_at, work_type) != (ready_before, type_before):
                rows.append((id_, ready_at, str(work_type)))
        if rows:
            sql.execute(_WRITE, [list(column) for column in zip(*rows, strict=True)])
        changed.update(row[0] for row in rows)
    return changed
