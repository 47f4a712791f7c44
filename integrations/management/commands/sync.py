"""Reads what connections bring."""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from integrations.attribution.tasks import attribute_what_waits
from integrations.git.connect import ask_for_sync
from integrations.git.sync import AlreadyReadingError, sync_source
from integrations.git.tasks import sync_sources
from integrations.management.chosen import chosen_connection
from integrations.models import RepositorySource, SyncRun
from orgtree.nudges import nudge_on_commit
from orgtree.services.identity_matching import match_identities

SECONDS_BETWEEN_TRIES = 0.5


class Command(BaseCommand):
    help = "Read what is new at the connections; with --wait do it here and now, else ask the worker to."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--connection", metavar="N", help="Only this connection, by its number or name.")
        parser.add_argument("--full", action="store_true", help="Look at everything again.")
        parser.add_argument("--wait", action="store_true", help="Return when it is done; exit code 1 if any failed.")
        parser.add_argument("--json", action="store_true", help="Print one JSON document.")

    def handle(self, *args: Any, **options: Any) -> None:
        sources = self._sources(options["connection"])
        if not options["wait"]:
            if options["full"]:
                raise CommandError("--full needs --wait.")
            ask_for_sync(sources)
            nudge_on_commit(sync_sources)
            self._print(options["json"], [_asked(source) for source in sources])
            return
        results = [_result(source, self._read(source, full=options["full"])) for source in sources]
        match_identities()  # whose sessions lie near whose commits depends on it
        attribute_what_waits()
        self._print(options["json"], results)
        if any(result["state"] != SyncRun.State.DONE for result in results):
            raise SystemExit(1)

    def _sources(self, connection: str | None) -> list[RepositorySource]:
        sources = RepositorySource.objects.select_related("connection").order_by("connection_id", "pk")
        if connection is not None:
            sources = sources.filter(connection=chosen_connection(connection))
        return list(sources)

    def _read(self, source: RepositorySource, *, full: bool) -> SyncRun:
        """Wait for a reading that another process is at, then read what it left."""
        while True:
            try:
                return sync_source(source, full=full)
            except AlreadyReadingError:
                time.sleep(SECONDS_BETWEEN_TRIES)
                source.refresh_from_db()

    def _print(self, as_json: bool, results: list[dict[str, Any]]) -> None:
        if as_json:
            self.stdout.write(json.dumps({"at": timezone.now().isoformat(), "resources": results}))
            return
        for result in results:
            self.stdout.write("  ".join(f"{key} {value}" for key, value in result.items() if value not in (None, "")))


def _asked(source: RepositorySource) -> dict[str, Any]:
    return {"connection": source.connection.name, "resource": source.external_id, "state": "asked"}


def _result(source: RepositorySource, run: SyncRun) -> dict[str, Any]:
    return {
        "connection": source.connection.name,
        "resource": source.external_id,
        "state": str(run.state),
        "requests": 0,  # a path on disk is asked no requests
        "records": run.read,
        "added": run.added,
        "changed": run.changed,
        "unchanged": run.unchanged,
        "removed": run.removed,
        "quarantined": run.quarantined,
        "problem": run.problem or None,
    }
