"""Everybody's figures of the leaderboard, ready before anybody looks."""

from __future__ import annotations

import hashlib

from insights.leaderboard.columns import METRICS
from insights.leaderboard.figures import FactFigures
from insights.leaderboard.packed import Unpacked, packed
from insights.metrics.figures import fingerprint
from insights.metrics.query import MetricQuery, Window
from insights.metrics.registry import get
from insights.people_figures.store import Kind, kept_of

FORMAT = 1  # of what is packed
PERSONAL = "ai.spend"  # as any of the figures


def kept_figures(window: Window) -> Unpacked | None:
    """Those of the whole organisation; None where they are read quickly, or are not kept as of a short while ago."""
    kept = kept_of(LEADERBOARD, window)
    return Unpacked(kept.content, kept.read_at) if kept else None


def _read(window: Window) -> bytes:
    return packed(FactFigures(MetricQuery(PERSONAL, window)))


def _measured() -> str:
    told = [(key, get(key).version, *sorted(fingerprint(each) for each in get(key).measures)) for key in METRICS]
    return hashlib.sha256(repr((FORMAT, told)).encode()).hexdigest()


LEADERBOARD = Kind("leaderboard", _measured, _read)
