"""Columns of objectives and key results for the CSV file, and field names for the history."""

from __future__ import annotations

from core.columns import Columns, columns_of
from programs.models import KeyResult, Objective

COLUMNS = columns_of(
    Objective,
    *("number", "quarter", "title", "unit", "owner", "is_mandatory", "parent", "shown", "why", "override_reason"),
    *("description", "published_at", "dropped_at", "dropped_why", "override", "carry_over", "retrospective"),
    labels={
        "number": "Number",
        "title": "Objective",
        "unit": "Unit",
        "is_mandatory": "The team's objective",
        "parent": "Parent objective",
        "shown": "Standing",
        "why": "Why",
        "override_reason": "Reason for the override",
        "published_at": "Published",
        "dropped_at": "Dropped",
        "dropped_why": "Reason for dropping",
        "override": "Status override",
        "retrospective": "What was learned",
    },
)
KEY_RESULTS = columns_of(
    KeyResult,
    *("title", "metric", "statistic", "measured_in", "target_kind", "baseline", "target", "value", "progress"),
    *("forecast", "forecast_low", "forecast_high", "standing", "reason", "better", "hand_value", "final_value"),
    "initiative",
    labels={
        "title": "Key result",
        "measured_in": "Unit of measure",
        "target_kind": "Kind of target",
        "value": "Value",
        "progress": "Progress",
        "forecast": "Forecast",
        "forecast_low": "Forecast low",
        "forecast_high": "Forecast high",
        "standing": "Standing of the key result",
        "reason": "Why it stands so",
        "better": "Direction",
        "hand_value": "Value entered by hand",
        "initiative": "Initiative",
    },
)
FILE = Columns(COLUMNS[:10])
KEY_RESULTS_FILE = Columns(KEY_RESULTS[:14])
