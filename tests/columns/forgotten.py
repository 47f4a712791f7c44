"""Changes missing from the outbox: rows of the columns that differ from PostgreSQL after a refresh."""

from __future__ import annotations

import math
from collections.abc import Sequence

from insights.columns.check import check_columns
from insights.columns.refresh import refresh


def forgotten_by_refresh() -> Sequence[str]:
    """In sentences that begin with the relation's name."""
    refresh(math.inf)
    return check_columns().differences
