"""The allocation page as data: its tabs with their sections, and its facets."""

from __future__ import annotations

from insights.pages.answers import InsightsPage, OfferedFacet, Tab
from insights.query.query import Dimension
from insights.ui.cards import Breakdown, Figures, Later, Own, Section, Tile, Trend, UnitTable
from insights.ui.filters import Choice

WEIGHTS = {"time": "Time", "items": "Items", "points": "Points"}
WEIGHTED = Choice(
    "weighted",
    WEIGHTS,
    {"time": "allocation.share", "items": "allocation.share_items", "points": "allocation.share_points"},
)
SPENT_ON = Choice(
    "spent_on", {"epic": "Epic", "initiative": "Initiative", "project": "Project", "repository": "Repository"}
)

OVERVIEW = Section(
    "investment",
    "Where the time goes",
    "Each person’s week, shared over what they worked on",
    picks=(("Weighted by", WEIGHTED),),
    cards=(
        Tile("allocation.new_share"),
        Tile("allocation.improvement_share"),
        Tile("allocation.maintenance_share"),
        Tile("allocation.productivity_share"),
        Tile("allocation.unlinked_share"),
        Own("against_target", 7),
        Breakdown(
            "initiatives",
            "allocation.time",
            SPENT_ON,
            "Days by",
            span=5,
        ),
        Trend(
            "over_time",
            WEIGHTED,
            "Over time",
            "stacked_bar",
            span=7,
            by=Dimension.INVESTMENT,
            needs=("allocation.time",),
        ),
        Own("target_over_time", 5),
        Later(
            "quarters",
            "Quarter by quarter",
            "Show shares and targets of the last quarters",
            csv=(("quarters", "Shares and targets by quarter"),),
        ),
        Figures(
            "More figures of allocation",
            ("allocation.time", "allocation.unmatched_share", "pr.linked_rate", "work.features_per_week"),
        ),
    ),
)
TEAMS = Section(
    "teams",
    "Team by team",
    "The same shares of each unit’s people; a unit’s target is its own, and need not agree with those above it",
    cards=(
        UnitTable(
            "allocation_by_unit",
            (
                *("allocation.new_share", "allocation.improvement_share", "allocation.maintenance_share"),
                *("allocation.productivity_share", "allocation.unlinked_share", "allocation.unmatched_share"),
                "allocation.time",
            ),
            "Allocation, unit by unit",
        ),
        Later(
            "team_targets",
            "Against their targets",
            "Show the units’ shares and targets",
            csv=(("team_targets", "Shares and targets by unit"),),
        ),
    ),
)
ALLOCATION_PAGE = InsightsPage(
    "allocation",
    tabs={"": Tab("Overview", (OVERVIEW,)), "teams": Tab("Teams", (TEAMS,))},
    facets=(
        OfferedFacet(Dimension.PROJECT, "allocation.time", "days", part="projects"),
        OfferedFacet(Dimension.WORK_TYPE, "allocation.time", "days", part="work_types"),
    ),
)
