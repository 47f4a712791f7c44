"""What is not there any more: records that a whole listing left out, or that somebody took away."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import connection as database
from django.db.models import Q
from django.utils import timezone

from integrations.connectors.words import Kind, ResourceKind
from integrations.intake.days import append_days, days_of
from integrations.intake.derive import derive
from integrations.intake.store_alone import write_alone
from integrations.intake.tables import TABLES
from integrations.models import Connection, ProviderFact, Resource, Stream


def mark_gone(stream: Stream, whole: Collection[str]) -> int:
    """Mark what is stored of the stream and is not among these external ids; how many records that were.

    What was first seen since the reading began may have come after the page that would have named it.
    In the caller's transaction.
    """
    resource = stream.resource
    kind = Kind(stream.kind)
    of_stream = _of_resource(resource, kind)
    if of_stream is None:
        return 0
    write_alone(resource.connection)
    left_out = TABLES[kind].model._default_manager.filter(of_stream, connection=resource.connection, deleted_at=None)
    if stream.reading_since is not None:
        left_out = left_out.filter(first_seen_at__lt=stream.reading_since)
    if kind == Kind.DEPLOYMENT:
        left_out = left_out.filter(Q(pipeline_run=None))  # those that follow from pipeline runs go with their run
    stored = dict(left_out.values_list("external_id", "pk"))
    return _mark(resource.connection, kind, [id_ for external_id, id_ in stored.items() if external_id not in whole])
