"""Commits that an agent names with the tool call that made them: its own statement joins session and commit.

The result of a `git commit` in Claude Code names the new commit.  Other records name the commit that is checked out,
which somebody made before.  So a commit counts only if the session first names it with a tool call, and if it is no
older than the session.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from celery import signature

from core import sql
from core.nudges import nudge_on_commit
from integrations.code.attribution.evidence import Evidence, append_evidence, withdraw_others
from integrations.models import CommitEvidence, EvidenceLevel, Method

CONFIDENCE = 0.95
CLOCKS_DIFFER_BY = "5 minutes"

# Revisions may be abbreviated.  An abbreviation means the only commit of the session's repository that begins with it;
# commits that no repository holds any more may have belonged to it.  The first of several sessions made the commit.
_NAMED: LiteralString = """
    SELECT DISTINCT ON (commit.id) commit.id, session.id, session.agent, place.revision
    FROM integrations_commit commit
    CROSS JOIN LATERAL generate_series(7, length(commit.sha)) AS digits
    JOIN integrations_telemetryplace place ON place.revision = left(commit.sha, digits) AND place.revision <> ''
    JOIN integrations_sessionplace there ON there.place_id = place.id AND there.called_at IS NOT NULL
    JOIN integrations_agentsession session ON session.id = there.session_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN place.named <> '' THEN place.repository_id
                    ELSE coalesce(session.repository_id, place.repository_id) END AS id
    ) AS repository
    WHERE commit.id = ANY (%(commits)s)
      AND commit.committed_at >= session.started_at - %(clocks)s::interval
      AND NOT EXISTS (
          SELECT FROM integrations_sessionplace earlier
          JOIN integrations_telemetryplace same ON same.id = earlier.place_id
          WHERE earlier.session_id = session.id AND same.revision = place.revision
            AND earlier.first_at < there.called_at AND commit.committed_at <= earlier.first_at
      )
      AND (place.revision = commit.sha OR (place.named = '' OR repository.id IS NOT NULL) AND commit.id = (
          SELECT CASE WHEN count(*) = 1 THEN min(candidate.id) END
          FROM integrations_commit candidate
          WHERE candidate.sha ~>=~ place.revision AND candidate.sha ~<~ (place.revision || 'g')
            AND (repository.id IS NULL
                 OR EXISTS (SELECT FROM integrations_commitinrepository held
                            WHERE held.commit_id = candidate.id AND held.repository_id = repository.id)
                 OR NOT EXISTS (SELECT FROM integrations_commitinrepository held
                                WHERE held.commit_id = candidate.id))
      ))
    ORDER BY commit.id, there.called_at, session.id
"""


# A pull request may have listed the commit before the session was received.
_REQUEST_READING: LiteralString = """
    WITH listing AS MATERIALIZED (
        SELECT DISTINCT merged.repository_id
        FROM integrations_sessionplace there
        JOIN integrations_telemetryplace place ON place.id = there.place_id AND place.revision <> ''
        JOIN integrations_pullrequestcommit listed ON listed.sha = place.revision
        JOIN integrations_pullrequest merged ON merged.id = listed.pull_request_id AND merged.merged_at IS NOT NULL
        WHERE there.session_id = ANY (%(sessions)s) AND there.called_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM integrations_commit known WHERE known.sha = listed.sha)
    )
    UPDATE integrations_repositorysource source SET asked_at = now()
    FROM integrations_repository own
    JOIN listing ON listing.repository_id = coalesce(own.joined_into_id, own.id)
    WHERE own.id = source.repository_id AND source.asked_at IS NULL
"""
SYNC_SOURCES = signature("integrations.sync.git.tasks.sync_sources")  # by name: that module imports this one


def request_reading_of_named(sessions: Collection[int]) -> None:
    """Request another read of repositories in which these sessions named commits that only pull requests list."""
    if sessions and sql.execute(_REQUEST_READING, {"sessions": sorted(sessions)}):
        nudge_on_commit(SYNC_SOURCES)


def update_named_evidence(commits: Collection[int]) -> set[int]:
    """Update the evidence that agents named these commits; returns the sessions that gained or lost one."""
    rows = sql.rows(_NAMED, {"commits": sorted(commits), "clocks": CLOCKS_DIFFER_BY})
    named = {
        commit: Evidence(
            Method.NAMED,
            EvidenceLevel.COMMIT,
            agent,
            CONFIDENCE,
            session_id=session,
            said=f"Named by the tool call that made it: {revision}",
        )
        for commit, session, agent, revision in rows
    }
    known = CommitEvidence.objects.filter(commit__in=commits, method=Method.NAMED, withdrawn_at=None)
    before = dict(known.values_list("commit_id", "session_id"))
    changed = withdraw_others(known, {(commit, evidence.digest) for commit, evidence in named.items()})
    changed |= append_evidence(named.items())
    touched = {before.get(commit) for commit in changed}
    touched |= {named[commit].session_id for commit in changed if commit in named}
    return {session for session in touched if session is not None}
