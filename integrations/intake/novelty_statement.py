"""The SQL of how much of what pull requests change is new to those who review them: part of one statement
(figures_statement.py)."""

from __future__ import annotations

from typing import LiteralString

# One row per pull request with a review that counts and with files of which a clone tells: how many paths it changes,
# and how many of them none of its reviewers had changed before it was opened, in a repository that holds its
# commits and by any of their accounts.  Each reviewer's history of a repository is read once for all pull requests.
NOVELTY: LiteralString = """
    reviewing AS MATERIALIZED (
        SELECT DISTINCT review.id, held.repository_id, asked.opened_at,
               coalesce(account.id, review.author_id) AS account_id
        FROM review
        JOIN asked ON asked.id = review.id
        JOIN telling ON telling.id = review.id
        JOIN integrations_commitinrepository held ON held.commit_id = telling.commit_id
        LEFT JOIN orgtree_identity account ON account.person_id = review.person_id
    ), path AS MATERIALIZED (
        SELECT DISTINCT telling.id, file.path
        FROM telling
        JOIN integrations_commitfile file ON file.commit_id = telling.commit_id AND file.set_apart = ''
        WHERE telling.id IN (SELECT id FROM reviewing)
    ), history AS MATERIALIZED (
        SELECT reviewer.repository_id, reviewer.account_id, file.path, min(commit.committed_at) AS since
        FROM (SELECT DISTINCT repository_id, account_id FROM reviewing) AS reviewer
        JOIN integrations_commit commit ON commit.author_id = reviewer.account_id
        JOIN integrations_commitinrepository held
          ON held.commit_id = commit.id AND held.repository_id = reviewer.repository_id
        JOIN integrations_commitfile file ON file.commit_id = commit.id
        WHERE file.path IN (SELECT path FROM path)
        GROUP BY reviewer.repository_id, reviewer.account_id, file.path
    ), seen AS (
        SELECT DISTINCT reviewing.id, history.path
        FROM reviewing
        JOIN history USING (repository_id, account_id)
        WHERE history.since < reviewing.opened_at
    ), novelty AS (
        SELECT path.id, count(*) AS paths, count(*) FILTER (WHERE seen.id IS NULL) AS new_paths
        FROM path
        LEFT JOIN seen ON seen.id = path.id AND seen.path = path.path
        GROUP BY path.id
    )
"""
