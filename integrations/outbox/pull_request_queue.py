"""Pull requests of which something changed elsewhere that their figures follow from: rows of work for delivery.

Whoever stores a pull request settles it in the same transaction.  Whoever derives attribution, moves an identity or
cuts days anew holds other locks then, and would wait for those who store while they wait for it: so that it leaves a
row here, in its own transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import LiteralString

from celery import signature
from django.db import connection as database

from core.nudges import nudge_on_commit

RECOMPUTE_WAITING = signature(
    "integrations.delivery.tasks.settle_pull_requests_waiting"
)  # by its name: it stands above its queue

_WITH_COMMITS: LiteralString = """
    WITH named AS (
        SELECT sha FROM integrations_commit WHERE id = ANY (%(commits)s)
        UNION
        SELECT sha FROM integrations_commit WHERE stands_in_id = ANY (%(commits)s)
    )
    SELECT listed.pull_request_id FROM named JOIN integrations_pullrequestcommit listed USING (sha)
    UNION
    SELECT merged.id FROM named JOIN integrations_pullrequest merged ON merged.merge_sha = named.sha
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


def _enqueue(which: LiteralString, **parameters: int | list[int] | list[str]) -> None:
    with database.cursor() as cursor:
        cursor.execute(f"INSERT INTO integrations_pullrequestwork (pull_request_id) {which}", parameters)
        if cursor.rowcount:
            nudge_on_commit(RECOMPUTE_WAITING)
