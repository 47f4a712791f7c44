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

from insights.metrics.measures import Measure
from insights.metrics.reading import CellKey, Edges, Reading
from insights.metrics.scan import Cell, scan
from insights.short_memory import ShortMemory
from insights.windows import local_today

WORTH_KEEPING_SECONDS = 0.1
MOST_VALUES = 120_000  # of measures in cells, some 400 bytes each: five years by week and agent are one scan

Cells = Mapping[CellKey, Cell]


@dataclass(frozen=True)
class Asked:
    """What is asked of a reading (without windows): in which windows, and which measures."""

    partitions: tuple[Edges, ...]
    measures: tuple[Measure, ...]

    def and_also(self, other: Asked) -> Asked:
        partitions = dict.fromkeys((*self.partitions, *other.partitions))
        return Asked(tuple(partitions), tuple(dict.fromkeys((*self.measures, *other.measures))))

    def holds(self, other: Asked) -> bool:
        return {*self.partitions}.issuperset(other.partitions) and {*self.measures}.issuperset(other.measures)


@dataclass(frozen=True)
class Scanned:
    """What a scan of what was asked found, as of a moment."""

    cells: Cells
    at: datetime
    asked: Asked


_scans = ShortMemory[Scanned](lambda found: len(found.cells) * len(found.asked.measures), most=MOST_VALUES)


def scan_together(reading: Reading, asked: Asked, beside: Asked) -> Scanned:
    """As `scan` of what is asked, and of what the other responses of the page will ask of the same rows.

    Who asks while it is being read waits for it.
    """

    def scanned() -> Scanned:
        wider, at = asked.and_also(beside), timezone.now()
        return Scanned(scan(replace(reading, partitions=wider.partitions), wider.measures), at, wider)

    return _scans.find(
        (reading, local_today()),
        scanned,
        worth_keeping_seconds=WORTH_KEEPING_SECONDS,
        suffices=lambda known: known.asked.holds(asked),
    )


def forget_scans() -> None:
    """Let go of all of them."""
    _scans.forget()
