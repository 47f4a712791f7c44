"""Arguments shared by commands that create tokens: name and expiry."""

from __future__ import annotations

from datetime import date, datetime, time

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone


def add_token_arguments(parser: CommandParser, *, example: str) -> None:
    parser.add_argument("name", metavar="NAME", help=f"What or who uses it, e.g. {example}.")
    parser.add_argument(
        "--expires",
        metavar="DATE",
        default="",
        help="The first day on which it no longer works, e.g. 2027-01-31, or never; by default in a year.",
    )


def token_name(written: str, longest: int) -> str:
    """Raises CommandError for an empty or too long name."""
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
