"""The pages of one connection in admin, and their tabs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from integrations.connectors.registered import connectors
from integrations.models import Connection, QuarantinedPayload, UnplacedRecord
from integrations.models.connections import GIT, PUSH
from integrations.sync.connect import has_mapped_fields, webhook_address

BUILT_IN = {GIT: "Local git", PUSH: "Push API"}  # the providers that have no connector


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    is_current: bool
    number: int = 0


def name_of_provider(slug: str) -> str:
    """The provider's name; its slug, if Headway has no connector for it."""
    known = connectors().get(slug)
    return known.name if known else BUILT_IN.get(slug, slug)


def section_context(request: HttpRequest, connection: Connection, *, title: str, current: str) -> dict[str, Any]:
    """The template context of every page of a connection."""
    return {
        **admin.site.each_context(request),
        "title": title,
        "opts": Connection._meta,  # as Django's own admin views do
        "object": connection,
        "provider_name": name_of_provider(connection.provider),
        "tabs": tabs_of(connection, current),
    }


def tabs_of(connection: Connection, current: str) -> list[Tab]:
    quarantined = QuarantinedPayload.objects.filter(connection=connection, replayed_at=None).count()
    unplaced = UnplacedRecord.objects.filter(connection=connection).count()
    numbers = {"quarantine": quarantined, "unplaced": unplaced}
    return [
        Tab(label, reverse(f"admin:integrations_connection_{name}", args=[connection.pk]), name == current, number)
        for name, label in _sections(connection)
        for number in (numbers.get(name, 0),)
    ]


def _sections(connection: Connection) -> Iterator[tuple[str, str]]:
    has_connector = connection.provider in connectors()
    yield "change", "Settings"
    if has_connector:
        yield "resources", "Resources"
    if has_mapped_fields(connection):
        yield "fields", "Fields"
    if connection.provider != GIT:
        yield "meanings", "Value mappings"
    if has_connector and webhook_address(connection) is not None:
        yield "webhook", "Webhook"
    if connection.provider != PUSH:
        yield "history", "History"
    if connection.provider != GIT:
        yield "quarantine", "Quarantine"
        yield "unplaced", "Not placed"
    yield "delete", "Remove"
