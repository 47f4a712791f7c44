"""Connects a provider."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.commands import JsonCommand
from core.locks import BusyError
from integrations.connectors.base import Connector, Settings
from integrations.connectors.errors import ConnectorError
from integrations.connectors.registered import connectors
from integrations.models import Connection
from integrations.sync.connect import InvalidConnectionError, connect, webhook_address
from integrations.sync.resources import NothingMatchesError, discover_resources


class Command(JsonCommand):
    help = "Connect a provider, or change a connection's settings, and request a sync."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", metavar="PROVIDER", help="such as github")
        parser.add_argument("--name", required=True, help="Name of the connection; an existing one is updated.")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help=(
                "A setting of the provider's form. Give secrets as KEY=@FILE, KEY=env:NAME or KEY=- (standard input), "
                "which leave no trace in the shell's history."
            ),
        )
        parser.add_argument(
            "--resource",
            action="append",
            metavar="ID",
            help=(
                "Id, key, name, address or pattern of names (acme/*) of what to sync; may be repeated. Default: "
                "everything that is not archived, or what an existing connection syncs."
            ),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        connector = connectors().get(options["provider"])
        try:
            connection = connect(
                options["provider"], options["name"], _answers(connector, options["set"]), resources=options["resource"]
            )
        except InvalidConnectionError as problem:
            raise CommandError(str(problem)) from None
        if options["resource"]:
            _refuse_matching_nothing(connection)
        address = webhook_address(connection)
        self.print_result(
            options,
            {"id": connection.pk, "name": connection.name, "provider": connection.provider, "webhook": address},
            ["  ".join(filter(None, (str(connection.pk), connection.name, address)))],
        )


def _refuse_matching_nothing(connection: Connection) -> None:
    """List the resources, and fail if none was named; the sync reports other problems."""
    try:
        discover_resources(connection)
    except NothingMatchesError as problem:
        raise CommandError(f"{problem.sentences} The connection is stored, and reads nothing yet.") from None
    except (ConnectorError, BusyError):
        return


def _answers(connector: type[Connector] | None, words: list[str]) -> Settings:
    secret = {field.name for field in connector.fields if field.secret} if connector else set()
    settings: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise CommandError(f"--set takes KEY=VALUE, not {word.partition('=')[0]!r}.")
        if key in secret:
            secrets[key] = _secret(key, value)
        else:
            settings[key] = value
    return Settings(settings, secrets)


def _secret(key: str, value: str) -> str:
    """The secret that the value refers to: a file's content, a variable's, standard input, or the value itself."""
    if value == "-":
        secret = sys.stdin.read()
    elif value.startswith("@"):
        try:
            secret = Path(value[1:]).expanduser().read_text()
        except (OSError, UnicodeDecodeError) as problem:
            raise CommandError(f"The file of {key} cannot be read: {problem}") from None
    elif value.startswith("env:"):
        secret = os.environ.get(value[4:], "")
        if not secret:
            raise CommandError(f"The environment has no {value[4:]}, which {key} is to be taken from.")
    else:
        secret = value
    return secret.strip()
