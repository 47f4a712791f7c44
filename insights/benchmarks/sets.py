"""The published benchmark sets to choose from."""

from __future__ import annotations

from collections.abc import Mapping

from insights.benchmarks.bands import BenchmarkSet
from insights.benchmarks.dora_reports import DORA_REPORTS, FOUR_KEYS
from insights.benchmarks.industry import INDUSTRY_SETS

_ALL_SETS = (*DORA_REPORTS, FOUR_KEYS, *INDUSTRY_SETS)
SETS: Mapping[str, BenchmarkSet] = {published.slug: published for published in _ALL_SETS}
"""By slug, DORA's own first."""

DEFAULT_SET = "dora-2023"
"""The newest of DORA's in which better clusters have better figures throughout."""


def chosen_set(slug: str) -> BenchmarkSet:
    """The set with that slug, or else the default: a chosen set may no longer exist."""
    return SETS.get(slug, SETS[DEFAULT_SET])
