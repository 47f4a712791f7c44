"""`manage.py import_seats FILE`: holders and prices of agent seats."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from core.commands import JsonCommand, read_file
from integrations.telemetry.seats.csv_import import MOST_BYTES, ImportedSeats, import_seats

MOST_LISTED = 20


class Command(JsonCommand):
    help = "Add and change seats of agents from a CSV file; with errors nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a CSV file, or - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="only print what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        imported = import_seats(read_file(options["file"], MOST_BYTES), dry_run=options["dry_run"])
        self.print_result(options, asdict(imported), _lines(imported))
        if imported.errors:
            sys.exit(1)


def _lines(imported: ImportedSeats) -> Iterator[str]:
    for problem in imported.errors[:MOST_LISTED]:
        where = f"row {problem.row}" if problem.row else "the file"
        yield f"{where}{', ' + problem.column if problem.column else ''}: {problem.message}"
    if imported.errors:
        yield f"{len(imported.errors)} errors; nothing was stored."
        return
    numbers = {name: getattr(imported, name) for name in ("plans", "added", "changed", "unchanged")}
    yield "  ".join(f"{name.capitalize()}: {number:,}" for name, number in numbers.items())
    if not imported.applied:
        yield "A dry run: nothing was stored."
