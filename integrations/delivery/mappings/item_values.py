"""Values of work items besides type and status: waiting statuses, endings without delivery, and finders."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from core import sql
from integrations.delivery.mappings.effective import ValueMappings
from integrations.enums import Ending, FoundBy, StatusActivity

_STATUSES = """
    SELECT native_status FROM integrations_workitem WHERE id = ANY (%(ids)s)
    UNION
    SELECT unnest(ARRAY[from_status, to_status]) FROM integrations_workitemtransition WHERE work_item_id = ANY (%(ids)s)
"""
_RESOLUTIONS = "SELECT DISTINCT resolution FROM integrations_workitem WHERE id = ANY (%(ids)s)"
_STATED = """
    SELECT label FROM integrations_workitem CROSS JOIN unnest(labels) AS label WHERE id = ANY (%(ids)s)
    UNION
    SELECT native_type FROM integrations_workitem WHERE id = ANY (%(ids)s)
    UNION
    SELECT project.name
    FROM integrations_workitem item JOIN integrations_project project ON project.id = item.project_id
    WHERE item.id = ANY (%(ids)s)
    UNION
    SELECT reporter.value
    FROM integrations_workitem item JOIN orgtree_identity reporter ON reporter.id = item.reporter_id
    WHERE item.id = ANY (%(ids)s)
"""


@dataclass(frozen=True)
class ItemValues:
    """Values that some items use: waiting statuses, statuses and resolutions without delivery, and values that name who
    found the item, or where.
    """

    waiting: list[str]
    dropped: list[str]
    by_customers: list[str]
    in_production: list[str]


def values_of_items(meanings: ValueMappings, ids: Collection[int]) -> ItemValues:
    """The values of these items, which belong to one connection."""
    statuses = sql.column(_STATUSES, {"ids": list(ids)})
    ends = {*statuses, *(word for (word,) in sql.rows(_RESOLUTIONS, {"ids": list(ids)}))}
    finders = [(word, meanings.of_finder(word)) for (word,) in sql.rows(_STATED, {"ids": list(ids)})]
    return ItemValues(
        waiting=[word for word in statuses if meanings.of_activity(word) is StatusActivity.WAITING],
        dropped=sorted(word for word in ends if meanings.of_ending(word) is Ending.DROPPED),
        by_customers=_of(FoundBy.CUSTOMER, finders),
        in_production=_of(FoundBy.PRODUCTION, finders),
    )


def _of(finder: FoundBy, finders: Iterable[tuple[str, FoundBy | None]]) -> list[str]:
    return sorted({word for word, means in finders if means is finder})
