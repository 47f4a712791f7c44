"""Columns of lists of benchmarks, for the CSV file and the page's table."""

from __future__ import annotations

from core.columns import columns_of
from programs.models import BenchmarkVersion

FILE = columns_of(
    BenchmarkVersion,
    *("name", "metric", "unit_of_measure", "statistic", "period", "value", "sample", "threshold", "target", "source"),
    *("baseline", "baseline_from", "baseline_to", "baseline_low", "baseline_high", "number", "written_at", "reason"),
    labels={
        "name": "Metric",
        "metric": "Key",
        "unit_of_measure": "Unit of measure",
        "value": "Value",
        "sample": "Sample",
        "source": "Source",
        "baseline_low": "Low",
        "baseline_high": "High",
        "number": "Version",
        "written_at": "Set on",
    },
)
TABLE = FILE.named("name", "value", "threshold", "target", "source").labels
