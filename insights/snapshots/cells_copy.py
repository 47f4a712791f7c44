"""Cells on their way into the table: packed in memory, and taken up by the database while the next are computed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from django.db import connection

from insights.formulas.cell_layout import Lists
from insights.metrics.cells_in_memory import ComputedCells
from insights.snapshots.recomputation import KeptAs

if TYPE_CHECKING:
    from numpy import bytes_, dtype, void
    from numpy.typing import NDArray
    from psycopg import Copy

    from insights.formulas.arrays import Flags, Integers

COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER = b"\xff\xff"
POSTGRES_EPOCH = date(2000, 1, 1)
FIELDS = 11
FLOAT8 = 701  # the type of an element, as a list says it
ELEMENT_SIZE = 12  # its length and itself
EMPTY_LIST_SIZE, LIST_HEADER_SIZE = 12, 20  # without and with the number of elements and the first of their positions
CELLS_AT_ONCE = 1 << 14
BLOCKS_AHEAD = 4  # packed, and not taken up yet
COLUMNS = """
    COPY insights_metriccell
        (group_id, unit_id, period, start, "end", segment_value, facts, matched_facts, people, computed_at, figures)
    FROM STDIN (FORMAT BINARY)
"""


class CellsCopy:
    """Where computed cells are handed in."""

    def __init__(self, computed_at: datetime) -> None:
        self._microseconds = round((computed_at - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
        self._blocks: queue.Queue[bytes | None] = queue.Queue(BLOCKS_AHEAD)
        self._failed: list[BaseException] = []
        self.written = 0

    def add(self, group_id: int, cells: ComputedCells, kept_as: Sequence[Sequence[KeptAs]]) -> None:
        """Each cell as often as its span is kept."""
        import numpy as np

        flat = [each for of_span in kept_as for each in of_span]
        numbers = np.repeat(np.arange(len(kept_as)), [len(of_span) for of_span in kept_as])
        lists = Lists.of_pairs(numbers, np.arange(len(flat), dtype=np.int64), len(kept_as))
        for start in range(0, len(cells.units), CELLS_AT_ONCE):
            block = np.arange(start, min(start + CELLS_AT_ONCE, len(cells.units)), dtype=np.int64)
            pairs = lists.joined(cells.spans[block])
            if len(pairs.found):
                self._put(self._packed(group_id, cells, block[pairs.positions], flat, pairs.found))
                self.written += len(pairs.found)

    def _put(self, block: bytes | None) -> None:
        while True:
            if self._failed:
                raise self._failed[0]
            try:
                self._blocks.put(block, timeout=1)
            except queue.Full:
                continue
            return

    def _packed(
        self,
        group_id: int,
        cells: ComputedCells,
        which: Integers,
        kept_as: Sequence[KeptAs],
        how: Integers,
    ) -> bytes:
        import numpy as np

        count, figures = len(which), len(cells.numbers)
        periods = np.array([period.encode() for period, _ in kept_as], dtype=np.bytes_)
        words = np.array([word.encode() for word in cells.words] or [b""], dtype=np.bytes_)
        starts = np.array([(window.start - POSTGRES_EPOCH).days for _, window in kept_as])
        ends = np.array([(window.end - POSTGRES_EPOCH).days for _, window in kept_as])
        no_word = np.where(cells.without_numbers[which], 0, 1)
        texts = {
            "period": (periods[how], _lengths(periods)[how]),
            "segment": (words[cells.segments[which]], _lengths(words)[cells.segments[which]] * no_word),
        }
        record = _record(periods.itemsize, words.itemsize, figures)
        rows = np.zeros(count, dtype=record)
        keep = np.ones((count, record.itemsize), dtype=bool)  # bytes: of what varies in length, those that there are
        rows["fields"] = FIELDS
        given = {
            "group": np.full(count, group_id),
            "unit": cells.units[which],
            "start": starts[how],
            "end": ends[how],
            "facts": cells.facts[which],
            "matched": cells.matched_facts[which],
            "people": cells.people[which],
            "computed_at": np.full(count, self._microseconds),
        }
        for name, found in given.items():
            rows[f"{name} length"] = record[name].itemsize
            rows[name] = found
        for name, (text, lengths) in texts.items():
            rows[f"{name} length"] = lengths
            rows[name] = text
            _leave_out(keep, record, name, np.arange(record[name].itemsize) >= lengths[:, None])
        nobody = cells.units[which] == 0
        rows["unit length"][nobody] = -1
        _leave_out(keep, record, "unit", nobody[:, None])
        numbers = cells.numbers[:, which].T
        is_empty = cells.without_numbers[which] | (figures == 0)
        is_null = np.isnan(numbers)
        rows["list dimensions"], rows["list nulls"], rows["list type"] = ~is_empty, ~is_empty, FLOAT8
        rows["list size"], rows["list from"] = figures, 1
        rows["elements"]["length"] = np.where(is_null, -1, 8)
        rows["elements"]["number"] = numbers
        in_list = ELEMENT_SIZE * figures - 8 * np.count_nonzero(is_null, axis=1)
        rows["figures length"] = np.where(is_empty, EMPTY_LIST_SIZE, LIST_HEADER_SIZE + in_list)
        elements = keep[:, _offset(record, "elements") :].reshape(count, figures, ELEMENT_SIZE)
        elements[:, :, 4:] = ~is_null[:, :, None]
        keep[is_empty, _offset(record, "list size") :] = False
        return bytes(rows.view(np.uint8).reshape(count, -1)[keep].tobytes())

    def take_up(self, copy: Copy) -> None:
        """Hand on what is packed until there is nothing more."""
        try:
            copy.write(COPY_HEADER)
            while (block := self._blocks.get()) is not None:
                copy.write(block)
            copy.write(COPY_TRAILER)
        except BaseException as error:
            self._failed.append(error)

    def end(self) -> None:
        self._put(None)

    def give_up(self) -> None:
        """Without waiting for what is packed."""
        while True:
            try:
                self._blocks.get_nowait()
            except queue.Empty:
                break
        self._blocks.put(None)

    def raise_what_failed(self) -> None:
        if self._failed:
            raise self._failed[0]


def _record(period_width: int, segment_width: int, figures: int) -> dtype[void]:
    """A row of a binary COPY at its longest: its fields, each with its length before it, the last of them a list.

    An empty list ends after its type, and a null after its length.
    """
    import numpy as np

    fixed: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in (
        *(("group", ">i8"), ("unit", ">i8"), ("period", f"S{max(period_width, 1)}"), ("start", ">i4"), ("end", ">i4")),
        *(("segment", f"S{max(segment_width, 1)}"), ("facts", ">i8"), ("matched", ">i8"), ("people", ">i4")),
        ("computed_at", ">i8"),
    ):
        fixed += [(f"{name} length", ">i4"), (name, kind)]
    of_list = ("figures length", "list dimensions", "list nulls", "list type", "list size", "list from")
    element = np.dtype([("length", ">i4"), ("number", ">f8")])
    return np.dtype([*fixed, *((name, ">i4") for name in of_list), ("elements", element, (figures,))])


def _lengths(texts: NDArray[bytes_]) -> Integers:
    import numpy as np

    return np.array([len(text) for text in texts.tolist()], dtype=np.int64)


def _offset(record: dtype[void], name: str) -> int:
    return int(record.fields[name][1]) if record.fields else 0


def _leave_out(keep: Flags, record: dtype[void], name: str, left_out: Flags) -> None:
    offset = _offset(record, name)
    keep[:, offset : offset + record[name].itemsize] &= ~left_out


@contextmanager
def cells_copy(computed_at: datetime) -> Iterator[CellsCopy]:
    """While it lasts, the connection takes up cells, on a thread of its own, and cannot be asked anything else."""
    handed_in = CellsCopy(computed_at)
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(COLUMNS) as copy:
        thread = threading.Thread(target=handed_in.take_up, args=(copy,), name="cells", daemon=True)
        thread.start()
        try:
            yield handed_in
            handed_in.end()
        except BaseException:
            handed_in.give_up()
            raise
        finally:
            thread.join()
        handed_in.raise_what_failed()
