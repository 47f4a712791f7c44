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
        told = import_seats(content, dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps(document(told), ensure_ascii=False))
        else:
            self._tell(told)
        if told.errors:
            sys.exit(1)

    def _tell(self, told: ImportedSeats) -> None:
        for problem in told.errors[:MOST_LISTED]:
            where = f"row {problem.row}" if problem.row else "the file"
            self.stdout.write(f"{where}{', ' + problem.column if problem.column else ''}: {problem.message}")
        if told.errors:
            self.stdout.write(f"{len(told.errors)} errors; nothing was stored.")
            return
        self.stdout.write(
            f"Plans: {told.plans:,}  Added: {told.added:,}  Changed: {told.changed:,}  Unchanged: {told.unchanged:,}"
        )
        if not told.applied:
            self.stdout.write("A dry run: nothing was stored.")


def document(told: ImportedSeats) -> dict[str, Any]:
    return {
        "applied": told.applied,
        "plans": told.plans,
        "added": told.added,
        "changed": told.changed,
        "unchanged": told.unchanged,
        "errors": [{"row": error.row, "column": error.column, "message": error.message} for error in told.errors],
    }


def _content(file: str) -> bytes:
    try:
        if file == "-":
            return sys.stdin.buffer.read(LARGEST_FILE + 1)
        with Path(file).open("rb") as opened:
            return opened.read(LARGEST_FILE + 1)
    except OSError as problem:
        raise CommandError(f"{file} can’t be read: {problem.strerror}.") from None
