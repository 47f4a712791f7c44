"""What an installation is told of at all: pages leave out what it is not, or lead to connecting it."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection


class AvailableSources(NamedTuple):
    """Whether any session was ever received, seats are kept, and any repository is connected, read already or not."""

    sessions: bool
    seats: bool
    repositories: bool


def told_of() -> AvailableSources:
    """One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (SELECT FROM integrations_agentsession), EXISTS (SELECT FROM integrations_seatplan),
                   EXISTS (SELECT FROM integrations_repositorysource)
            """
        )
        return AvailableSources(*cursor.fetchone())
