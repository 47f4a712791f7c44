"""Consumption of coding agents: tokens and spend."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from insights.catalogue.ai_adoption import ACTIVE_DEVELOPERS
from insights.catalogue.declarations import Count, Ratio
from insights.catalogue.references import AGENT_TELEMETRY, PRICES
from insights.catalogue.rules import FRACTION, Check, Rule, given, rise, rows, share, total
from insights.query.enums import Better, Category, Initiative, SpaceDimension, UnitOfMeasure
from insights.query.measures import Total
from insights.query.query import Dimension
from integrations.enums import RequestPart
from integrations.facts.ai import AGENT_SESSION_DAYS
from integrations.facts.outcomes import AGENT_SPEND_PARTS

SPEND_SOURCE = "Tokens of agent sessions by day and model, from telemetry; list prices of genai-prices and overrides"
BOTH_INITIATIVES = (Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT)

# From what telemetry names, or else from the commits that contain a session's lines.
IN_SHARES = (Dimension.REPOSITORY, Dimension.WORK_TYPE)
SPENT = Total(
    AGENT_SESSION_DAYS,
    column="spend",
    missing_column="unpriced_tokens",
    missing_reason="No price is known for the models that were used.",
)
SPEND_DIMENSIONS = (Dimension.AGENT, Dimension.MODEL, *IN_SHARES)
OUTCOME_SOURCE = "commits of connected repositories and what attributes them to sessions"


TOKENS = Count(
    key="ai.tokens",
    name="Tokens",
    fact="session",
    sample="in {facts:session}",
    notes=("{-ai.tokens_in_both_channels} in one of events and metrics alone",),
    meaning="How many tokens the agents' models read and wrote.",
    formula="uncached input + cache read + cache write + output (reasoning included), each once, on the day of the "
    "request",
    of=Total(AGENT_SESSION_DAYS, column="tokens"),
    unit=UnitOfMeasure.TOKENS,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    segments=(Dimension.AGENT, Dimension.MODEL, Dimension.REPOSITORY, Dimension.TOKEN_KIND),
    positive_indicators=("ai.cache_hit_rate",),
    negative_indicators=("ai.spend",),
    source="Tokens of agent sessions by day and model, from telemetry",
    reference=AGENT_TELEMETRY,
)

_spend = partial(
    Count,
    unit=UnitOfMeasure.CURRENCY,
    categories=(Category.AI,),
    segments=(Dimension.AGENT, Dimension.MODEL),
    source=SPEND_SOURCE,
    reference=PRICES,
)

SPEND = _spend(
    key="ai.spend",
    name="Spend",
    fact="session",
    sample="{facts:session}",
    notes=("excludes {ai.unpriced_tokens} without a price",),
    meaning="What the tokens cost at list prices.",
    formula="Σ over sessions, agents and models of tokens × that model's price on that day; cached reads and writes at "
    "their own tier; tokens of models without a known price are left out",
    of=SPENT,
    initiatives=BOTH_INITIATIVES,
    segments=(*SPEND_DIMENSIONS, Dimension.OUTCOME),
    positive_indicators=("ai.spend_per_developer", "ai.spend_per_commit", "ai.tokens", "ai.cache_hit_rate"),
    negative_indicators=("ai.spend_wasted",),
    look_for=(
        Rule(
            when=(rise("ai.spend").at_least(0.25), rise("ai.sessions").within(0.10)),
            says="Spend rose by {rise} while the number of sessions hardly changed: each session costs more than "
            "before. Look for a change of model or longer contexts.",
            check=Check("Compare spend by model", "ai_tab", ("spend",), (("trend", "model"), ("breakdown", "model"))),
        ),
    ),
)

PARTS = tuple(Dimension(part) for part in RequestPart)
SPEND_BY_PART = _spend(
    key="ai.spend_by_part",
    name="Spend by part",
    fact="session",
    meaning="Spend by skill, sub-agent, plugin, MCP server, reasoning effort, query source or provider.",
    formula=(
        "spend of the requests that telemetry assigns to the part; where telemetry names none, as in metrics and "
        "imported files, the part is unknown"
    ),
    of=replace(SPENT, relation=AGENT_SPEND_PARTS),
    initiatives=BOTH_INITIATIVES,
    segments=(Dimension.AGENT, Dimension.MODEL, *PARTS),
    positive_indicators=("ai.spend", "ai.cache_hit_rate"),
    source="Requests of agent sessions with the attributes of their telemetry; prices as of the spend",
    reference=AGENT_TELEMETRY,
)

SPEND_COMMITTED = _spend(
    key="ai.spend_committed",
    name="Spend committed",
    fact="session",
    meaning="Spend of sessions with lines in a commit.",
    formula="spend of sessions with at least one attributed commit that counts",
    of=replace(SPENT, only=(Dimension.OUTCOME, ("committed",))),
    initiatives=BOTH_INITIATIVES,
    segments=SPEND_DIMENSIONS,
    positive_indicators=("ai.spend", "ai.spend_per_commit"),
    negative_indicators=("ai.spend_wasted",),
    source=f"{SPEND_SOURCE}; {OUTCOME_SOURCE}",
)

KNOWN_OUTCOME = ("ai.spend_committed", "ai.spend_wasted")

SPEND_WASTED = _spend(
    key="ai.spend_wasted",
    name="Spend wasted",
    short="Wasted",
    fact="session",
    notes=("excludes {ai.unpriced_tokens} without a price",),
    meaning="Spend of sessions that led to no commit, although their people's commits are known.",
    formula="spend of sessions without an attributed commit; those that ended less than 72 hours ago (to the full "
    "hour) are pending, and those of people without a commit in any repository within a year are unknown; neither is "
    "waste",
    of=replace(SPENT, only=(Dimension.OUTCOME, ("wasted",))),
    better=Better.LOWER,
    categories=(Category.AI, Category.EFFICIENCY),
    initiatives=BOTH_INITIATIVES,
    space=(SpaceDimension.EFFICIENCY,),
    segments=SPEND_DIMENSIONS,
    positive_indicators=("ai.spend", "ai.spend_per_commit", "ai.ship_rate", "ai.enabled_repositories", "ai.error_rate"),
    source=f"{SPEND_SOURCE}; {OUTCOME_SOURCE}",
    look_for=(
        Rule(
            when=(
                total(*KNOWN_OUTCOME, noun="spend of known outcome").at_least(10.0),
                share("ai.spend_wasted", *KNOWN_OUTCOME, noun="it").at_least(0.3),
            ),
            says="{ai.spend_wasted}, {share} of the spend of known outcome, went to sessions without a commit. "
            "Compare repositories with and without context files for agents.",
            check=Check("See waste by repository", "ai_repositories"),
        ),
    ),
)

SPEND_PER_DEVELOPER = Ratio(
    key="ai.spend_per_developer",
    name="Spend per developer",
    short="Spend/dev",
    fact="session",
    sample="{denominator:active developer}",
    notes=("excludes {ai.unpriced_tokens} without a price",),
    meaning="Average spend on agents per active developer.",
    formula="spend ÷ active developers",
    numerator=SPENT,
    denominator=ACTIVE_DEVELOPERS,
    sample_of=SPENT,
    unit=UnitOfMeasure.CURRENCY,
    better=Better.NEITHER,
    categories=(Category.AI,),
    initiatives=BOTH_INITIATIVES,
    segments=(Dimension.AGENT,),
    facets=(Dimension.AGENT, Dimension.MODEL),
    positive_indicators=("ai.spend", "ai.sessions_per_developer"),
    source=SPEND_SOURCE,
    reference=PRICES,
    look_for=(
        Rule(
            when=(
                given("developers", "developers with agent activity").at_least(20),
                given(
                    "spend_of_first",
                    "of the spend made up by the 10% who spend most, or the minimum group size where that is more",
                    unit=FRACTION,
                ).at_least(0.5),
            ),
            says="{first} of {people} developers make up {spend} of the spend and {lines} of the AI lines committed. "
            "See what they use agents for, and whether the others lack access, training or a use case.",
            check=Check("See their sessions", "ai_sessions"),
        ),
    ),
)

REPORTED_COST = _spend(
    key="ai.reported_cost",
    name="Cost reported by agents",
    fact="session",
    meaning="The cost that agents report themselves, to compare with the spend.",
    formula="Σ of the cost that agents report with their requests; agents that report none are left out",
    of=Total(AGENT_SESSION_DAYS, column="reported_cost"),
    initiatives=BOTH_INITIATIVES,
    positive_indicators=("ai.spend",),
    source="Costs in the telemetry of agents",
    reference=AGENT_TELEMETRY,
)

COST_DIFFERENCE = _spend(
    key="ai.cost_difference",
    name="Difference to reported cost",
    fact="session",
    meaning="By how much the cost that agents report exceeds the price of their tokens.",
    formula=(
        "Σ (cost that the agent reports − spend) over requests with tokens for which both are known; for days with "
        "metrics alone, over day and model"
    ),
    of=Total(AGENT_SESSION_DAYS, column="cost_difference"),
    out_of=Total(AGENT_SESSION_DAYS, column="compared_spend"),
    initiatives=BOTH_INITIATIVES,
    positive_indicators=("ai.spend", "ai.reported_cost"),
    source="Costs in the telemetry of agents, and the tokens of the same requests at the prices of their days",
    reference=AGENT_TELEMETRY,
)

CACHE_HOUR_SURCHARGE = _spend(
    key="ai.cache_hour_surcharge",
    name="Possible cost of hour-long caching",
    fact="session",
    meaning="How much higher the spend would be if all cache writes of unknown lifetime were kept for an hour.",
    formula=(
        "Σ of cache writes × (price of an hour − price of five minutes) over requests whose agent neither reports the "
        "lifetime nor a cost that reveals it"
    ),
    of=Total(AGENT_SESSION_DAYS, column="surcharge_1h"),
    positive_indicators=("ai.spend", "ai.reported_cost"),
)

UNPRICED_TOKENS = _spend(
    key="ai.unpriced_tokens",
    name="Tokens without a price",
    fact="session",
    meaning="How many tokens belong to models without a known price; their cost is missing from the spend.",
    formula="tokens of models that no price list or override names on the day of the request",
    of=Total(AGENT_SESSION_DAYS, column="unpriced_tokens"),
    unit=UnitOfMeasure.TOKENS,
    better=Better.LOWER,
    positive_indicators=("ai.spend", "ai.tokens"),
    look_for=(
        Rule(
            when=(share("ai.unpriced_tokens", "ai.tokens").at_least(0.01),),
            says="{share} of all tokens belong to models without a known price: their cost is missing from the total "
            "spend.",
            check=rows("See the tokens by developer", "ai.unpriced_tokens"),
        ),
    ),
)
