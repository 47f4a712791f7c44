"""Commits of the generated people: those of their sessions, with the agent's share, and manual ones."""

from __future__ import annotations

from django.db import connection

COMMITTED_OF_FIVE = 2  # the number of sessions out of five that lead to a commit
PEOPLE_PER_REPOSITORY = 25


def generate_commits(*, people: int, days: int, by_hand: int) -> None:
    """Generate a repository for some people each, a commit of two files per committed session, and `by_hand` more.

    Reads the stored sessions and the table bench_author (authors.py); runs in the caller's transaction.
    """
    sizes = {
        "people": people,
        "days": days,
        "by_hand": by_hand,
        "repositories": max(1, people // PEOPLE_PER_REPOSITORY),
    }
    with connection.cursor() as cursor:
        for statement in (
            *(REPOSITORIES, CONTEXT_FILES, PLANNED_COMMITS, COMMITS, STORED, LINKS, FILES),
            *(ATTRIBUTIONS, SESSION_REPOSITORIES, UNCOVERED),
        ):
            cursor.execute(statement, sizes)
        for table in ("bench_commit", "bench_stored"):
            cursor.execute(f"DROP TABLE {table}")


REPOSITORIES = """
    INSERT INTO integrations_repository (name, remote, root_sha, default_branch, shallow)
    SELECT 'bench-' || lpad(number::text, 4, '0'), '', '', 'main', false
    FROM generate_series(0, %(repositories)s - 1) AS number
    ORDER BY number
"""

# Three of four repositories tell agents about themselves, since the middle of the time.
CONTEXT_FILES = """
    INSERT INTO integrations_contextfile (repository_id, path, agent, present_from)
    SELECT id, 'AGENTS.md', '', current_date - %(days)s / 2
    FROM integrations_repository
    WHERE name LIKE 'bench-%%' AND id %% 4 <> 0
"""

# `lines` are the agent's among those that the commit adds to its first file.
PLANNED_COMMITS = """
    CREATE TEMPORARY TABLE bench_commit AS
    SELECT planned.*, repository.id AS repository_id, substr(encode(sha256(name::bytea), 'hex'), 1, 40) AS sha,
           (at AT TIME ZONE current_setting('TimeZone'))::date AS day
    FROM (
        SELECT 'session ' || session.id AS name, author.identity_id, author.number AS author_number,
               session.id AS session_id, session.agent, session.ended_at AS at, session.lines_committed AS lines
        FROM integrations_agentsession session
        JOIN bench_author author USING (identity_id)
        WHERE session.external_id LIKE 'bench-%%' AND session.committed
        UNION ALL
        SELECT 'by hand ' || drawn.number, author.identity_id, author.number, NULL, '', drawn.at, 0
        FROM (
            SELECT number, now() - interval '1 hour'
                   - (hashint8(number + 77) & 2147483647) %% (%(days)s * 86400) * interval '1 second' AS at
            FROM generate_series(1, %(by_hand)s) AS number
        ) AS drawn
        JOIN bench_author author ON author.number = drawn.number %% %(people)s
        WHERE author.days @> (drawn.at AT TIME ZONE current_setting('TimeZone'))::date
    ) AS planned
    JOIN (
        SELECT id, row_number() OVER (ORDER BY name) - 1 AS number
        FROM integrations_repository WHERE name LIKE 'bench-%%'
    ) AS repository ON repository.number = planned.author_number %% %(repositories)s
"""

COMMITS = """
    INSERT INTO integrations_commit
        (sha, author_id, committer_id, credited_id, authored_at, committed_at, first_seen_at, counted_on, home_id,
         parents, subject, lines_known, file_count, by_bot, by_agent, lines_added, lines_deleted, counts_key,
         change_key, set_apart)
    SELECT sha, identity_id, identity_id, identity_id, at, at, at, day, repository_id,
           '{}', 'Bench: ' || name, true, 2, false, '', lines + 30, 10, md5(name)::uuid,
           md5(name)::uuid, ''
    FROM bench_commit
"""

STORED = """
    CREATE TEMPORARY TABLE bench_stored AS
    SELECT stored.id, planned.session_id, planned.agent, planned.lines, planned.repository_id
    FROM bench_commit planned
    JOIN integrations_commit stored USING (sha)
"""

LINKS = """
    INSERT INTO integrations_commitinrepository (commit_id, repository_id, on_default_branch)
    SELECT id, repository_id, true FROM bench_stored
"""

# The agent's lines and ten by hand in a source file, twenty by hand in another kind of file.
FILES = """
    INSERT INTO integrations_commitfile
        (commit_id, path, old_path, language, file_type, added, deleted, set_apart)
    SELECT id, 'source/part' || id %% 400 || suffix, '', language, 'code', lines + 10, 10, ''
    FROM bench_stored
    JOIN (VALUES (0, '.py', 'Python'), (1, '.ts', 'TypeScript'), (2, '.go', 'Go'), (3, '.py', 'Python'))
        AS kind (rest, suffix, language) ON rest = id %% 4
    UNION ALL
    SELECT id, folder || '/part' || id %% 400 || suffix, '', language, file_type, 20, 0, ''
    FROM bench_stored
    JOIN (
        VALUES (0, 'tests', '.py', 'Python', 'test'),
               (1, 'docs', '.md', 'Markdown', 'documentation'),
               (2, 'deploy', '.yaml', 'YAML', 'configuration')
    ) AS kind (rest, folder, suffix, language, file_type) ON rest = id %% 3
"""

# A third each is attributed by notes, trailers and a concurrent session; the model is one of the session's.
ATTRIBUTIONS = """
    INSERT INTO integrations_fileattribution
        (file_id, commit_id, agent, model, session_id, method, level, ai_lines)
    SELECT file.id, stored.id, stored.agent, figures.model, stored.session_id,
           CASE stored.id %% 3 WHEN 0 THEN 'note' WHEN 1 THEN 'trailer' ELSE 'overlap' END,
           CASE stored.id %% 3 WHEN 0 THEN 'line' ELSE 'commit' END,
           stored.lines
    FROM bench_stored stored
    JOIN integrations_commitfile file ON file.commit_id = stored.id AND file.file_type = 'code'
    CROSS JOIN LATERAL (
        SELECT max(model) AS model FROM integrations_agentsessionday
        WHERE session_id = stored.session_id AND source = 'events'
        HAVING count(*) > 0
    ) AS figures
"""

# Sessions of whoever has no commit at all; a commit lies within a year of any other session of these.
UNCOVERED = """
    UPDATE integrations_agentsession session
    SET covered = false
    WHERE external_id LIKE 'bench-%%'
      AND NOT EXISTS (SELECT FROM bench_commit WHERE bench_commit.identity_id = session.identity_id)
"""

SESSION_REPOSITORIES = """
    INSERT INTO integrations_sessionshare (session_id, repository_id, lines, lines_before, lines_of_session)
    SELECT session_id, repository_id, lines, 0, lines FROM bench_stored WHERE session_id IS NOT NULL
"""
