"""The planning page as data: its tabs with their sections, and its facets."""

from __future__ import annotations

from insights.catalogue.sprints import points_key
from insights.pages.answers import InsightsPage, OfferedFacet, Tab, facts_of
from insights.pages.planning.forecasts import FORECAST
from insights.query.query import Dimension
from insights.ui.cards import Distribution, Figures, Later, Section, Tile, Trend, UnitTable
from insights.ui.filters import Choice

COUNTED = {"items": "Items", "points": "Points"}


def in_items_or_points(key: str) -> Choice:
    """The choice between the metric in items and in points, by the page's unit of counting."""
    return Choice("counted", COUNTED, {"items": key, "points": points_key(key)})


COUNTED_IN = in_items_or_points("sprint.commit")
FINISHED = Choice("finished", {"all": "All", "work_type": "Work type"})

SPRINTS = Section(
    "sprints",
    "Closed sprints",
    "What was committed, and what became of it",
    picks=(("Counted in", COUNTED_IN),),
    cards=(
        *(
            Tile(in_items_or_points(key))
            for key in (
                *("sprint.commit", "sprint.delivered_vs_planned", "sprint.scope_creep", "sprint.carry_over"),
                "sprint.predictability",
            )
        ),
        Trend("delivered", in_items_or_points("sprint.delivered"), "Delivered", "stacked_bar", span=6),
        Trend("creep", in_items_or_points("sprint.scope_creep"), "Scope creep", needs=("sprint.commit",), span=6),
        UnitTable(
            "sprints_by_unit",
            (
                *("sprint.commit", "sprint.delivered_vs_planned", "sprint.scope_creep", "sprint.churn"),
                *("sprint.carry_over", "sprint.predictability", "estimate.accuracy"),
            ),
            "Sprints, unit by unit",
        ),
    ),
)
FLOW = Section(
    "flow",
    "Flow of work",
    "What comes in and what is done, how many items are under way, and how old those are",
    cards=(
        Tile("issue.created"),
        Tile("issue.completed"),
        Tile("wip.count"),
        Tile("wip.age"),
        Tile("issue.cycle_time"),
        Trend("arrivals", "issue.created", "Arrivals and completions", beside=("issue.completed",), span=6),
        Trend("wip", "wip.count", kind="area", span=6),
        Later("ageing", "Ageing work", "Show the oldest work in progress", span=7),
        Distribution("spread", "issue.cycle_time", "Cycle time", span=5),
        Trend("cycle_time", "issue.cycle_time", by=FINISHED, span=6),
        Trend("efficiency", "flow.efficiency", span=6),
        Figures(
            "More figures of flow",
            (
                *("issue.lead_time", "flow.efficiency", "work.features_per_week", "work.feature_completion_rate"),
                *("backlog.age", "backlog.health"),
            ),
        ),
    ),
)
PLANNING_PAGE = InsightsPage(
    "planning",
    tabs={
        "": Tab("Sprints", (SPRINTS,)),
        "flow": Tab("Flow", (FLOW,)),
        FORECAST.key: Tab("Forecast", (FORECAST,)),
    },
    facets=(
        OfferedFacet(Dimension.PROJECT, "issue.cycle_time", "item", part="projects", amount=facts_of),
        OfferedFacet(Dimension.WORK_TYPE, "issue.cycle_time", "item", part="work_types", amount=facts_of),
    ),
)
