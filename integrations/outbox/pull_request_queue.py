"""Queue of pull requests whose figures are to be recomputed because of a change elsewhere.

Storing a pull request recomputes its figures in the same transaction.  Attribution, moved identities and a changed time
zone hold other locks and could deadlock with that, so they insert a row here, in their own transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import LiteralString

from celery import signature

from core import sql
from core.nudges import nudge_on_commit
from integrations.bots import MERGE_BOTS

RECOMPUTE_WAITING = signature("integrations.delivery.tasks.recompute_pull_requests")  # by name: it imports its queue

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
CLOSED_BY_MERGE_BOT: LiteralString = r"""
    EXISTS (
        SELECT FROM integrations_pullrequestevent event
        JOIN orgtree_identity identity ON identity.id = event.by_id
        WHERE event.pull_request_id = pull_request.id AND event.kind = 'closed'
          AND event.at BETWEEN pull_request.closed_at - interval '1 minute'
                           AND pull_request.closed_at + interval '1 minute'
          AND regexp_replace(lower(identity.value), '\[bot\]$', '') = ANY (%(merge_bots)s)
    )
"""
"""Of pull_request: the closing that holds is a known bot's."""
_NAMING: LiteralString = f"""
    SELECT pull_request.id
    FROM integrations_pullrequestcommit listed
    JOIN integrations_pullrequest pull_request ON pull_request.id = listed.pull_request_id
    WHERE listed.sha = ANY (%(shas)s) AND pull_request.repository_id = %(repository)s
    UNION
    SELECT id FROM integrations_pullrequest
    WHERE merge_sha <> '' AND merge_sha = ANY (%(shas)s) AND repository_id = %(repository)s
    UNION
    SELECT pull_request.id FROM integrations_pullrequest pull_request
    WHERE pull_request.repository_id = %(repository)s AND pull_request.state = 'closed'
      AND pull_request.deleted_at IS NULL AND {CLOSED_BY_MERGE_BOT}
"""  # noqa: S608  # a constant
# The merger matters only in comparison with the author: pull requests by the same people.
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
    """Queue these pull requests, in the caller's transaction, and wake the worker."""
    _enqueue("SELECT unnest(%(ids)s::bigint[])", ids=sorted(ids))


def enqueue_pull_requests_with(commits: Collection[int]) -> None:
    """Queue pull requests that list these commits (ids) or were merged as one of them, in the caller's transaction."""
    if commits:
        _enqueue(_WITH_COMMITS, commits=sorted(commits))


def enqueue_pull_requests_naming(repository_id: int, shas: Collection[str]) -> None:
    """Queue the repository's pull requests that list these commits or were merged as one, in the caller's transaction.

    Those that a merge bot closed are queued, too: these commits may name their numbers.
    """
    _enqueue(_NAMING, repository=repository_id, shas=list(shas), merge_bots=sorted(MERGE_BOTS))


def enqueue_pull_requests_of(identities: Iterable[int], people: Iterable[int] = ()) -> None:
    """Queue pull requests that these identities wrote, requested or reviewed, and those that they merged and one of
    these people wrote.
    """
    _enqueue(_OF_IDENTITIES, identities=sorted(set(identities)), people=sorted(set(people)))


def enqueue_all_pull_requests() -> None:
    """Queue all pull requests, in the caller's transaction."""
    _enqueue(_ALL)


def _enqueue(which: LiteralString, **parameters: int | list[int] | list[str]) -> None:
    if sql.execute(f"INSERT INTO integrations_pullrequestwork (pull_request_id) {which}", parameters):
        nudge_on_commit(RECOMPUTE_WAITING)
