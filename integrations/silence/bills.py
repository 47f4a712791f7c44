"""Agents that stopped sending, recognised by vendors' bills of which telemetry explains less than before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from core import sql
from integrations.facts.vendors import BILL_ENTRIES

RECENT, BEFORE = timedelta(days=7), timedelta(days=28)
FALL = 0.2  # of the explained share, so that a holiday of one person says nothing
RETURNED = 0.1  # below the share before, at most
LEAST_UNEXPLAINED = 50  # US dollars in the recent days

_LAST_BILLED = """
    SELECT max(day) FROM integrations_vendorreport WHERE content = 'bill' AND deleted_at IS NULL AND day <= %s
"""
# By agent, over the last days that its vendor has billed: what is billed at list prices, and what of it is explained.
_SHARES = f"""
    SELECT agent,
           sum(explained) FILTER (WHERE day >= %(first)s), sum(listed) FILTER (WHERE day >= %(first)s),
           sum(explained) FILTER (WHERE day < %(first)s), sum(listed) FILTER (WHERE day < %(first)s)
    FROM ({BILL_ENTRIES.sql}) AS entry
    WHERE agent <> '' AND day BETWEEN %(begin)s AND %(last)s
    GROUP BY agent
"""  # noqa: S608  # constants


@dataclass(frozen=True)
class BillShare:
    """The share of an agent's bill that telemetry explains in its recent days, from `since` on, and before that (None:
    nothing billed).
    """

    agent: str
    since: date
    recent: float | None
    unexplained: float
    before: float | None

    @property
    def sender(self) -> str:
        return f"bill:{self.agent}"

    @property
    def has_fallen(self) -> bool:
        if self.recent is None or self.before is None:
            return False
        return self.before - self.recent >= FALL and self.unexplained >= LEAST_UNEXPLAINED


def bill_shares(today: date) -> Mapping[str, BillShare]:
    """The share of recent bills that telemetry explains, by sender, for agents whose vendor billed anything."""
    last: date | None = sql.value(_LAST_BILLED, [today])
    if last is None or last < today - 2 * RECENT:
        return {}
    first = last - RECENT + timedelta(days=1)
    rows = sql.rows(_SHARES, {"first": first, "begin": first - BEFORE, "last": last})
    found = (
        BillShare(agent, first, _share(recent, listed), float((listed or 0) - (recent or 0)), _share(before, at_list))
        for agent, recent, listed, before, at_list in rows
    )
    return {share.sender: share for share in found}


def has_recovered(share: BillShare | None, share_before: float | None) -> bool:
    return share is not None and share.recent is not None and share.recent >= (share_before or 0) - RETURNED


def _share(explained: float | None, listed: float | None) -> float | None:
    return float(explained or 0) / float(listed) if listed else None
