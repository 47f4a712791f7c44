"""Pull request outcomes, with and without agents."""

from __future__ import annotations

from functools import partial

from insights.catalogue.declarations import Duration, Ratio
from insights.catalogue.pull_requests import MERGED, MERGED_COUNT, SOURCE
from insights.catalogue.references import CONTINUOUS_INTEGRATION, FOUR_KEYS, PULL_REQUEST_STAGES, WORK_BREAKDOWN
from insights.query.enums import Better, Category, SpaceDimension, UnitOfMeasure
from insights.query.measures import Distribution, Facts, Total
from insights.query.query import Dimension, Statistic
from integrations.facts.pull_requests import ENDED_PULL_REQUESTS, MERGED_PULL_REQUESTS

DIMENSIONS = (
    *(Dimension.ASSISTANCE, Dimension.AGENT, Dimension.WORK_TYPE),
    *(Dimension.REPOSITORY, Dimension.SIZE_CLASS, Dimension.COMPLEXITY_CLASS),
)
ENDED = (
    "Pull requests that were merged or closed count on that day; those of bots are left out; those of coding agents "
    "count for the person who requested them."
)


ENDED_COUNT = Facts(ENDED_PULL_REQUESTS)

_pull_request_share = partial(
    Ratio,
    better=Better.LOWER,
    categories=(Category.QUALITY,),
    segments=DIMENSIONS,
    source=SOURCE,
    reference=FOUR_KEYS,
)

FATE = _pull_request_share(
    key="ai.pr_fate",
    name="PR merge rate",
    fact="PR",
    meaning=(
        "Share of closed pull requests that were merged rather than abandoned. Split by AI, it shows whether agents' "
        "pull requests are accepted."
    ),
    formula=f"merged ÷ (merged + closed without a merge) × 100. {ENDED}",
    numerator=Total(ENDED_PULL_REQUESTS, column="merged"),
    denominator=ENDED_COUNT,
    better=Better.HIGHER,
    minimum_sample=5,
    categories=(Category.AI, Category.QUALITY),
    space=(SpaceDimension.PERFORMANCE,),
    positive_indicators=("pr.reopened_rate", "pr.review_rounds", "pr.failed_runs", "pr.rewritten_rate"),
    negative_indicators=("pr.revert_rate",),
)

REOPENED_RATE = _pull_request_share(
    key="pr.reopened_rate",
    name="PR reopen rate",
    fact="PR",
    meaning="Share of pull requests that were closed and reopened before they ended.",
    formula=f"reopened at any time ÷ (merged + closed without a merge) × 100. {ENDED}",
    numerator=Total(ENDED_PULL_REQUESTS, column="reopened"),
    denominator=ENDED_COUNT,
    minimum_sample=5,
    space=(SpaceDimension.PERFORMANCE,),
    positive_indicators=("ai.pr_fate",),
)

REVIEW_ROUNDS = Duration(
    key="pr.review_rounds",
    name="Review rounds",
    fact="PR",
    meaning="How many rounds of review a pull request needs.",
    formula="number of reviews by other people before the merge, those between the same two commits taken together; 0 "
    f"without a review. {ENDED}",
    of=Distribution(ENDED_PULL_REQUESTS, column="review_rounds"),
    statistic=Statistic.MEAN,
    unit=UnitOfMeasure.COUNT,
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.COMMUNICATION,),
    segments=DIMENSIONS,
    positive_indicators=("pr.review_time", "pr.size"),
    negative_indicators=("pr.unreviewed_rate", "pr.review_depth"),
    source=SOURCE,
    reference=PULL_REQUEST_STAGES,
)

FAILED_RUNS = Duration(
    key="pr.failed_runs",
    name="Failed runs per PR",
    fact="PR",
    meaning="How many pipeline runs fail before a pull request ends.",
    formula=(
        "number of pipeline runs on its commits that failed before the merge, or the close; each attempt counts; "
        f"cancelled and skipped ones do not. Pull requests without a finished run are left out. {ENDED}"
    ),
    of=Distribution(ENDED_PULL_REQUESTS, column="failed_runs"),
    statistic=Statistic.MEAN,
    unit=UnitOfMeasure.COUNT,
    categories=(Category.EFFICIENCY, Category.QUALITY),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    positive_indicators=("ci.success_rate", "ci.flaky_rate", "pr.size"),
    source=f"{SOURCE}; pipeline runs",
    reference=CONTINUOUS_INTEGRATION,
)

KNOWN, NOT_KNOWN = (Dimension.LINES_KNOWN, ("known",)), (Dimension.LINES_KNOWN, ("pending", "unknown"))
LINES_SOURCE = f"{SOURCE}; the history of lines in clones"

REWRITTEN_RATE = _pull_request_share(
    key="pr.rewritten_rate",
    name="PR lines rewritten within 21 days",
    fact="PR",
    meaning="Share of the lines added by pull requests that were rewritten or deleted within three weeks.",
    formula=(
        "lines that another change of the default branch rewrote or deleted within 21 days of reaching it ÷ lines that "
        "the pull requests left on the default branch × 100. Generated, vendored, lock and binary files, "
        "bulk commits and the changes of bots are left out. Pull requests merged less than 21 full days ago are left "
        f"out, as are those of repositories without a clone: pr.rewritten_left_out. {MERGED}"
    ),
    numerator=Total(MERGED_PULL_REQUESTS, column="lines_rewritten", only=KNOWN),
    denominator=Total(MERGED_PULL_REQUESTS, column="lines_written", only=KNOWN),
    minimum_sample=5,
    space=(SpaceDimension.PERFORMANCE, SpaceDimension.EFFICIENCY),
    positive_indicators=("code.rework_rate", "pr.size", "pr.review_depth"),
    negative_indicators=("pr.rewritten_left_out", "pr.throughput"),
    source=LINES_SOURCE,
    reference=WORK_BREAKDOWN,
)

REWRITTEN_LEFT_OUT = _pull_request_share(
    key="pr.rewritten_left_out",
    name="Excluded from PR lines rewritten",
    fact="PR",
    meaning="Share of merged pull requests that are too recent to judge, or in a repository without a clone.",
    formula="pull requests merged less than 21 full days ago, or whose lines are unknown without a clone ÷ "
    f"merged pull requests × 100. {MERGED}",
    numerator=Total(MERGED_PULL_REQUESTS, column="merged", only=NOT_KNOWN),
    denominator=MERGED_COUNT.undivided_by(Dimension.LINES_KNOWN),
    segments=(*DIMENSIONS, Dimension.LINES_KNOWN),
    positive_indicators=("pr.rewritten_rate",),
    source=LINES_SOURCE,
    reference=WORK_BREAKDOWN,
)
