"""Syncs connections in the foreground, for a command that waits: in slices like the worker's, and concurrently
with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Max, Sum
from django.utils import timezone

from core.locks import BusyError
from integrations.code.attribution.tasks import attribute_pending
from integrations.connectors.errors import ConnectorError
from integrations.connectors.registered import connectors
from integrations.enums import Kind
from integrations.models import Connection, RepositorySource, Stream, SyncRun
from integrations.sync.enqueue import enqueue_sync, mark_requested
from integrations.sync.git.connect import enqueue_sources
from integrations.sync.git.mirrors import is_mirror, sync_mirrors
from integrations.sync.git.read_source import sync_source
from integrations.sync.resources import discover_resources
from integrations.sync.slices import run_next_slice
from orgtree.identities.match_identities import match_identities

SECONDS_BETWEEN_TRIES = 0.5
Read = TypeVar("Read")
REQUESTED, PAUSED = "asked", "paused"
COUNTED = ("requests", "read", "added", "changed", "unchanged", "removed", "quarantined", "unplaced", "left_out")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one stream or of one repository on disk.  `state` is one of SyncRun's, or asked or paused."""

    connection: str
    resource: str | None
    kind: str | None
    state: str
    requests: int = 0
    records: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    quarantined: int = 0
    unplaced: int = 0
    left_out: int = 0
    problem: str | None = None


def enqueue_all(connections: Sequence[Connection], *, full: bool) -> list[Result]:
    """Ask the worker to sync; return the streams that it will read."""
    sources = _sources(connections)
    enqueue_sources(sources)
    results = [Result(source.connection.name, source.external_id, Kind.COMMIT, REQUESTED) for source in sources]
    for connection in _provider_connections(connections):
        enqueue_sync(connection, full=full)
        results += [
            Result(connection.name, stream.resource.name, stream.kind, PAUSED if connection.paused_at else REQUESTED)
            for stream in _streams(connection)
        ]
    return results


def run_all(
    connections: Sequence[Connection], *, full: bool, say: Callable[[str], None] = lambda words: None
) -> list[Result]:
    """Sync everything, waiting for other processes and for rate limits.

    `say` receives the reason for each wait.
    """
    results = [_read_source(source, full=full) for source in _sources(connections) if not is_mirror(source)]
    for connection in _provider_connections(connections):
        results += _read_connection(connection, full=full, say=say)
    sync_mirrors()  # mirrors of the repositories that were just listed
    unpaused = [connection for connection in connections if connection.paused_at is None]
    results += [_read_source(source, full=full) for source in _sources(unpaused) if is_mirror(source)]
    match_identities()  # attribution of sessions to commits depends on it
    attribute_pending()
    return results


def _sources(connections: Sequence[Connection]) -> list[RepositorySource]:
    sources = RepositorySource.objects.filter(connection__in=connections).select_related("connection")
    return list(sources.order_by("connection_id", "pk"))


def _provider_connections(connections: Sequence[Connection]) -> list[Connection]:
    return [connection for connection in connections if connection.provider in connectors()]


def _streams(connection: Connection) -> list[Stream]:
    streams = Stream.objects.filter(resource__connection=connection, resource__picked=True, resource__gone_at=None)
    return list(streams.select_related("resource").order_by("resource__name", "pk"))


# A repository on disk ------------------------------------------------------------------------------------------------


def _read_source(source: RepositorySource, *, full: bool) -> Result:
    """Wait for another process's reading, then read the remaining changes."""
    run = _once_free(lambda: sync_source(source, full=full))
    return Result(
        source.connection.name,
        source.external_id,
        Kind.COMMIT,
        run.state,
        records=run.read,
        **{name: getattr(run, name) for name in ("added", "changed", "unchanged", "removed", "quarantined")},
        problem=run.problem or None,
    )


def _once_free(read: Callable[[], Read]) -> Read:
    """Call `read` once no other process is reading, and return its result."""
    while True:
        try:
            return read()
        except BusyError:
            time.sleep(SECONDS_BETWEEN_TRIES)


# A provider ----------------------------------------------------------------------------------------------------------


def _read_connection(connection: Connection, *, full: bool, say: Callable[[str], None]) -> list[Result]:
    if connection.paused_at is not None:
        return [Result(connection.name, None, None, PAUSED, problem="The connection is paused. Resume it first.")]
    before = SyncRun.objects.aggregate(last=Max("pk"))["last"] or 0
    try:
        _once_free(lambda: discover_resources(connection))
    except ConnectorError as problem:
        return [Result(connection.name, None, None, SyncRun.State.FAILED, problem=problem.sentences)]
    mark_requested(connection, full=full)
    streams = _streams(connection)
    last_words = ""
    while _is_open(streams, before):
        if run_next_slice(connections=[connection.pk], requested=True) is None:
            if (words := _waited_for(streams)) not in ("", last_words):
                last_words = words
                say(f"{connection.name}: {words}")
            time.sleep(SECONDS_BETWEEN_TRIES)
    return [_result(connection, stream, before) for stream in streams]


def _is_open(streams: Sequence[Stream], before: int) -> bool:
    """Whether one of the streams is still requested: neither read to the end, nor failed, nor unpicked."""
    open_ = Stream.objects.filter(pk__in=[stream.pk for stream in streams], requested_at__isnull=False)
    open_ = open_.filter(resource__picked=True, resource__gone_at=None, resource__connection__paused_at=None)
    failed = SyncRun.objects.filter(pk__gt=before, state=SyncRun.State.FAILED).values("stream")
    return open_.exclude(pk__in=failed).exists()


def _waited_for(streams: Sequence[Stream]) -> str:
    """The reason for a wait that a provider asked for, and when it ends; empty if there is none."""
    waiting = Stream.objects.filter(pk__in=[stream.pk for stream in streams], due_at__gt=timezone.now(), failures=0)
    first = waiting.exclude(problem="").exclude(requested_at=None).order_by("due_at").first()
    if first is None or first.due_at is None:
        return ""
    return f"{first.problem} Continuing at {timezone.localtime(first.due_at):%H:%M:%S}."


def _result(connection: Connection, stream: Stream, before: int) -> Result:
    """The sum of all runs of the stream since `before`; the last one has its final state."""
    runs = SyncRun.objects.filter(stream=stream, pk__gt=before)
    last = runs.order_by("-pk").first()
    counts = runs.aggregate(**{name: Sum(name, default=0) for name in COUNTED})
    records = counts.pop("read")
    return Result(
        connection.name,
        stream.resource.name,
        stream.kind,
        last.state if last else PAUSED,
        records=records,
        **counts,
        problem=(last.problem or None) if last else None,
    )
