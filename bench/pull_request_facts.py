"""Pull requests of the generated people, with commits, reviews, events and squash commits.

Written by the database itself, as code_facts.py: every statement reads the table bench_pull_request, which the first
one draws.  Its numbers go from 1 without regard to time; some are missing, where the author was not there.
"""

from __future__ import annotations

# Who writes where: the people of a repository are those whose numbers leave the same rest.  The stages follow one
# after the other; what would lie ahead has not happened yet.  One in two hundred takes another one back.
PULL_REQUESTS = """
    CREATE TEMPORARY TABLE bench_pull_request AS
    WITH opened AS MATERIALIZED (
        SELECT drawn.number, author.number AS author_number, author.identity_id AS author_id,
               repository.id AS repository_id, repository.number AS repository_number, drawn.created_at,
               drawn.created_at - pg_temp.log_normal(drawn.number, 'coding', 7, 1.3) * interval '1 hour'
                   AS first_commit_at,
               pg_temp.uniform(drawn.number, 'draft') < 0.15 AS began_as_draft,
               1 + least(19, floor(pg_temp.log_normal(drawn.number, 'commits', 1.9, 0.9)))::int AS commits,
               greatest(1, pg_temp.log_normal(drawn.number, 'size', 70, 1.4))::int AS size,
               CASE WHEN pg_temp.uniform(drawn.number, 'agent') < 0.25 THEN 'claude_code'
                    WHEN pg_temp.uniform(drawn.number, 'agent') < 0.32 THEN 'codex' ELSE '' END AS agent,
               (ARRAY['feature', 'feature', 'bug', 'chore', 'documentation'])
                   [1 + floor(5 * pg_temp.uniform(drawn.number, 'label'))] AS label
        FROM (
            SELECT number, pg_temp.on_workday(number, (
                current_date - floor(%(days)s * pg_temp.uniform(number, 'day'))::int
            )::timestamptz + (8 + 10 * pg_temp.uniform(number, 'hour')) * interval '1 hour') AS created_at
            FROM generate_series(1, %(pull_requests)s) AS number
        ) AS drawn
        JOIN bench_author author ON author.number = drawn.number %% %(people)s
        JOIN bench_repository repository ON repository.number = author.number %% %(repositories)s
        WHERE drawn.created_at < now() AND author.days @> drawn.created_at::date
    ), ready AS MATERIALIZED (
        SELECT opened.*,
               CASE WHEN NOT began_as_draft THEN created_at ELSE pg_temp.on_workday(number,
                   created_at + pg_temp.log_normal(number, 'draft hours', 6, 1) * interval '1 hour'
               ) END AS ready_at
        FROM opened
    ), reviewed AS MATERIALIZED (
        SELECT ready.*,
               CASE WHEN pg_temp.uniform(number, 'reviewed') < 0.92 THEN pg_temp.on_workday(number,
                   ready_at + pg_temp.log_normal(number, 'pickup', 5, 1.3) * interval '1 hour'
               ) END AS reviewed_at
        FROM ready
    ), approved AS MATERIALIZED (
        SELECT reviewed.*,
               CASE WHEN pg_temp.uniform(number, 'at once') < 0.6 THEN reviewed_at
                    WHEN pg_temp.uniform(number, 'at once') < 0.96 THEN pg_temp.on_workday(number,
                        reviewed_at + pg_temp.log_normal(number, 'review', 4, 1.2) * interval '1 hour'
                    ) END AS approved_at
        FROM reviewed
    ), ended AS MATERIALIZED (
        SELECT approved.*,
               pg_temp.on_workday(number, coalesce(approved_at, reviewed_at, ready_at)
                   + pg_temp.log_normal(number, 'merge', 1.2, 1.4) * interval '1 hour') AS ended_at,
               pg_temp.uniform(number, 'end') AS fate
        FROM approved
    )
    SELECT nextval(pg_get_serial_sequence('integrations_pullrequest', 'id')) AS id,
           ended.number, author_number, author_id, colleague.identity_id AS reviewer_id, repository_id,
           repository_number, created_at, first_commit_at, began_as_draft, commits, size, agent, label,
           CASE WHEN ready_at < now() THEN ready_at END AS ready_at,
           CASE WHEN reviewed_at < now() THEN reviewed_at END AS reviewed_at,
           CASE WHEN approved_at < now() THEN approved_at END AS approved_at,
           CASE WHEN ended_at < now() AND fate < 0.93 THEN ended_at END AS merged_at,
           CASE WHEN ended_at < now() AND fate >= 0.93 AND fate < 0.99 THEN ended_at END AS closed_at,
           pg_temp.object_id('squash ' || ended.number) AS squash,
           CASE WHEN pg_temp.uniform(ended.number, 'revert') < 0.005
                THEN lag(ended.number) OVER (PARTITION BY repository_id ORDER BY created_at) END AS takes_back
    FROM ended
    JOIN bench_author colleague
      ON colleague.number = (author_number + %(repositories)s * (1 + ended.number %% 5)) %% %(people)s
    ORDER BY ended.created_at, ended.number
"""

STORED_PULL_REQUESTS = """
    INSERT INTO integrations_pullrequest
        (id, connection_id, external_id, repository_id, number, title, author_id, state, native_state, is_draft,
         created_at, ready_at, merged_at, closed_at, merged_by_id, merge_sha, source_branch, target_branch, additions,
         deletions, changed_files, comment_count, labels, work_type)
    SELECT id, %(connection)s, 'pull-request-' || number, repository_id, number,
           CASE WHEN takes_back IS NULL THEN 'Bench ' || number
                ELSE 'Revert "Bench ' || takes_back || ' (#' || takes_back || ')"' END,
           author_id,
           CASE WHEN merged_at IS NOT NULL THEN 'merged' WHEN closed_at IS NOT NULL THEN 'closed' ELSE 'open' END,
           CASE WHEN merged_at IS NOT NULL OR closed_at IS NOT NULL THEN 'closed' ELSE 'open' END,
           began_as_draft AND ready_at IS NULL,
           created_at, ready_at, merged_at, coalesce(merged_at, closed_at),
           CASE WHEN merged_at IS NULL THEN NULL WHEN number %% 3 = 0 THEN reviewer_id ELSE author_id END,
           CASE WHEN merged_at IS NULL THEN '' ELSE squash END,
           'work-' || number, 'main', size - size / 4, size / 4, 1 + size / 40, number %% 6,
           ARRAY[label], CASE label WHEN 'chore' THEN 'operations' ELSE label END
    FROM bench_pull_request
"""

# Half of them before it is opened, the rest until it is approved.
COMMITS = """
    INSERT INTO integrations_pullrequestcommit
        (pull_request_id, sha, position, author_id, authored_at, committed_at, subject, parents)
    SELECT id, pg_temp.object_id('commit ' || number || ' ' || position), position, author_id, at, at,
           'Bench ' || number || ', part ' || position + 1, '{}'
    FROM bench_pull_request
    CROSS JOIN LATERAL (
        SELECT position, first_commit_at + position::float8 / commits
               * (coalesce(approved_at, created_at) - first_commit_at) AS at
        FROM generate_series(0, commits - 1) AS position
    ) AS commit
    WHERE position = 0 OR at < created_at OR at < now()
"""

# One review that approves, or two: the first asks for changes or remarks something.  A quarter have another beside.
REVIEWS = """
    INSERT INTO integrations_pullrequestreview (pull_request_id, external_id, author_id, state, native_state,
                                                submitted_at)
    SELECT id, 'review-' || number || '-' || part, reviewer, state, upper(state), at
    FROM (
        SELECT id, number, 1 AS part, reviewer_id AS reviewer, reviewed_at AS at,
               CASE WHEN approved_at = reviewed_at THEN 'approved'
                    WHEN number %% 2 = 0 THEN 'changes_requested' ELSE 'commented' END AS state
        FROM bench_pull_request WHERE reviewed_at IS NOT NULL
        UNION ALL
        SELECT id, number, 2, reviewer_id, approved_at, 'approved'
        FROM bench_pull_request WHERE approved_at > reviewed_at
        UNION ALL
        SELECT pull_request.id, pull_request.number, 3, other.identity_id,
               reviewed_at + interval '10 minutes', 'commented'
        FROM bench_pull_request pull_request
        JOIN bench_author other
          ON other.number = (author_number + %(repositories)s * (2 + pull_request.number %% 3)) %% %(people)s
        WHERE pull_request.number %% 4 = 1 AND reviewed_at + interval '10 minutes' < now()
    ) AS review
"""

EVENTS = """
    INSERT INTO integrations_pullrequestevent (pull_request_id, kind, at, by_id, of_id)
    SELECT id, 'ready', ready_at, author_id, NULL
    FROM bench_pull_request WHERE began_as_draft AND ready_at IS NOT NULL
    UNION ALL
    SELECT id, 'review_requested', ready_at, author_id, reviewer_id FROM bench_pull_request WHERE ready_at IS NOT NULL
    UNION ALL
    SELECT id, 'closed', closed_at, author_id, NULL FROM bench_pull_request WHERE closed_at IS NOT NULL
"""

# The squash of each, one after the other on the default branch; known from a code host alone, without files.
SQUASHES = """
    INSERT INTO integrations_commit
        (sha, author_id, committer_id, credited_id, authored_at, committed_at, first_seen_at, counted_on, home_id,
         parents, subject, lines_known, without_clone, file_count, by_bot, by_agent, lines_added, lines_deleted,
         counts_key, change_key, set_apart)
    SELECT squash, author_id, author_id, author_id, merged_at, merged_at, merged_at, merged_at::date, repository_id,
           CASE WHEN before IS NULL THEN '{}'::varchar[] ELSE ARRAY[before]::varchar[] END,
           'Bench ' || number || ' (#' || number || ')', false, true, 0, false, '', 0, 0,
           md5(squash)::uuid, md5(squash)::uuid, ''
    FROM (
        SELECT *, lag(squash) OVER (PARTITION BY repository_id ORDER BY merged_at, number) AS before
        FROM bench_pull_request WHERE merged_at IS NOT NULL
    ) AS merged
    ORDER BY merged.merged_at
"""

SQUASHES_IN_REPOSITORIES = """
    INSERT INTO integrations_commitinrepository (commit_id, repository_id, on_default_branch)
    SELECT commit.id, pull_request.repository_id, true
    FROM bench_pull_request pull_request
    JOIN integrations_commit commit ON commit.sha = pull_request.squash
    WHERE pull_request.merged_at IS NOT NULL
"""

# A third of the squashes name the agent that took part.
TRAILERS = """
    INSERT INTO integrations_commitevidence
        (commit_id, method, level, agent, model, external_session, confidence, said, digest, seen_at)
    SELECT commit.id, 'trailer', 'commit', pull_request.agent, '', '', 1, 'Co-Authored-By',
           md5(pull_request.squash || pull_request.agent)::uuid, now()
    FROM bench_pull_request pull_request
    JOIN integrations_commit commit ON commit.sha = pull_request.squash
    WHERE pull_request.merged_at IS NOT NULL AND pull_request.agent <> ''
"""
