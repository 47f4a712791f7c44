"""Reads uploaded CSV files: their text, and their rows as cells by the keys of known columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from django.http import HttpRequest

from core.csv_export import FORMULA_STARTS

MOST_BYTES = 1_000_000
TOO_LARGE = "The file has more than 1 MB. Import it in parts."


class CsvFileError(Exception):
    """The file cannot be read, or one of its rows cannot be stored; the message gives the reason and the remedy."""


def uploaded_text(request: HttpRequest) -> str:
    """The text of the uploaded `file`.  Raises CsvFileError if it is missing, too large, or not UTF-8."""
    uploaded = request.FILES.get("file")
    if uploaded is None:
        raise CsvFileError("Choose a file.")
    if uploaded.size is not None and uploaded.size > MOST_BYTES:
        raise CsvFileError(TOO_LARGE)
    return text_of(uploaded.read())


def text_of(content: bytes) -> str:
    """Raises CsvFileError if the content is too large, or not UTF-8."""
    if len(content) > MOST_BYTES:
        raise CsvFileError(TOO_LARGE)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CsvFileError("The file is not in UTF-8. Save it as “CSV UTF-8”.") from None


def read_rows(
    text: str, labels: Mapping[str, str], *, needed: Sequence[str], most: int
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The number of each row and its cells by key; the header is row 1, as in a spreadsheet.  Skips empty rows.

    `labels` are the known columns' labels by key.  A header is a key or a label, in any case; other columns are
    ignored.  Raises CsvFileError.
    """
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        heads = [_key(head, labels) for head in next(lines, [])]
        if missing := [labels[key] for key in needed if key not in heads]:
            raise CsvFileError(f"The first row has to name the columns; missing: {', '.join(missing)}.")
        if twice := next((key for key in labels if heads.count(key) > 1), None):
            raise CsvFileError(f"The first row names the column {labels[twice]} twice.")
        for number, cells in enumerate(lines, start=2):
            if not any(value.strip() for value in cells):
                continue
            if number > most + 1:
                raise CsvFileError(f"The file has more than {most:,} rows. Import it in parts.")
            yield number, {head: _plain(value) for head, value in zip(heads, cells, strict=False) if head}
    except csv.Error as problem:
        raise CsvFileError(f"Row {lines.line_num} is no CSV: {problem}.") from None


def _key(head: str, labels: Mapping[str, str]) -> str:
    """The key of the column; empty if it is unknown."""
    word = " ".join(head.split()).casefold()
    return next((key for key, label in labels.items() if word in (key, label.casefold())), "")


def _plain(cell: str) -> str:
    """The cell without the apostrophe that keeps spreadsheets from reading a downloaded cell as a formula."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip().startswith(FORMULA_STARTS) else cell
