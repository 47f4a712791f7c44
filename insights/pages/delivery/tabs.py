"""The delivery page as data: its tabs with their sections, and its facets."""

from __future__ import annotations

from insights.catalogue.lead_time_stages import LEAD_TIME as LEAD_TIME_KEY
from insights.catalogue.lead_time_stages import STAGES, WAITS
from insights.pages.answers import InsightsPage, OfferedFacet, Tab, facts_of
from insights.query.query import Dimension
from insights.ui.cards import Distribution, Figures, Later, Look, Own, Section, Slowest, Tile, Trend, Units
from insights.ui.filters import Choice

CYCLE = Choice("cycle", {"all": "All", "assistance": "AI", "work_type": "Work type"})
MERGED = Choice("merged", {"work_type": "Work type", "assistance": "AI", "size_class": "Size"})
DURATIONS = {
    **{LEAD_TIME_KEY: "Lead time", "pr.cycle_time": "Cycle time"},
    **{STAGES[wait][0]: STAGES[wait][1] for wait in WAITS},
}
SPREAD = Choice("spread", DURATIONS, {key: key for key in DURATIONS})
FIVE = (
    "dora.deployment_frequency",
    "dora.lead_time",
    "dora.change_failure_rate",
    "dora.recovery_time",
    "dora.rework_rate",
)
DEPLOYMENT_DAYS = "dora.deployment_days"
BREACHES = ("pr.oversized_rate", "pr.late_review_rate", "pr.unlinked_rate")
GAPS = Trend(
    "gaps",
    "pr.unreviewed_rate",
    "Unreviewed, self-merged, linked",
    needs=("pr.throughput",),
    beside=("pr.self_merged_rate", "pr.linked_rate"),
    span=6,
)

DORA = Section(
    "dora",
    "DORA metrics",
    "Bands by {published}",
    cards=(
        *map(Tile, FIVE),
        Own("stages_now", 8),
        Look(),
        Own("dora_score", 4),
        Later("dora_needs", "Missing DORA inputs", "Show what is missing", is_live=False),
        Units(),
    ),
)
LEAD_TIME = Section(
    "lead-time",
    "Where lead time goes",
    "First commit to running in production",
    cards=(
        Own("stages_now", 7),
        Own("stages", 5),
        Distribution("spread", SPREAD, "{metric} distribution"),
        Slowest("slowest", SPREAD, "Slowest changes", span=7, most=8),
    ),
)
EFFICIENCY = Section(
    "efficiency",
    "Efficiency",
    "How fast work moves, and what it waits for",
    cards=(
        Tile("pr.cycle_time"),
        Tile("pr.pickup_time"),
        Tile("pr.review_time"),
        Tile("pr.throughput"),
        Tile("issue.cycle_time"),
        Trend("cycle_time", "pr.cycle_time", by=CYCLE),
        Trend("throughput", "pr.throughput", kind="stacked_bar", by=MERGED, needs=("pr.throughput",)),
        Trend("wip", "wip.count", kind="area"),
        Figures(
            "More efficiency metrics",
            (
                DEPLOYMENT_DAYS,
                *("pr.coding_time", "pr.merge_time", "review.given_per_developer", "commit.frequency"),
                *("issue.lead_time", "flow.efficiency", "wip.count", "wip.age"),
                *("work.features_per_week", "work.feature_completion_rate", "delivery.idea_to_production"),
                *("ci.duration", "ci.queue_time", "ci.success_rate", "ci.flaky_rate"),
                "ci.wait_per_pull_request",
            ),
        ),
    ),
)
QUALITY = Section(
    "quality",
    "Quality",
    "Failures, rework and bugs",
    cards=(
        Tile("incident.count"),
        Tile("incident.mttr"),
        Tile("bug.ratio"),
        Tile("code.rework_rate"),
        Tile("pr.revert_rate"),
        Trend("failures", "dora.change_failure_rate", kind="area"),
        Trend("incidents", "incident.count", kind="stacked_bar"),
        Trend("bugs", "bug.ratio", "Bugs among finished items", "area"),
        Figures(
            "More quality metrics",
            (
                *("dora.change_failure_rate", "incident.count_per_deployment", "bug.escaped"),
                *("bug.customer_found", "bug.fix_rate", "bug.reopen_rate", "code.refactor_rate"),
            ),
        ),
        Figures(
            "Tests and code scanning",
            (
                *("test.pass_rate", "test.flaky_rate", "test.coverage", "test.duration"),
                *("code.quality_gate_rate", "code.best_ratings_rate", "code.duplication_rate"),
                *("code_scanning.open_alerts", "code_scanning.alert_age", "code_scanning.fix_time"),
            ),
        ),
    ),
)
HYGIENE = Section(
    "hygiene",
    "Hygiene",
    "Size, review and links of changes, and stale work",
    cards=(
        Tile("pr.size"),
        Tile("pr.review_depth"),
        Tile("pr.unreviewed_rate"),
        Tile("pr.self_merged_rate"),
        Tile("pr.linked_rate"),
        Trend("size", "pr.size", "Size of pull requests", span=6),
        Trend("review_depth", "pr.review_depth", span=6),
        GAPS,
        Trend(
            "breaches",
            "pr.oversized_rate",
            "Breaches of working agreements",
            needs=BREACHES,
            beside=BREACHES[1:],
            span=6,
        ),
        Figures(
            "More hygiene metrics",
            (
                *("pr.complexity", "pr.directories", "pr.languages", "pr.new_paths_rate", "pr.stale_count"),
                *("review.load_concentration", "backlog.age", "backlog.health", "branch.stale_count"),
            ),
        ),
    ),
)
DELIVERY_PAGE = InsightsPage(
    "delivery",
    tabs={
        "": Tab("Overview", (DORA,)),
        "lead-time": Tab("Lead time", (LEAD_TIME,), holds="lead-time slowest"),
        **{section.key: Tab(section.title, (section,), section.key) for section in (EFFICIENCY, QUALITY, HYGIENE)},
    },
    facets=(
        OfferedFacet(Dimension.REPOSITORY, "pr.throughput", "PR", part="repositories"),
        OfferedFacet(Dimension.SERVICE, "dora.deployment_frequency", "deployment", part="services", amount=facts_of),
        OfferedFacet(Dimension.WORK_TYPE, "pr.throughput", "PR", part="work_types"),
        OfferedFacet(Dimension.SIZE_CLASS, "pr.throughput", "PR", part="sizes"),
        OfferedFacet(Dimension.AGENT, "pr.throughput", "PR", part="agents"),
    ),
)
