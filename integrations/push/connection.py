"""The connection that pushed records belong to: there is one, made when the first record comes."""

from __future__ import annotations

from django.db import transaction

from integrations.connectors.words import Kind
from integrations.intake.gone import mark_deleted
from integrations.models import Connection

PROVIDER, NAME = "push", "Push API"
KIND_OF = {
    "deployments": Kind.DEPLOYMENT,
    "incidents": Kind.INCIDENT,
    "pipeline-runs": Kind.PIPELINE_RUN,
    "pull-requests": Kind.PULL_REQUEST,
    "commits": Kind.COMMIT,
    "work-items": Kind.WORK_ITEM,
}


def push_connection() -> Connection:
    """Made on first use; an admin may have renamed it."""
    found = Connection.objects.filter(provider=PROVIDER).order_by("pk").first()
    return found or Connection.objects.get_or_create(name=NAME, defaults={"provider": PROVIDER})[0]


def forget_record(kind: str, record_id: str) -> bool:
    """Mark the pushed record as deleted; whether there was one."""
    with transaction.atomic():
        return mark_deleted(push_connection(), KIND_OF[kind], [record_id]) > 0
