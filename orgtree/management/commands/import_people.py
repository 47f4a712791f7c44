"""Imports people from a CSV file, or previews the import."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orgtree.people_import.columns import ColumnUse
from orgtree.people_import.drafts import PeopleChanges, PersonChange
from orgtree.people_import.rows import column_uses_of, drafts_of
from orgtree.people_import.store import PeopleBusyError, PeopleRefusedError, preview_people, store_people

MOST_LISTED = 20


class Command(BaseCommand):
    help = "Add and change people from a CSV file; with errors nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="A CSV file, or - for standard input.")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would change.")
        parser.add_argument(
            "--complete", action="store_true", help="The file lists everybody: who is not in it leaves on that day."
        )
        parser.add_argument("--effective", metavar="DATE", help="The day from which on it holds, 2026-01-31 (today).")
        parser.add_argument("--json", action="store_true", help="Print one JSON document.")

    def handle(self, *args: Any, **options: Any) -> None:
        effective = _day(options["effective"])
        content = _content(options["file"])
        drafts, columns = drafts_of(content), column_uses_of(content)
        store = preview_people if options["dry_run"] else store_people
        try:
            changes = store(drafts, effective=effective, complete=options["complete"])
        except PeopleRefusedError as refused:
            changes = refused.changes
        except PeopleBusyError as busy:
            raise CommandError(str(busy)) from None
        applied = not options["dry_run"] and not changes.errors
        if options["json"]:
            self.stdout.write(json.dumps(document(changes, columns, applied=applied), ensure_ascii=False))
        else:
            self._print(changes, applied=applied)
            self._print_columns(columns)
        if changes.errors:
            sys.exit(1)

    def _print_columns(self, columns: Sequence[ColumnUse]) -> None:
        for column in columns:
            used_as = f"attribute {column.used_as}" if column.is_attribute else column.used_as or "not used"
            question = f"  {column.question}" if column.question else ""
            self.stdout.write(f"Column “{column.head}”: {used_as}.{question}")

    def _print(self, changes: PeopleChanges, *, applied: bool) -> None:
        for error in changes.errors:
            where = f"row {error.row}" if error.row else "the file"
            column = f", {error.column}" if error.column else ""
            self.stdout.write(f"{where}{column}: {error.message}")
        if changes.errors:
            self.stdout.write(f"{len(changes.errors)} errors; nothing was stored.")
            return
        for title, people in (
            ("Added", changes.added),
            ("Changed", changes.changed),
            ("Moved", changes.moved),
            ("Leaving", changes.leaving),
        ):
            self.stdout.write(f"{title}: {len(people):,}")
            for person in people[:MOST_LISTED]:
                self.stdout.write(f"  {_line(person)}")
            if len(people) > MOST_LISTED:
                self.stdout.write(f"  and {len(people) - MOST_LISTED:,} more")
        self.stdout.write(f"Unchanged: {changes.unchanged:,}")
        if not applied:
            self.stdout.write("A dry run: nothing was stored.")


def document(changes: PeopleChanges, columns: Sequence[ColumnUse], *, applied: bool) -> dict[str, Any]:
    """What --json prints: docs/reference/commands.md."""
    return {
        "applied": applied,
        "columns": [asdict(column) for column in columns],
        "added": len(changes.added),
        "changed": len(changes.changed),
        "moved": len(changes.moved),
        "leaving": len(changes.leaving),
        "unchanged": changes.unchanged,
        "errors": [{"row": error.row, "column": error.column, "message": error.message} for error in changes.errors],
    }


def _line(person: PersonChange) -> str:
    changes = [f"{field.field} {field.before or '–'} → {field.after or '–'}" for field in person.fields]
    changes += [f"{unit.tree}: {unit.from_unit or '–'} → {unit.to_unit or '–'}" for unit in person.units]
    return f"{person.full_name} <{person.email}>" + (f": {'; '.join(changes)}" if changes else "")


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"“{text}” is no day. Write it as 2026-01-31.") from None


def _content(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as problem:
        raise CommandError(f"{name} can’t be read: {problem.strerror}.") from None
