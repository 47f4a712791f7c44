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

from insights.engine.scan import Cells, scan
from insights.metrics.reading import AskedBySplit, Placed, Reading, SplitBy
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
        """In values of measures."""
        return sum(len(cells) * len(self.asked[split].measures) for split, cells in self.cells.items())


_scans = ShortMemory[Scanned](lambda found: found.size, most=MOST_VALUES)


def scan_splits(rows: Reading, asked: AskedBySplit) -> Mapping[SplitBy, Cells]:
    """As `scan` of the rows for each of the splits."""
    return {
        split: scan(replace(rows.of_split(split), partitions=each.partitions), each.measures)
        for split, each in asked.items()
    }


def scan_together(rows: Reading, asked: AskedBySplit, beside: AskedBySplit) -> Scanned:
    """As `scan_splits` of what is asked, with the windows and measures that the other responses of the page will ask of
    the same splits.

    Who asks while it is being read waits for it.
    """
    if known := known_scan(rows, asked):
        return known

    def scanned() -> Scanned:
        wider = {split: each.and_also(beside[split]) if split in beside else each for split, each in asked.items()}
        at = timezone.now()
        return Scanned(scan_splits(rows, wider), at, wider)

    return _scans.find(
        (rows, local_today()),
        scanned,
        worth_keeping_seconds=WORTH_KEEPING_SECONDS,
        suffices=lambda known: known.holds(asked),
    )


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
