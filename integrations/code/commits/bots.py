"""Commits of those whom an admin calls bots leave the metrics, and come back when the admin takes it back."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from integrations.code.commits.authors import BOTS
from integrations.code.commits.duplicates import settle_changes


def recount_bots(identity_ids: Collection[int]) -> None:
    """Count the commits of these authors as their standing now says, in the transaction that changed it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_commit commit SET by_bot = identity.standing = 'bot'
            FROM orgtree_identity identity
            WHERE identity.id = ANY (%s) AND commit.author_id = identity.id AND commit.by_agent = ''
              AND identity.provider <> %s  -- a bot by its name is one, whatever an admin says
              AND commit.by_bot <> (identity.standing = 'bot')
            RETURNING commit.id
            """,
            [list(identity_ids), BOTS],
        )
        settle_changes([row[0] for row in cursor.fetchall()])
