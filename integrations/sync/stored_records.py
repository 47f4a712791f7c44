"""The number of facts of each connection: exact counts, refreshed as often as their cost allows."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping

from django.core.cache import cache
from django.db.models import Count, Value
from django.db.models.functions import Coalesce

from integrations.enums import Kind
from integrations.intake.tables import TABLES
from integrations.models import CommitInRepository, Resource

# Millions of rows take a second to count, and an open page asks every few seconds: a count is reused for this many
# times as long as it took.
SHARE = 20
CHEAP_SECONDS = 0.05
CACHED_AS = "integrations.stored_records"

Records = Mapping[int, Mapping[Kind, int]]


def stored_records() -> Records:
    """Connection → kind → number of records that are not deleted; commits are those of its synced repositories."""
    known: Records | None = cache.get(CACHED_AS)
    if known is not None:
        return known
    began = time.monotonic()
    counted = _count()
    took = time.monotonic() - began
    if took > CHEAP_SECONDS:
        cache.set(CACHED_AS, counted, timeout=SHARE * took)
    return counted


def _count() -> Records:
    first, *others = (
        table.model._default_manager.filter(deleted_at=None)
        .order_by()
        .values_list("connection_id")
        .annotate(number=Count("pk"), kind=Value(kind.value))
        for kind, table in TABLES.items()
    )
    counts: dict[int, dict[Kind, int]] = defaultdict(dict)
    for connection, number, kind in first.union(*others, all=True):
        counts[connection][Kind(kind)] = number
    synced = Resource.objects.filter(picked=True, gone_at=None, repository__isnull=False).order_by()
    synced = synced.annotate(counted=Coalesce("repository__joined_into", "repository"))
    repositories = set(synced.values_list("connection_id", "counted"))
    held = CommitInRepository.objects.filter(repository__in=synced.values("counted")).order_by()
    commits = dict(held.values_list("repository").annotate(Count("pk")))
    for connection, repository in repositories:
        of_connection = counts[connection]
        of_connection[Kind.REPOSITORY] = of_connection.get(Kind.REPOSITORY, 0) + 1
        of_connection[Kind.COMMIT] = of_connection.get(Kind.COMMIT, 0) + commits.get(repository, 0)
    return dict(counts)
