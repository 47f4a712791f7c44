"""The columns of the leaderboard, the metric of each, and the columns that it can be ranked by."""

from __future__ import annotations

from dataclasses import dataclass

RANK, NAME, AGENT = "rank", "developer", "agent"
AI_SHARE, AI_LINES = "ai.committed_code_share", "ai.lines_committed"
ALL_LINES = "commit.lines"
SPEND, WASTED = "ai.spend", "ai.spend_wasted"
SESSIONS, TOKENS = "ai.sessions", "ai.tokens"
UNPRICED = "ai.unpriced_tokens"


@dataclass(frozen=True)
class Column:
    """`key` names it in the URL; a column without a metric shows no figure."""

    key: str
    label: str
    metric: str = ""


COLUMNS = (
    Column(RANK, "Rank"),
    Column(NAME, "Developer"),
    Column(AGENT, "Agent"),
    Column("ai_share", "AI Committed Code %", AI_SHARE),
    Column("ai_lines", "AI Lines of Code", AI_LINES),
    Column("sessions", "Sessions", SESSIONS),
    Column("session_duration", "Avg Session Duration", "ai.session_duration"),
    Column("tokens", "Tokens Used", TOKENS),
    Column("spend", "Total Spend", SPEND),
    Column("spend_per_commit", "Spend/Commit", "ai.spend_per_commit"),
    Column("wasted", "Spend Wastage", WASTED),
    Column("cache_hit_rate", "Cache Hit Rate", "ai.cache_hit_rate"),
    Column("error_rate", "Error Rate", "ai.error_rate"),
    Column("ship_rate", "Ship Rate", "ai.ship_rate"),
)
BY_KEY = {column.key: column for column in COLUMNS}
FIGURES = tuple(column for column in COLUMNS if column.metric)

# Read for each person: the figures, and all committed lines, of which a share needs enough.
METRICS = (*(column.metric for column in FIGURES), ALL_LINES, UNPRICED)

RANKINGS = {"ai_share": "AI Committed Code %", "spend": "Total Spend", "wasted": "Spend Wastage"}
"""The columns to rank by, highest first: column key → label."""

ENOUGH_LINES = 100
"""Developers with fewer committed lines are not ranked by their share, and listed last."""
