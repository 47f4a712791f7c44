"""Reads CSV files: their encoding, separator and limits, and their rows as cells by the keys of known columns."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence

from django.http import HttpRequest

from core.csv_export import FORMULA_STARTS

MOST_BYTES = 1_000_000
LONGEST_CELL = 20_000
_SEPARATORS = (",", ";", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class CsvFileError(Exception):
    """The file cannot be read, or one of its rows cannot be stored; the message gives the reason and the remedy.

    `row` is the first row that cannot be stored.
    """

    def __init__(self, message: str, row: int | None = None) -> None:
        super().__init__(f"Row {row}: {message}" if row else message)
        self.message = message
        self.row = row


def uploaded_text(request: HttpRequest) -> str:
    """The text of the uploaded `file`.  Raises CsvFileError if it is missing, too large, or not text."""
    uploaded = request.FILES.get("file")
    if uploaded is None:
        raise CsvFileError("Choose a file.")
    check_size(uploaded.size or 0)  # before it is read
    return text_of(uploaded.read())


def check_size(size: int, *, most_bytes: int = MOST_BYTES) -> None:
    """Check the size of a file in bytes.  Raises CsvFileError if it is too large."""
    if size > most_bytes:
        raise CsvFileError(f"The file has more than {most_bytes // 1_000_000} MB. Import it in parts.")


def text_of(content: bytes, *, most_bytes: int = MOST_BYTES) -> str:
    """UTF-8 or UTF-16, with or without a BOM.  Raises CsvFileError if the content is empty, too large, or neither."""
    if not content.strip():
        raise CsvFileError("The file is empty.")
    check_size(len(content), most_bytes=most_bytes)
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "") or _unmarked(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as problem:
        row = content.count(b"\n", 0, problem.start) + 1
        message = "The file is neither UTF-8 nor UTF-16 from here on. Save it as “CSV UTF-8”."
        raise CsvFileError(message, row) from None


def numbered_rows(
    text: str, *, known_heads: Callable[[Sequence[str]], int], most_rows: int
) -> Iterator[tuple[int, Sequence[str]]]:
    """The rows with their numbers, counted from 1 like a spreadsheet: line breaks in cells start no row.

    Empty rows are counted but skipped.  The separator is the one with the most `known_heads`.  Raises CsvFileError.
    """
    separator, skipped = _separator(text, known_heads)
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
            raise CsvFileError(_sentence(problem), number + 1) from None
        number += 1
        if not any(value.strip() for value in row):
            continue
        filled += 1
        if filled > most_rows + 1:
            raise CsvFileError(f"The file has more than {most_rows:,} rows. Import it in parts.", number)
        if any(len(value) > LONGEST_CELL for value in row):
            raise CsvFileError(
                f"A cell has more than {LONGEST_CELL:,} characters; perhaps a quotation mark is missing.", number
            )
        yield number, row


def read_rows(
    text: str, labels: Mapping[str, str], *, needed: Sequence[str], most: int, may_have_others: bool = True
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The number of each row and its cells by key; the header is row 1, as in a spreadsheet.  Skips empty rows.

    `labels` are the known columns' labels by key.  A header is a key or a label, in any case; other columns are ignored
    if `may_have_others`.  Raises CsvFileError.
    """

    def known(heads: Sequence[str]) -> int:
        return len({key for head in heads if (key := _key(head, labels))})

    rows = numbered_rows(text.removeprefix("\ufeff"), known_heads=known, most_rows=most)
    _, first = next(rows, (0, ()))
    heads = [_key(head, labels) for head in first]
    if missing := [labels[key] for key in needed if key not in heads]:
        raise CsvFileError(f"The first row has to name the columns; missing: {', '.join(missing)}.")
    if not may_have_others and (other := next((head for head, key in zip(first, heads, strict=True) if not key), None)):
        raise CsvFileError(f"There is no column “{other.strip()[:60]}”; there are: {', '.join(labels.values())}.")
    if twice := next((key for key in labels if heads.count(key) > 1), None):
        raise CsvFileError(f"The first row names the column {labels[twice]} twice.")
    for number, cells in rows:
        yield number, {head: _plain(value) for head, value in zip(heads, cells, strict=False) if head}


def _unmarked(content: bytes) -> str:
    """The encoding without a BOM: in UTF-16 every other byte of ASCII letters is zero."""
    start = content[:200]
    if start[1::2].count(0) > len(start) // 4:
        return "utf-16-le"
    if start[0::2].count(0) > len(start) // 4:
        return "utf-16-be"
    return "utf-8"


def _separator(text: str, known_heads: Callable[[Sequence[str]], int]) -> tuple[str, int]:
    """The separator with the most known headers, and the number of lines before the header (Excel's `sep=;`)."""
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == len("sep=;"):
        return first[len("sep=")], 1
    if first.strip().lower() == "sep=":  # a tab, stripped
        return "\t", 1
    head = (first if first.strip() else rest.lstrip().partition("\n")[0])[:20_000]
    return max(_SEPARATORS, key=lambda separator: known_heads(head.replace('"', "").split(separator))), 0


def _sentence(problem: csv.Error) -> str:
    if "unexpected end" in str(problem):
        return "A quotation mark is opened and never closed."
    if "field larger" in str(problem):
        return f"A cell has more than {LONGEST_CELL:,} characters; perhaps a quotation mark is missing."
    return "A cell contains a quotation mark. Double it, and put the cell in quotation marks."


def _key(head: str, labels: Mapping[str, str]) -> str:
    """The key of the column; empty if it is unknown."""
    word = " ".join(head.split()).casefold()
    return next((key for key, label in labels.items() if word in (key, label.casefold())), "")


def _plain(cell: str) -> str:
    """The cell without the apostrophe that keeps spreadsheets from reading a downloaded cell as a formula."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip().startswith(FORMULA_STARTS) else cell
