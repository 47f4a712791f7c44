"""`manage.py import_ccusage FILE --person EMAIL`: a person's usage as ccusage sums it up."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.telemetry.usage_files.store import LARGEST_FILE, Imported, import_ccusage

MOST_LISTED = 20


class Command(BaseCommand):
    help = "Import the JSON of ccusage: days, sessions or blocks of one person; with errors nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="what `npx ccusage --json` printed, or - for standard input")
        parser.add_argument("--person", metavar="EMAIL", required=True, help="whose usage it is")
        parser.add_argument("--agent", metavar="AGENT", default="", help="of which agent, where the file does not say")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")
        parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        imported = import_ccusage(
            _content(options["file"]), email=options["person"], agent=options["agent"], dry_run=options["dry_run"]
        )
        if options["json"]:
            self.stdout.write(json.dumps(document(imported), ensure_ascii=False))
        else:
            self._tell(imported)
        if imported.errors:
            sys.exit(1)

    def _tell(self, imported: Imported) -> None:
        for problem in imported.errors[:MOST_LISTED]:
            self.stdout.write(f"{problem.field or 'the file'}: {problem.message}")
        if imported.errors:
            self.stdout.write(f"{len(imported.errors)} errors; nothing was stored.")
            return
        self.stdout.write(
            f"Added: {imported.added:,}  Changed: {imported.changed:,}  Unchanged: {imported.unchanged:,}"
        )
        self.stdout.write(f"{imported.counted:,} count; of the others the agent itself, or another row, tells.")
        if not imported.applied:
            self.stdout.write("A dry run: nothing was stored.")


def document(imported: Imported) -> dict[str, Any]:
    return {
        "applied": imported.applied,
        "added": imported.added,
        "changed": imported.changed,
        "unchanged": imported.unchanged,
        "counted": imported.counted,
        "errors": [{"field": problem.field, "message": problem.message} for problem in imported.errors],
    }


def _content(file: str) -> bytes:
    try:
        if file == "-":
            return sys.stdin.buffer.read(LARGEST_FILE + 1)
        with Path(file).open("rb") as opened:
            return opened.read(LARGEST_FILE + 1)
    except OSError as problem:
        raise CommandError(f"{file} can’t be read: {problem.strerror}.") from None
