"""The SQL for the share of a pull request's paths that is new to its reviewers: part of one statement
(figures_statement.py).
"""

from __future__ import annotations

from typing import LiteralString

# One row per pull request with a counted review and with files known from a clone: the number of paths it changes, and
# how many of them none of its reviewers had changed before it was opened, in a repository that holds its commits and by
# any of their accounts.  Each reviewer's history of a repository is read once for all pull requests.
#
# The planner expects few rows here and would choose a nested loop: a FULL JOIN is always hashed.
NOVELTY: LiteralString = """
    reviewed_path AS MATERIALIZED (
        SELECT DISTINCT review.id, held.repository_id, coalesce(account.id, review.author_id) AS account_id, file.path,
               selected.opened_at
        FROM review
        JOIN selected ON selected.id = review.id
        JOIN telling ON telling.id = review.id
        JOIN integrations_commitinrepository held ON held.commit_id = telling.commit_id
        JOIN integrations_commitfile file ON file.commit_id = telling.commit_id AND file.set_apart = ''
        LEFT JOIN orgtree_identity account ON account.person_id = review.person_id
    ), history AS MATERIALIZED (
        SELECT reviewer.repository_id, reviewer.account_id, file.path, min(commit.committed_at) AS since
        FROM (SELECT DISTINCT repository_id, account_id FROM reviewed_path) AS reviewer
        JOIN integrations_commit commit ON commit.author_id = reviewer.account_id
        JOIN integrations_commitinrepository held
          ON held.commit_id = commit.id AND held.repository_id = reviewer.repository_id
        JOIN integrations_commitfile file ON file.commit_id = commit.id
        WHERE file.path IN (SELECT path FROM reviewed_path)
        GROUP BY reviewer.repository_id, reviewer.account_id, file.path
    ), known_path AS MATERIALIZED (
        SELECT id, path, bool_or(since < opened_at) AS is_known
        FROM reviewed_path FULL JOIN history USING (repository_id, account_id, path)
        GROUP BY id, path
    ), novelty AS (
        SELECT id, count(*) AS paths, count(*) FILTER (WHERE is_known IS NOT TRUE) AS new_paths
        FROM known_path
        WHERE id IS NOT NULL
        GROUP BY id
    )
"""
