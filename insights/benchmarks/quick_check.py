"""Results of DORA's Quick Check by industry and organisation size: means and standard deviations, 0–10.

Data: DORA (Google), dora.dev, CC BY 4.0; quick_check.json says what Headway changed.  In 2025's file of sizes the
recovery time is inverted, so it is subtracted from ten; the overall mean of 2025's files does not follow their own
rule, so it is recomputed as the Quick Check does.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("quick_check.json")
YEARS = (2024, 2025)
LATEST = YEARS[-1]
EVERYBODY = "all"
# Metric → its name in the data, and whether lower is better, so that it is subtracted from ten for the score.
_NAMES: Mapping[str, tuple[str, bool]] = {
    "dora.lead_time": ("leadtime", False),
    "dora.deployment_frequency": ("deployfreq", False),
    "dora.recovery_time": ("failurerecovery", False),
    "dora.change_failure_rate": ("changefailure", True),
    "dora.rework_rate": ("rework", True),
}


class GroupedBy(enum.StrEnum):
    """How the answers are grouped."""

    INDUSTRY = "industry"
    ORGANISATION_SIZE = "organisation_size"


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation of a metric's score, 0–10, higher is better."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class QuickCheckGroup:
    """The answers of one industry or organisation size; `all` is everybody."""

    slug: str
    name: str
    metrics: Mapping[str, Spread]

    @property
    def score(self) -> float:
        """The mean DORA score: the arithmetic mean of the metrics' scores."""
        return sum(spread.mean for spread in self.metrics.values()) / len(self.metrics)


@cache
def quick_check(year: int, by: GroupedBy) -> Sequence[QuickCheckGroup]:
    """The groups of a year, everybody first.  Raises KeyError for a year that was not published."""
    published = json.loads(_FILE.read_text())["years"][str(year)][by]
    is_inverted = (year, by) == (2025, GroupedBy.ORGANISATION_SIZE)
    return [
        QuickCheckGroup(
            slug,
            group["name"],
            {
                key: _spread(*group[name], from_ten=less_is_better or (is_inverted and key == "dora.recovery_time"))
                for key, (name, less_is_better) in _NAMES.items()
                if name in group
            },
        )
        for slug, group in published.items()
    ]


def peers_to_offer() -> list[tuple[str, str]]:
    """The groups of the latest year to choose as peers: stored key and name of each."""
    return [
        (f"{by}:{group.slug}", group.name)
        for by in GroupedBy
        for group in quick_check(LATEST, by)
        if (by, group.slug) != (GroupedBy.ORGANISATION_SIZE, EVERYBODY)  # the same answers as those of all industries
    ]


def peers_named(choice: str) -> QuickCheckGroup:
    """The chosen group of the latest year; everybody where it no longer exists."""
    by, _, slug = choice.partition(":")
    groups = quick_check(LATEST, GroupedBy(by)) if by in list(GroupedBy) else ()
    everybody = quick_check(LATEST, GroupedBy.INDUSTRY)[0]
    return next((group for group in groups if group.slug == slug), everybody)


def attribution() -> str:
    """The source of the data, its licence, and what was changed."""
    return str(json.loads(_FILE.read_text())["attribution"])


def _spread(mean: float, deviation: float, *, from_ten: bool) -> Spread:
    return Spread(round(10 - mean, 1) if from_ten else mean, deviation)
