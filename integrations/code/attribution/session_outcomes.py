"""Outcomes of sessions: which repositories and work types their lines went to, and whether that is known.

Committed and covered are stored facts; pending and wasted depend on the clock and are decided on read.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from django.db import connection

# Whoever committed within a year before or after a session commits to connected repositories, so its commits would be
# seen.  Otherwise a session cannot be called wasted.
COVERING = "365 days"

# Repositories that telemetry names are believed before any commit: they take the spend, by their tokens (in parts of
# 1e9).  Lines in other repositories stay, without a weight.
#
# The work type of a commit is that of the first pull request that contains it: one that lists it, that lists a branch
# commit which it represents, or that was merged as it.
REPLACE_SHARES: LiteralString = """
    WITH attributed AS (
        SELECT attribution.session_id, commit.home_id AS repository_id, commit.id AS commit_id, commit.sha,
               sum(attribution.ai_lines)::bigint AS lines
        FROM integrations_fileattribution attribution
        JOIN integrations_commit commit ON commit.id = attribution.commit_id AND commit.set_apart = ''
        WHERE attribution.session_id = ANY (%(sessions)s) AND commit.home_id IS NOT NULL
        GROUP BY 1, 2, 3, 4
    ), typed AS (
        SELECT DISTINCT ON (brought.commit_id) brought.commit_id, figures.work_type
        FROM (
            SELECT attributed.commit_id, listed.pull_request_id
            FROM attributed JOIN integrations_pullrequestcommit listed ON listed.sha = attributed.sha
            UNION ALL
            SELECT attributed.commit_id, listed.pull_request_id
            FROM attributed
            JOIN integrations_commit branched ON branched.stands_in_id = attributed.commit_id
            JOIN integrations_pullrequestcommit listed ON listed.sha = branched.sha
            UNION ALL
            SELECT attributed.commit_id, merged.id
            FROM attributed
            JOIN integrations_pullrequest merged ON merged.merge_sha = attributed.sha AND merged.merge_sha <> ''
        ) AS brought
        JOIN integrations_pullrequestfigures figures USING (pull_request_id)
        WHERE figures.set_apart = '' AND figures.work_type <> ''
        ORDER BY brought.commit_id, figures.merged_at NULLS LAST, figures.pull_request_id
    ), summed AS (
        SELECT session_id, repository_id, coalesce(typed.work_type, '') AS work_type, sum(lines)::bigint AS lines
        FROM attributed
        LEFT JOIN typed USING (commit_id)
        GROUP BY 1, 2, 3
    ), placed AS (
        SELECT there.session_id, place.repository_id, sum(GREATEST(there.tokens, 1)) AS tokens
        FROM integrations_agentsession session
        JOIN integrations_sessionplace there ON there.session_id = session.id
        JOIN integrations_telemetryplace place ON place.id = there.place_id
        WHERE session.id = ANY (%(sessions)s)
          AND session.repository_id IS NOT NULL AND place.repository_id IS NOT NULL
        GROUP BY 1, 2
    ), part AS (
        SELECT session_id, repository_id, coalesce(summed.work_type, '') AS work_type,
               coalesce(summed.lines, 0) AS lines,
               CASE WHEN placed.session_id IS NOT NULL
                    THEN ceil(1e9 * placed.tokens / sum(placed.tokens) OVER of_session
                              * coalesce(summed.lines / sum(summed.lines) OVER of_repository, 1))::bigint
                    WHEN count(placed.session_id) OVER of_session > 0 THEN 0 END AS weight
        FROM summed
        FULL JOIN placed USING (session_id, repository_id)
        WINDOW of_session AS (PARTITION BY session_id), of_repository AS (PARTITION BY session_id, repository_id)
    ), share AS (
        SELECT session_id, repository_id, work_type, lines,
               (sum(lines) OVER in_order - lines)::bigint AS lines_before,
               (sum(lines) OVER of_session)::bigint AS lines_of_session,
               weight,
               (sum(weight) OVER in_order - weight)::bigint AS weight_before,
               (sum(weight) OVER of_session)::bigint AS weight_of_session
        FROM part
        WINDOW of_session AS (PARTITION BY session_id),
               in_order AS (PARTITION BY session_id ORDER BY repository_id, work_type)
    ), gone AS (
        DELETE FROM integrations_sessionshare stored
        WHERE stored.session_id = ANY (%(sessions)s)
          AND NOT EXISTS (
              SELECT FROM share
              WHERE share.session_id = stored.session_id AND share.repository_id = stored.repository_id
                AND share.work_type = stored.work_type
          )
        RETURNING session_id
    ), upserted AS (
        INSERT INTO integrations_sessionshare AS stored
            (session_id, repository_id, work_type, lines, lines_before, lines_of_session,
             weight, weight_before, weight_of_session)
        SELECT session_id, repository_id, work_type, lines, lines_before, lines_of_session,
               weight, weight_before, weight_of_session
        FROM share
        ON CONFLICT (session_id, repository_id, work_type) DO UPDATE
        SET lines = excluded.lines, lines_before = excluded.lines_before, lines_of_session = excluded.lines_of_session,
            weight = excluded.weight, weight_before = excluded.weight_before,
            weight_of_session = excluded.weight_of_session
        WHERE (stored.lines, stored.lines_before, stored.lines_of_session,
               stored.weight, stored.weight_before, stored.weight_of_session)
              IS DISTINCT FROM
              (excluded.lines, excluded.lines_before, excluded.lines_of_session,
               excluded.weight, excluded.weight_before, excluded.weight_of_session)
        RETURNING session_id
    )
    SELECT session_id FROM gone UNION SELECT session_id FROM upserted
"""

# Sessions are locked in the order in which a fold locks them.
UPDATE_OUTCOMES: LiteralString = """
    WITH concerned AS (
        SELECT commit.credited_id, author.person_id, bool_or(commit.set_apart = 'gone') AS lost
        FROM integrations_commit commit
        JOIN orgtree_identity author ON author.id = commit.credited_id
        WHERE commit.id = ANY (%(commits)s) AND author.person_id IS NOT NULL
        GROUP BY 1, 2
    ), affected AS (
        SELECT unnest(%(sessions)s::bigint[]) AS id
        UNION
        SELECT session.id
        FROM concerned
        JOIN orgtree_identity identity ON identity.person_id = concerned.person_id
        JOIN integrations_agentsession session ON session.identity_id = identity.id
        WHERE concerned.lost OR NOT session.covered
    ), outcome AS (
        SELECT session.id,
               coalesce((SELECT sum(share.lines) FROM integrations_sessionshare share
                         WHERE share.session_id = session.id), 0)::bigint AS lines_committed,
               EXISTS (
                   SELECT FROM orgtree_identity author
                   JOIN integrations_commit commit
                     ON commit.credited_id = author.id
                    AND commit.authored_at BETWEEN session.started_at - %(covering)s::interval
                                               AND session.ended_at + %(covering)s::interval
                    AND commit.set_apart <> 'gone' AND commit.lines_known
                   WHERE author.person_id = identity.person_id
                     AND NOT session.told_by_file  -- its exact times are unknown
               ) AS covered
        FROM affected
        JOIN integrations_agentsession session ON session.id = affected.id
        JOIN orgtree_identity identity ON identity.id = session.identity_id
    ), locked AS (
        SELECT session.id, outcome.lines_committed, outcome.covered
        FROM integrations_agentsession session JOIN outcome ON outcome.id = session.id
        WHERE (session.committed, session.lines_committed, session.covered)
              <> (outcome.lines_committed > 0, outcome.lines_committed, outcome.covered)
        ORDER BY session.id
        FOR NO KEY UPDATE OF session
    )
    UPDATE integrations_agentsession session
    SET committed = locked.lines_committed > 0, lines_committed = locked.lines_committed, covered = locked.covered
    FROM locked WHERE session.id = locked.id
    RETURNING session.id
"""


def recompute_outcomes(commits: Collection[int], sessions: Collection[int]) -> set[int]:
    """Recompute the outcomes of these sessions, and which sessions of the commits' authors are covered.

    Returns the sessions that changed.
    """
    with connection.cursor() as cursor:
        cursor.execute(REPLACE_SHARES, {"sessions": sorted(sessions)})
        changed = {row[0] for row in cursor.fetchall()}
        cursor.execute(
            UPDATE_OUTCOMES, {"commits": sorted(commits), "sessions": sorted(sessions), "covering": COVERING}
        )
        return changed | {row[0] for row in cursor.fetchall()}
