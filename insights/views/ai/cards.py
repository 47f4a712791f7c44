"""The parts of a section: shares beside a donut, ranked bars, the spend's outcomes, and the section itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from insights import wording
from insights.guidance import Hint
from insights.metrics.query import Figure
from insights.tiles import Change, ChartCard, Tile

SHARES_LISTED = 6  # in a donut: more cannot be told apart, the rest becomes one share


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


@dataclass(frozen=True)
class BarsCard:
    card: ChartCard
    value: wording.Reading | None
    change: Change | None
    sample: str
    bars: Sequence[Share]


@dataclass(frozen=True)
class Need:
    """What a part of the page waits for, and what it will show then."""

    title: str
    needs: str
    will_show: Sequence[str]


def shares(
    figures: Mapping[str, Figure],
    unit: str,
    *,
    role: Literal["agent", "outcome", "sequence"],
    labels: Mapping[str, str],
    rest: str = "Other",
) -> list[Share]:
    """Segments as shares of their sum, in the order given; what does not fit the list is put together."""
    amounts = [(name, figure.value or 0.0) for name, figure in figures.items()]
    if len(amounts) > SHARES_LISTED:
        kept, others = amounts[: SHARES_LISTED - 1], amounts[SHARES_LISTED - 1 :]
        amounts = [*kept, ("", sum(value for _, value in others))]
        labels = {**labels, "": f"{rest} ({len(others)})"}
    total = sum(value for _, value in amounts)
    starts = [0.0, *accumulate(value / total if total else 0.0 for _, value in amounts)]
    return [
        Share(
            key=name or "other",
            label=labels.get(name) or name,
            role=role,
            value=value,
            amount=str(wording.reading(value, unit)) if unit == "currency" else wording.compact(value),
            percent=wording.percent_of(value, total),
            fraction=value / total if total else 0.0,
            start=start,
        )
        for start, (name, value) in zip(starts, amounts, strict=False)
    ]


@dataclass(frozen=True)
class FailingTools:
    """The table of tools that fail, and what is said below it."""

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
class Section:
    key: str
    title: str
    lede: str
    tiles: Sequence[Tile] = ()
    donut: ChartCard | None = None
    bars: BarsCard | None = None
    total: Tile | None = None
    charts: Sequence[ChartCard] = ()
    part_url: str = ""  # what the page asks for once it stands: facts that no snapshot keeps
    part_csv_url: str = ""
    need: Need | None = None
    hints: Sequence[Hint] = ()

    @property
    def title_id(self) -> str:
        return f"{self.key}-title"

    @property
    def template(self) -> str:
        return f"insights/_section_{self.key}.html"
