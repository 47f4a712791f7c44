"""The owners of the service or repository of a record."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from core import sql
from integrations.facts.ownership import OWNER_DAYS

_OWNERS = f"""
    SELECT unit.name
    FROM ({OWNER_DAYS}) AS owner
    JOIN orgtree_unit unit ON unit.id = owner.unit_id
    WHERE owner.during @> %(day)s AND owner.owned_id = (
        SELECT id FROM integrations_owned
        WHERE kind = 'service' AND name = %(service)s OR repository_id = %(repository)s
        ORDER BY kind = 'service' DESC LIMIT 1
    )
    ORDER BY owner.tree_id
"""  # noqa: S608 — a constant of another module


def owners_of(service: str, repository_id: int | None, at: datetime) -> list[str]:
    """The units that owned the service, or else the repository, on that day: one name per tree.  One query."""
    return sql.column(_OWNERS, {"day": timezone.localdate(at), "service": service, "repository": repository_id})
