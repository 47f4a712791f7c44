"""CSV that a spreadsheet can open without running anything that a name or a message contains."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.http import StreamingHttpResponse

Cell = str | float | int | Decimal | date | datetime | bool | None

# A cell that begins with one of these is a formula to a spreadsheet.  https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class _Echo:
    """The csv module writes to it, and gets back what it wrote: a line that can be sent at once."""

    def write(self, line: str) -> str:
        return line


def csv_response(name: str, rows: Iterable[Sequence[Cell]]) -> StreamingHttpResponse:
    """`rows` as the download `<name>.csv`, in UTF-8 with the mark by which spreadsheets know it."""
    response = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def csv_lines(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


def safe_cell(cell: Cell) -> str | float | int:
    """Text that could be read as a formula gets an apostrophe in front; numbers stay numbers."""
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return float(cell)
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA_STARTS) or cell.lstrip().startswith(FORMULA_STARTS[:4]) else cell
    return cell
