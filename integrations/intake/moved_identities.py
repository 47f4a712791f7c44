"""Callbacks from orgtree to facts:

orgtree does not know facts, so it calls what is registered here at start-up (integrations/apps.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import connection

from integrations.delivery.work_items.changed_days import DAYS_OF_ITEM
from integrations.models import FactFamily
from integrations.outbox.attribution_queue import enqueue_moved_identities
from integrations.outbox.fact_changes import announce_changes
from integrations.outbox.pull_request_queue import enqueue_pull_requests_of
from orgtree.identities.resolving import IdentityMove
from orgtree.organisation.presence import PresenceChange


def count_active_people(up_to: int) -> int:
    """How many people ever did anything; counts no further than `up_to`.

    They sent telemetry, or have a commit, a pull request, a review or a work item.  Each identity is looked up in the
    indexes, because an installation on trial asks with every page; and none of them while there are no facts at all.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*)
            FROM (
                SELECT DISTINCT identity.person_id
                FROM orgtree_identity identity
                WHERE identity.person_id IS NOT NULL
                  AND (
                      SELECT EXISTS (SELECT FROM integrations_enrolment) OR EXISTS (SELECT FROM integrations_commit)
                          OR EXISTS (SELECT FROM integrations_pullrequest) OR EXISTS (SELECT FROM integrations_workitem)
                  )
                  AND (
                      EXISTS (SELECT FROM integrations_enrolment WHERE identity_id = identity.id)
                      OR EXISTS (SELECT FROM integrations_commit WHERE credited_id = identity.id)
                      OR EXISTS (SELECT FROM integrations_pullrequest WHERE author_id = identity.id)
                      OR EXISTS (SELECT FROM integrations_pullrequest WHERE requested_by_id = identity.id)
                      OR EXISTS (SELECT FROM integrations_pullrequestreview WHERE author_id = identity.id)
                      OR EXISTS (SELECT FROM integrations_workitem WHERE assignee_id = identity.id)
                  )
                LIMIT %s
            ) AS people
            """,
            [up_to],
        )
        return int(cursor.fetchone()[0])


def note_moved_identities(moves: Sequence[IdentityMove]) -> None:
    """Append to the outbox, in the transaction of the moves, the days of what the identities did.

    They change for both people; whose sessions lie near whose commits changes too.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH move AS (
                SELECT identity_id, person_id
                FROM unnest(%(identities)s::bigint[], %(before)s::bigint[], %(after)s::bigint[])
                     AS moved (identity_id, before, after)
                CROSS JOIN LATERAL (VALUES (before), (after)) AS people (person_id)
            ), changed AS (
                SELECT %(ai)s AS family, move.person_id, daterange(days.day, days.day + 1) AS days
                FROM move
                JOIN integrations_agentsession session ON session.identity_id = move.identity_id
                CROSS JOIN LATERAL (
                    SELECT figures.day FROM integrations_agentsessionday figures WHERE figures.session_id = session.id
                    UNION
                    SELECT session.started_on WHERE session.started_on IS NOT NULL
                ) AS days
                UNION ALL
                SELECT %(code)s, move.person_id, daterange(commit.counted_on, commit.counted_on + 1)
                FROM move
                JOIN integrations_commit commit ON commit.credited_id = move.identity_id
                UNION ALL
                SELECT %(clone)s, move.person_id, daterange(chain.counted_on, chain.counted_on + 1)
                FROM move
                JOIN integrations_commit author ON author.credited_id = move.identity_id
                JOIN integrations_changedlines lines ON lines.author_id = author.id
                JOIN integrations_commit chain ON chain.id = lines.commit_id
                UNION ALL
                SELECT %(pull_request)s, move.person_id,
                       daterange(least(opened, ended)::date, greatest(opened, ended)::date + 1)
                FROM move
                JOIN (
                    SELECT author_id, created_at, merged_at, closed_at FROM integrations_pullrequest
                    UNION ALL
                    SELECT requested_by_id, created_at, merged_at, closed_at FROM integrations_pullrequest
                    WHERE requested_by_id IS NOT NULL
                ) AS pull_request (identity_id, created_at, merged_at, closed_at)
                  ON pull_request.identity_id = move.identity_id
                CROSS JOIN LATERAL (
                    SELECT created_at, coalesce(merged_at, closed_at, now())
                ) AS during (opened, ended)
                UNION ALL
                SELECT %(pull_request)s, move.person_id,
                       daterange(review.submitted_at::date, review.submitted_at::date + 1)
                FROM move
                JOIN integrations_pullrequestreview review ON review.author_id = move.identity_id
                UNION ALL
                SELECT %(deployment)s, move.person_id, daterange(deployed.deployed_on, deployed.deployed_on + 1)
                FROM move
                JOIN (
                    SELECT author_id, id FROM integrations_pullrequest
                    UNION ALL
                    SELECT requested_by_id, id FROM integrations_pullrequest WHERE requested_by_id IS NOT NULL
                ) AS pull_request (identity_id, id) ON pull_request.identity_id = move.identity_id
                JOIN integrations_deployedpullrequest deployed ON deployed.pull_request_id = pull_request.id
                UNION ALL
                SELECT %(deployment)s, move.person_id, daterange(push.deployed_on, push.deployed_on + 1)
                FROM move
                JOIN integrations_commit commit ON commit.credited_id = move.identity_id
                JOIN integrations_deployedpush push ON push.commit_id = commit.id
                UNION ALL
                SELECT %(work_item)s, move.person_id, unnest({DAYS_OF_ITEM})
                FROM move
                JOIN integrations_workitemfigures figures ON figures.credited_id = move.identity_id
                UNION ALL
                SELECT %(enrolment)s, move.person_id,
                       daterange(since.day, GREATEST(since.day, local_now.day) + 1)
                FROM move
                JOIN integrations_enrolment enrolment ON enrolment.identity_id = move.identity_id
                CROSS JOIN LATERAL (
                    SELECT (enrolment.first_at AT TIME ZONE current_setting('TimeZone'))::date AS day
                ) AS since
                CROSS JOIN LATERAL (
                    SELECT (now() AT TIME ZONE current_setting('TimeZone'))::date AS day
                ) AS local_now
            )
            INSERT INTO integrations_factchange (family, person_id, day_from, day_to)
            SELECT family, person_id, lower(days), upper(days)
            FROM (
                SELECT family, person_id, unnest(range_agg(days)) AS days FROM changed GROUP BY family, person_id
            ) AS coalesced
            """,  # noqa: S608  # a constant
            {
                "identities": [move.identity_id for move in moves],
                "before": [move.previous_person_id for move in moves],
                "after": [move.person_id for move in moves],
                "ai": FactFamily.AI.value,
                "clone": FactFamily.CLONE.value,
                "code": FactFamily.CODE.value,
                "deployment": FactFamily.DEPLOYMENT.value,
                "enrolment": FactFamily.ENROLMENT.value,
                "pull_request": FactFamily.PULL_REQUEST.value,
                "work_item": FactFamily.WORK_ITEM.value,
            },
        )
    identities = {move.identity_id for move in moves}
    people = {person for move in moves for person in (move.previous_person_id, move.person_id) if person is not None}
    _note_seats_of(people)
    enqueue_moved_identities(identities, people)
    enqueue_pull_requests_of(identities, people)
    announce_changes()


def _note_seats_of(people: Collection[int]) -> None:
    """Append to the outbox that these people may have other seats than before."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_factchange (family, person_id, day_from, day_to)
            SELECT %(seats)s, person_id, first_day,
                   GREATEST(first_day, (now() AT TIME ZONE current_setting('TimeZone'))::date) + 1
            FROM unnest(%(people)s::bigint[]) AS moved (person_id)
            CROSS JOIN (
                SELECT min(coalesce(lower(during), '2000-01-01'::date)) AS first_day FROM integrations_seatassignment
            ) AS since
            WHERE first_day IS NOT NULL
            """,
            {"seats": FactFamily.SEATS.value, "people": list(people)},
        )


def note_presence(changes: Sequence[PresenceChange]) -> None:
    """Append to the outbox that these people's presence changed, from the first telemetry on.

    Enrolled or not: adoption also counts everybody who is there.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_factchange (family, person_id, day_from, day_to)
            SELECT %(enrolment)s, changed.person_id, changed.day, GREATEST(changed.day, local_now.day) + 1
            FROM (
                SELECT change.person_id,
                       GREATEST(change.since, (first.at AT TIME ZONE current_setting('TimeZone'))::date)
                FROM unnest(%(people)s::bigint[], %(since)s::date[]) AS change (person_id, since)
                JOIN (SELECT min(first_at) AS at FROM integrations_enrolment) AS first ON first.at IS NOT NULL
            ) AS changed (person_id, day)
            CROSS JOIN LATERAL (
                SELECT (now() AT TIME ZONE current_setting('TimeZone'))::date AS day
            ) AS local_now
            """,
            {
                "enrolment": FactFamily.ENROLMENT.value,
                "people": [change.person_id for change in changes],
                "since": [change.since for change in changes],
            },
        )
    announce_changes()
