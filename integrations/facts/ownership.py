"""Which units what is owned counts for, as a relation that metrics of owners are placed by."""

from __future__ import annotations

from typing import Final, LiteralString

OWNER_PLACEMENTS: Final[LiteralString] = """
    SELECT ownership.owned_id,
           ownership.tree_id,
           ownership.unit_id,
           above.ancestor_id,
           ownership.during * above.during AS during
    FROM integrations_ownership ownership
    JOIN orgtree_unitplacement above ON above.unit_id = ownership.unit_id AND above.during && ownership.during
"""
"""One row per owned thing, unit that owns it, that unit or one above it, and stretch of local days.

As orgtree's Placement, with what is owned instead of a person: no two rows of one owned thing and ancestor share a
day.  The text has no parameters and ends without a semicolon.
"""
