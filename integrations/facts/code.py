"""Committed code, and what of it came from agents, as relations that metrics are computed from.

Only commits that count are here: each change once, without merges, bulk commits and bots; only files that count:
without generated, vendored, minified, lock and binary ones.  A commit that several repositories hold stands in one of
them: where it is on the default branch, else in the one that was connected first.
"""

from __future__ import annotations

from integrations.facts.relation import Relation

COMMITTED_FILES = Relation(
    name="committed_files",
    day="day",
    person="person_id",
    fact="commit_id",
    columns=frozenset(
        {"commit_id", "person_id", "day", "repository", "language", "file_type", "lines_added", "lines_deleted"}
    ),
    sql="""
        SELECT commit.id AS commit_id,
               identity.person_id,
               commit.counted_on AS day,
               repository.name AS repository,
               file.language,
               file.file_type,
               file.added AS lines_added,
               file.deleted AS lines_deleted
        FROM integrations_commit commit
        JOIN integrations_commitfile file ON file.commit_id = commit.id AND file.set_apart = ''
        LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
        CROSS JOIN LATERAL (
            SELECT link.repository_id FROM integrations_commitinrepository link
            WHERE link.commit_id = commit.id
            ORDER BY link.on_default_branch DESC, link.repository_id
            LIMIT 1
        ) AS home
        JOIN integrations_repository repository ON repository.id = home.repository_id
        WHERE commit.set_apart = ''
    """,
)
"""One row per counted file of a counted commit.  It counts on the local day of the committer time.

person_id is null where the author is unmatched, or an autonomous agent for which nobody is known to have asked.
"""

AI_COMMITTED_FILES = Relation(
    name="ai_committed_files",
    day="day",
    person="person_id",
    fact="commit_id",
    columns=frozenset(
        {
            *("commit_id", "person_id", "day", "repository", "language", "file_type", "agent", "model", "session_id"),
            *("ai_lines", "ai_lines_by_line", "method"),
        }
    ),
    sql="""
        SELECT commit.id AS commit_id,
               identity.person_id,
               commit.counted_on AS day,
               repository.name AS repository,
               file.language,
               file.file_type,
               attribution.agent,
               attribution.model,
               attribution.session_id,
               attribution.method,
               attribution.ai_lines,
               CASE WHEN attribution.level = 'line' THEN attribution.ai_lines ELSE 0 END AS ai_lines_by_line
        FROM integrations_fileattribution attribution
        JOIN integrations_commitfile file ON file.id = attribution.file_id
        JOIN integrations_commit commit ON commit.id = attribution.commit_id AND commit.set_apart = ''
        LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
        CROSS JOIN LATERAL (
            SELECT link.repository_id FROM integrations_commitinrepository link
            WHERE link.commit_id = commit.id
            ORDER BY link.on_default_branch DESC, link.repository_id
            LIMIT 1
        ) AS home
        JOIN integrations_repository repository ON repository.id = home.repository_id
    """,
)
"""One row per counted file and agent that wrote in it, with the lines that are that agent's.

ai_lines is an upper bound where the evidence is of commit level; ai_lines_by_line counts line-level evidence alone.
"""

COMMITS = Relation(
    name="commits",
    day="day",
    person="person_id",
    fact="commit_id",
    columns=frozenset({"commit_id", "person_id", "day", "repository", "lines_unknown"}),
    sql="""
        SELECT commit.id AS commit_id,
               identity.person_id,
               commit.counted_on AS day,
               repository.name AS repository,
               CASE WHEN commit.lines_known THEN 0 ELSE 1 END AS lines_unknown
        FROM integrations_commit commit
        LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
        CROSS JOIN LATERAL (
            SELECT link.repository_id FROM integrations_commitinrepository link
            WHERE link.commit_id = commit.id
            ORDER BY link.on_default_branch DESC, link.repository_id
            LIMIT 1
        ) AS home
        JOIN integrations_repository repository ON repository.id = home.repository_id
        WHERE commit.set_apart = ''
    """,
)
"""One row per counted commit.  lines_unknown is 1 where git could not read its objects."""
