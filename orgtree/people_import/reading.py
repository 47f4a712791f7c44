"""Reads rows from CSV bytes: detects encoding and separator, enforces limits."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence

from orgtree.people_import.columns import known_columns

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 100_000
LONGEST_CELL = 10_000
_SEPARATORS = (",", ";", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnreadableFileError(ValueError):
    """The file cannot be read as a table; the message says what to do, `row` is the first unreadable one."""

    def __init__(self, message: str, row: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.row = row


def numbered_rows(content: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows with their numbers, counted from 1 like a spreadsheet: line breaks in cells start no row.

    Empty rows are counted but skipped.  Raises UnreadableFileError.
    """
    text = _text(content)
    separator, skipped = _separator(text)
    lines = io.StringIO(text, newline="")
    for _ in range(skipped):
        lines.readline()
    reader = csv.reader(lines, delimiter=separator, strict=True)
    number, filled = skipped, 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise UnreadableFileError(_sentence(problem), number + 1) from None
        number += 1
        if not any(value.strip() for value in row):
            continue
        filled += 1
        if filled > MOST_ROWS + 1:
            raise UnreadableFileError(f"The file has more than {MOST_ROWS:,} people. Split it into several.", number)
        if any(len(value) > LONGEST_CELL for value in row):
            raise UnreadableFileError(
                f"A cell has more than {LONGEST_CELL:,} characters; perhaps a quotation mark is missing.", number
            )
        yield number, row


def _text(content: bytes) -> str:
    if not content.strip():
        raise UnreadableFileError("The file is empty.")
    if len(content) > MOST_BYTES:
        raise UnreadableFileError(f"The file has more than {MOST_BYTES // 1024 // 1024} MB. Split it into several.")
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "") or _unmarked(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as problem:
        row = content.count(b"\n", 0, problem.start) + 1
        raise UnreadableFileError(
            "The file is neither UTF-8 nor UTF-16 from here on. Save it as “CSV UTF-8”.", row
        ) from None


def _unmarked(content: bytes) -> str:
    """The encoding without a BOM: in UTF-16 every other byte of ASCII letters is zero."""
    start = content[:200]
    if start[1::2].count(0) > len(start) // 4:
        return "utf-16-le"
    if start[0::2].count(0) > len(start) // 4:
        return "utf-16-be"
    return "utf-8"


def _separator(text: str) -> tuple[str, int]:
    """The separator with the most known headers, and the number of lines before the header (Excel's `sep=;`)."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == len("sep=;"):
        return first[len("sep=")], 1
    if first.strip().lower() == "sep=":  # a tab, stripped
        return "\t", 1
    head = (first if first.strip() else rest.lstrip().partition("\n")[0])[:20_000]
    return max(_SEPARATORS, key=lambda separator: known_columns(head.replace('"', "").split(separator))), 0


def _sentence(problem: csv.Error) -> str:
    if "unexpected end" in str(problem):
        return "A quotation mark is opened and never closed."
    if "field larger" in str(problem):
        return f"A cell has more than {LONGEST_CELL:,} characters; perhaps a quotation mark is missing."
    return "A cell contains a quotation mark. Double it, and put the cell in quotation marks."
