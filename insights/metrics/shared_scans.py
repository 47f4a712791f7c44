"""Scans that the responses of one page have in common: read once, with all that any of them asks of the same facts.

A page comes in a dozen responses.  With a filter that no cell holds each of them would read the facts of the same
family: what took long is kept for a minute in the web process, as the pages' trailing windows may lag, and says as of
when it is.  What is read quickly is read every time.  Nothing of a viewer is kept here: what may be shown to whom is
decided anew for each response.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone

from insights.formulas.cell_distinct_counts import TooManyToNumberError
from insights.metrics.found_cells import FoundCells
from insights.metrics.reading import AskedBySplit, Placed, Reading, SplitBy
from insights.metrics.scan import Cells, scan
from insights.metrics.scan_in_memory import is_scanned_in_memory, scan_in_memory
from insights.metrics.stint_arrays import StintsInUse
from insights.short_memory import ShortMemory
from insights.windows import local_today

WORTH_KEEPING_SECONDS = 0.1
MOST_VALUES = 120_000  # of measures in cells, some 400 bytes each: five years by week and agent are one scan


@dataclass(frozen=True)
class Scanned:
    """What scans of the same rows found, by how they were split, as of a moment."""

    cells: Mapping[SplitBy, Cells]
    at: datetime
    asked: AskedBySplit

    def holds(self, asked: AskedBySplit) -> bool:
        return all(split in self.asked and self.asked[split].holds(each) for split, each in asked.items())

    @property
    def size(self) -> int:
        """In values of the usual kind: numbers in arrays take a tenth of their room, beside the key of a cell."""
        return sum(
            len(cells) * (1 if isinstance(cells, FoundCells) else len(self.asked[split].measures))
            for split, cells in self.cells.items()
        )


_scans = ShortMemory[Scanned](lambda found: found.size, most=MOST_VALUES)


def scan_splits(rows: Reading, asked: AskedBySplit, stints: StintsInUse) -> Mapping[SplitBy, Cells]:
    """As `scan` of the rows for each of the splits: many rows are read once for all of them.

    By person they are told in memory or, which takes another statement (by_person.py), not at all.
    """
    in_memory = _in_memory(rows, asked)
    try:
        found = dict(scan_in_memory(rows, in_memory, stints)) if in_memory else {}
    except TooManyToNumberError:  # the database counts any number of combinations
        found = {}
    for split, each in asked.items():
        if split in found or split.by_person:
            continue
        if split.in_units:
            stints.make()
        found[split] = scan(replace(rows.of_split(split), partitions=each.partitions), each.measures)
    return found


def _in_memory(rows: Reading, asked: AskedBySplit) -> AskedBySplit:
    """Those that are; a few units alone are not, for which everybody's rows would be read."""
    found = {split: each for split, each in asked.items() if is_scanned_in_memory(rows, each)}
    return {} if all(split.in_units for split in found) else found


def scan_together(rows: Reading, asked: AskedBySplit, beside: AskedBySplit, stints: StintsInUse) -> Scanned:
    """As `scan_splits` of what is asked, and of what the other responses of the page will ask of the same rows.

    Who asks while it is being read waits for it.
    """
    if known := known_scan(rows, asked):
        return known

    def scanned() -> Scanned:
        wider, at = _with(beside, asked, rows), timezone.now()
        return Scanned(scan_splits(rows, wider, stints), at, wider)

    return _scans.find(
        (rows, local_today()),
        scanned,
        worth_keeping_seconds=WORTH_KEEPING_SECONDS,
        suffices=lambda known: known.holds(asked),
    )


def _with(beside: AskedBySplit, asked: AskedBySplit, rows: Reading) -> AskedBySplit:
    """Other splits only where they cost little more, once the rows are read."""
    wider = {split: each.and_also(beside[split]) if split in beside else each for split, each in asked.items()}
    return {**_in_memory(rows, {**beside, **wider}), **wider}


def known_scan(rows: Reading, asked: AskedBySplit) -> Scanned | None:
    """What `scan_together` has found of the rows a while ago, where it tells all that is asked.

    Whoever is in no unit may have been told of everybody's rows.
    """
    if rows.placement.placed is Placed.UNASSIGNED:
        known = known_scan(replace(rows, placement=rows.placement.of_everybody()), asked)
        if known:
            return known
    found = _scans.known((rows, local_today()), lambda known: known.holds(asked))
    return found if found and all(split in found.cells for split in asked) else None


def forget_scans() -> None:
    """Let go of all of them."""
    _scans.forget()
