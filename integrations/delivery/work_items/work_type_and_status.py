"""The work type of items, and the category of their status."""

from __future__ import annotations

from collections.abc import Iterable

from core import sql
from core.batches import batched
from integrations.delivery.mappings.effective import ValueMappings
from integrations.delivery.mappings.mapped_columns import TRANSITION, recompute_mapped_column
from integrations.enums import StatusCategory, WorkType

AT_ONCE = 5000
_READ = """
    SELECT item.id, item.native_type, item.labels, item.native_status, item.told_category, item.told_first_category,
           item.resolved_at IS NOT NULL, first_move.from_status, first_move.told_category,
           coalesce(predicted.corrected_to, predicted.work_type),
           item.work_type, item.status_category, item.first_category
    FROM integrations_workitem item
    LEFT JOIN integrations_predictedworktype predicted ON predicted.work_item_id = item.id
    LEFT JOIN LATERAL (
        SELECT transition.from_status, (
            SELECT max(back.told_category) FROM integrations_workitemtransition back
            WHERE back.work_item_id = item.id AND back.to_status = transition.from_status
        ) AS told_category
        FROM integrations_workitemtransition transition
        WHERE transition.work_item_id = item.id
        ORDER BY transition.at, transition.position, transition.id
        LIMIT 1
    ) AS first_move ON true
    WHERE item.id = ANY (%s)
"""
_WRITE = """
    UPDATE integrations_workitem item
    SET work_type = derived.work_type, status_category = derived.category, first_category = derived.first_category
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS derived (id, work_type, category, first_category)
    WHERE item.id = derived.id
"""


def recompute_work_type_and_status(meanings: ValueMappings, ids: Iterable[int]) -> set[int]:
    """Recompute the work type and status category of these items, of one connection; return those that changed.

    An item whose type is not mapped gets its type from its labels, else the predicted one.  An item that never moved
    was created as to do, unless the provider says otherwise.
    """
    item_ids = sorted(ids)
    changed = recompute_mapped_column(TRANSITION, meanings, item_ids)
    for some in batched(item_ids, AT_ONCE):
        rows = []
        for (
            id_,
            item_type,
            labels,
            status,
            provided,
            sent_first_category,
            resolved,
            first,
            sent_first_at,
            predicted,
            *before,
        ) in sql.rows(_READ, [some]):
            derived = (
                meanings.of_item(item_type, labels) or predicted or WorkType.OTHER,
                meanings.of_status(status, provided) or (StatusCategory.DONE if resolved else StatusCategory.TODO),
                sent_first_category or (first and meanings.of_status(first, sent_first_at)) or StatusCategory.TODO,
            )
            if derived != tuple(before):
                rows.append((id_, *map(str, derived)))
        if rows:
            sql.execute(_WRITE, [list(column) for column in zip(*rows, strict=True)])
        changed.update(row[0] for row in rows)
    return changed
