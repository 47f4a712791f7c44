"""Connects a provider: the answers in its form become a connection, validated without a request.

An admin chooses the custom fields to read from those that the provider lists; the choice is stored with the connection.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.conf import settings as django_settings
from django.db import transaction
from django.urls import reverse

from integrations.connectors.base import Connector, Field, MappedField, Settings
from integrations.connectors.registered import connectors
from integrations.models import Connection, UnreadableSecretsError
from integrations.sync.clients import open_client
from integrations.sync.enqueue import enqueue_sync
from integrations.sync.resources import Rules

WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - the name under which the connection keeps it
BASE_URL = "base_url"
EVERYTHING = Rules(match=("*",))


class InvalidConnectionError(ValueError):
    """Invalid answers: messages by the name of the answer."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def connect(provider: str, name: str, answers: Settings, *, resources: Sequence[str] | None = None) -> Connection:
    """Create the connection of that name, or update its answers, and request a sync.

    Secrets that are left out, or empty, keep their stored values. `resources` are ids, names or patterns of names; None
    keeps the existing rules, and picks everything that is not archived for a new connection.  Raises
    InvalidConnectionError, and then nothing is stored.
    """
    connector = connectors().get(provider)
    if connector is None:
        known = ", ".join(sorted(connectors())) or "none"
        raise InvalidConnectionError({"provider": f"There is no connector {provider!r}. There is: {known}."})
    answers = replace(answers, values=connector.understood(answers.values))
    with transaction.atomic():
        connection = Connection.objects.select_for_update().filter(name=name).first()
        if connection is None:
            connection = Connection(provider=provider, name=name)
        refuse_mistakes(connector, connection, answers)
        rules = connection.settings.get("resources", EVERYTHING.as_json())
        if resources is not None:
            rules = Rules(match=tuple(resources)).as_json()
        defaults = {field.name: field.default for field in connector.fields if not field.secret and field.default}
        connection.settings = {**defaults, **connection.settings, **answers.values, "resources": rules}
        given = {key: value for key, value in answers.secrets.items() if value}
        # Without the stored ones if they cannot be read: all that are needed have been entered again.
        connection.secrets = {WEBHOOK_SECRET: random.token_urlsafe(32), **(_stored(connection) or {}), **given}
        connection.failures, connection.problem, connection.remedy, connection.cause = 0, "", "", ""
        connection.removed_at = None
        connection.save()
        enqueue_sync(connection)
    connection.refresh_from_db()
    return connection


def rotate_webhook_secret(connection: Connection) -> None:
    """Generate a new secret: deliveries signed with the old one are refused from now on."""
    with transaction.atomic():
        locked = Connection.objects.select_for_update().get(pk=connection.pk)
        locked.secrets = {**(_stored(locked) or {}), WEBHOOK_SECRET: random.token_urlsafe(32)}
        locked.save(update_fields=["secrets"])


def webhook_address(connection: Connection) -> str | None:
    """The address for the provider's deliveries; None if Headway accepts none from it."""
    connector = connectors().get(connection.provider)
    if connector is None or connector.arrival is Connector.arrival:
        return None
    return django_settings.BASE_URL + reverse("hook", args=[connection.provider, connection.pk])


def refuse_mistakes(connector: type[Connector], connection: Connection, answers: Settings) -> None:
    """Raise InvalidConnectionError with all mistakes."""
    fields = {field.name: field for field in connector.fields}
    problems: dict[str, str] = {}
    if not connection.name.strip():
        problems["name"] = "A connection needs a name."
    if connection.pk and connection.provider != connector.slug:
        problems["name"] = f"The connection {connection.name!r} is one to {connection.provider}. Choose another name."
    for key in (*answers.values, *answers.secrets):
        if key not in fields:
            known = ", ".join(fields)
            problems[key] = f"{connector.name} has no setting {key!r}. It has: {known}."
    for field in connector.fields:
        if problem := _problem_of(field, connection, answers):
            problems[field.name] = problem
    plain = {field.name: _value_of(field, connection, answers) for field in connector.fields if not field.secret}
    problems = {**connector.mistakes(plain), **problems}
    if problems:
        raise InvalidConnectionError(problems)


def _problem_of(field: Field, connection: Connection, answers: Settings) -> str:
    if field.secret:
        return _problem_of_secret(field, connection, answers)
    value = _value_of(field, connection, answers)
    if field.required and not value:
        return f"{field.label} ({field.name}) is missing."
    choices = [choice for choice, _ in field.choices]
    if choices and value and value not in choices:
        return f"{field.label} ({field.name}) must be one of {', '.join(choices)}, and is {value!r}."
    if field.name == BASE_URL and value and not value.startswith(("https://", "http://")):
        return f"{field.label} ({field.name}) must be an address such as https://example.com, and is {value!r}."
    return ""


def _value_of(field: Field, connection: Connection, answers: Settings) -> str:
    return answers.values.get(field.name, str(connection.settings.get(field.name, field.default)))


def _problem_of_secret(field: Field, connection: Connection, answers: Settings) -> str:
    if answers.secrets.get(field.name):
        return ""
    stored = _stored(connection)
    if stored is None and field.required:
        return f"{field.label} ({field.name}) was encrypted with a key that is lost. Enter it again."
    if stored and stored.get(field.name):
        before = connection.settings.get(BASE_URL, "")
        if answers.values.get(BASE_URL, before) != before:
            return f"{field.label} ({field.name}) must be entered again, because the base URL has changed."
        return ""
    return f"{field.label} ({field.name}) is missing." if field.required else ""


def _stored(connection: Connection) -> Mapping[str, str] | None:
    """The stored secrets; None if they can no longer be read."""
    try:
        connection.secrets.get(WEBHOOK_SECRET)
    except UnreadableSecretsError:
        return None
    return connection.secrets


def has_mapped_fields(connection: Connection) -> bool:
    known = connectors().get(connection.provider)
    return known is not None and any(field.mapped for field in known.fields)


def mapped_fields_of(connection: Connection) -> Sequence[MappedField]:
    """The custom fields under the connection's settings, saved or not.  Raises ConnectorError."""
    with open_client(connection, reserve=0.0) as (connector, http):
        return connector.mapped_fields(http)


def save_mapped_fields(connection: Connection, chosen: Mapping[str, str]) -> bool:
    """Store the choice, by setting, and read everything again with it; return False if it is unchanged."""
    with transaction.atomic():
        stored = Connection.objects.select_for_update().get(pk=connection.pk)
        if all(stored.settings.get(setting, "") == names for setting, names in chosen.items()):
            return False
        stored.settings = {**stored.settings, **chosen}
        stored.save(update_fields=["settings"])
        enqueue_sync(stored, full=True)
    return True
