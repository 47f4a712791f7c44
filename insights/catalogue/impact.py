"""Output per developer, with and without agents.  Each line of a comparison counts its own developers."""

from __future__ import annotations

from insights.catalogue.declarations import Count, Ratio
from insights.catalogue.pull_requests import DIMENSIONS, MERGED, MERGED_COUNT
from insights.catalogue.pull_requests import SOURCE as PULL_REQUESTS
from insights.catalogue.references import PULL_REQUEST_STAGES, SPACE_FRAMEWORK
from insights.catalogue.shares import PerDeveloper
from insights.catalogue.work_items import DONE, DONE_DIMENSIONS, DONE_ITEMS
from insights.catalogue.work_items import SOURCE as WORK_ITEMS
from insights.query.enums import Better, Category, Initiative, SpaceDimension, UnitOfMeasure
from insights.query.measures import Measure, PeopleOnLine, Total
from insights.query.query import Dimension
from integrations.facts.developers import DEVELOPERS_ON_LINES
from integrations.facts.pull_requests import MERGED_PULL_REQUESTS

LINES = (Dimension.ASSISTANCE, Dimension.AGENT)
# A session has no repository and no work type, so each part of the work is divided by all developers of a line; that
# way the parts add up to the whole.
PARTS = tuple({*DIMENSIONS, *DONE_DIMENSIONS} - {*LINES})
DEVELOPERS: Measure = PeopleOnLine(DEVELOPERS_ON_LINES).undivided_by(*sorted(PARTS))

ON_A_LINE = (
    "Active on an agent's line: at least one session of the agent in the bucket, or a merged pull request attributed "
    "to it. Active on Non-AI: a commit, pull request, review or completed item and no agent session in the bucket, or "
    "a merged pull request without attribution. Without a line: any of these. For a whole range: the sum over its "
    "buckets ÷ the sum of the buckets' developers. A facet of the work, such as its type, filters the work but not the "
    "developers."
)

MERGED_PER_DEVELOPER = PerDeveloper(
    key="pr.merged_per_developer",
    name="PRs merged per developer",
    fact="PR",
    meaning="How many pull requests a developer merges in a week, month or quarter, with and without an agent.",
    formula=f"pull requests merged in the bucket ÷ developers active on their line in the bucket. {ON_A_LINE} "
    f"A pull request with commits of two agents counts for each of them, and once in the total. {MERGED}",
    numerator=MERGED_COUNT,
    denominator=DEVELOPERS,
    better=Better.HIGHER,
    minimum_sample=5,
    categories=(Category.AI, Category.EFFICIENCY),
    space=(SpaceDimension.ACTIVITY,),
    segments=DIMENSIONS,
    positive_indicators=("pr.throughput", "pr.cycle_time", "work.delivered_per_developer"),
    negative_indicators=("pr.size", "pr.revert_rate", "pr.unreviewed_rate"),
    source=f"{PULL_REQUESTS}; agent sessions, commits, reviews and work items",
    reference=SPACE_FRAMEWORK,
)

DELIVERED = Count(
    key="work.delivered",
    name="Work items delivered",
    fact="item",
    meaning="How many work items were completed.",
    formula=f"number of work items done. {DONE}",
    of=DONE_ITEMS,
    better=Better.HIGHER,
    categories=(Category.EFFICIENCY,),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.ACTIVITY,),
    segments=DONE_DIMENSIONS,
    positive_indicators=("issue.lead_time", "work.features_per_week"),
    negative_indicators=("bug.ratio", "bug.reopen_rate"),
    source=WORK_ITEMS,
    reference=SPACE_FRAMEWORK,
)

DELIVERED_PER_DEVELOPER = PerDeveloper(
    key="work.delivered_per_developer",
    name="Work items delivered per developer",
    fact="item",
    meaning="How many work items a developer completes in a week, month or quarter, with and without an agent.",
    formula="work items completed in the bucket ÷ developers active on their line in the bucket. An item is "
    "AI-assisted if any linked pull request has an attributed commit, and Non-AI if none of them has; one without a "
    f"pull request is on no line. An item linked to several counts once. {ON_A_LINE} {DONE}",
    numerator=DONE_ITEMS,
    denominator=DEVELOPERS,
    better=Better.HIGHER,
    minimum_sample=5,
    categories=(Category.AI, Category.EFFICIENCY),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.ACTIVITY,),
    segments=DONE_DIMENSIONS,
    positive_indicators=("work.delivered", "issue.lead_time", "pr.merged_per_developer"),
    negative_indicators=("bug.ratio", "bug.reopen_rate"),
    source=f"{WORK_ITEMS}; agent sessions, commits, pull requests and reviews",
    reference=SPACE_FRAMEWORK,
)

PHASED = Total(MERGED_PULL_REQUESTS, column="phased")
ALL_KNOWN = (
    "A mean, because only means add up, over pull requests with all three phases known: coding (first "
    f"commit → open), review (open → last approval) and merge (that approval → merge). {MERGED}"
)


def _phase(key: str, name: str, meaning: str, formula: str, column: str) -> Ratio:
    return Ratio(
        key=key,
        name=name,
        fact="PR",
        meaning=meaning,
        formula=f"Σ ({formula}) ÷ their number. {ALL_KNOWN}",
        numerator=Total(MERGED_PULL_REQUESTS, column=column),
        denominator=PHASED,
        unit=UnitOfMeasure.SECONDS,
        better=Better.LOWER,
        minimum_sample=5,
        categories=(Category.AI, Category.EFFICIENCY),
        space=(SpaceDimension.EFFICIENCY,),
        segments=DIMENSIONS,
        positive_indicators=("pr.cycle_time",),
        source=PULL_REQUESTS,
        reference=PULL_REQUEST_STAGES,
    )


CODING_PHASE = _phase(
    "pr.coding_phase",
    "Coding phase",
    "How long work takes before the pull request is open; this precedes the cycle time and is not part of it.",
    "first commit → open",
    "coding_phase_seconds",
)
REVIEW_PHASE = _phase(
    "pr.review_phase",
    "Review phase",
    "The first part of the cycle time: from open until the last approval.",
    "open → last approval",
    "review_phase_seconds",
)
MERGE_PHASE = _phase(
    "pr.merge_phase",
    "Merge phase",
    "The second part of the cycle time: from the last approval until the merge.",
    "last approval → merge",
    "merge_phase_seconds",
)
