"""Shared by management commands: one JSON document with --json; days, files and tokens among their arguments."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone


class JsonCommand(BaseCommand):
    """A command that prints lines, or with --json one JSON document and nothing else."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="Print one JSON document and nothing else.")
        return parser

    def print_result(self, options: Mapping[str, Any], document: Any, lines: Iterable[str]) -> None:
        if options["json"]:
            lines = [json.dumps(document, ensure_ascii=False)]
        for line in lines:
            self.stdout.write(line)


def day_argument(text: str) -> date:
    """Parse a day, for add_argument(type=…).  Raises CommandError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"“{text[:40]}” is not a day. Write it as 2026-01-31.") from None


def read_file(name: str, most_bytes: int) -> bytes:
    """The content of a file, or of standard input (-), up to one byte more than `most_bytes`.

    Raises CommandError if it cannot be read.
    """
    try:
        if name == "-":
            return sys.stdin.buffer.read(most_bytes + 1)
        with Path(name).open("rb") as file:
            return file.read(most_bytes + 1)
    except OSError as problem:
        raise CommandError(f"{name} can’t be read: {problem.strerror}.") from None


def add_token_arguments(parser: CommandParser, *, example: str) -> None:
    parser.add_argument("name", metavar="NAME", help=f"What or who uses it, e.g. {example}.")
    parser.add_argument(
        "--expires",
        metavar="DATE",
        default="",
        help="The first day on which it no longer works, e.g. 2027-01-31, or never; by default in a year.",
    )


def token_name(written: str, longest: int) -> str:
    """The stripped name of a token.  Raises CommandError for an empty or too long one."""
    name = written.strip()
    if not name or len(name) > longest or "\x00" in name:
        raise CommandError(f"A token's name has 1 to {longest} characters.")
    return name


def token_end(written: str, by_default: datetime) -> datetime | None:
    """The expiry; None: never.  Raises CommandError."""
    if written in ("", "never"):
        return None if written else by_default
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise CommandError(f"“{written}” is not a day. Write --expires 2027-01-31, or never.") from None
    if day <= timezone.localdate():
        raise CommandError("A token must end after today.")
    return timezone.make_aware(datetime.combine(day, time.min))
