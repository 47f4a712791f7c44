"""The phases of each line's cycle time: coding, which precedes it, and review and merge, which make it up.

Means, because only means add up, over pull requests with all phases known; the number left out is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from insights.engine.comparison import ANY_AGENT, WITHOUT
from insights.pages.ai.lines import LINE_SPLITS, MERGED, figures_of, line_name, marker
from insights.pages.answers import Answers, PageQuery, rows_url
from insights.pages.drill import rows_of_part
from insights.query.query import Dimension, MetricValue
from insights.ui import tiles, wording

PHASES: Mapping[str, tuple[str, str]] = {
    "coding": ("pr.coding_phase", "Coding"),
    "review": ("pr.review_phase", "Review"),
    "merge": ("pr.merge_phase", "Merge"),
}


def queries() -> tuple[PageQuery, ...]:
    return tuple(
        PageQuery(metric, split, unfiltered_by=Dimension.AGENT, whole=True)
        for metric, _ in PHASES.values()
        for split in LINE_SPLITS
    )


def means_of_lines(lines: Answers) -> Iterator[tuple[str, Sequence[float], int, int]]:
    """Each line with the mean seconds of its phases, the number of pull requests, and the number left out."""
    for line in _lines(lines):
        if means := _means(lines, line):
            known = means["review"][1]
            yield line, [mean for mean, _ in means.values()], known, _left_out(lines, line, known)


def phases_card(lines: Answers) -> dict[str, Any]:
    means = {line: _means(lines, line) for line in _lines(lines)}
    known = {line: phases for line, phases in means.items() if phases}
    before = max((phases["coding"][0] for phases in known.values()), default=0.0)
    after = max((phases["review"][0] + phases["merge"][0] for phases in known.values()), default=0.0)
    scale = before + after or 1.0
    missing = None if known else _whole(lines)
    return {
        "card": lines.card(
            "phases",
            PHASES["review"][0],
            title="PR phases, mean",
            kind="stacked_bar",
            span=4,
            missing=missing,
        ),
        "lines": [_of_line(lines, line, phases, before, scale) for line, phases in known.items()],
        "border": before / scale,
        "legend": [(key, label, rows_url(lines.filters, metric)) for key, (metric, label) in PHASES.items()],
    }


def _lines(lines: Answers) -> Sequence[str]:
    """The agents and Non-AI; any agent where there are several."""
    names = list(figures_of(lines, MERGED))
    agents = [line for line in names if line not in (WITHOUT, ANY_AGENT)]
    either = [line for line in (ANY_AGENT, WITHOUT) if line in names and (line == WITHOUT or len(agents) != 1)]
    return [*agents, *either]


def _means(lines: Answers, line: str) -> Mapping[str, tuple[float, int]]:
    """Phase → mean seconds and number of pull requests; empty where nothing is known or may be shown."""
    means: dict[str, tuple[float, int]] = {}
    for phase, (metric, _) in PHASES.items():
        figure = _figure(lines, metric, line)
        if figure is None or figure.value is None:
            return {}
        means[phase] = figure.value, figure.sample_size
    return means


def _of_line(
    lines: Answers, line: str, means: Mapping[str, tuple[float, int]], before: float, scale: float
) -> dict[str, Any]:
    coding, review, merge = (means[phase][0] for phase in PHASES)
    starts = {"coding": before - coding, "review": before, "merge": before + review}
    known = means["review"][1]
    left_out = _left_out(lines, line, known)
    return {
        "key": marker(line),
        "label": line_name(line),
        "bars": [
            {
                "key": phase,
                "label": label,
                "value": str(wording.duration(means[phase][0])),
                "start": starts[phase] / scale,
                "fraction": means[phase][0] / scale,
                "rows_url": rows_of_part(lines.filters, metric, Dimension.AGENT, marker(line)),
            }
            for phase, (metric, label) in PHASES.items()
        ],
        "cycle": str(wording.duration(review + merge)),
        "sample": wording.count(known, "PR"),
        "left_out": f"{left_out:,} left out" if left_out > 0 else "",
    }


def _left_out(lines: Answers, line: str, known: int) -> int:
    merged = figures_of(lines, MERGED)[line]
    return max(0, merged.sample_size - known)


def _figure(lines: Answers, metric: str, line: str) -> MetricValue | None:
    split = Dimension.ASSISTANCE if line in (ANY_AGENT, WITHOUT) else Dimension.AGENT
    answer = lines.now[PageQuery(metric, split, unfiltered_by=Dimension.AGENT, whole=True)]
    return tiles.by_segment(answer, split).get(line)


def _whole(lines: Answers) -> MetricValue:
    """A figure that has the reason for missing data."""
    answer = lines.now[PageQuery(PHASES["review"][0], Dimension.ASSISTANCE, unfiltered_by=Dimension.AGENT, whole=True)]
    return next((figure for figure in answer.total if figure.value is None), answer.total[0])
