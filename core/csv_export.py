"""CSV export that is safe to open in a spreadsheet: no cell is interpreted as a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice

from django.http import StreamingHttpResponse

Cell = str | float | int | Decimal | date | datetime | bool | None

# A cell that begins with one of these is a formula to a spreadsheet.  https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Echo:
    """A file for the csv module that returns each line it is given, so that lines can be streamed."""

    def write(self, line: str) -> str:
        return line


def csv_response(name: str, rows: Iterable[Sequence[Cell]]) -> StreamingHttpResponse:
    """`rows` as the download `<name>.csv`, in UTF-8 with the byte order mark that spreadsheets expect.

    The header and the first row are read here, so that an error yields an error response instead of half a file.
    """
    remaining = iter(rows)
    first = list(islice(remaining, 2))
    response = StreamingHttpResponse(csv_lines(chain(first, remaining)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def csv_lines(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


def safe_cell(cell: Cell) -> str | float | int:
    """Prefixes text that could be read as a formula with an apostrophe; numbers stay numbers."""
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return float(cell)
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA_STARTS) or cell.lstrip().startswith(FORMULA_STARTS[:4]) else cell
    return cell
