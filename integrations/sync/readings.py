"""The life cycle of a reading in rows: its start, its slices, and its end or failure."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core.queue import Backoff
from integrations.connectors.errors import ConnectorError, CredentialRefusedError, PermanentError, TransientError
from integrations.intake.deleted_records import mark_gone
from integrations.models import Connection, SeenRecord, Stream, SyncRun
from integrations.sync.leases import Lease

LOOK_AGAIN = timedelta(days=7)  # interval of full readings, which find changes that incremental ones missed
SHORTEST_WAIT = timedelta(seconds=5)  # a provider that asks for less, and refuses again, counts as failing
RETRIES = Backoff(timedelta(minutes=1), longest=timedelta(hours=6))
KEPT_RUNS = 100  # per stream
WORKER_ENDED = "The worker ended during the sync. Stored records stay; the next sync continues from there."


def open_run(lease: Lease) -> tuple[Stream, SyncRun]:
    """The stream with its current or new reading, and its run.  Raises LostLeaseError."""
    with transaction.atomic():
        stream = lease.hold()
        now = timezone.now()
        _begin(stream, now)
        SyncRun.objects.filter(stream=stream, state=SyncRun.State.RUNNING).update(
            state=SyncRun.State.INTERRUPTED, finished_at=now, problem=WORKER_ENDED
        )
        run = SyncRun.objects.filter(stream=stream, state=SyncRun.State.WAITING).order_by("-pk").first()
        if run is None:
            run = SyncRun.objects.create(stream=stream, full=stream.reading_full)
        else:
            SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.RUNNING, problem="", heartbeat_at=now)
    return Stream.objects.select_related("resource__connection").get(pk=stream.pk), run


def _begin(stream: Stream, now: datetime) -> None:
    """Begin a reading if none is in progress, or if a full one was requested during an incremental one."""
    wants_all = stream.full_requested and not stream.reading_full
    if stream.reading_since is not None and not wants_all:
        return
    never_or_long_ago = stream.full_at is None or stream.full_at <= now - LOOK_AGAIN
    full = stream.full_requested or not stream.cursor or never_or_long_ago
    if stream.reading_since is not None:  # the run covers only the changes; the pages read so far are stored
        close_runs([stream.pk], "Ended, because everything will be read again.")
    Stream.objects.filter(pk=stream.pk).update(
        reading_since=now,
        reading_full=full,
        reading_complete=False,
        full_requested=False,
        cursor={} if full else stream.cursor,
        read=0,
        to_read=None,
    )
    SeenRecord.objects.filter(stream=stream).delete()
    stream.reading_full = full


def detects_deletions(stream: Stream) -> bool:
    """Whether the current reading detects deleted records.  The first one cannot, because nothing was stored before."""
    return stream.reading_full and stream.full_at is not None


def end_slice(lease: Lease, run: SyncRun) -> None:
    """End the slice and return the unfinished reading to the queue.  Raises LostLeaseError."""
    with transaction.atomic():
        lease.hold()
        SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.WAITING, heartbeat_at=timezone.now())


def end_reading(lease: Lease, run: SyncRun, *, complete: bool) -> None:
    """End a finished reading; `complete` if its pages contained every existing record.

    Then the changes are read once more, because a record that changed meanwhile may have moved to a page that had been
    read; records that were in none of the pages are deleted.  Raises LostLeaseError.
    """
    with transaction.atomic():
        stream = lease.hold()
        now = timezone.now()
        if complete and detects_deletions(stream) and not stream.reading_complete:
            Stream.objects.filter(pk=stream.pk).update(reading_complete=True)
            SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.WAITING, heartbeat_at=now)
            return
        if stream.reading_complete:
            _mark_missing_deleted(stream, run)
        since = stream.reading_since or now
        connection = Connection.objects.get(resources__streams=stream)
        requested_since = stream.requested_at is not None and stream.requested_at > since
        Stream.objects.filter(pk=stream.pk).update(
            reading_since=None,
            reading_full=False,
            reading_complete=False,
            succeeded_at=since,
            full_at=since if stream.reading_full else stream.full_at,
            requested_at=stream.requested_at if requested_since else None,
            due_at=now if requested_since or stream.full_requested else since + connection.interval,
            failures=0,
            problem="",
            remedy="",
            cause="",
        )
        SyncRun.objects.filter(pk=run.pk).update(state=SyncRun.State.DONE, finished_at=now, heartbeat_at=now)
        _forget_idle_runs(stream, run)


def _mark_missing_deleted(stream: Stream, run: SyncRun) -> None:
    """Mark records that were in no page as deleted, unless one of them may be in quarantine."""
    received = SeenRecord.objects.filter(stream=stream)
    if not SyncRun.objects.filter(stream=stream, started_at__gte=stream.reading_since, quarantined__gt=0).exists():
        ids = frozenset(received.values_list("external_id", flat=True).iterator())
        SyncRun.objects.filter(pk=run.pk).update(removed=F("removed") + mark_gone(stream, ids))
    received.delete()


def fail_slice(lease: Lease, run: SyncRun, problem: ConnectorError) -> None:
    """Record the problem as a sentence, and when to retry.  Raises LostLeaseError."""
    with transaction.atomic():
        stream = lease.hold()
        now = timezone.now()
        wait_until = problem.retry_at if isinstance(problem, TransientError) else None
        if wait_until is not None and wait_until > now + SHORTEST_WAIT:
            _wait(stream, run, problem, wait_until)
            return
        retry_at = now + waiting_time(stream.failures, problem)
        Stream.objects.filter(pk=stream.pk).update(
            due_at=retry_at,
            failures=F("failures") + 1,
            problem=problem.problem,
            remedy=problem.what_to_do,
            cause=problem.cause or "",
        )
        SyncRun.objects.filter(pk=run.pk).update(
            state=SyncRun.State.FAILED, finished_at=now, heartbeat_at=now, problem=problem.sentences
        )
        if isinstance(problem, CredentialRefusedError):
            _suspend_connection(stream, problem, retry_at)


def _wait(stream: Stream, run: SyncRun, problem: ConnectorError, until: datetime) -> None:
    """Wait for a rate limit, which is not a failure: the run continues afterwards."""
    Stream.objects.filter(pk=stream.pk).update(due_at=until, problem=problem.problem, remedy=problem.what_to_do)
    SyncRun.objects.filter(pk=run.pk).update(
        state=SyncRun.State.WAITING, heartbeat_at=timezone.now(), problem=problem.sentences
    )


def _suspend_connection(stream: Stream, problem: ConnectorError, retry_at: datetime) -> None:
    """Suspend all streams of a refused token, because sending it repeatedly could lock the account.

    Listing the resources is retried then as well, and clears the connection's problem.
    """
    of_connection = Connection.objects.filter(resources__streams=stream)
    ids = list(of_connection.values_list("pk", flat=True))
    Connection.objects.filter(pk__in=ids).update(
        failures=F("failures") + 1,
        problem=problem.problem,
        remedy=problem.what_to_do,
        cause=problem.cause or "",
        discover_at=retry_at,
    )
    others = Stream.objects.filter(resource__connection__in=ids, due_at__lt=retry_at).exclude(pk=stream.pk)
    others.filter(leased_by="").update(
        due_at=retry_at, problem=problem.problem, remedy=problem.what_to_do, cause=problem.cause or ""
    )


def waiting_time(failures: int, problem: ConnectorError) -> timedelta:
    """The delay before the next try, after this number of consecutive failures.

    It starts at a minute and doubles; permanent errors and refused tokens start with a longer delay.
    """
    wait = RETRIES.wait(failures + (4 if isinstance(problem, (PermanentError, CredentialRefusedError)) else 0))
    return wait * random.uniform(1.0, 1.2)  # noqa: S311 - spreads what failed together


def close_runs(streams: list[int], problem: str) -> None:
    """End the open runs of these streams, with the reason."""
    SyncRun.objects.filter(stream__in=streams, finished_at=None).update(
        state=SyncRun.State.INTERRUPTED, finished_at=timezone.now(), problem=problem
    )


def _forget_idle_runs(stream: Stream, run: SyncRun) -> None:
    """Delete runs without news: there is one every few minutes, and they would hide the others."""
    earlier = SyncRun.objects.filter(stream=stream, pk__lt=run.pk)
    earlier.filter(state=SyncRun.State.DONE, full=False, added=0, changed=0, removed=0, quarantined=0).delete()
    oldest_kept = earlier.order_by("-pk").values_list("pk", flat=True)[KEPT_RUNS:][:1]
    for pk in oldest_kept:
        earlier.filter(pk__lte=pk).delete()
