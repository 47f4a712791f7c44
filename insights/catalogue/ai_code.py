"""Committed code written by agents, and its cost."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from insights.catalogue.ai_adoption import SESSION_FACETS
from insights.catalogue.ai_spend import BOTH_INITIATIVES, SPEND_SOURCE, SPENT
from insights.catalogue.code import ALL_LINES_COMMITTED, COMMIT_SOURCE, FILE_DIMENSIONS
from insights.catalogue.declarations import Breakdown, Count, Ratio
from insights.catalogue.references import AUTHORSHIP_NOTES, CONTEXT_FILES, PRICES
from insights.catalogue.rules import Check, Rule, base, how, points, rise, value
from insights.catalogue.shares import ShareOfStock
from insights.query.enums import Better, Category, SpaceDimension, UnitOfMeasure
from insights.query.measures import AttributedLines, Facts, StockAtEnd, Total
from insights.query.query import Dimension
from integrations.facts.ai import AGENT_SESSIONS
from integrations.facts.code import (
    AGENT_REPOSITORIES,
    AI_COMMITTED_FILES,
    AI_COMMITTED_FILES_OF_ENROLLED,
    COMMITTED_LINES_OF_ENROLLED,
)

AI_DIMENSIONS = (Dimension.AGENT, *FILE_DIMENSIONS, Dimension.MODEL, Dimension.METHOD)
ATTRIBUTION_SOURCE = f"{COMMIT_SOURCE}; git-ai notes, trailers and identities of agents, and sessions at that time"
UPPER_BOUND = "line-level evidence counts its lines, commit-level evidence all added lines, as an upper bound"

AI_LINES = AttributedLines(AI_COMMITTED_FILES, column="ai_lines", certain_column="ai_lines_by_line")
ALL_AI_LINES = replace(AI_LINES, not_split_by=AI_DIMENSIONS)
AI_COMMITS = Facts(AI_COMMITTED_FILES)

# Sessions with a known outcome, and those without.
SETTLED = (Dimension.OUTCOME, ("committed", "wasted"))
UNSETTLED = (Dimension.OUTCOME, ("pending", "unknown"))
LINES_SOURCE = f"Lines counted by agents, from telemetry; {ATTRIBUTION_SOURCE}"

LINES_COMMITTED = Count(
    key="ai.lines_committed",
    name="AI lines committed",
    fact="commit",
    sample="in {facts:commit} by {people:developer}",
    meaning="How many lines added by commits came from agents.",
    formula=f"Σ added lines of commits that evidence attributes to an agent; {UPPER_BOUND}",
    of=AI_LINES,
    unit=UnitOfMeasure.LINES,
    categories=(Category.AI,),
    space=(SpaceDimension.ACTIVITY,),
    segments=AI_DIMENSIONS,
    positive_indicators=("ai.lines_generated", "ai.ship_rate", "ai.committed_code_share"),
    negative_indicators=("code.rework_rate",),
    source=ATTRIBUTION_SOURCE,
    reference=AUTHORSHIP_NOTES,
)

_share_of_lines = partial(
    Ratio,
    better=Better.NEITHER,
    categories=(Category.AI,),
    source=ATTRIBUTION_SOURCE,
    reference=AUTHORSHIP_NOTES,
)

COMMITTED_CODE_SHARE = _share_of_lines(
    key="ai.committed_code_share",
    name="AI committed code",
    short="AI committed",
    fact="commit",
    sample="{numerator} of {denominator:line}",
    sides=("AI lines", "lines"),
    meaning="Share of committed lines that came from agents.",
    formula=f"AI lines committed ÷ all lines committed × 100, over all people, enrolled or not; {UPPER_BOUND}",
    numerator=AI_LINES,
    denominator=ALL_LINES_COMMITTED,
    segments=AI_DIMENSIONS,
    positive_indicators=("ai.lines_committed", "ai.committed_breakdown", "ai.adoption_rate", "ai.ship_rate"),
    negative_indicators=("code.rework_rate",),
)

AI_LINES_OF_ENROLLED = replace(AI_LINES, relation=AI_COMMITTED_FILES_OF_ENROLLED)
LINES_OF_ENROLLED = Total(COMMITTED_LINES_OF_ENROLLED, column="lines_added").undivided_by(
    Dimension.AGENT, Dimension.MODEL
)

COMMITTED_CODE_SHARE_OF_ENROLLED = _share_of_lines(
    key="ai.committed_code_share_of_enrolled",
    name="AI committed code of enrolled developers",
    label="AI committed code",
    fact="commit",
    sample="{numerator} of {denominator:line} of enrolled developers",
    sides=("AI lines", "lines"),
    meaning="Share of committed lines that came from agents, for developers who use an agent.",
    formula=(
        "AI lines committed ÷ all lines committed × 100, of developers from the day of their first telemetry on; "
        f"{UPPER_BOUND}"
    ),
    numerator=AI_LINES_OF_ENROLLED,
    denominator=LINES_OF_ENROLLED,
    sample_of=AI_LINES_OF_ENROLLED,  # the authors of these lines count for the minimum group size
    facets=(Dimension.AGENT, Dimension.MODEL, Dimension.REPOSITORY),
    positive_indicators=("ai.committed_code_share", "ai.lines_committed", "ai.adoption_rate"),
    negative_indicators=("code.rework_rate",),
)

COMMITTED_BREAKDOWN = Breakdown(
    key="ai.committed_breakdown",
    name="AI committed code breakdown",
    fact="commit",
    meaning="The languages and file types of the lines that came from agents.",
    formula="AI lines committed of the language (type, agent) ÷ all AI lines committed × 100; the parts sum to 100 %",
    numerator=AI_LINES,
    denominator=ALL_AI_LINES,
    by=Dimension.LANGUAGE,
    better=Better.NEITHER,
    categories=(Category.AI,),
    segments=AI_DIMENSIONS,
    positive_indicators=("ai.lines_committed", "ai.committed_code_share"),
    source=ATTRIBUTION_SOURCE,
    reference=AUTHORSHIP_NOTES,
)

SPEND_PER_COMMIT = Ratio(
    key="ai.spend_per_commit",
    name="Spend per commit",
    fact="commit",
    sample="[{denominator:commit} with AI lines]",
    notes=("excludes {ai.unpriced_tokens} without a price",),
    meaning="What agents cost per commit with lines of theirs.",
    formula=(
        "spend ÷ commits with at least one attributed line; spend counts on the day of the request, a commit on its "
        "own day"
    ),
    numerator=SPENT,
    denominator=AI_COMMITS,
    unit=UnitOfMeasure.CURRENCY,
    better=Better.LOWER,
    categories=(Category.AI, Category.EFFICIENCY),
    initiatives=BOTH_INITIATIVES,
    space=(SpaceDimension.EFFICIENCY,),
    segments=(Dimension.AGENT, Dimension.REPOSITORY),
    positive_indicators=("ai.spend", "ai.spend_wasted", "ai.ship_rate"),
    source=f"{SPEND_SOURCE}; {ATTRIBUTION_SOURCE}",
    reference=PRICES,
    look_for=(
        Rule(
            when=(rise("ai.spend_per_commit").at_least(0.25), points("ai.committed_code_share").within(2.0)),
            says="Spend per commit rose by {rise} while the AI share of committed code hardly changed: sessions get "
            "longer without more output.",
            check=how("ai.spend_per_commit"),
        ),
    ),
)

LITTLE_SHIPPED = (
    base("ai.ship_rate", "generated lines of known outcome").at_least(1_000),
    value("ai.ship_rate").below(30.0),
)

SHIP_RATE = _share_of_lines(
    key="ai.ship_rate",
    name="Ship rate",
    fact="session",
    sample="of {denominator:line} generated",
    notes=("{ai.ship_rate_left_out} left out: outcome unknown",),
    meaning="Share of the lines that agents wrote in sessions and that were committed.",
    formula=(
        "AI lines committed ÷ AI lines generated × 100, over sessions for which both are known: the agent reports its "
        "lines, the person's commits are known, and the session is settled; it can exceed 100 %, because commit-level "
        "evidence counts all added lines"
    ),
    numerator=Total(AGENT_SESSIONS, column="lines_shipped", only=SETTLED),
    denominator=Total(AGENT_SESSIONS, column="lines_generated", only=SETTLED),
    better=Better.HIGHER,
    categories=(Category.AI, Category.EFFICIENCY),
    space=(SpaceDimension.EFFICIENCY,),
    segments=(Dimension.AGENT, Dimension.REPOSITORY),
    facets=(*SESSION_FACETS, Dimension.REPOSITORY),
    positive_indicators=("ai.lines_generated", "ai.lines_committed"),
    negative_indicators=("ai.ship_rate_left_out", "ai.error_rate"),
    source=LINES_SOURCE,
    look_for=(
        Rule(
            when=(
                *LITTLE_SHIPPED,
                value("ai.error_rate").at_least(10.0),
                base("ai.error_rate", "tool calls").at_least(100),
            ),
            says="Only {ai.ship_rate} of the generated lines were committed, and {ai.error_rate} of tool calls "
            "failed. Look for failing tools and repositories without context files.",
            check=Check("See error rate and context files by repository", "ai_repositories"),
        ),
        Rule(
            when=LITTLE_SHIPPED,
            says="Only {ai.ship_rate} of the lines that agents generated were committed: the output does not match "
            "conventions, or sessions are exploratory. Context files tell agents what is expected.",
            check=Check("See ship rate and context files by repository", "ai_repositories"),
        ),
    ),
)

SHIP_RATE_LEFT_OUT = _share_of_lines(
    key="ai.ship_rate_left_out",
    name="Excluded from the ship rate",
    fact="session",
    meaning="Share of generated lines whose commit is pending or unknown.",
    formula="lines generated in sessions that are pending or unknown ÷ lines generated × 100",
    numerator=Total(AGENT_SESSIONS, column="lines_generated", only=UNSETTLED),
    denominator=Total(AGENT_SESSIONS, column="lines_generated"),
    better=Better.LOWER,
    segments=(Dimension.AGENT,),
    facets=SESSION_FACETS,
    positive_indicators=("ai.ship_rate", "ai.spend_wasted"),
    source=LINES_SOURCE,
)

ENABLED_REPOSITORIES = ShareOfStock(
    key="ai.enabled_repositories",
    name="AI-enabled repositories",
    fact="repository",
    sample="{numerator} of {denominator:repository}",
    meaning="Share of the repositories where agents work that have a context file for them.",
    formula="repositories with an agent context file (CLAUDE.md, AGENTS.md, …) on the default branch at the end of "
    "the window ÷ repositories with a commit that an agent wrote in × 100; for a unit: repositories in which its "
    "people's agents wrote",
    of=StockAtEnd(AGENT_REPOSITORIES, column="context_file_days"),
    better=Better.HIGHER,
    categories=(Category.AI, Category.HYGIENE),
    space=(SpaceDimension.EFFICIENCY,),
    segments=(Dimension.AGENT,),
    facets=(Dimension.AGENT, Dimension.REPOSITORY),
    positive_indicators=("ai.ship_rate", "ai.error_rate", "ai.spend_wasted"),
    source=f"Context files of connected repositories; {ATTRIBUTION_SOURCE}",
    reference=CONTEXT_FILES,
)
