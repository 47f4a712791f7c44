"""An admin's actions on a connection: each returns a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages

from integrations.connectors.git.commands import GitError
from integrations.connectors.git.repository import GitRepository
from integrations.connectors.registered import connectors
from integrations.models import Connection
from integrations.models.connections import GIT, PUSH
from integrations.sync.check import check_connection
from integrations.sync.enqueue import cancel_sync, enqueue_sync, pause, resume
from integrations.sync.git.connect import enqueue_sources

ActionReply = tuple[str, int]  # the sentence, and its message level
Act = Callable[[Connection], ActionReply]


def test(connection: Connection) -> ActionReply:
    if connection.provider == GIT:
        return _test_path(connection)
    if connection.provider not in connectors():
        return _nothing_to_ask(connection)
    missing = [permission for permission in check_connection(connection) if not permission.works]
    if not missing:
        return f"{connection}: everything works.", messages.SUCCESS
    message = " ".join(f"{permission.what.rstrip('.')}. {permission.remedy}" for permission in missing)
    return f"{connection}: {message}", messages.ERROR


def sync(connection: Connection) -> ActionReply:
    """Read all changes; failed and waiting streams are retried at once."""
    if connection.provider == GIT:
        enqueue_sources(connection.sources.all())
    elif connection.provider in connectors():
        enqueue_sync(connection)
    else:
        return _nothing_to_ask(connection)
    return _requested(connection, "is being synced")


def look_again(connection: Connection) -> ActionReply:
    """Read everything again, which also finds deleted records, and changes that incremental syncs missed."""
    if connection.provider not in connectors():
        return f"{connection}: every sync reads everything.", messages.INFO
    enqueue_sync(connection, full=True)
    return _requested(connection, "is being read from the beginning")


def hold(connection: Connection) -> ActionReply:
    pause(connection)
    return f"{connection} is paused. Its records are kept.", messages.SUCCESS


def go_on(connection: Connection) -> ActionReply:
    resume(connection)
    return f"{connection} is resumed.", messages.SUCCESS


def cancel(connection: Connection) -> ActionReply:
    cancel_sync(connection)
    return f"The sync of {connection} is cancelled. Stored records are kept.", messages.SUCCESS


ACTS: Mapping[str, Act] = {
    "test": test,
    "sync": sync,
    "look_again": look_again,
    "pause": hold,
    "resume": go_on,
    "cancel": cancel,
}


def _requested(connection: Connection, what: str) -> ActionReply:
    if connection.paused_at:
        return f"{connection} is paused: it syncs once you resume it.", messages.WARNING
    return f"{connection} {what}.", messages.SUCCESS


def _nothing_to_ask(connection: Connection) -> ActionReply:
    why = "records are pushed to it" if connection.provider == PUSH else "Headway has no connector for it"
    return f"{connection}: there is nothing to test, {why}.", messages.INFO


def _test_path(connection: Connection) -> ActionReply:
    results = []
    for source in connection.sources.all():
        try:
            results.append(len(GitRepository.open(source.external_id).branches))
        except GitError as problem:
            return f"{connection}: {problem}", messages.ERROR
    return f"{connection}: can be read, with {sum(results)} branches.", messages.SUCCESS
