"""Match commits with agent sessions by person and time alone.

Pauses of half an hour split a session into active periods.  A commit belongs to the period in which it was authored, or
else to the last one that ended before.  The author time decides, because a rebase or a merge queue changes the
committer time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import LiteralString

from core import sql
from integrations.code.attribution.evidence import Evidence, append_evidence, withdraw_evidence
from integrations.models import CommitEvidence, EvidenceLevel, Method

# People commit while the agent runs or soon after; an hour later the lines are just as likely their own.
BEFORE, AFTER = "5 minutes", "60 minutes"
# Longer sessions are not matched, which bounds the lookup for one commit.
LONGEST_SESSION = "31 days"
# Far below a trailer.  Higher if the agent reported commits in the session.
CONFIDENCE, CONFIDENCE_OF_COMMITTERS = 0.4, 0.6


@dataclass(frozen=True, slots=True)
class Overlap:
    """The session nearest to a commit."""

    session_id: int
    agent: str
    commits: bool  # the agent itself counted commits in it


# The place of a session is looked up only for the few that are near: with EXISTS, PostgreSQL might hash all sessions'
# places with all commits of their repositories.
NEAREST: LiteralString = """
    WITH requested AS MATERIALIZED (
        SELECT commit.id AS commit_id, wanted.agent, commit.authored_at, author.person_id
        FROM unnest(%(commits)s::bigint[], %(agents)s::text[]) AS wanted (commit_id, agent)
        JOIN integrations_commit commit ON commit.id = wanted.commit_id
        JOIN orgtree_identity author ON author.id = commit.credited_id
    )
    SELECT DISTINCT ON (requested.commit_id, requested.agent)
           requested.commit_id, requested.agent, session.id, session.agent, session.commits > 0
    FROM requested
    JOIN orgtree_identity identity ON identity.person_id = requested.person_id
    JOIN integrations_agentsession session
      ON session.identity_id = identity.id
     AND session.ended_at BETWEEN requested.authored_at - %(after)s::interval
                              AND requested.authored_at + %(longest)s::interval
     AND session.started_at <= requested.authored_at + %(before)s::interval
     AND session.has_work
     AND CASE requested.agent WHEN '' THEN session.lines_added > 0 ELSE session.agent = requested.agent END
     -- Where telemetry names repositories, the session made no commits elsewhere.
     AND (session.repository_id IS NULL OR (
         SELECT true FROM integrations_sessionplace there
         JOIN integrations_telemetryplace place ON place.id = there.place_id
         JOIN integrations_commitinrepository held ON held.repository_id = place.repository_id
         WHERE there.session_id = session.id AND held.commit_id = requested.commit_id
         LIMIT 1
     ))
    CROSS JOIN LATERAL (
        SELECT lower(period) AS began, upper(period) - interval '30 minutes' AS ended
        FROM unnest(session.active_periods) AS period
    ) AS worked
    WHERE requested.authored_at BETWEEN worked.began - %(before)s::interval AND worked.ended + %(after)s::interval
    ORDER BY requested.commit_id, requested.agent,
             CASE WHEN requested.authored_at BETWEEN worked.began AND worked.ended THEN 1
                  WHEN requested.authored_at > worked.ended THEN 2 ELSE 3 END,
             CASE WHEN requested.authored_at BETWEEN worked.began AND worked.ended
                  THEN requested.authored_at - worked.began
                  WHEN requested.authored_at > worked.ended THEN requested.authored_at - worked.ended
                  ELSE worked.began - requested.authored_at END,
             session.agent, session.external_id, session.identity_id
"""


def nearest_sessions(keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Overlap]:
    """(commit id, agent) → nearest session; without an agent, any session that generated lines."""
    pairs = sorted(set(keys))
    rows = sql.rows(
        NEAREST,
        {
            "commits": [commit for commit, _ in pairs],
            "agents": [agent for _, agent in pairs],
            "before": BEFORE,
            "after": AFTER,
            "longest": LONGEST_SESSION,
        },
    )
    return {(commit, agent): Overlap(*overlap) for commit, agent, *overlap in rows}


def commits_near(sessions: Collection[int]) -> set[int]:
    """Commits that may belong to these sessions: near in time, named by them, or linked by evidence."""
    if not sessions:
        return set()
    return sql.ids(
        """
        WITH session AS MATERIALIZED (
            SELECT session.*, identity.person_id
            FROM integrations_agentsession session
            JOIN orgtree_identity identity ON identity.id = session.identity_id
            WHERE session.id = ANY (%(sessions)s)
        )
        SELECT commit.id
        FROM session
        JOIN orgtree_identity author ON author.person_id = session.person_id
        JOIN integrations_commit commit
          ON commit.credited_id = author.id
         AND commit.authored_at BETWEEN session.started_at - %(before)s::interval
                                    AND session.ended_at + %(after)s::interval
        UNION
        SELECT evidence.commit_id
        FROM session
        JOIN integrations_commitevidence evidence
          ON evidence.external_session = session.external_id AND evidence.agent = session.agent
        WHERE evidence.external_session <> ''
        UNION
        SELECT commit.id
        FROM integrations_sessionplace there
        JOIN integrations_telemetryplace place ON place.id = there.place_id AND place.revision <> ''
        JOIN integrations_commit commit
          ON commit.sha ~>=~ place.revision AND commit.sha ~<~ (place.revision || 'g')  -- begins with it
        WHERE there.session_id = ANY (%(sessions)s) AND there.called_at IS NOT NULL
        UNION
        SELECT commit_id FROM integrations_commitevidence WHERE session_id = ANY (%(sessions)s)
        UNION
        SELECT commit_id FROM integrations_fileattribution WHERE session_id = ANY (%(sessions)s)
        """,
        {"sessions": sorted(sessions), "before": BEFORE, "after": AFTER},
    )


def update_overlap_evidence(commits: Collection[int]) -> set[int]:
    """Update the overlap evidence of these commits; return the sessions that gained or lost a commit.

    Counted commits have it, and commits that a squash represents: the squash no longer shows when their lines were
    authored.
    """
    nearest = nearest_sessions((commit, "") for commit in _with_own_lines(commits))
    expected = {
        commit: Evidence(
            Method.OVERLAP,
            EvidenceLevel.COMMIT,
            overlap.agent,
            CONFIDENCE_OF_COMMITTERS if overlap.commits else CONFIDENCE,
            session_id=overlap.session_id,
        )
        for (commit, _), overlap in nearest.items()
    }
    current = _current_evidence(commits)
    expected_keys = {(commit, evidence.digest) for commit, evidence in expected.items()}
    withdrawn = {
        pk: session for (commit, digest), (pk, session) in current.items() if (commit, digest) not in expected_keys
    }
    added = {commit: evidence for commit, evidence in expected.items() if (commit, evidence.digest) not in current}
    withdraw_evidence(withdrawn)
    append_evidence(added.items())
    touched = {*withdrawn.values(), *(evidence.session_id for evidence in added.values())}
    return {session for session in touched if session is not None}


def _current_evidence(commits: Collection[int]) -> Mapping[tuple[int, object], tuple[int, int | None]]:
    """(commit, digest) → (evidence id, session)."""
    evidence = CommitEvidence.objects.filter(commit_id__in=commits, method=Method.OVERLAP, withdrawn_at=None)
    return {
        (commit, digest): (pk, session)
        for pk, commit, digest, session in evidence.values_list("pk", "commit_id", "digest", "session_id")
    }


def _with_own_lines(commits: Collection[int]) -> list[int]:
    """The commits whose author time is the time at which their lines were written."""
    return sql.column(
        """
        SELECT id FROM integrations_commit commit
        WHERE id = ANY (%s) AND set_apart IN ('', 'squashed') AND lines_added > 0 AND cardinality(parents) < 2
          AND NOT EXISTS (
              SELECT FROM integrations_commit part
              WHERE part.stands_in_id = commit.id AND part.set_apart = 'squashed'
          )
        """,
        [sorted(commits)],
    )
