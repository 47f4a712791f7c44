"""The page `/insights/ai/reconciliation/` as data: vendors' bills next to the spend that telemetry reports."""

from __future__ import annotations

from insights.pages.answers import InsightsPage, OfferedFacet, Tab
from insights.pages.tabs import TabbedPage
from insights.query.query import Dimension
from insights.ui.cards import Section, Text, Tile, Trend, UnitTable

BILLS = Section(
    "bills",
    "Bill and spend",
    "What vendors charge, and what of it the sessions of telemetry explain",
    cards=(
        Tile("ai.billed"),
        Tile("ai.billed_spend"),
        Tile("ai.bill_difference"),
        Tile("ai.bill_explained"),
        Trend("bill_and_spend", "ai.billed", "Billed and spent", beside=("ai.billed_spend",), span=6),
        Trend("explained", "ai.bill_explained", span=6),
        Trend("causes", "ai.bill_difference", "Difference by cause", "stacked_bar", by=Dimension.CAUSE, span=8),
        Text(
            "how_to_read",
            "Other products, API keys and people who send no telemetry make the bill larger than spend, as do sessions "
            "that were not reported. A discount makes it smaller. Price is what the same tokens cost by the vendor’s "
            "list and by ours. Delay is spend of days that the vendor has not reported yet. A vendor’s day is in UTC, "
            "so compare weeks rather than days.",
            "Causes",
        ),
        Trend("by_model", "ai.billed", "Billed by model", "stacked_bar", by=Dimension.MODEL, span=12),
        UnitTable("bill_by_unit", ("ai.billed", "ai.billed_spend", "ai.bill_explained"), "Bills, unit by unit"),
    ),
)
RECONCILIATION = TabbedPage(
    InsightsPage(
        "reconciliation",
        facets=(
            OfferedFacet(Dimension.AGENT, "ai.billed", "entry"),
            OfferedFacet(Dimension.MODEL, "ai.billed", "entry"),
        ),
        tabs={"": Tab("Bills", (BILLS,))},
    ),
    "insights/reconciliation.html",
)
