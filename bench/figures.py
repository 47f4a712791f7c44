"""A measured figure with its goal, and how a list of them is printed."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.db import connection


@dataclass(frozen=True)
class Limit:
    """The machine's best at the same work, measured in the same run."""

    what: str
    value: float


@dataclass(frozen=True)
class Measured:
    """A figure, `value` in `unit`; `met` is None if the product sets no goal for it."""

    name: str
    value: float
    unit: str
    goal: str
    met: bool | None
    conditions: str
    limit: Limit | None = None

    @property
    def ratio(self) -> float | None:
        """Value ÷ limit."""
        return None if self.limit is None or not self.limit.value else self.value / self.limit.value

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}

    def as_text(self) -> str:
        verdict = {True: "met", False: "MISSED", None: "no goal"}[self.met]
        lines = [f"{self.name:<34}{_number(self.value):>12} {self.unit:<12} goal {self.goal}: {verdict}"]
        if self.limit is not None and self.ratio is not None:
            lines.append(f"{'':>4}{self.ratio:.2f} of the limit: {_number(self.limit.value)} {self.limit.what}")
        lines.append(f"{'':>4}{self.conditions}")
        return "\n".join(lines)


def percentile(values: Iterable[float], percent: int) -> float:
    """The value that `percent` in a hundred do not exceed, interpolated between two values."""
    ordered = sorted(values)
    if len(ordered) == 1:
        return ordered[0]
    return statistics.quantiles(ordered, n=100, method="inclusive")[percent - 1]


def machine() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgresql,) = cursor.fetchone()
    return {
        "cores": os.cpu_count(),
        "processor": _from_proc("/proc/cpuinfo", "model name") or platform.processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": postgresql,
    }


def machine_as_text(facts: dict[str, Any]) -> str:
    return (
        f"{facts['cores']} cores ({facts['processor']}), {facts['memory_gb']} GB memory, {facts['system']}, "
        f"Python {facts['python']}, PostgreSQL {facts['postgresql']}"
    )


def summary(figures: Sequence[Measured]) -> str:
    judged = [figure for figure in figures if figure.met is not None]
    return f"{sum(bool(figure.met) for figure in judged)} of {len(judged)} goals met"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _from_proc(path: str, key: str) -> str:
    file = Path(path)
    if not file.exists():
        return ""
    for line in file.read_text().splitlines():
        if line.startswith(key):
            return line.partition(":")[2].strip()
    return ""
