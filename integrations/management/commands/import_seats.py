"""`manage.py import_seats FILE`: who has a seat of which agent, and what it costs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.telemetry.seats.csv_import import ImportedSeats, import_seats

LARGEST_FILE = 50 * 1024 * 1024
MOST_LISTED = 20


class Command(BaseCommand):
    help = "Add and change seats of agents from a CSV file; with errors nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a CSV file, or - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")
        parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        content = _content(options["file"])
        if len(content) > LARGEST_FILE:
            raise CommandError(f"The file is larger than {LARGEST_FILE // 1024**2} MB.")
        imported = import_seats(content, dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(document(imported), ensure_ascii=False))
        else:
            self._tell(imported)
        if imported.errors:
            sys.exit(1)

    def _tell(self, imported: ImportedSeats) -> None:
        for problem in imported.errors[:MOST_LISTED]:
            where = f"row {problem.row}" if problem.row else "the file"
            self.stdout.write(f"{where}{', ' + problem.column if problem.column else ''}: {problem.message}")
        if imported.errors:
            self.stdout.write(f"{len(imported.errors)} errors; nothing was stored.")
            return
        self.stdout.write(
            f"Plans: {imported.plans:,}  Added: {imported.added:,}  "
            f"Changed: {imported.changed:,}  Unchanged: {imported.unchanged:,}"
        )
        if not imported.applied:
            self.stdout.write("A dry run: nothing was stored.")


def document(imported: ImportedSeats) -> dict[str, Any]:
    return {
        "applied": imported.applied,
        "plans": imported.plans,
        "added": imported.added,
        "changed": imported.changed,
        "unchanged": imported.unchanged,
        "errors": [{"row": error.row, "column": error.column, "message": error.message} for error in imported.errors],
    }


def _content(file: str) -> bytes:
    try:
        if file == "-":
            return sys.stdin.buffer.read(LARGEST_FILE + 1)
        with Path(file).open("rb") as opened:
            return opened.read(LARGEST_FILE + 1)
    except OSError as problem:
        raise CommandError(f"{file} can’t be read: {problem.strerror}.") from None
