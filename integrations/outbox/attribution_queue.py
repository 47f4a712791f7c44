"""Queue of commits and sessions whose attribution is to be recomputed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import LiteralString

from celery import signature

from core import sql
from core.nudges import nudge_on_commit
from core.queue import take
from integrations.models import AttributionWork

ATTRIBUTE = signature("integrations.code.attribution.tasks.attribute")  # by name, because attribution imports its queue


@dataclass(frozen=True, slots=True)
class Work:
    """Ids of changed commits and sessions."""

    rows: int
    commits: frozenset[int]
    sessions: frozenset[int]


def enqueue_commits(commits: Iterable[int]) -> None:
    """Queue the commits, in the transaction that changed them, and wake the worker."""
    ids = sorted(set(commits))
    if not ids:
        return
    sql.execute("INSERT INTO integrations_attributionwork (commit_id) SELECT unnest(%s::bigint[])", [ids])
    wake_attribution()


def enqueue_commits_in_reports(reports: Collection[int]) -> None:
    """Queue the commits that these vendors' reports name, in the transaction that changes or deletes the reports."""
    queued = sql.execute(
        """
        INSERT INTO integrations_attributionwork (commit_id)
        SELECT DISTINCT commit.id
        FROM integrations_vendorusage usage JOIN integrations_commit commit ON commit.sha = usage.name
        WHERE usage.report_id = ANY (%s) AND usage.lines_of_commit IS NOT NULL
        """,
        [sorted(reports)],
    )
    if queued:
        wake_attribution()


def enqueue_commits_with_evidence(repository: int) -> None:
    """Queue the repository's commits with evidence: unchanged evidence may yield other lines by the current rules."""
    sql.execute(
        """
        INSERT INTO integrations_attributionwork (commit_id)
        SELECT commit_id FROM integrations_commitinrepository held
        WHERE repository_id = %s
          AND EXISTS (SELECT FROM integrations_commitevidence evidence WHERE evidence.commit_id = held.commit_id)
        """,
        [repository],
    )
    wake_attribution()


def enqueue_sessions(sessions: Iterable[int]) -> None:
    """Queue the sessions, in the transaction that changed them, and wake the worker."""
    ids = sorted(set(sessions))
    if not ids:
        return
    sql.execute("INSERT INTO integrations_attributionwork (session_id) SELECT unnest(%s::bigint[])", [ids])
    wake_attribution()


def enqueue_sessions_behind(pull_requests: Collection[int], *, leaving: bool = False) -> None:
    """Queue the sessions behind these pull requests: with lines in their commits, or on their branches.

    Their shares depend on the work type, and on which of a commit's pull requests is the first.  Sessions whose shares
    already have both are skipped, unless the pull requests are about to be deleted.
    """
    if not pull_requests:
        return
    if not sql.execute(SESSIONS_BEHIND, {"pull_requests": sorted(pull_requests), "leaving": leaving}):
        return
    wake_attribution()


def enqueue_moved_identities(identities: Iterable[int], people: Iterable[int]) -> None:
    """Queue the commits of identities whose person changed, and the sessions of all people affected."""
    sql.execute(
        """
        INSERT INTO integrations_attributionwork (commit_id, session_id)
        SELECT commit.id, NULL FROM integrations_commit commit WHERE commit.credited_id = ANY (%(identities)s)
        UNION ALL
        SELECT NULL, session.id
        FROM integrations_agentsession session
        JOIN orgtree_identity identity ON identity.id = session.identity_id
        WHERE identity.id = ANY (%(identities)s) OR identity.person_id = ANY (%(people)s)
        """,
        {"identities": sorted(set(identities)), "people": sorted(set(people))},
    )
    wake_attribution()


def wake_attribution() -> None:
    """Wake the worker when the caller's transaction commits."""
    nudge_on_commit(ATTRIBUTE)


def take_work(most: int) -> Work:
    """Take at most `most` of the oldest rows out of the queue, in the caller's transaction."""
    rows = take(AttributionWork.objects.order_by("pk"), most)
    return Work(
        len(rows),
        frozenset(row.commit_id for row in rows if row.commit_id is not None),
        frozenset(row.session_id for row in rows if row.session_id is not None),
    )


def with_representatives(commits: Collection[int]) -> set[int]:
    """These commits and, recursively, the commits that represent them, where their evidence counts."""
    if not commits:
        return set()
    return sql.ids(
        """
        WITH RECURSIVE represented (id) AS (
            SELECT unnest(%s::bigint[])
            UNION
            SELECT commit.stands_in_id FROM represented JOIN integrations_commit commit USING (id)
            WHERE commit.stands_in_id IS NOT NULL
        )
        SELECT id FROM represented
        """,
        [sorted(commits)],
    )


SESSIONS_BEHIND: LiteralString = """
    INSERT INTO integrations_attributionwork (session_id)
    SELECT attribution.session_id
    FROM (
        SELECT listed.pull_request_id, coalesce(commit.stands_in_id, commit.id) AS commit_id
        FROM integrations_pullrequestcommit listed
        JOIN integrations_commit commit ON commit.sha = listed.sha
        WHERE listed.pull_request_id = ANY (%(pull_requests)s)
        UNION
        SELECT merged.id, commit.id
        FROM integrations_pullrequest merged
        JOIN integrations_commit commit ON commit.sha = merged.merge_sha
        WHERE merged.id = ANY (%(pull_requests)s) AND merged.merge_sha <> ''
    ) AS brought
    JOIN integrations_pullrequestfigures figures USING (pull_request_id)
    JOIN integrations_fileattribution attribution USING (commit_id)
    WHERE attribution.session_id IS NOT NULL
      AND (%(leaving)s OR NOT EXISTS (
          SELECT FROM integrations_sessionshare share
          WHERE share.session_id = attribution.session_id AND figures.set_apart = ''
            AND share.work_type = figures.work_type
      ) OR NOT EXISTS (
          SELECT FROM integrations_pullrequestshare share
          WHERE share.session_id = attribution.session_id AND share.pull_request_id = brought.pull_request_id
            AND figures.set_apart = ''
      ))
    UNION
    -- those whose commits it no longer lists
    SELECT share.session_id
    FROM integrations_pullrequestshare share
    JOIN integrations_pullrequestfigures figures USING (pull_request_id)
    WHERE share.pull_request_id = ANY (%(pull_requests)s)
      AND (%(leaving)s OR figures.set_apart <> '' OR share.via = 'commits' AND NOT EXISTS (
          SELECT FROM integrations_pullrequestcommit listed
          JOIN integrations_commit commit ON commit.sha = listed.sha
          JOIN integrations_fileattribution attribution
            ON attribution.commit_id = coalesce(commit.stands_in_id, commit.id)
           AND attribution.session_id = share.session_id
          WHERE listed.pull_request_id = share.pull_request_id
      ))
    UNION
    -- those of its branch, which may be behind another pull request of it
    SELECT session.id
    FROM integrations_pullrequest pull_request
    JOIN integrations_agentsession session
      ON session.branch = pull_request.source_branch AND session.repository_id = pull_request.repository_id
    WHERE pull_request.id = ANY (%(pull_requests)s) AND session.branch <> '' AND NOT session.committed
    UNION
    SELECT evidence.session_id
    FROM integrations_pullrequestcommit listed
    JOIN integrations_commit commit ON commit.sha = listed.sha AND commit.set_apart = 'gone'
    JOIN integrations_commitevidence evidence ON evidence.commit_id = commit.id
    WHERE listed.pull_request_id = ANY (%(pull_requests)s) AND evidence.session_id IS NOT NULL
"""
