"""Parsing of single spreadsheet cells: normalised text, dates and time zones, with error messages for people."""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from datetime import date
from functools import cache, lru_cache

LONGEST_TEXT = 200
FIRST_YEAR, LAST_YEAR = 1900, 2100  # beyond, a date is a slip of the keyboard

# Zero-width spaces, soft hyphens and bidirectional marks: characters carry their own direction already.
_INVISIBLE = re.compile("[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufffe]")
# Joiners have a meaning only inside Arabic and Indic scripts.
_STRAY_JOINER = re.compile("(?<![\u0590-\u1fff])[\u200c\u200d]|[\u200c\u200d](?![\u0590-\u1fff])")
_ISO_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_DOTTED_DATE = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")


class CellError(ValueError):
    """An invalid cell; the message says what to write instead."""


def clean(text: str) -> str:
    """A single line in Unicode NFC, without invisible characters and repeated blanks.  Formulas are plain text."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _STRAY_JOINER.sub("", _INVISIBLE.sub("", text)))
    text = " ".join(text.split())
    if not text.isprintable() and any(unicodedata.category(character) in ("Cc", "Cs", "Co") for character in text):
        raise CellError("The cell contains control characters. Type the text again.")
    return text


def short_text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise CellError(f"The text has {len(text)} characters; at most {LONGEST_TEXT} are allowed.")
    return text


@lru_cache(maxsize=10_000)
def day(text: str) -> date:
    """2026-01-31, 2026/01/31 or 31.01.2026; ambiguous formats are refused."""
    if match := _ISO_DATE.fullmatch(text):
        year, month, number = match.groups()
    elif match := _DOTTED_DATE.fullmatch(text):
        number, month, year = match.groups()
    else:
        raise CellError(f"“{text[:30]}” is not a date. Write it as 2026-01-31.")
    try:
        parsed = date(int(year), int(month), int(number))
    except ValueError:
        raise CellError(f"There is no day {text[:30]}. Write dates as 2026-01-31.") from None
    if not FIRST_YEAR <= parsed.year <= LAST_YEAR:
        raise CellError(f"{text[:30]} lies outside the years {FIRST_YEAR} to {LAST_YEAR}.")
    return parsed


def time_zone(text: str) -> str:
    if text not in _time_zones():
        raise CellError(f"“{text[:60]}” is not a time zone. Write it as Europe/Paris or UTC.")
    return text


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
