"""A mark that changes when figures may have changed: cheap to ask, so that an open page can poll."""

from __future__ import annotations

from django.db import connection

from insights import windows


def pulse() -> str:
    """Changes with every fact, with every refresh of the cells and with the local day; one query on two rows.

    Of the facts it has the position of the outbox's sequence, which moves a moment before the change can be read: who
    follows the mark looks once more a few seconds after its last move.  A page that shows figures asks for the mark
    before it reads them, or what came in between would stay unnoticed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT last_value, (SELECT changes FROM insights_snapshotstate) FROM integrations_factchange_id_seq"
        )
        facts, changes = cursor.fetchone()
    return f"{facts}-{changes or 0}-{windows.local_today():%Y%m%d}"
