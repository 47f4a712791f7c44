"""Effects on facts when people change; orgtree calls these functions through hooks (integrations/apps.py)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from core import sql
from integrations.delivery.allocation.measure import mark_all_weeks
from integrations.delivery.work_items.changed_days import DAYS_OF_ITEM
from integrations.models import FactFamily
from integrations.outbox.attribution_queue import enqueue_moved_identities
from integrations.outbox.fact_changes import append_days
from integrations.outbox.pull_request_queue import enqueue_pull_requests_of
from orgtree.identities.resolving import IdentityMove


def count_active_people(up_to: int) -> int:
    """The number of people who have ever done anything; counting stops at `up_to`.

    Telemetry, commits, pull requests, reviews, work items and vendors' reports count.  Each identity is looked up in
    the indexes because a trial installation computes this for every page; without facts, none is looked up.
    """
    people = sql.value(
        """
        SELECT count(*)
        FROM (
            SELECT DISTINCT identity.person_id
            FROM orgtree_identity identity
            WHERE identity.person_id IS NOT NULL
              AND (
                  SELECT EXISTS (SELECT FROM integrations_enrolment) OR EXISTS (SELECT FROM integrations_commit)
                      OR EXISTS (SELECT FROM integrations_pullrequest) OR EXISTS (SELECT FROM integrations_workitem)
                      OR EXISTS (SELECT FROM integrations_vendorusage)
              )
              AND (
                  EXISTS (SELECT FROM integrations_enrolment WHERE identity_id = identity.id)
                  OR EXISTS (SELECT FROM integrations_commit WHERE credited_id = identity.id)
                  OR EXISTS (SELECT FROM integrations_pullrequest WHERE author_id = identity.id)
                  OR EXISTS (SELECT FROM integrations_pullrequest WHERE requested_by_id = identity.id)
                  OR EXISTS (SELECT FROM integrations_pullrequestreview WHERE author_id = identity.id)
                  OR EXISTS (SELECT FROM integrations_workitem WHERE assignee_id = identity.id)
                  OR EXISTS (SELECT FROM integrations_vendorusage WHERE person_id = identity.id)
              )
            LIMIT %s
        ) AS people
        """,
        [up_to],
    )
    return int(people)


def note_moved_identities(moves: Sequence[IdentityMove]) -> None:
    """Append to the outbox the days of the identities' activity and seats, in the transaction of the moves.

    The assignment of nearby sessions to commits changes as well.
    """
    identities = sorted({move.identity_id for move in moves})
    people = {person for move in moves for person in (move.previous_person_id, move.person_id) if person is not None}
    append_days(_DAYS_OF_IDENTITIES, {"identities": identities})
    enqueue_moved_identities(identities, people)
    enqueue_pull_requests_of(identities, people)


def note_presence(since: Sequence[date | None]) -> None:
    """Append to the outbox that people's presence changed from these days on.

    People who are not enrolled are included because adoption counts everybody who is present.
    """
    append_days({FactFamily.ENROLMENT: _DAYS_OF_PRESENCE}, {"since": list(since)})
    mark_all_weeks()


_DAYS_OF_IDENTITIES = {
    FactFamily.AI: """
        SELECT figures.day, figures.day + 1
        FROM integrations_agentsession session
        JOIN integrations_agentsessionday figures ON figures.session_id = session.id
        WHERE session.identity_id = ANY (%(identities)s)
        UNION ALL
        SELECT started_on, started_on + 1 FROM integrations_agentsession WHERE identity_id = ANY (%(identities)s)
    """,
    FactFamily.CODE: """
        SELECT counted_on, counted_on + 1 FROM integrations_commit WHERE credited_id = ANY (%(identities)s)
    """,
    FactFamily.CLONE: """
        SELECT chain.counted_on, chain.counted_on + 1
        FROM integrations_commit author
        JOIN integrations_changedlines lines ON lines.author_id = author.id
        JOIN integrations_commit chain ON chain.id = lines.commit_id
        WHERE author.credited_id = ANY (%(identities)s)
    """,
    FactFamily.PULL_REQUEST: """
        SELECT least(opened, ended)::date, greatest(opened, ended)::date + 1
        FROM integrations_pullrequest
        CROSS JOIN LATERAL (SELECT created_at, coalesce(merged_at, closed_at, now())) AS during (opened, ended)
        WHERE author_id = ANY (%(identities)s) OR requested_by_id = ANY (%(identities)s)
        UNION ALL
        SELECT submitted_at::date, submitted_at::date + 1
        FROM integrations_pullrequestreview WHERE author_id = ANY (%(identities)s)
    """,
    FactFamily.DEPLOYMENT: """
        SELECT deployed.deployed_on, deployed.deployed_on + 1
        FROM integrations_pullrequest pull_request
        JOIN integrations_deployedpullrequest deployed ON deployed.pull_request_id = pull_request.id
        WHERE author_id = ANY (%(identities)s) OR requested_by_id = ANY (%(identities)s)
        UNION ALL
        SELECT push.deployed_on, push.deployed_on + 1
        FROM integrations_commit commit
        JOIN integrations_deployedpush push ON push.commit_id = commit.id
        WHERE commit.credited_id = ANY (%(identities)s)
    """,
    FactFamily.WORK_ITEM: f"""
        SELECT lower(date_range), upper(date_range)
        FROM integrations_workitemfigures figures
        CROSS JOIN unnest({DAYS_OF_ITEM}) AS date_range
        WHERE figures.credited_id = ANY (%(identities)s)
    """,  # noqa: S608  # a constant
    FactFamily.VENDOR: """
        SELECT report.day - CASE report.content WHEN 'seats' THEN 6 ELSE 0 END,
               report.day + CASE report.content WHEN 'seats' THEN 7 ELSE 1 END
        FROM integrations_vendorusage usage JOIN integrations_vendorreport report ON report.id = usage.report_id
        WHERE usage.person_id = ANY (%(identities)s)
    """,
    FactFamily.ENROLMENT: """
        SELECT first_at::date, greatest(first_at::date, now()::date) + 1
        FROM integrations_enrolment WHERE identity_id = ANY (%(identities)s)
    """,
    FactFamily.SEATS: """
        SELECT day, greatest(day, now()::date) + 1
        FROM (SELECT min(coalesce(lower(during), '2000-01-01')) AS day FROM integrations_seatassignment) AS first
    """,
}
_DAYS_OF_PRESENCE = """
    SELECT greatest(since, first_day), greatest(since, first_day, now()::date) + 1
    FROM (
        SELECT least((SELECT min(first_at)::date FROM integrations_enrolment),
                     (SELECT min(day) FROM integrations_vendorreport)) AS first_day
    ) AS first
    CROSS JOIN unnest(%(since)s::date[]) AS since
    WHERE first_day IS NOT NULL
"""
