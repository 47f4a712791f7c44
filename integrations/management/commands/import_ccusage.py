"""`manage.py import_ccusage FILE --person EMAIL`: a person's usage as summed up by ccusage."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from core.commands import JsonCommand, read_file
from integrations.telemetry.usage_files.store import LARGEST_FILE, Imported, import_ccusage

MOST_LISTED = 20


class Command(JsonCommand):
    help = "Import the JSON of ccusage: days, sessions or blocks of one person; with errors nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="output of `npx ccusage --json`, or - for standard input")
        parser.add_argument("--person", metavar="EMAIL", required=True, help="person whose usage it is")
        parser.add_argument("--agent", metavar="AGENT", default="", help="the agent, if the file does not name it")
        parser.add_argument("--dry-run", action="store_true", help="only print what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        content = read_file(options["file"], LARGEST_FILE)
        imported = import_ccusage(content, email=options["person"], agent=options["agent"], dry_run=options["dry_run"])
        self.print_result(options, asdict(imported), _lines(imported))
        if imported.errors:
            sys.exit(1)


def _lines(imported: Imported) -> Iterator[str]:
    for problem in imported.errors[:MOST_LISTED]:
        yield f"{problem.field or 'the file'}: {problem.message}"
    if imported.errors:
        yield f"{len(imported.errors)} errors; nothing was stored."
        return
    yield f"Added: {imported.added:,}  Changed: {imported.changed:,}  Unchanged: {imported.unchanged:,}"
    yield f"{imported.counted:,} rows count; the others are known from the agent's telemetry, or from another row."
    if not imported.applied:
        yield "A dry run: nothing was stored."
