"""The parts of the delivery page: its sections, the DORA score and where lead time goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insights.pages.ai.explanations import Hint
from insights.ui import wording
from insights.ui.tiles import Change, ChartCard, Link, Tile


@dataclass(frozen=True)
class SectionHead:
    """A section as the page names it; `url` is the part that fills it."""

    key: str
    title: str
    lede: str
    url: str
    csv_url: str  # of the tiles and the table


@dataclass(frozen=True)
class Section:
    """Headline tiles, charts, and below them a table of the figures that explain them."""

    key: str
    title: str
    tiles: Sequence[Tile]
    charts: Sequence[ChartCard] = ()
    lines: Sequence[Tile] = ()
    hints: Sequence[Hint] = ()


@dataclass(frozen=True)
class StageBar:
    """One stage of lead time: its mean, its share of the whole, and where its bar stands."""

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
    """A stretch that begins before the first commit: its mean over the linked pull requests of which it is known."""

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
    headline: str  # the longest stage, in a few words; empty where too little is known to call one out
    detail: str
    bars: Sequence[StageBar]
    upstream: Sequence[UpstreamStage]  # empty where no pull request names a work item
    links: Sequence[Link]


@dataclass(frozen=True)
class ScorePart:
    """One of the five metrics: what it is worth, 0–10, and how many points of the score that is."""

    label: str
    worth: str
    fraction: float  # 0–1, of ten
    points: str
    change: Change | None  # of the points


@dataclass(frozen=True)
class ScoreCard:
    """The DORA score, 0–10; without a value `missing` says which metrics are."""

    value: str | None
    change: Change | None
    parts: Sequence[ScorePart]
    missing: str
    peers: str  # what others answered
