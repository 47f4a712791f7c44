"""Scans that the responses of one page have in common: read once, with all that any of them asks of the same facts.

A page comes in a dozen responses.  With a filter that no cell holds each of them would read the facts of the same
family: what took long is kept for a minute in the web process, as the pages' trailing windows may lag, and says as of
when it is.  What is read quickly is read every time.  Nothing of a viewer is kept here: what may be shown to whom is
decided anew for each response.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.utils import timezone

from insights.metrics.measures import Measure
from insights.metrics.reading import CellKey, Edges, Reading
from insights.metrics.scan import Cell, scan
from insights.windows import local_today

KEPT_SECONDS = 60
WORTH_KEEPING_SECONDS = 0.1
MOST_VALUES = 60_000  # of measures in cells, some 400 bytes each

Cells = Mapping[CellKey, Cell]


@dataclass(frozen=True)
class Scanned:
    """What a scan found, as of a moment."""

    cells: Cells
    at: datetime


@dataclass(frozen=True)
class _Kept:
    found: Scanned
    partitions: frozenset[Edges]
    measures: frozenset[Measure]
    until: float  # by the monotonic clock

    def answers(self, partitions: Sequence[Edges], measures: Sequence[Measure]) -> bool:
        return self.partitions.issuperset(partitions) and self.measures.issuperset(measures)

    @property
    def size(self) -> int:
        return len(self.found.cells) * len(self.measures)


_Key = tuple[Reading, date]
_kept: OrderedDict[_Key, _Kept] = OrderedDict()
_reading: dict[_Key, threading.Lock] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Asked:
    """What is asked of a reading (without windows): in which windows, and which measures."""

    partitions: tuple[Edges, ...]
    measures: tuple[Measure, ...]

    def and_also(self, other: Asked) -> Asked:
        partitions = dict.fromkeys((*self.partitions, *other.partitions))
        return Asked(tuple(partitions), tuple(dict.fromkeys((*self.measures, *other.measures))))


def scan_together(reading: Reading, asked: Asked, beside: Asked) -> Scanned:
    """As `scan` of what is asked, and of what the other responses of the page will ask of the same rows.

    Who asks while it is being read waits for it.
    """
    key = (reading, local_today())
    if (known := _known(key, asked)) is not None:
        return known
    with _lock:
        turn = _reading.setdefault(key, threading.Lock())
    with turn:
        if (known := _known(key, asked)) is not None:
            return known
        wider = asked.and_also(beside)
        started, at = time.monotonic(), timezone.now()
        found = Scanned(scan(replace(reading, partitions=wider.partitions), wider.measures), at)
        if time.monotonic() - started >= WORTH_KEEPING_SECONDS:
            _keep(key, wider, found)
    with _lock:
        _reading.pop(key, None)
    return found


def forget_scans() -> None:
    """Let go of all of them."""
    with _lock:
        _kept.clear()


def _known(key: _Key, asked: Asked) -> Scanned | None:
    with _lock:
        for old in [each for each, kept in _kept.items() if kept.until < time.monotonic()]:
            del _kept[old]
        kept = _kept.get(key)
        return kept.found if kept is not None and kept.answers(asked.partitions, asked.measures) else None


def _keep(key: _Key, asked: Asked, found: Scanned) -> None:
    until = time.monotonic() + KEPT_SECONDS
    with _lock:
        _kept[key] = _Kept(found, frozenset(asked.partitions), frozenset(asked.measures), until)
        while len(_kept) > 1 and sum(kept.size for kept in _kept.values()) > MOST_VALUES:
            _kept.popitem(last=False)
