"""Figures computed again from their rows, by the recipe that the rows name: what "open any number" promises."""

from __future__ import annotations

import csv
import html
import io
import re
import statistics
from collections.abc import Callable

from insights.catalogue.registry import get
from insights.privacy.rows import UNMATCHED
from insights.query.query import Statistic

Rows = list[dict[str, str]]
Open = Callable[[str], bytes]  # address → content; fails where the answer is not 200

STATED_DAYS = re.compile(r"÷ the window's days(?: × (\d+))? that have come")


def rows_of(open_: Open, address: str) -> Rows:
    """All rows behind the address of a page of rows, from its CSV."""
    path, _, query = html.unescape(address).partition("?")
    return table(open_(f"{path.rstrip('/')}.csv?{query}"))


def table(content: bytes) -> Rows:
    """The rows of a CSV."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def total(rows: Rows, column: str) -> float:
    return round(sum(float(row[column] or 0) for row in rows), 9)  # as much as a decimal keeps


def from_rows(key: str, rows: Rows, *, days: int = 0, statistic: Statistic | None = None) -> float | None:
    """The value of the metric computed from its rows by its recipe; None if that is no data.

    `days` are the days of the window that have passed, which no row contains; `statistic` is the metric's own if None.
    """
    metric = get(key)
    if metric.statistics:
        values = sorted(float(row["Contribution"]) for row in rows)
        return _statistic(values, statistic or metric.statistic or Statistic.MEAN) if values else None
    if metric.recipe.startswith("Σ (2 rank"):
        return _concentration([float(row["Contribution"]) for row in rows if row["Developer"] != UNMATCHED])
    if stated := STATED_DAYS.search(metric.recipe):
        by_days = metric.recipe.startswith("number of different days")
        counted = len({row["Day"] for row in rows}) if by_days else total(rows, "Contribution")
        return counted / days * int(stated[1] or 1)
    if metric.recipe == "Σ contribution, of Σ denominator" or not rows or "Denominator" not in rows[0]:
        return total(rows, "Contribution") if "÷ Σ denominator" not in metric.recipe else None
    below = total(rows, "Denominator")
    return total(rows, "Contribution") / below * (100 if metric.unit == "percent" else 1) if below else None


def _statistic(ordered: list[float], statistic: Statistic) -> float:
    """The mean, or the percentile with linear interpolation, as the recipe says."""
    if statistic is Statistic.MEAN:
        return statistics.mean(ordered)
    if statistic is Statistic.TRIMMED_MEAN:
        return statistics.mean(ordered[: len(ordered) - 5 * len(ordered) // 100])
    percent = 50 if statistic is Statistic.MEDIAN else int(statistic.removeprefix("p"))
    place = (len(ordered) - 1) * percent / 100
    below, above = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
    return below + (above - below) * (place - int(place))


def _concentration(counts: list[float]) -> float | None:
    people, facts = len(counts), sum(counts)
    if not facts:
        return None
    ranked = enumerate(sorted(counts), start=1)
    return sum((2 * rank - people - 1) * count for rank, count in ranked) / (people * facts) * 100


def plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def tiles_of(page: str) -> list[tuple[str, str]]:
    """The key and the content of each tile of a page."""
    return re.findall(r'<article[^>]*data-tile="([^"]+)"(.*?)</article>', page, re.DOTALL)


def lines_of(page: str) -> list[tuple[str, str]]:
    """The key and the content of each line of the tables below a section's tiles."""
    return re.findall(r'<tr data-line="([^"]+)">(.*?)</tr>', page, re.DOTALL)


def rows_address(shown: str) -> str:
    """The address of a figure's rows, from its link."""
    link = re.search(r'href="(/insights/metrics/[^"/]+/rows/[^"]*)"', shown)
    assert link, plain(shown)
    return link[1]
