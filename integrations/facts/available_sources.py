"""The kinds of data that the installation receives: pages hide the others, or link to connecting them."""

from __future__ import annotations

from typing import NamedTuple

from core import sql


class AvailableSources(NamedTuple):
    """Whether any session was received, any seat plan exists, any repository is connected, synced or not, and any work
    item is stored."""

    sessions: bool
    seats: bool
    repositories: bool
    work_items: bool


def available_sources() -> AvailableSources:
    """Read the available sources, in one query."""
    (row,) = sql.rows(
        """
        SELECT EXISTS (SELECT FROM integrations_agentsession), EXISTS (SELECT FROM integrations_seatplan),
               EXISTS (SELECT FROM integrations_repositorysource), EXISTS (SELECT FROM integrations_workitem)
        """
    )
    return AvailableSources(*row)
