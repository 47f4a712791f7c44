"""The page `/insights/capacity/` as data: the load on teams; figures are of teams, never of a person."""

from __future__ import annotations

from insights.pages.answers import InsightsPage, Tab
from insights.pages.tabs import TabbedPage
from insights.ui.cards import Figures, Section, Tile, Trend, UnitTable

HOURS = Section(
    "hours",
    "When teams work",
    "In each person’s own time zone, without holidays and leave",
    cards=(
        Tile("capacity.after_hours_share"),
        Tile("capacity.weekend_share"),
        Tile("focus.days"),
        Tile("capacity.context_switches"),
        Tile("capacity.wip_per_person"),
        Trend(
            "outside_hours",
            "capacity.after_hours_share",
            "Outside working hours and at weekends",
            beside=("capacity.weekend_share",),
            span=6,
        ),
        Trend("focus", "focus.days", span=6),
        Trend("switches", "capacity.context_switches", span=6),
        Trend("carried", "capacity.wip_per_person", span=6),
        Figures(
            "More figures of capacity",
            (
                *("capacity.review_load", "review.load_concentration", "capacity.idle_share", "capacity.restart_rate"),
                "allocation.time",
            ),
        ),
        UnitTable(
            "capacity_by_unit",
            (
                *("capacity.after_hours_share", "capacity.weekend_share", "focus.days", "capacity.context_switches"),
                *("capacity.review_load", "capacity.wip_per_person", "capacity.idle_share", "capacity.restart_rate"),
            ),
            "Capacity, unit by unit",
        ),
    ),
)
CAPACITY = TabbedPage(
    InsightsPage("capacity", tabs={"": Tab("Hours", (HOURS,))}),
    "insights/capacity.html",
)
