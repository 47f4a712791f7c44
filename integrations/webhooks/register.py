"""Webhooks that Headway registers itself, if a connection's admin asked for it.

The work follows from rows: a synced resource without a hook gets one, and the hook of one that is no longer synced is
removed.  Failures are shown with the resource, and retried on request.
"""

from __future__ import annotations

import logging
import time

from celery import signature
from django.db import transaction
from django.db.models import Q, QuerySet

from core.locks import Lock
from core.nudges import nudge_on_commit
from core.queue import run_all
from integrations.connectors.base import Connector, Http
from integrations.connectors.errors import ConnectorError, TransientError
from integrations.models import Connection, Resource
from integrations.sync.clients import client_of, connector_of, fetched, open_client
from integrations.sync.connect import WEBHOOK_SECRET, webhook_address

logger = logging.getLogger(__name__)

REGISTER_HOOKS = signature("integrations.webhooks.tasks.register_hooks")  # by name: that module imports this one
REGISTERS = "register_webhooks"  # the setting that enables it for a connection
SECONDS_BEFORE_REMOVAL = 20.0  # an admin waits for them
SECONDS_AT_ONCE = 60.0  # per connection; the next sweep does the rest
REGISTRATION = Lock("registration of webhooks")  # by connection


def can_register(connection: Connection) -> bool:
    """Whether its connector registers webhooks."""
    try:
        return type(connector_of(connection)).register_hook is not Connector.register_hook
    except ConnectorError:
        return False


def request_hooks(connection: Connection) -> None:
    """Register a webhook for every synced resource, including those that failed before."""
    with transaction.atomic():
        _set(connection, registers=True)
        connection.resources.exclude(hook_problem="").update(hook_problem="")
        nudge_on_commit(REGISTER_HOOKS)


def request_hook_removal(connection: Connection) -> None:
    """Remove the webhooks that Headway registered."""
    with transaction.atomic():
        _set(connection, registers=False)
        nudge_on_commit(REGISTER_HOOKS)


def renew_hooks(connection: Connection) -> None:
    """Register webhooks again after the secret has changed."""
    with transaction.atomic():
        if registers_hooks(connection):
            connection.resources.exclude(hook_id="").update(hook_id="", hook_problem="")
        nudge_on_commit(REGISTER_HOOKS)


def registers_hooks(connection: Connection) -> bool:
    return bool(connection.settings.get(REGISTERS))


def remove_hooks_of(connection: Connection) -> int:
    """Remove the webhooks that Headway registered, before the credential is deleted; return how many remain.

    Webhooks that cannot be removed, or not within a few seconds, do no harm: their deliveries get a 404.
    """
    hooked = connection.resources.exclude(hook_id="")
    if not hooked.exists():
        return 0
    until = time.monotonic() + SECONDS_BEFORE_REMOVAL
    try:
        connector = connector_of(connection)
        with client_of(connector, None) as http:
            for resource in hooked.order_by("pk"):
                if time.monotonic() > until:
                    break
                _set_hook(connector, http, resource, address="", secret="")
    except ConnectorError as problem:
        logger.info("Webhooks of %s stay: %s", connection, problem)
    return hooked.count()


def register_waiting() -> None:
    """Register and remove webhooks, with a time limit for each connection.

    Workers pick different connections.
    """
    run_all(Connection.objects.filter(removed_at=None, paused_at=None).order_by("pk"), _register_missing)


def _register_missing(connection: Connection) -> None:
    if (_missing(connection) | _superfluous(connection)).exists():
        with REGISTRATION.alone(connection.pk):
            _register(connection)


def _register(connection: Connection) -> None:
    address, secret = webhook_address(connection), connection.secrets.get(WEBHOOK_SECRET, "")
    if address is None or not secret:
        return
    until = time.monotonic() + SECONDS_AT_ONCE
    try:
        with open_client(connection) as (connector, http):
            for resource in (_superfluous(connection) | _missing(connection)).order_by("pk"):
                if time.monotonic() > until:
                    return
                _set_hook(connector, http, resource, address, secret)
    except TransientError:
        return  # no answer, or a request to wait: the next sweep tries again
    except ConnectorError as problem:
        logger.info("Webhooks of %s: %s", connection, problem)


def _set_hook(connector: Connector, http: Http, resource: Resource, address: str, secret: str) -> None:
    """Register or remove one resource's webhook.  Raises TransientError."""
    try:
        if resource.hook_id:
            connector.remove_hook(http, fetched(resource), resource.hook_id)
            outcome = {"hook_id": "", "hook_problem": ""}
        else:
            outcome = {"hook_id": connector.register_hook(http, fetched(resource), address, secret), "hook_problem": ""}
    except TransientError:
        raise
    except ConnectorError as problem:
        outcome = {"hook_problem": problem.sentences}
    Resource.objects.filter(pk=resource.pk).update(**outcome)


def _missing(connection: Connection) -> QuerySet[Resource]:
    if not registers_hooks(connection):
        return connection.resources.none()
    return connection.resources.filter(picked=True, gone_at=None, hook_id="", hook_problem="")


def _superfluous(connection: Connection) -> QuerySet[Resource]:
    hooked = connection.resources.exclude(hook_id="").filter(hook_problem="")
    return hooked.filter(Q(picked=False) | ~Q(gone_at=None)) if registers_hooks(connection) else hooked


def _set(connection: Connection, *, registers: bool) -> None:
    locked = Connection.objects.select_for_update().get(pk=connection.pk)
    locked.settings[REGISTERS] = registers
    locked.save(update_fields=["settings"])
    connection.settings = locked.settings
