"""Outcomes of sessions: the repositories, work types and pull requests of their lines, and whether these are known.

Committed and covered are stored facts; pending and wasted depend on the clock and are decided on read.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from core import sql
from integrations.code.attribution.changed_costs import append_changes_of_costs

# People who committed within a year before or after a session commit to connected repositories, so the session's
# commits would be seen.  Otherwise a session cannot be called wasted.
COVERING = "365 days"

# The lines of these sessions by counted commit, and the first pull request that contains each commit: it lists the
# commit or a branch commit which that represents, or was merged as it.
_ATTRIBUTED: LiteralString = """
    attributed AS (
        SELECT attribution.session_id, commit.home_id AS repository_id, commit.id AS commit_id, commit.sha,
               sum(attribution.ai_lines)::bigint AS lines
        FROM integrations_fileattribution attribution
        JOIN integrations_commit commit ON commit.id = attribution.commit_id AND commit.set_apart = ''
        WHERE attribution.session_id = ANY (%(sessions)s) AND commit.home_id IS NOT NULL
        GROUP BY 1, 2, 3, 4
    ), brought AS (
        SELECT DISTINCT ON (containing.commit_id)
               containing.commit_id, containing.pull_request_id, figures.work_type
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
        ) AS containing
        JOIN integrations_pullrequestfigures figures USING (pull_request_id)
        WHERE figures.set_apart = '' AND figures.work_type <> ''
        ORDER BY containing.commit_id, figures.merged_at NULLS LAST, figures.pull_request_id
    )
"""

_SHARE = ("lines", "lines_before", "lines_of_session", "weight", "weight_before", "weight_of_session")
# Repositories that telemetry names take precedence over commits: they get the spend, by their tokens (in parts of 1e9).
# Lines in other repositories stay, without a weight.
REPLACE_SHARES: LiteralString = f"""
    WITH {_ATTRIBUTED}, summed AS (
        SELECT session_id, repository_id, coalesce(brought.work_type, '') AS work_type, sum(lines)::bigint AS lines
        FROM attributed
        LEFT JOIN brought USING (commit_id)
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
        {sql.upsert("integrations_sessionshare", "session_id, repository_id, work_type", _SHARE, "share")}
        RETURNING session_id
    )
    SELECT session_id FROM gone UNION SELECT session_id FROM upserted
"""  # noqa: S608  # this module's own

_PULL_REQUEST_SHARES = sql.upsert(
    "integrations_pullrequestshare",
    "session_id, repository_id, pull_request_id",
    ("via", "lines", "lines_before", "lines_of_session"),
    "share",
)
# A session's pull requests are those of its lines.  A session without lines is assigned to the first pull request of
# its branch that ended after it began, else to its branch; without a branch, to the pull requests that list its lost
# commits, else to the repository that it names.  The default branch does not count as the branch of a change.
REPLACE_PULL_REQUEST_SHARES: LiteralString = f"""
    WITH {_ATTRIBUTED}, without_lines AS (
        SELECT session.id, session.external_id, session.started_at, session.repository_id, session.branch,
               session.repository_id IS NOT NULL AND session.branch NOT IN ('', repository.default_branch)
                   AS names_branch
        FROM integrations_agentsession session
        LEFT JOIN integrations_repository repository ON repository.id = session.repository_id
        WHERE session.id = ANY (%(sessions)s)
          AND NOT EXISTS (SELECT FROM attributed WHERE attributed.session_id = session.id AND attributed.lines > 0)
    ), lost AS (
        SELECT DISTINCT named.session_id, commit.id AS commit_id, commit.sha, commit.home_id,
               greatest(commit.lines_added, 1) AS lines
        FROM (
            SELECT session.id AS session_id, evidence.commit_id
            FROM without_lines session
            JOIN integrations_commitevidence evidence ON evidence.session_id = session.id
            WHERE evidence.withdrawn_at IS NULL
               -- overlap is withdrawn with the commit: the last that held
               OR evidence.method = 'overlap' AND NOT EXISTS (
                   SELECT FROM integrations_commitevidence later
                   WHERE later.commit_id = evidence.commit_id AND later.method = 'overlap' AND later.id > evidence.id
               )
            UNION
            SELECT session.id, evidence.commit_id
            FROM without_lines session
            JOIN integrations_commitevidence evidence
              ON evidence.external_session = session.external_id AND evidence.withdrawn_at IS NULL
            WHERE session.external_id <> ''
        ) AS named
        JOIN without_lines session ON session.id = named.session_id AND NOT session.names_branch
        JOIN integrations_commit commit ON commit.id = named.commit_id AND commit.set_apart = 'gone'
    ), part AS (
        SELECT session_id, repository_id, brought.pull_request_id, 'commits' AS via, sum(lines)::bigint AS lines
        FROM attributed
        LEFT JOIN brought USING (commit_id)
        WHERE lines > 0
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT session.id, session.repository_id, of_branch.id, 'branch', 1
        FROM without_lines session
        LEFT JOIN LATERAL (
            SELECT pull_request.id
            FROM integrations_pullrequest pull_request
            JOIN integrations_pullrequestfigures figures
              ON figures.pull_request_id = pull_request.id AND figures.set_apart = ''
            WHERE pull_request.repository_id = session.repository_id
              AND pull_request.source_branch = session.branch AND pull_request.source_branch <> ''
              AND (pull_request.state = 'open'
                   OR coalesce(pull_request.merged_at, pull_request.closed_at) >= session.started_at)
            ORDER BY pull_request.created_at, pull_request.id
            LIMIT 1
        ) AS of_branch ON true
        WHERE session.names_branch
        UNION ALL
        SELECT lost.session_id, coalesce(listing.repository_id, lost.home_id), listing.id, 'lost',
               sum(lost.lines)::bigint
        FROM lost
        LEFT JOIN LATERAL (
            SELECT figures.pull_request_id AS id, figures.repository_id
            FROM integrations_pullrequestcommit listed
            JOIN integrations_pullrequestfigures figures
              ON figures.pull_request_id = listed.pull_request_id AND figures.set_apart = ''
            WHERE listed.sha = lost.sha
            ORDER BY figures.merged_at NULLS LAST, figures.pull_request_id
            LIMIT 1
        ) AS listing ON true
        GROUP BY 1, 2, 3
        UNION ALL
        SELECT session.id, session.repository_id, NULL, 'place', 1
        FROM without_lines session
        WHERE session.repository_id IS NOT NULL AND NOT session.names_branch
          AND NOT EXISTS (SELECT FROM lost WHERE lost.session_id = session.id)
    ), share AS (
        SELECT session_id, repository_id, pull_request_id, via, lines,
               (sum(lines) OVER (PARTITION BY session_id ORDER BY repository_id, pull_request_id) - lines)::bigint
                   AS lines_before,
               (sum(lines) OVER (PARTITION BY session_id))::bigint AS lines_of_session
        FROM part
    ), gone AS (
        DELETE FROM integrations_pullrequestshare stored
        WHERE stored.session_id = ANY (%(sessions)s)
          AND NOT EXISTS (
              SELECT FROM share
              WHERE share.session_id = stored.session_id
                AND share.repository_id IS NOT DISTINCT FROM stored.repository_id
                AND share.pull_request_id IS NOT DISTINCT FROM stored.pull_request_id
          )
        RETURNING session_id, pull_request_id
    ), upserted AS (
        {_PULL_REQUEST_SHARES}
        RETURNING session_id, pull_request_id
    )
    SELECT DISTINCT pull_request_id FROM gone WHERE pull_request_id IS NOT NULL
"""  # noqa: S608  # this module's own

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

    Returns the sessions that changed.  The days of pull requests and work items behind the sessions are appended to the
    outbox here, because their cost follows every change of a session.
    """
    changed = sql.ids(REPLACE_SHARES, {"sessions": sorted(sessions)})
    append_changes_of_costs(sessions, left=sql.ids(REPLACE_PULL_REQUEST_SHARES, {"sessions": sorted(sessions)}))
    rows = sql.rows(UPDATE_OUTCOMES, {"commits": sorted(commits), "sessions": sorted(sessions), "covering": COVERING})
    return changed | {row[0] for row in rows}
