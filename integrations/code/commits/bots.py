"""Excludes commits of identities that an admin marks as bots, and includes them again when unmarked."""

from __future__ import annotations

from collections.abc import Collection

from core import sql
from integrations.code.commits.authors import BOTS
from integrations.code.commits.duplicates import recompute_changes


def recount_bots(identity_ids: Collection[int]) -> None:
    """Update the commits of these authors after their bot mark changed, in the same transaction."""
    rows = sql.rows(
        """
        UPDATE integrations_commit commit
        SET by_bot = identity.standing = 'bot' AND helper.agent IS NULL,
            by_agent = CASE WHEN identity.standing = 'bot' THEN coalesce(helper.agent, '') ELSE '' END,
            credited_id = CASE WHEN identity.standing = 'bot' AND helper.agent IS NOT NULL
                               THEN helper.asker_id ELSE commit.author_id END
        FROM orgtree_identity identity, integrations_commit signed
        LEFT JOIN LATERAL (  -- the agent that signed a bot's commit has done its work, for whom the commit names
            SELECT min(evidence.agent) AS agent, coalesce((
                SELECT asker.id
                FROM integrations_coauthor named JOIN orgtree_identity asker ON asker.id = named.identity_id
                WHERE named.commit_id = signed.id AND asker.provider <> %(bots)s
                ORDER BY named.id
                LIMIT 1
            ), (
                SELECT committer.id FROM orgtree_identity committer
                WHERE committer.id = signed.committer_id AND committer.id <> signed.author_id
                  AND committer.provider <> %(bots)s
            )) AS asker_id
            FROM integrations_commitevidence evidence
            WHERE evidence.commit_id = signed.id AND evidence.method = 'trailer' AND evidence.withdrawn_at IS NULL
        ) AS helper ON true
        WHERE identity.id = ANY (%(identities)s) AND commit.author_id = identity.id AND signed.id = commit.id
          AND identity.provider <> %(bots)s  -- bots recognised by name stay bots
          AND (commit.by_bot, commit.by_agent <> '') IS DISTINCT FROM
              (identity.standing = 'bot' AND helper.agent IS NULL,
               identity.standing = 'bot' AND helper.agent IS NOT NULL)
        RETURNING commit.id
        """,
        {"identities": list(identity_ids), "bots": BOTS},
    )
    recompute_changes([row[0] for row in rows])
