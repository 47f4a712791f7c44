"""Of which commits and sessions attribution is to be derived anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import connection

from orgtree.nudges import nudge_on_commit


@dataclass(frozen=True, slots=True)
class Work:
    """Commits and sessions of which something changed; ids."""

    rows: int
    commits: frozenset[int]
    sessions: frozenset[int]


def enqueue_commits(commits: Iterable[int]) -> None:
    """Note the commits, in the transaction that changed what is known of them, and wake the worker."""
    ids = sorted(set(commits))
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO integrations_attributionwork (commit_id) SELECT unnest(%s::bigint[])", [ids])
    wake_attribution()


def enqueue_sessions(sessions: Iterable[int]) -> None:
    """Note the sessions, as above."""
    ids = sorted(set(sessions))
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO integrations_attributionwork (session_id) SELECT unnest(%s::bigint[])", [ids])
    wake_attribution()


def enqueue_moved_identities(identities: Iterable[int], people: Iterable[int]) -> None:
    """Note the commits of identities that changed their person, and the sessions of everybody concerned."""
    with connection.cursor() as cursor:
        cursor.execute(
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
    """Wake the worker once the caller's transaction is stored."""
    from integrations.attribution.tasks import attribute

    nudge_on_commit(attribute)


def claim_work(most: int) -> Work:
    """Take the oldest rows of work, in the caller's transaction: when it fails, they wait again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM integrations_attributionwork
            WHERE id = ANY (ARRAY(
                SELECT id FROM integrations_attributionwork ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            ))
            RETURNING commit_id, session_id
            """,
            [most],
        )
        rows = cursor.fetchall()
    return Work(
        len(rows),
        frozenset(commit for commit, _ in rows if commit is not None),
        frozenset(session for _, session in rows if session is not None),
    )


def standing_for(commits: Collection[int]) -> set[int]:
    """These commits, and those that count in their place: evidence counts there."""
    if not commits:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE standing (id) AS (
                SELECT unnest(%s::bigint[])
                UNION
                SELECT commit.stands_in_id FROM standing JOIN integrations_commit commit USING (id)
                WHERE commit.stands_in_id IS NOT NULL
            )
            SELECT id FROM standing
            """,
            [sorted(commits)],
        )
        return {row[0] for row in cursor.fetchall()}
