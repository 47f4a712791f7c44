"""Imports people from a CSV file, or previews the import."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core.commands import JsonCommand, day_argument, read_file
from orgtree.organisation.people_version import PeopleBusyError
from orgtree.people_import.columns import ColumnUse
from orgtree.people_import.drafts import Outcome, PeopleChanges, PersonChange
from orgtree.people_import.rows import MOST_BYTES, column_uses_of, drafts_of
from orgtree.people_import.store import PeopleRefusedError, preview_people, store_people

MOST_LISTED = 20


class Command(JsonCommand):
    help = "Add and change people from a CSV file; with errors nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="A CSV file, or - for standard input.")
        parser.add_argument("--dry-run", action="store_true", help="Only print what would change.")
        parser.add_argument(
            "--complete",
            action="store_true",
            help="The file lists everybody: people who are not in it leave on that day.",
        )
        parser.add_argument(
            "--effective",
            type=day_argument,
            metavar="DATE",
            help="The day from which the changes apply, such as 2026-01-31 (default: today).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        content = read_file(options["file"], MOST_BYTES)
        drafts, columns = drafts_of(content), column_uses_of(content)
        store = preview_people if options["dry_run"] else store_people
        try:
            changes = store(drafts, effective=options["effective"], complete=options["complete"])
        except PeopleRefusedError as refused:
            changes = refused.changes
        except PeopleBusyError as busy:
            raise CommandError(str(busy)) from None
        applied = not options["dry_run"] and not changes.errors
        lines = [*_lines(changes, applied=applied), *map(_line_of_column, columns)]
        self.print_result(options, document(changes, columns, applied=applied), lines)
        if changes.errors:
            sys.exit(1)


def _lines(changes: PeopleChanges, *, applied: bool) -> Iterator[str]:
    for error in changes.errors:
        where = f"row {error.row}" if error.row else "the file"
        column = f", {error.column}" if error.column else ""
        yield f"{where}{column}: {error.message}"
    if changes.errors:
        yield f"{len(changes.errors)} errors; nothing was stored."
        return
    for outcome in Outcome:
        people = changes.of(outcome)
        yield f"{outcome.capitalize()}: {len(people):,}"
        for person in people[:MOST_LISTED]:
            yield f"  {_line(person)}"
        if len(people) > MOST_LISTED:
            yield f"  and {len(people) - MOST_LISTED:,} more"
    yield f"Unchanged: {changes.unchanged:,}"
    if not applied:
        yield "A dry run: nothing was stored."


def _line_of_column(column: ColumnUse) -> str:
    used_as = f"attribute {column.used_as}" if column.is_attribute else column.used_as or "not used"
    question = f"  {column.question}" if column.question else ""
    return f"Column “{column.head}”: {used_as}.{question}"


def document(changes: PeopleChanges, columns: Sequence[ColumnUse], *, applied: bool) -> dict[str, Any]:
    """The document that --json prints: docs/reference/commands.md."""
    return {
        "applied": applied,
        "columns": [asdict(column) for column in columns],
        **changes.counts,
        "errors": [{"row": error.row, "column": error.column, "message": error.message} for error in changes.errors],
    }


def _line(person: PersonChange) -> str:
    changes = [f"{field.field} {field.before or '–'} → {field.after or '–'}" for field in person.fields]
    changes += [f"{unit.tree}: {unit.from_unit or '–'} → {unit.to_unit or '–'}" for unit in person.units]
    return f"{person.full_name} <{person.email}>" + (f": {'; '.join(changes)}" if changes else "")
