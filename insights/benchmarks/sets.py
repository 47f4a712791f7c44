"""The published sets that can be chosen."""

from __future__ import annotations

from collections.abc import Mapping

from insights.benchmarks.bands import BenchmarkSet
from insights.benchmarks.dora_reports import DORA_REPORTS
from insights.benchmarks.four_keys import FOUR_KEYS
from insights.benchmarks.industry import INDUSTRY_SETS

SETS: Mapping[str, BenchmarkSet] = {each.slug: each for each in (*DORA_REPORTS, FOUR_KEYS, *INDUSTRY_SETS)}
"""By slug, DORA's own first."""

DEFAULT_SET = "dora-2023"
"""The newest of DORA's in which better clusters have better figures throughout."""


def chosen_set(slug: str) -> BenchmarkSet:
    """The set of that slug, else the default: a set that was chosen once may be gone."""
    return SETS.get(slug, SETS[DEFAULT_SET])
