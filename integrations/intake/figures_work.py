"""Pull requests of which something changed elsewhere that their figures follow from: noted, and settled in turn.

Whoever stores a pull request settles it in the same transaction.  Whoever derives attribution, moves an identity or
cuts days anew holds other locks then, and would wait for those who store while they wait for it: so that it leaves a
row here, in its own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import LiteralString

from django.db import connection as database
from django.db import transaction

from integrations.connectors.words import Kind
from integrations.intake.days import append_days, days_of
from integrations.intake.derive_stages import settle_figures
from integrations.intake.store_alone import write_alone
from integrations.models import Connection, PullRequestWork
from orgtree.nudges import nudge_on_commit

PULL_REQUESTS_PER_TRANSACTION = 2000
_ADVISORY_LOCK = 0x5075_6C6C  # "Pull": one at a time settles what waits

_WITH_COMMITS: LiteralString = """
    WITH told AS (
        SELECT sha FROM integrations_commit WHERE id = ANY (%(commits)s)
        UNION
        SELECT sha FROM integrations_commit WHERE stands_in_id = ANY (%(commits)s)
    )
    SELECT listed.pull_request_id FROM told JOIN integrations_pullrequestcommit listed USING (sha)
    UNION
    SELECT merged.id FROM told JOIN integrations_pullrequest merged ON merged.merge_sha = told.sha
    WHERE merged.merge_sha <> ''
"""
_NAMING: LiteralString = """
    SELECT pull_request.id
    FROM integrations_pullrequestcommit listed
    JOIN integrations_pullrequest pull_request ON pull_request.id = listed.pull_request_id
    WHERE listed.sha = ANY (%(shas)s) AND pull_request.repository_id = %(repository)s
    UNION
    SELECT id FROM integrations_pullrequest
    WHERE merge_sha <> '' AND merge_sha = ANY (%(shas)s) AND repository_id = %(repository)s
"""
# Who merged counts only beside who wrote: those are the ones by the same people.
_OF_IDENTITIES: LiteralString = """
    SELECT id FROM integrations_pullrequest WHERE author_id = ANY (%(identities)s)
    UNION
    SELECT id FROM integrations_pullrequest WHERE requested_by_id = ANY (%(identities)s)
    UNION
    SELECT pull_request_id FROM integrations_pullrequestreview WHERE author_id = ANY (%(identities)s)
    UNION
    SELECT pull_request.id
    FROM orgtree_identity author
    JOIN integrations_pullrequest pull_request ON pull_request.author_id = author.id
    WHERE author.person_id = ANY (%(people)s) AND pull_request.merged_by_id = ANY (%(identities)s)
"""
_ALL: LiteralString = """
    SELECT id FROM integrations_pullrequest ORDER BY coalesce(merged_at, created_at) DESC NULLS LAST, id
"""


def enqueue_pull_requests(ids: Iterable[int]) -> None:
    """Note these, in the caller's transaction, and wake the worker."""
    _enqueue("SELECT unnest(%(ids)s::bigint[])", ids=sorted(ids))


def enqueue_pull_requests_with(commits: Collection[int]) -> None:
    """Note those that list these commits (ids) or were merged as one of them, as above."""
    if commits:
        _enqueue(_WITH_COMMITS, commits=sorted(commits))


def enqueue_pull_requests_naming(repository_id: int, shas: Collection[str]) -> None:
    """Note those of the repository that list these commits or were merged as one of them, as above."""
    _enqueue(_NAMING, repository=repository_id, shas=list(shas))


def enqueue_pull_requests_of(identities: Iterable[int], people: Iterable[int] = ()) -> None:
    """Note those that these identities wrote, asked for or reviewed, or merged where one of these people wrote them."""
    _enqueue(_OF_IDENTITIES, identities=sorted(set(identities)), people=sorted(set(people)))


def enqueue_all_pull_requests() -> None:
    """Note all there are, as above: whatever they follow from is another one now."""
    _enqueue(_ALL)


def settle_what_waits() -> int:
    """Settle all that waits, taking turns with whoever is at it; how many rows of work there were."""
    done = 0
    while settled := _settle_some(_wait_for_turn):
        done += settled
    return done


def settle_unless_at_it() -> None:
    """Settle all that waits, unless somebody is at it, who then goes on until nothing is left."""
    while _settle_some(_take_turn):
        pass


def _enqueue(which: LiteralString, **parameters: int | list[int] | list[str]) -> None:
    from integrations.intake.tasks import settle_pull_requests_waiting

    with database.cursor() as cursor:
        cursor.execute(f"INSERT INTO integrations_pullrequestwork (pull_request_id) {which}", parameters)
        if cursor.rowcount:
            nudge_on_commit(settle_pull_requests_waiting)


@transaction.atomic
def _settle_some(become_the_only_one: Callable[[], bool]) -> int:
    """Settle some of one connection, as whoever stores what it tells; how many rows of work those were."""
    if not become_the_only_one():
        return 0
    oldest = PullRequestWork.objects.order_by("pk").values_list("pull_request__connection", flat=True).first()
    if oldest is None:
        return 0
    write_alone(Connection.objects.get(pk=oldest), {Kind.PULL_REQUEST})
    claimed = _claim(oldest)
    before = days_of(Kind.PULL_REQUEST, set(claimed))
    changed = settle_figures(set(claimed))
    append_days(Kind.PULL_REQUEST, changed, before)
    return len(claimed)


def _take_turn() -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        return bool(cursor.fetchone()[0])


def _wait_for_turn() -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
    return True


def _claim(connection_id: int) -> list[int]:
    """Take the oldest rows of the connection's work: when the transaction fails, they wait again."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM integrations_pullrequestwork
            WHERE id = ANY (ARRAY(
                SELECT work.id
                FROM integrations_pullrequestwork work
                JOIN integrations_pullrequest pull_request ON pull_request.id = work.pull_request_id
                WHERE pull_request.connection_id = %s
                ORDER BY work.id
                LIMIT %s
            ))
            RETURNING pull_request_id
            """,
            [connection_id, PULL_REQUESTS_PER_TRANSACTION],
        )
        return [row[0] for row in cursor.fetchall()]
