"""Connects a git repository on disk."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.commands import JsonCommand
from integrations.connectors.git.commands import GitError
from integrations.sync.git.connect import NameTakenError, connect_git


class Command(JsonCommand):
    help = "Connect the git repository at PATH, or rename its connection, and request a sync."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", help="Path of a repository, bare or with a work tree, that Headway may read.")
        parser.add_argument("--name", default="", help="Name of the connection; by default the folder's name.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            source = connect_git(options["path"], name=options["name"])
        except (GitError, NameTakenError) as problem:
            raise CommandError(str(problem)) from None
        connection = source.connection
        self.print_result(
            options,
            {"id": connection.pk, "name": connection.name, "path": source.external_id, "webhook": None},
            [f"{connection.pk}  {connection.name}  {source.external_id}"],
        )
