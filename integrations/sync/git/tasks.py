"""Background reading of repositories: triggered when one is connected, and swept regularly."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from core.queue import Backoff, run_all
from integrations.code.commits.agents_among_people import mark_known_agents
from integrations.code.commits.bulk_thresholds import apply_bulk_thresholds
from integrations.code.git.line_history import sync_line_histories
from integrations.models import RepositorySource
from integrations.sync.git.mirrors import sync_mirrors
from integrations.sync.git.read_source import sync_source

REGULARLY = timedelta(minutes=5)
INTERVAL = Backoff(REGULARLY, longest=REGULARLY * 64)  # a path that no longer exists is retried every few hours


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def sync_sources() -> None:
    """Read the sources that were requested or are due."""
    _mark_agents_that_are_known_now()
    sync_mirrors()
    run_all(due_sources(timezone.now()), sync_source)


@cache
def _mark_agents_that_are_known_now() -> None:
    """Update the signatures of known agents once per process: an upgrade with a longer list starts new processes."""
    mark_known_agents()


sync_requested_line_histories = shared_task(
    sync_line_histories, name="integrations.sync.git.tasks.sync_requested_line_histories"
)
apply_thresholds = shared_task(apply_bulk_thresholds, name="integrations.sync.git.tasks.apply_thresholds")


def due_sources(now: datetime) -> list[RepositorySource]:
    """Requested sources, or else those that are due; the interval doubles with every consecutive failure."""
    sources = RepositorySource.objects.filter(
        Q(requested_at__isnull=False) | Q(tried_at=None) | Q(tried_at__lte=now - REGULARLY), connection__paused_at=None
    )
    return [source for source in sources.order_by("tried_at", "pk") if _is_due(source, now)]


def _is_due(source: RepositorySource, now: datetime) -> bool:
    if source.requested_at is not None or source.tried_at is None:
        return True
    return bool(source.tried_at + INTERVAL.wait(source.failures) <= now)
