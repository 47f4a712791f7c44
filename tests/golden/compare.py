"""Differences between two texts, by metric."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path

RELATIVE = 1e-12  # float noise of another order of adding up is below, and no change of a definition is
FIELDS = 7  # before what was answered: where the figure stands
EXAMPLES = 5


class Kind(StrEnum):
    CHANGED = "changed"
    ONLY_IN_FIRST = "only in the first"
    ONLY_IN_SECOND = "only in the second"


@dataclass
class Differences:
    """The differences of one metric: counts by kind, and examples."""

    counts: dict[Kind, int] = field(default_factory=lambda: defaultdict(int))
    examples: list[str] = field(default_factory=list)

    def add(self, kind: Kind, example: str) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= EXAMPLES:
            self.examples.append(example)


def differences(first: Path, second: Path) -> dict[str, Differences]:
    """The differences of two sorted texts, by metric, in the order of the texts; empty if they are equal."""
    by_metric: dict[str, Differences] = defaultdict(Differences)
    for where, before, after in _side_by_side(first, second):
        metric = where.split("\t")[1]
        if before is None or after is None:
            kind = Kind.ONLY_IN_SECOND if before is None else Kind.ONLY_IN_FIRST
            by_metric[metric].add(kind, f"{kind}: {_shown(where)}: {_shown(before or after or '')}")
        elif not _equal(before, after):
            by_metric[metric].add(Kind.CHANGED, f"{_shown(where)}\n      {_shown(before)}\n      {_shown(after)}")
    return dict(by_metric)


def report(by_metric: dict[str, Differences]) -> str:
    """The differences as a person reads them; empty where there are none."""
    lines = []
    for metric, of_metric in by_metric.items():
        counts = ", ".join(f"{number} {kind}" for kind, number in of_metric.counts.items())
        lines.append(f"{metric}: {counts}")
        lines += [f"    {example}" for example in of_metric.examples]
    if by_metric:
        total = sum(sum(of_metric.counts.values()) for of_metric in by_metric.values())
        lines.append(f"{total} figures of {len(by_metric)} metrics differ.")
    return "\n".join(lines)


def _side_by_side(first: Path, second: Path) -> Iterator[tuple[str, str | None, str | None]]:
    """The place of each figure with its value in either text; both are read line by line."""
    before_lines, after_lines = _figures(first), _figures(second)
    before, after = next(before_lines, None), next(after_lines, None)
    while before or after:
        if before and (after is None or before[0] < after[0]):
            yield before[0], before[1], None
            before = next(before_lines, None)
        elif after and (before is None or after[0] < before[0]):
            yield after[0], None, after[1]
            after = next(after_lines, None)
        elif before and after:
            yield before[0], before[1], after[1]
            before, after = next(before_lines, None), next(after_lines, None)


def _figures(path: Path) -> Iterator[tuple[str, str]]:
    """The place and value of each figure, in order.  Raises ValueError for anything but a sorted text of figures."""
    last = ""
    with path.open(encoding="utf-8", newline="\n") as text:
        for number, line in enumerate(text, start=1):
            fields = line.rstrip("\n").split("\t")
            where, answered = "\t".join(fields[:FIELDS]), "\t".join(fields[FIELDS:])
            if not answered or where <= last:
                raise ValueError(f"{path}, line {number}: no figure, or not in order. Write the text again.")
            yield where, answered
            last = where


def _equal(before: str, after: str) -> bool:
    if before == after:
        return True
    return all(_same(*parts) for parts in zip_longest(before.split("\t"), after.split("\t"), fillvalue=""))


def _same(before: str, after: str) -> bool:
    (name, _, first), (other_name, _, second) = before.partition("="), after.partition("=")
    if before == after or name != other_name or not (_is_measured(first) and _is_measured(second)):
        return before == after
    return math.isclose(float(first), float(second), rel_tol=RELATIVE)


def _is_measured(text: str) -> bool:
    """Whether it is a float as Python prints one; whole numbers are counts."""
    try:
        float(text)
    except ValueError:
        return False
    return not text.lstrip("-").isdigit()


def _shown(fields: str) -> str:
    return fields.replace("\t", " | ")
