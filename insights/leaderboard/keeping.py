"""Everybody's figures of the leaderboard, ready before anybody looks."""

from __future__ import annotations

from insights.leaderboard.columns import METRICS, SPEND
from insights.leaderboard.figures import FactFigures
from insights.leaderboard.packed import Unpacked, packed, unpacked
from insights.metrics.query import MetricQuery, Window
from insights.people_figures.store import Kind, kept_of


def kept_figures(window: Window) -> Unpacked | None:
    """Those of the whole organisation; None where they are read quickly, or are not kept as of a short while ago."""
    kept = kept_of(LEADERBOARD, window)
    return unpacked(kept.content, kept.read_at) if kept else None


def _read(window: Window) -> bytes:
    return packed(FactFigures(MetricQuery(SPEND, window)))


LEADERBOARD = Kind("leaderboard", 2, METRICS, _read)
