"""Use of agents: lines, cache hits and tool calls."""

from __future__ import annotations

from functools import partial

from insights.catalogue.declarations import Count, Ratio
from insights.catalogue.references import AGENT_TELEMETRY, PROMPT_CACHING
from insights.catalogue.rules import FRACTION, Rule, base, given, how, rows, value
from insights.query.enums import Better, Category, SpaceDimension, UnitOfMeasure
from insights.query.measures import Total
from insights.query.query import Dimension
from integrations.facts.ai import AGENT_SESSION_DAYS

TOOL_SOURCE = "Tool calls of agent sessions, from telemetry"
TOOL_DIMENSIONS = (Dimension.AGENT, Dimension.REPOSITORY, Dimension.TOOL)
TOOL_FACETS = (Dimension.AGENT, Dimension.MODEL, Dimension.REPOSITORY, Dimension.TOOL)


# A call has no model: a filter by model selects the sessions that used it.
_tool_total = partial(Total, AGENT_SESSION_DAYS, not_by=(Dimension.MODEL,))
TOOL_CALLS_RUN = _tool_total(column="tool_calls")
TOOL_CALLS_FAILED = _tool_total(column="tool_failures")

LINES_GENERATED = Count(
    key="ai.lines_generated",
    name="Lines generated",
    fact="session",
    sample="in {facts:session}",
    meaning="How many lines agents wrote during sessions, kept or not.",
    formula="Σ of the lines that agents report as added",
    of=Total(AGENT_SESSION_DAYS, column="lines_added"),
    unit=UnitOfMeasure.LINES,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    segments=(Dimension.AGENT,),
    facets=(Dimension.AGENT, Dimension.MODEL),
    positive_indicators=("ai.lines_committed", "ai.ship_rate"),
    negative_indicators=("ai.spend_wasted",),
    source="Lines counted by agents, from telemetry",
    reference=AGENT_TELEMETRY,
)

CACHE_HIT_RATE = Ratio(
    key="ai.cache_hit_rate",
    name="Prompt cache hit rate",
    short="Cache hits",
    fact="session",
    sample="of {denominator:prompt token}",
    meaning="Share of prompt tokens that models read from their cache, at a fraction of the price.",
    formula="cache-read prompt tokens ÷ (uncached input + cache read + cache write tokens) × 100",
    numerator=Total(AGENT_SESSION_DAYS, column="cache_read_tokens"),
    denominator=Total(AGENT_SESSION_DAYS, column="prompt_tokens"),
    better=Better.HIGHER,
    categories=(Category.AI, Category.EFFICIENCY),
    space=(SpaceDimension.EFFICIENCY,),
    segments=(Dimension.AGENT, Dimension.MODEL),
    positive_indicators=("ai.spend", "ai.tokens"),
    source="Tokens of agent sessions by day and model, from telemetry",
    reference=PROMPT_CACHING,
    look_for=(
        Rule(
            when=(
                base("ai.cache_hit_rate", "prompt tokens").at_least(1_000_000),
                value("ai.cache_hit_rate").below(50.0),
            ),
            says="Only {ai.cache_hit_rate} of prompt tokens come from the cache: sessions are short or far apart, or "
            "something early in the prompt changes with every request.",
            check=how("ai.cache_hit_rate"),
        ),
    ),
)

TOKENS_IN_BOTH_CHANNELS = Ratio(
    key="ai.tokens_in_both_channels",
    name="Tokens in both channels",
    fact="session",
    meaning="Share of tokens that both events and metrics report; the rest is known from one of them alone.",
    formula="tokens that events and metrics report for the same quarters of an hour of a session ÷ tokens × 100",
    numerator=Total(AGENT_SESSION_DAYS, column="both_tokens"),
    denominator=Total(AGENT_SESSION_DAYS, column="tokens"),
    better=Better.HIGHER,
    categories=(Category.AI,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=(Dimension.AGENT,),
    positive_indicators=("ai.tokens", "ai.spend"),
    source="Tokens of agent sessions by day, from telemetry and imported files",
    reference=AGENT_TELEMETRY,
)

ERROR_RATE = Ratio(
    key="ai.error_rate",
    name="Error rate",
    fact="session",
    sample="{numerator} of {denominator:tool call}",
    meaning="Share of tool calls that failed.",
    formula=(
        "failed tool calls ÷ tool calls × 100; calls that the person refused do not count; a shell command that exits "
        "non-zero is a failure"
    ),
    numerator=TOOL_CALLS_FAILED,
    denominator=TOOL_CALLS_RUN,
    better=Better.LOWER,
    categories=(Category.AI, Category.EFFICIENCY),
    space=(SpaceDimension.EFFICIENCY,),
    segments=TOOL_DIMENSIONS,
    facets=TOOL_FACETS,
    positive_indicators=("ai.tool_failures", "ai.ship_rate", "ai.session_duration"),
    source=TOOL_SOURCE,
    reference=AGENT_TELEMETRY,
    look_for=(
        Rule(
            when=(
                base("ai.error_rate", "tool calls").at_least(100),
                value("ai.error_rate").at_least(10.0),
                given("share_of_tool", "of the failures made up by one tool", unit=FRACTION).at_least(0.4),
            ),
            says="{ai.error_rate} of tool calls fail, and {of_failures} of the failures are calls of {tool}: the "
            "agent cannot use that command or service, or lacks context.",
            check=rows("See the failing calls by session", "ai.tool_failures"),
        ),
    ),
)

_tool_calls = partial(
    Count,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    segments=TOOL_DIMENSIONS,
    facets=TOOL_FACETS,
    source=TOOL_SOURCE,
    reference=AGENT_TELEMETRY,
)

TOOL_CALLS = _tool_calls(
    key="ai.tool_calls",
    name="Tool calls",
    meaning="How many tool calls agents made.",
    formula="tool calls that succeeded or failed, without refused ones",
    of=TOOL_CALLS_RUN,
    positive_indicators=(),
    negative_indicators=("ai.error_rate",),
)

TOOL_FAILURES = _tool_calls(
    key="ai.tool_failures",
    name="Failed tool calls",
    meaning="How many tool calls failed; split by tool, it shows what to fix first.",
    formula="tool calls that failed, without refused ones",
    of=TOOL_CALLS_FAILED,
    better=Better.LOWER,
    categories=(Category.AI, Category.EFFICIENCY),
    space=(SpaceDimension.EFFICIENCY,),
    positive_indicators=("ai.error_rate",),
)

TOOL_REFUSALS = _tool_calls(
    key="ai.tool_refusals",
    name="Refused tool calls",
    meaning="How many tool calls people refused; these are not failures.",
    formula="tool calls that the person refused before they ran",
    of=_tool_total(column="tool_refusals"),
    positive_indicators=("ai.tool_calls",),
)
