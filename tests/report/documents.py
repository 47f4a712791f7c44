"""A report's document for tests, without figures."""

from __future__ import annotations

from datetime import date
from typing import Any

from insights.catalogue.registry import get
from programs.closing.services.figures import MetricText, Period, described
from programs.closing.services.frozen import FrozenDays
from programs.report.services.document import NOTHING, ReportDocument

START, END = date(2026, 7, 1), date(2026, 10, 1)


def report_document(**parts: Any) -> ReportDocument:
    """A report of the whole organisation for the third quarter of 2026."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("highlights", "delivery", "bottlenecks", "warnings", "recommendations", "examined", "caveats", "stages"), ()
    )
    return ReportDocument(
        **{
            **nothing,
            "schema": 1,
            "kind": "report",
            "revision": 1,
            "unit": None,
            "people": 8,
            "quarter": Period("Q3 2026", START, END, kind="quarter", counted_to=END),
            "before": FrozenDays("Q2 2026", date(2026, 4, 1), START),
            "frozen_at": None,
            "frozen_by": None,
            "headline": NOTHING,
            "figures": {},
            "stage_of": MetricText(**described(get("dora.lead_time"))),
            "recommended": NOTHING,
            **parts,
        }
    )
