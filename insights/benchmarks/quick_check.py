"""Results of DORA's Quick Check by industry and organisation size: mean scores, 0–10.

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
from statistics import fmean

_FILE = Path(__file__).with_name("quick_check.json")
LATEST = 2025
EVERYBODY = "all"
# The metrics in the data, and whether lower is better; those are subtracted from ten for the score.
_METRICS: Mapping[str, bool] = {
    "leadtime": False,
    "deployfreq": False,
    "failurerecovery": False,
    "changefailure": True,
    "rework": True,
}


class GroupedBy(enum.StrEnum):
    """The grouping of the answers."""

    INDUSTRY = "industry"
    ORGANISATION_SIZE = "organisation_size"


@dataclass(frozen=True, slots=True)
class QuickCheckGroup:
    """The answers of one industry or organisation size; `all` is everybody.

    `score` is the mean DORA score: the arithmetic mean of the metrics' scores, each from 0 to 10, higher is better.
    """

    slug: str
    name: str
    score: float


@cache
def quick_check(by: GroupedBy) -> Sequence[QuickCheckGroup]:
    """The groups of the latest year; the first is everybody."""
    published = json.loads(_FILE.read_text())[by]
    inverted = {"failurerecovery"} if by is GroupedBy.ORGANISATION_SIZE else set()

    def score(metric: str, mean: float) -> float:
        return round(10 - mean, 1) if _METRICS[metric] or metric in inverted else mean

    return [
        QuickCheckGroup(slug, group["name"], fmean(score(metric, group[metric][0]) for metric in _METRICS))
        for slug, group in published.items()
    ]


def peers_to_offer() -> list[tuple[str, str]]:
    """The groups to choose as peers: the stored key and the name of each."""
    return [
        (f"{by}:{group.slug}", group.name)
        for by in GroupedBy
        for group in quick_check(by)
        if (by, group.slug) != (GroupedBy.ORGANISATION_SIZE, EVERYBODY)  # the same answers as those of all industries
    ]


def peers_named(choice: str) -> QuickCheckGroup:
    """The chosen group; everybody if it no longer exists."""
    by, _, slug = choice.partition(":")
    groups = quick_check(GroupedBy(by)) if by in list(GroupedBy) else ()
    everybody = quick_check(GroupedBy.INDUSTRY)[0]
    return next((group for group in groups if group.slug == slug), everybody)
