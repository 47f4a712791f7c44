"""The planning page as data: its tabs with their sections, and its facets."""

from __future__ import annotations

from insights.pages.answers import InsightsPage, OfferedFacet, Tab
from insights.query.query import Dimension
from insights.ui.cards import Distribution, Figures, Section, Slowest, Tile, Trend
from insights.ui.filters import Choice

FINISHED = Choice("finished", {"all": "All", "work_type": "Work type"})
STATE_OF_BACKLOG = Section(
    "backlog",
    "Ready for the next sprint",
    "What waits to be started",
    cards=(
        Tile("backlog.health"),
        Tile("backlog.age"),
        Tile("wip.count"),
        Tile("wip.age"),
    ),
)
FLOW = Section(
    "flow",
    "Flow of work",
    "How long items take, how many are under way, and how old those are",
    cards=(
        Tile("issue.cycle_time"),
        Tile("issue.lead_time"),
        Tile("wip.count"),
        Tile("wip.age"),
        Tile("flow.efficiency"),
        Trend("cycle_time", "issue.cycle_time", by=FINISHED, span=6),
        Trend("wip", "wip.count", kind="area", span=6),
        Distribution("spread", "issue.cycle_time", span=6),
        Slowest("oldest", "wip.age", "Oldest work in progress", span=6, most=8),
        Figures("More figures of flow", ("work.features_per_week", "work.feature_completion_rate", "backlog.age")),
    ),
)
TABS = {"": (STATE_OF_BACKLOG,), "flow": (FLOW,)}

PLANNING_PAGE = InsightsPage(
    "planning",
    tabs={"": Tab("Sprints"), "flow": Tab("Flow")},
    facets=(
        OfferedFacet(Dimension.PROJECT, "wip.count", "item", part="projects"),
        OfferedFacet(Dimension.WORK_TYPE, "wip.count", "item", part="work_types"),
    ),
)
