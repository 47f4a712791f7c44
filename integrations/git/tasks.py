"""Background reading of repositories: nudged when one is connected, and swept regularly."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from integrations.git.sync import AlreadyReadingError, sync_source
from integrations.models import RepositorySource

REGULARLY = timedelta(minutes=5)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def sync_sources() -> None:
    """Read the sources that were asked for, and those that were not looked at for a while."""
    due = Q(asked_at__isnull=False) | Q(synced_at=None) | Q(synced_at__lt=timezone.now() - REGULARLY)
    for source in RepositorySource.objects.filter(due, connection__paused_at=None).order_by("synced_at", "pk"):
        try:
            sync_source(source)
        except AlreadyReadingError:
            continue
