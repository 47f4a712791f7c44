"""The parts of a section: shares of a donut, ranked bars, spend by outcome, and the section itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from insights.pages.ai.explanations import Hint
from insights.pages.ai.phases import PhasesCard
from insights.query.query import MetricValue
from insights.ui import wording
from insights.ui.shortfalls import Shortfall
from insights.ui.tiles import Change, ChartCard, Link, Picker, Tile

REST = "\x00rest"  # no segment has this name: names hold no NUL
SHARES_LISTED = 6  # in a donut: the rest is combined into one share


@dataclass(frozen=True)
class Share:
    """One slice of a whole: its amount in words, its percentage, and the length of its bar."""

    key: str
    label: str
    role: Literal["agent", "outcome", "sequence"]
    value: float
    amount: str
    percent: str
    fraction: float = 0.0  # 0–1, of the sum
    start: float = 0.0  # 0–1, where its part of a stacked bar begins
    of: Sequence[str] = ()  # the values that it combines; empty for a single one


@dataclass(frozen=True)
class MissingInput:
    """A missing data source of a part of the page, and what the part will show with it."""

    title: str
    headline: str
    text: str
    will_show: Sequence[str]
    link: Link | None = None


@dataclass(frozen=True)
class LinesBar:
    """One agent's committed and generated lines, and the lengths of both bars."""

    key: str
    label: str
    committed: str
    generated: str  # empty without telemetry
    percent: str  # committed of generated; empty where committed exceeds generated
    committed_fraction: float  # 0–1, of the longest bar
    generated_fraction: float
    rows_url: str  # of committed lines, or of generated ones where none were committed


@dataclass(frozen=True)
class LinesCard:
    card: ChartCard
    value: wording.Reading | None
    change: Change | None
    sample: str
    bars: Sequence[LinesBar]
    caveat: str


def shares(
    figures: Mapping[str, MetricValue],
    unit: str,
    *,
    role: Literal["agent", "outcome", "sequence"],
    labels: Mapping[str, str],
    rest: str = "Other",
    most: int = SHARES_LISTED,
) -> list[Share]:
    """Segments as shares of their sum, in the given order; those after the first `most` - 1 are combined."""
    amounts = [(name, figure.value or 0.0) for name, figure in figures.items()]
    others: list[tuple[str, float]] = []
    if len(amounts) > most:
        listed, others = amounts[: most - 1], amounts[most - 1 :]
        amounts = [*listed, (REST, sum(value for _, value in others))]
        labels = {**labels, REST: f"{rest} ({len(others)})"}
    total = sum(value for _, value in amounts)
    starts = [0.0, *accumulate(value / total if total else 0.0 for _, value in amounts)]
    return [
        Share(
            key="other" if name == REST else name or "unknown",
            label=labels.get(name) or name or "Unknown",
            role=role,
            value=value,
            amount=str(wording.reading(value, unit)) if unit == "currency" else wording.compact(value),
            percent=wording.percent_of(value, total),
            fraction=value / total if total else 0.0,
            start=start,
            of=[segment for segment, _ in others] if name == REST else (),
        )
        for start, (name, value) in zip(starts, amounts, strict=False)
    ]


@dataclass(frozen=True)
class FailingTools:
    """The table of failing tools, with its note and hints."""

    rows: Sequence[FailingTool]
    note: str
    hints: Sequence[Hint]


@dataclass(frozen=True)
class FailingTool:
    tool: str
    calls: str
    failures: str
    percent: str
    fraction: float  # 0–1, of the tool that fails most


@dataclass(frozen=True)
class ComparedCards:
    """Pull requests and work items with and without agents: pickers, charts, phases, and URLs of later parts."""

    line: str
    lines: Sequence[Picker]
    work: Sequence[Picker]
    charts: Sequence[ChartCard]
    charts_url: str  # set where the charts load later
    phases: PhasesCard | None
    part_url: str
    part_csv_url: str
    effect_url: str
    effect_csv_urls: Sequence[Link]
    rows: Sequence[Link]


@dataclass(frozen=True)
class Section:
    key: str
    title: str
    lede: str
    tiles: Sequence[Tile] = ()
    donut: ChartCard | None = None
    lines: LinesCard | None = None
    total: Tile | None = None
    charts: Sequence[ChartCard] = ()
    part_url: str = ""  # of what loads after the page
    part_csv_url: str = ""
    missing_input: MissingInput | None = None
    compared: ComparedCards | None = None
    hints: Sequence[Hint] = ()
    shortfalls: Sequence[Shortfall] = ()

    @property
    def title_id(self) -> str:
        return f"{self.key}-title"

    @property
    def template(self) -> str:
        return f"insights/_section_{self.key}.html"
