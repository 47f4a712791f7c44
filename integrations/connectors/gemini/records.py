"""Turns a day of Cloud Monitoring's time series into drafts, without I/O and without Django.

Metrics: docs.cloud.google.com/gemini/docs/codeassist/monitor-gemini-code-assist.  Time series:
docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/TimeSeries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from integrations.connectors.base import Json
from integrations.connectors.drafts import VendorReportDraft, VendorUsageDraft
from integrations.connectors.errors import SchemaError
from integrations.connectors.reader import Reader
from integrations.connectors.vendor_days import MOST, draft_of, rows_in
from integrations.enums import VendorContent, VendorLevel

AGENT = "gemini"  # as its telemetry names it
PRODUCT = "code_assist"
# The last part of a metric's name, and the number of a day that it is.  Each costs a request.
METRICS = {
    "daily_active_users": "people",
    "chat_responses_count": "requests",
    "code_lines_accepted_count": "lines_added",
}
GAUGE, DELTA = "GAUGE", "DELTA"


def normalise_day(payload: Json) -> Sequence[VendorReportDraft]:
    """The numbers of a project's day; none of them is attributed to a person."""
    report = Reader(payload)
    project = report.text("project")
    numbers: dict[str, Any] = {}
    points: dict[tuple[str, str, datetime], int] = defaultdict(int)
    for row in rows_in(report):
        metric, kind = row.text("metric"), row.text("kind")
        if kind not in (GAUGE, DELTA):
            raise SchemaError("kind", f"should be {GAUGE} or {DELTA}")
        points[metric, kind, row.time("end")] += _whole(row)  # over the series of a metric's labels
    for (metric, kind, _), value in points.items():
        name = METRICS[metric]
        known = numbers.get(name)
        numbers[name] = value if known is None else known + value if kind == DELTA else max(known, value)
    usage = VendorUsageDraft(level=VendorLevel.PROJECT, name=project[:200], agent=AGENT, product=PRODUCT, **numbers)
    return [draft_of(report, report.text("report"), VendorContent.ACTIVITY, [usage] if any(numbers.values()) else [])]


def _whole(row: Reader) -> int:
    """An int64 as text, or a double."""
    value = row.value("value.int64Value" if row.has("value.int64Value") else "value.doubleValue")
    try:
        number = int(value) if isinstance(value, str) else round(value)
    except (TypeError, ValueError, OverflowError):
        raise SchemaError("value", "should be a number") from None
    if not 0 <= number <= MOST:
        raise SchemaError("value", "should be a number from 0 to 2^53")
    return number
