"""A connection's connector and HTTP client, and the tokens that were exchanged for it.

Exchanged tokens are cached in memory between the slices of a process: an exchange costs a request.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from cachetools import TTLCache
from django.conf import settings

from integrations.connectors.addresses import Origin
from integrations.connectors.base import Connector, FetchedResource, Settings
from integrations.connectors.errors import PermanentError
from integrations.connectors.http import PATIENCE, ConnectionHttp, Patience
from integrations.connectors.registered import connectors
from integrations.enums import ResourceKind
from integrations.models import Connection, Resource, UnreadableSecretsError
from integrations.sync.budgets import RESERVE, BudgetBook

KEPT_SECONDS = 600.0  # such tokens last an hour; an expired one is exchanged again when it is refused
MOST_KEPT = 200
_lock = threading.Lock()
_kept: TTLCache[str, Mapping[str, str]] = TTLCache(MOST_KEPT, ttl=KEPT_SECONDS)


class ExchangedSignature:
    """The cached signature of one connector's settings; other settings have their own."""

    def __init__(self, connector: Connector) -> None:
        answers = [connector.slug, dict(connector.settings.values), dict(connector.settings.secrets)]
        self._key = hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()

    def get(self) -> Mapping[str, str] | None:
        with _lock:
            return _kept.get(self._key)

    def keep(self, signature: Mapping[str, str]) -> None:
        with _lock:
            _kept[self._key] = signature

    def forget(self) -> None:
        with _lock:
            _kept.pop(self._key, None)


def connector_of(connection: Connection) -> Connector:
    """The connection's connector.  Raises PermanentError if its provider is unknown, or its secrets cannot be read."""
    known = connectors().get(connection.provider)
    if known is None:
        raise PermanentError(
            f"Headway has no connector for {connection.provider!r}.",
            what_to_do="Remove the connection, or update Headway.",
        )
    try:
        secrets = {field.name: connection.secrets.get(field.name, "") for field in known.fields if field.secret}
    except UnreadableSecretsError as problem:
        raise PermanentError(str(problem)) from None
    plain = {
        field.name: str(connection.settings.get(field.name, field.default))
        for field in known.fields
        if not field.secret
    }
    return known(Settings(values=plain, secrets=secrets))


def client_of(
    connector: Connector, budgets: BudgetBook | None, *, signed: bool = True, patience: Patience | None = None
) -> ConnectionHttp:
    return ConnectionHttp(
        connector,
        budgets=budgets,
        exchanged=ExchangedSignature(connector),
        patience=patience or PATIENCE,
        allow_private=settings.PROVIDERS_MAY_BE_PRIVATE,
        signed=signed,
    )


@contextmanager
def open_client(connection: Connection, *, reserve: float = RESERVE) -> Iterator[tuple[Connector, ConnectionHttp]]:
    """A connection's connector and client for one piece of work; the remaining budgets are saved at the end.

    Raises PermanentError like `connector_of`.
    """
    connector, budgets = connector_of(connection), BudgetBook(connection, reserve=reserve)
    try:
        with client_of(connector, budgets) as http:
            yield connector, http
    finally:
        budgets.save()


def host_of(connector: Connector) -> str:
    """The key of the concurrency limit.  Raises PermanentError if the base URL is invalid."""
    return str(Origin.of(connector.base_url))


def fetched(resource: Resource) -> FetchedResource:
    return FetchedResource(
        kind=ResourceKind(resource.kind),
        external_id=resource.external_id,
        name=resource.name,
        details=resource.details,
    )
