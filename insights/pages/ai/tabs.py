"""The AI page as data: its tabs with their sections, and its facets."""

from __future__ import annotations

from insights.leaderboard.ranking import RANKINGS
from insights.pages.answers import InsightsPage, OfferedFacet, Tab, facts_of
from insights.query.query import Dimension, Statistic
from insights.ui.cards import (
    LINE,
    Breakdown,
    Comparison,
    LastActive,
    Later,
    Lines,
    Look,
    Own,
    Section,
    SplitTable,
    Text,
    Tile,
    Trend,
    Units,
)
from insights.ui.filters import Choice

# The denominator of adoption.
OUT_OF = Choice(
    "developers",
    {"enrolled": "Enrolled", "licensed": "With a seat", "everybody": "All"},
    {
        "enrolled": "ai.adoption_rate",
        "licensed": "ai.adoption_of_licensed",
        "everybody": "ai.adoption_of_everybody",
    },
)
# The denominator of the AI share of committed code.
CODE_OF = Choice(
    "code_of",
    {"everybody": "All developers", "enrolled": "Enrolled"},
    {"everybody": "ai.committed_code_share", "enrolled": "ai.committed_code_share_of_enrolled"},
)
CODE = Choice("code", {"language": "Language", "file_type": "Type"})
WORK = Choice("work", {"all": "All work", "feature": "Features", "bug": "Bugs", "other": "Other"})
CYCLE = Choice(
    "cycle",
    {Statistic.MEDIAN: "Median", Statistic.MEAN: "Mean", Statistic.P90: "P90", Statistic.P95: "P95"},
    statistic_of="pr.cycle_time",
)
TREND = Choice("trend", {"agent": "Agents", "model": "Models", "work_type": "Work"})
BREAKDOWN = Choice(
    "breakdown", {"agent": "Agents", "repository": "Repositories", "model": "Models", "work_type": "Work"}
)
PART = Choice(
    "part",
    {
        "skill": "Skill",
        "sub_agent": "Sub-agent",
        "plugin": "Plugin",
        "mcp_server": "MCP server",
        "effort": "Effort",
        "query_source": "Query source",
        "provider": "Provider",
    },
)
COST = Choice("cost", {"tokens": "Tokens", "seats": "With seats"})
RANKED_BY = Choice("rank_by", RANKINGS)

ANY_USE = ("ai.sessions", "ai.active_developers")
HAS_SPEND = ("ai.spend",)
WORK_COMPARED = ("pr.cycle_time", "pr.merged_per_developer", "work.delivered_per_developer")

ASSOCIATION = "Association, not proof: developers choose which work goes to an agent."
READING = (
    "The groups differ in more than the tool: in people, repositories, size and kind of work. Shaded areas are 95% "
    "intervals for the highlighted agent and for Non-AI; where they overlap, or where the interval of a difference "
    "includes 0, treat the difference as noise. Intervals resample developers, not pull requests. No area is drawn "
    "where fewer than 8 developers worked on the line (30 for mean cycle times), nor for P90 and P95. Pick an agent to "
    "highlight it."
)

OVERVIEW = Section(
    "overview",
    "Overview",
    "",
    cards=(
        Own("adoption_tile", 3, ("ai.active_developers", OUT_OF)),
        Tile(CODE_OF, span=3),
        Own("total_spend", 6, ("ai.spend",)),
        Comparison(
            "differences",
            WORK_COMPARED,
            "With and without AI",
            span=8,
            line=LINE,
            note=ASSOCIATION,
            opens="impact",
        ),
        Look(),
        Lines("cycle_time", "pr.cycle_time", LINE, is_brief=True),
        Trend("spend_trend", "ai.spend", "Spend over time", "stacked_bar", span=6, by=TREND, needs=HAS_SPEND),
    ),
    fills_screen=True,
)
ADOPTION = Section(
    "adoption",
    "Adoption",
    "Who uses agents, and how often",
    cards=(
        LastActive("adoption", OUT_OF, title="Adoption"),
        Tile("ai.active_developers", sample_of=OUT_OF),
        Tile("ai.sessions"),
        Tile("ai.sessions_per_developer"),
        Tile(CODE_OF),
        Tile("ai.lines_committed"),
        Tile("ai.session_duration"),
        Units(),
        Trend("active_share", "ai.active_share", "{weekly} active users", "area", needs=ANY_USE),
        Trend("active_by_agent", "ai.active_share_by_agent", span=5, by=Dimension.AGENT, needs=ANY_USE, counted=True),
        Breakdown(
            "committed_code",
            "ai.lines_committed",
            by=CODE,
            title="AI committed code",
            span=3,
            explained_by="ai.committed_breakdown",
        ),
        Later(
            "adoption_effect",
            "Before and after adoption",
            "The same people before and after adoption, and developers by agent use",
            csv=(("adoption_effect", "Before and after as CSV"), ("cohorts", "Developers by use as CSV")),
            is_live=False,
        ),
    ),
    look_for=("ai.adoption_rate",),
)
VENDORS = Section(
    "vendors",
    "Use by any source",
    "Whom telemetry or an agent’s vendor reports as active; each person counts once",
    cards=(
        Tile("ai.active_by_any_source"),
        Tile("ai.adoption_by_any_source"),
        Tile("ai.vendor_active_developers"),
        Tile("ai.vendor_sessions"),
        Tile("ai.vendor_acceptance_rate"),
        Tile("ai.vendor_credits"),
        Tile("ai.idle_seats"),
        Tile("ai.vendor_daily_users"),
        Trend(
            "active_by_source",
            "ai.active_by_any_source",
            "Active developers by source",
            span=8,
            by=Dimension.KNOWN_FROM,
            counted=True,
        ),
        Text(
            "what_telemetry_adds",
            "Vendors report who was active, and for some agents sessions, lines and cost. Telemetry adds the time of "
            "sessions, tokens by model, tool calls and errors; with the collector also which lines were committed, and "
            "what a pull request or work item cost. No other figure here, besides idle seats, contains what only "
            "vendors report.",
            "What telemetry adds",
        ),
        Trend(
            "active_by_phase",
            "ai.vendor_active_developers",
            "Active by vendors, by adoption phase",
            span=12,
            by=Dimension.PHASE,
            counted=True,
        ),
        SplitTable(
            "use_by_vendor_team",
            (
                "ai.vendor_active_developers",
                "ai.vendor_sessions",
                "ai.vendor_lines_added",
                "ai.vendor_acceptance_rate",
                "ai.vendor_credits",
            ),
            by=Dimension.VENDOR_TEAM,
            title="By the vendor’s teams: a person in several counts in each",
        ),
    ),
    links=(("Reconciliation with vendors’ bills", "reconciliation"),),
)
IMPACT = Section(
    "impact",
    "Impact",
    "What agents write, and how much of it is committed",
    cards=(
        Own("lines_by_agent", 4),
        Trend("committed_share", CODE_OF, "AI share of committed code", "area", span=8),
    ),
    look_for=("ai.ship_rate",),
)
COMPARED = Section(
    "compared-work",
    "AI-assisted vs. other",
    "",
    cards=(
        Lines("cycle_time", "pr.cycle_time", LINE, span=8, statistic=CYCLE),
        Own("phases", 4),
        Lines("merged_per_developer", "pr.merged_per_developer", LINE),
        Lines("delivered", "work.delivered_per_developer", LINE),
        Comparison(
            "differences",
            WORK_COMPARED,
            "{line} vs. Non-AI",
            line=LINE,
            rows=(("Show the pull requests", "pr.throughput"), ("Show the work items", "work.delivered")),
            note=ASSOCIATION,
            reading=READING,
        ),
    ),
    picks=(("Compare Non-AI with", LINE), ("Type of work", WORK)),
    narrows=(WORK, Dimension.WORK_TYPE),
)
SPEND = Section(
    "spend",
    "Spend",
    "What agents cost at list prices",
    cards=(
        Own("seats"),
        Own("total_spend", 6, ("ai.spend",)),
        Tile("ai.spend_per_developer"),
        Tile("ai.spend_per_commit"),
        Tile("ai.spend_wasted"),
        Tile("ai.reported_cost"),
        Own("spend_budgets"),
        Trend(
            "spend_trend", "ai.spend", "Spend over time", "stacked_bar", span=8, by=TREND, needs=HAS_SPEND, counted=True
        ),
        Breakdown("spend_breakdown", "ai.spend", by=BREAKDOWN, title="Spend breakdown"),
        Breakdown(
            "spend_parts",
            "ai.spend_by_part",
            by=PART,
            span=12,
            caveat="From agent telemetry, where available.",
            needs=HAS_SPEND,
        ),
    ),
    look_for=("ai.unpriced_tokens",),
    links=(("Model cost comparison", "ai_prices"),),
)
COSTS = Section(
    "money",
    "AI costs",
    "AI cost of merged pull requests, delivered items and repositories, and how much of it was abandoned",
    cards=(
        Tile("ai.spend_per_merged_pr"),
        Tile("ai.spend_per_item"),
        Tile("ai.spend_abandoned"),
        Tile("ai.pr_fate"),
        Later("spend_by_repository", "Repositories by spend", "Show the repositories", is_folded=True),
        Comparison(
            "fate",
            ("ai.pr_fate", "pr.reopened_rate", "pr.review_rounds", "pr.failed_runs", "pr.rewritten_rate"),
            "Pull request outcomes",
            is_of_everything=True,  # a repository's commits name no agent
            is_folded=True,
        ),
    ),
    links=(("AI cost of a repository, pull request or work item", "ai_costs"),),
)
USAGE = Section(
    "usage",
    "Usage",
    "How well agents work with the tools",
    cards=(
        Tile("ai.cache_hit_rate"),
        Tile("ai.error_rate"),
        Tile("ai.tokens"),
        Tile("ai.ship_rate"),
        Tile("ai.enabled_repositories"),
        Trend(
            "tokens_by_kind",
            "ai.tokens",
            "Tokens by kind",
            "stacked_bar",
            span=6,
            by=Dimension.TOKEN_KIND,
            needs=("ai.tokens",),
            counted=True,
        ),
        SplitTable(
            "failing_tools",
            ("ai.tool_failures", "ai.tool_calls", "ai.error_rate"),
            Dimension.TOOL,
            "Tools by failures",
            span=6,
            most=8,
        ),
    ),
)
LEADERBOARD = Section(
    "leaderboard",
    "Leaderboard",
    "Developers by agent usage and output",
    cards=(Later("leaderboard", "", "Show the leaderboard"),),
    picks=(("Rank by", RANKED_BY),),
    links=(
        ("Sessions", "ai_sessions"),
        ("All columns and developers", "ai_leaderboard"),
        ("CSV", "ai_leaderboard_csv"),
    ),
)
# Facets of sessions and people; a session has no repository until its commits have one.
FACETS_OF_SESSIONS = (
    OfferedFacet(Dimension.AGENT, "ai.sessions", "session"),
    OfferedFacet(Dimension.MODEL, "ai.tokens", "token", part="models"),
)
# Figures without these facets are marked: "of every repository".
FACETS_OF_WORK = (
    OfferedFacet(Dimension.REPOSITORY, "ai.spend", "session", part="repositories", amount=facts_of),
    OfferedFacet(Dimension.WORK_TYPE, "ai.spend", "session", part="work_types", amount=facts_of),
)
AI_PAGE = InsightsPage(
    "ai",
    facets=(*FACETS_OF_SESSIONS, *FACETS_OF_WORK),
    tabs={
        "": Tab("Overview", (OVERVIEW,)),
        "adoption": Tab("Adoption", (ADOPTION,), holds="adoption units"),
        "impact": Tab("Impact", (IMPACT, COMPARED), holds="impact"),
        "spend": Tab("Spend", (SPEND, COSTS), holds="spend money"),
        "usage": Tab("Usage", (USAGE,), holds="usage failing-tools"),
        "developers": Tab("Developers", (LEADERBOARD,), holds="leaderboard"),
        "vendors": Tab("Vendors", (VENDORS,)),
    },
)
SPEND_PAGE, USAGE_PAGE = map(AI_PAGE.at, ("spend", "usage"))
