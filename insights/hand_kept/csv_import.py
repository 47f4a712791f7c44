"""Imports values of hand-kept metrics from CSV: preview each row, then all rows or none.

The columns are those of the download and of the push API: key, unit (empty: the whole organisation), date, value, note.
A value is a number in the metric's unit of measure, or as people write it, such as 85%, 3 h, $1.5k.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation

from django.db import transaction

from core.cells import CellError, clean, day
from core.csv_import import CsvFileError, read_rows
from core.write_errors import FieldError, MayNotWriteError
from insights.ui.amounts import AmountError, read_amount
from integrations.hand_kept.definitions import metric_by_key
from integrations.hand_kept.values import VIA_FILE, Entry, Outcome, checked_entry, enter_values, enterable_unit
from integrations.models import HandKeptMetric, HandKeptValue
from orgtree.access.access import Access
from orgtree.models import Unit

MOST_ROWS = 1000
COLUMNS = ("key", "unit", "date", "value", "note")
LABELS = {name: name for name in COLUMNS}
NEEDED = ("key", "date", "value")


@dataclass(frozen=True)
class ValueRow:
    """A row of the file, numbered as in a spreadsheet (the header is row 1), and its effect.

    `replaced` is the existing value of that day; if both are equal, nothing changes.
    """

    row: int
    cells: Mapping[str, str]
    problem: str = ""
    entry: Entry | None = None
    replaced: HandKeptValue | None = None

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of the row; None if there is a problem."""
        if self.entry is None:
            return None
        if self.replaced is None:
            return Outcome.CREATED
        is_same = (self.replaced.value, self.replaced.note) == (self.entry.value, self.entry.note)
        return Outcome.UNCHANGED if is_same else Outcome.UPDATED


def read_values(access: Access, text: str) -> list[ValueRow]:
    """The effect of each row for this viewer; nothing is stored.  Raises CsvFileError."""
    reading = _Reading(access)
    rows = [reading.row(number, cells) for number, cells in read_rows(text, LABELS, needed=NEEDED, most=MOST_ROWS)]
    stored = {
        (value.metric_id, value.unit_id, value.day): value
        for value in HandKeptValue.objects.filter(
            metric__in={row.entry.metric.pk for row in rows if row.entry},
            day__in={row.entry.day for row in rows if row.entry},
        )
    }
    return [replace(row, replaced=stored.get(_place(row.entry))) if row.entry else row for row in rows]


def import_values(access: Access, rows: Sequence[ValueRow]) -> list[Outcome]:
    """Store all rows.  Raises CsvFileError if any of them has a problem, MayNotWriteError."""
    if wrong := [row for row in rows if row.problem]:
        raise CsvFileError(f"Row {wrong[0].row}: {wrong[0].problem} Nothing was stored.")
    with transaction.atomic():
        return enter_values(access, [row.entry for row in rows if row.entry], via=VIA_FILE)


class _Reading:
    """Reads rows; looks metrics and units up once per file."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._metrics: dict[str, HandKeptMetric | None] = {}
        self._units: dict[tuple[str, str], Unit | FieldError | MayNotWriteError | None] = {}
        self._seen: dict[tuple[int, int | None, date], int] = {}

    def row(self, number: int, cells: Mapping[str, str]) -> ValueRow:
        try:
            entry = self._entry(cells)
        except FieldError as problem:
            return ValueRow(number, cells, f"{problem.field.capitalize()}: {problem.message}")
        except (MayNotWriteError, CellError) as problem:
            return ValueRow(number, cells, str(problem))
        first = self._seen.setdefault(_place(entry), number)
        if first != number:
            return ValueRow(number, cells, f"Row {first} has a value for the same metric, unit and day.")
        return ValueRow(number, cells, entry=entry)

    def _entry(self, cells: Mapping[str, str]) -> Entry:
        key = cells.get("key", "")
        if key not in self._metrics:
            self._metrics[key] = metric_by_key(key)
        metric = self._metrics[key]
        if metric is None:
            raise FieldError("key", f"There is no hand-kept metric {key[:60]}.")
        try:
            on = day(cells.get("date", ""))
        except CellError as problem:
            raise FieldError("date", str(problem)) from None
        value = _number(cells.get("value", ""), metric)
        return checked_entry(metric, self._unit(metric, cells.get("unit", "")), on, value, clean(cells.get("note", "")))

    def _unit(self, metric: HandKeptMetric, slug: str) -> Unit | None:
        place = metric.key, slug
        if place not in self._units:
            try:
                self._units[place] = enterable_unit(self._access, metric, slug)
            except (FieldError, MayNotWriteError) as problem:
                self._units[place] = problem
        unit = self._units[place]
        if isinstance(unit, Exception):
            raise unit
        return unit


def _place(entry: Entry) -> tuple[int, int | None, date]:
    return entry.metric.pk, entry.unit.pk if entry.unit else None, entry.day


def _number(text: str, metric: HandKeptMetric) -> Decimal | float:
    """Parses the value; a plain number is in the metric's unit of measure.  Raises FieldError."""
    try:
        return Decimal(text.replace("−", "-"))
    except InvalidOperation:
        pass
    try:
        return read_amount(text, metric.unit_of_measure)
    except AmountError as problem:
        raise FieldError("value", str(problem)) from None
