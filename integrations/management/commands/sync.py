"""Syncs connections."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from core.commands import JsonCommand
from integrations.management.chosen import chosen_connection
from integrations.models import Connection, RepositorySource, SyncRun
from integrations.sync.run_now import Result, enqueue_all, run_all


class Command(JsonCommand):
    help = "Read changes from the connections, in the background or, with --wait, right away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--connection", metavar="N", help="Only this connection, by number or name.")
        parser.add_argument("--full", action="store_true", help="Read everything again, not only changes.")
        parser.add_argument(
            "--wait", action="store_true", help="Wait until it is done; exit code 1 if any sync failed."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        connections = Connection.objects.filter(removed_at=None).order_by("pk")
        if options["connection"] is not None:
            connections = connections.filter(pk=chosen_connection(options["connection"]).pk)
        if not options["wait"]:
            if options["full"] and RepositorySource.objects.filter(connection__in=connections).exists():
                raise CommandError("Repositories on disk are read again only with --wait.")
            self._print(options, enqueue_all(list(connections), full=options["full"]))
            return
        results = run_all(list(connections), full=options["full"], say=self.stderr.write)
        self._print(options, results)
        if any(result.state != SyncRun.State.DONE for result in results):
            raise SystemExit(1)

    def _print(self, options: dict[str, Any], results: list[Result]) -> None:
        documents = [asdict(result) for result in results]
        lines = (
            "  ".join(f"{key} {value}" for key, value in document.items() if value not in (None, ""))
            for document in documents
        )
        self.print_result(options, {"at": timezone.now().isoformat(), "resources": documents}, lines)
