"""What an installation is told of at all, beside its agents' telemetry: pages leave out what it is not."""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection


class ToldOf(NamedTuple):
    """Whether seats are kept, and whether any repository is connected, read already or not."""

    seats: bool
    repositories: bool


def told_of() -> ToldOf:
    """One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM integrations_seatplan), EXISTS (SELECT FROM integrations_repositorysource)"
        )
        return ToldOf(*cursor.fetchone())
