"""The parts of the delivery page: its sections, the DORA score and where lead time goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insights.pages.ai.explanations import Hint
from insights.ui import wording
from insights.ui.shortfalls import Shortfall
from insights.ui.tiles import Change, ChartCard, Link, Tile


@dataclass(frozen=True)
class SectionHead:
    """The heading of a section; `url` is the part that loads its content."""

    key: str
    title: str
    lede: str
    url: str
    csv_url: str  # of the tiles and the table


@dataclass(frozen=True)
class Section:
    """Headline tiles, charts, and a table of further metrics."""

    key: str
    title: str
    tiles: Sequence[Tile]
    charts: Sequence[ChartCard] = ()
    lines: Sequence[Tile] = ()
    hints: Sequence[Hint] = ()
    shortfalls: Sequence[Shortfall] = ()


@dataclass(frozen=True)
class StageBar:
    """One stage of lead time: its mean, its share, and the position of its bar."""

    key: str
    label: str
    value: str
    percent: str
    start: float  # 0–1 of the whole
    fraction: float  # 0–1 of the whole
    is_longest: bool
    rows_url: str


@dataclass(frozen=True)
class UpstreamStage:
    """A stage before the first commit: its mean over linked pull requests with a known value."""

    label: str
    value: str
    sample: str
    rows_url: str


@dataclass(frozen=True)
class StagesCard:
    card: ChartCard
    value: wording.Reading | None
    sample: str
    left_out: str
    headline: str  # the longest stage; empty for a small sample
    detail: str
    bars: Sequence[StageBar]
    upstream: Sequence[UpstreamStage]  # empty without links to work items
    links: Sequence[Link]


@dataclass(frozen=True)
class ScorePart:
    """One of the five metrics: its worth, 0–10, and its points of the score."""

    label: str
    worth: str
    fraction: float  # 0–1, of ten
    points: str
    change: Change | None  # of the points


@dataclass(frozen=True)
class ScoreCard:
    """The DORA score, 0–10; without a value `missing` lists the missing metrics."""

    value: str | None
    change: Change | None
    parts: Sequence[ScorePart]
    missing: str
    peers: str  # the published score of others
