"""Exclude commits of identities that an admin marks as bots, and include them again when unmarked."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from integrations.code.commits.authors import BOTS
from integrations.code.commits.duplicates import recompute_changes


def recount_bots(identity_ids: Collection[int]) -> None:
    """Update the commits of these authors after their bot mark changed, in the same transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE integrations_commit commit SET by_bot = identity.standing = 'bot'
            FROM orgtree_identity identity
            WHERE identity.id = ANY (%s) AND commit.author_id = identity.id AND commit.by_agent = ''
              AND identity.provider <> %s  -- bots recognised by name stay bots
              AND commit.by_bot <> (identity.standing = 'bot')
            RETURNING commit.id
            """,
            [list(identity_ids), BOTS],
        )
        recompute_changes([row[0] for row in cursor.fetchall()])
