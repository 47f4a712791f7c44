"""A mark that changes when figures may have changed: cheap to look up, so that an open page can poll."""

from __future__ import annotations

from django.db import connection

from insights.query import windows


def change_mark() -> str:
    """Changes with every fact, with every partition that is built, with where people belong and with the local day.

    Of facts and memberships it has the positions of sequences, which move a moment before the change can be read: who
    follows the mark looks once more a few seconds after its last move.  A page that shows figures reads the mark
    before them, or what came in between would stay unnoticed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT facts.last_value, placements.last_value, owners.last_value,
                   (SELECT extract(epoch FROM max(built_at)) FROM insights_columnpartition)
            FROM integrations_factchange_id_seq facts, orgtree_placement_id_seq placements,
                 integrations_ownership_id_seq owners
            """
        )
        facts, placements, owners, built_at = cursor.fetchone()
    return f"{facts}-{placements}-{owners}-{built_at or 0}-{windows.local_today():%Y%m%d}"
