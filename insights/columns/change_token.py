"""A token that changes when values may have changed: cheap to compute, so that an open page can poll it."""

from __future__ import annotations

from core import sql
from insights.query import windows


def change_token() -> str:
    """A token that changes with every fact, partition build and membership change, and with the local day.

    For facts and memberships it uses sequence positions, which advance shortly before the change is visible, so clients
    reload once more a few seconds after the last change.  A page reads the token before its values, so that no change
    in between goes unnoticed.
    """
    ((facts, placements, owners, built_at),) = sql.rows(
        """
        SELECT facts.last_value, placements.last_value, owners.last_value,
               (SELECT extract(epoch FROM max(built_at)) FROM insights_columnpartition)
        FROM integrations_factchange_id_seq facts, orgtree_placement_id_seq placements,
             integrations_ownership_id_seq owners
        """
    )
    return f"{facts}-{placements}-{owners}-{built_at or 0}-{windows.local_today():%Y%m%d}"
