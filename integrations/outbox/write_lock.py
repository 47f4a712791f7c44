"""Locks for storing provider records: a merge depends on stored rows, so writers must not run concurrently.

A new pull request looks up its deployment, and a new deployment its pull requests; concurrent transactions do not see
each other's uncommitted rows.  So deployments, incidents and commits are stored under an exclusive linking lock, pull
requests under a shared one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from core.locks import Lock
from integrations.enums import Kind
from integrations.models import Connection

LINKING = Lock("linking")
_DECIDING = frozenset({Kind.DEPLOYMENT, Kind.PIPELINE_RUN, Kind.INCIDENT, Kind.COMMIT})


def lock_for_linking(kinds: Collection[Kind]) -> None:
    """Hold the linking lock that these kinds need until the caller's transaction ends.

    Call it before locking or writing anything else.
    """
    if _DECIDING.intersection(kinds):
        LINKING.hold()
    elif Kind.PULL_REQUEST in kinds or Kind.WORK_ITEM in kinds:
        LINKING.hold_shared()


WRITING = Lock("records of a connection")
WORK_ITEM_LINKS = Lock("links of work items")


def lock_for_write(connection: Connection, kinds: Collection[Kind]) -> None:
    """Lock the connection for writing until the caller's transaction ends; a page's transaction is short.

    Pull requests look up their work items, and work items the pull requests that name them, across connections, and do
    not see uncommitted rows.  So work items are stored under an exclusive lock, pull requests under a shared one.

    Call it before locking or writing anything else.
    """
    WRITING.hold(connection.pk)
    _lock_for_kinds(kinds)


def lock_for_write_of_all(connections: Iterable[Connection]) -> None:
    """Lock several connections for writing, for all kinds of records."""
    for pk in sorted(connection.pk for connection in connections):
        WRITING.hold(pk)
    _lock_for_kinds(frozenset(Kind))


def _lock_for_kinds(kinds: Collection[Kind]) -> None:
    if Kind.WORK_ITEM in kinds:
        WORK_ITEM_LINKS.hold()
    elif Kind.PULL_REQUEST in kinds:
        WORK_ITEM_LINKS.hold_shared()
    lock_for_linking(kinds)
