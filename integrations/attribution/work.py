"""Which commits' attribution is to be derived anew."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from orgtree.nudges import nudge_on_commit


def enqueue_commits(commits: Iterable[int]) -> None:
    """Note the commits, in the transaction that changed what is known of them, and wake the worker.

    A commit that stands back for another is derived as that one: its evidence counts there.
    """
    from integrations.attribution.tasks import attribute

    ids = sorted(set(commits))
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_attributionwork (commit_id)
            SELECT DISTINCT each FROM integrations_commit commit
            CROSS JOIN LATERAL unnest(ARRAY[commit.id, commit.stands_in_id]) AS each
            WHERE commit.id = ANY (%s) AND each IS NOT NULL
            ORDER BY each
            ON CONFLICT (commit_id) DO NOTHING
            """,
            [ids],
        )
    nudge_on_commit(attribute)
