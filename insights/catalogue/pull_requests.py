"""Merged pull requests: cycle time with its stages, and throughput."""

from __future__ import annotations

from functools import partial

from core.seconds import HOUR
from insights.catalogue.declarations import Count, Duration
from insights.catalogue.references import CONTINUOUS_INTEGRATION, PULL_REQUEST_STAGES, SPACE_FRAMEWORK
from insights.catalogue.rules import Rule, facts, rows, share, value
from insights.query.enums import Better, Category, Initiative, SpaceDimension
from insights.query.measures import Distribution, Facts
from insights.query.query import Dimension
from integrations.facts.pull_requests import MERGED_PULL_REQUESTS

SOURCE = "Pull requests with their commits, reviews and events"
MERGED = (
    "Merged pull requests count on the day of the merge, for any target branch; those of bots are left out; those of "
    "coding agents count for the person who requested them."
)
REVIEW = "a review is submitted before the merge by a person other than the author, not by a bot"
DIMENSIONS = (
    *(Dimension.ASSISTANCE, Dimension.AGENT, Dimension.WORK_TYPE),
    *(Dimension.REPOSITORY, Dimension.SERVICE, Dimension.SIZE_CLASS, Dimension.COMPLEXITY_CLASS),
)


MERGED_COUNT = Facts(MERGED_PULL_REQUESTS)

_merged_time = partial(
    Duration,
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DIMENSIONS,
    source=SOURCE,
    reference=PULL_REQUEST_STAGES,
)

CYCLE_TIME = _merged_time(
    key="pr.cycle_time",
    name="Cycle time",
    fact="PR",
    meaning="How long a pull request takes from ready for review to merge.",
    formula=f"open → merge; open is the creation, or for a draft the first time it was ready for review. {MERGED}",
    of=Distribution(MERGED_PULL_REQUESTS, column="cycle_seconds"),
    positive_indicators=("pr.pickup_time", "pr.review_time", "pr.merge_time", "pr.size", "dora.lead_time"),
    negative_indicators=("pr.review_depth", "pr.revert_rate"),
)

CODING_TIME = _merged_time(
    key="pr.coding_time",
    name="Coding time",
    fact="PR",
    meaning="How long work on a change takes before it is open for review.",
    formula=(
        "first commit → open; the first commit is the earliest author time among the pull request's own commits; a "
        "commit that reached the default branch earlier, by another merge, is not its own. Left out if no commit is "
        f"known or the first is later than the opening. {MERGED}"
    ),
    of=Distribution(MERGED_PULL_REQUESTS, column="coding_seconds"),
    positive_indicators=("pr.size", "pr.cycle_time", "dora.lead_time"),
    negative_indicators=("code.rework_rate",),
)

PICKUP_TIME = _merged_time(
    key="pr.pickup_time",
    name="Pickup time",
    fact="PR",
    meaning="How long a pull request waits for its first review.",
    formula=(
        f"open → first review; {REVIEW}. Time as a draft does not count; left out without a review, or if the first "
        f"came before it was open. {MERGED}"
    ),
    of=Distribution(MERGED_PULL_REQUESTS, column="pickup_seconds"),
    categories=(Category.EFFICIENCY, Category.HYGIENE),
    space=(SpaceDimension.EFFICIENCY, SpaceDimension.COMMUNICATION),
    positive_indicators=("pr.review_time", "pr.size", "pr.cycle_time"),
    negative_indicators=("review.load_concentration",),
    look_for=(
        Rule(
            when=(
                facts("pr.pickup_time", "PRs").at_least(20),
                value("pr.pickup_time").at_least(4 * HOUR),
                share("pr.pickup_time", "pr.cycle_time").at_least(0.5),
            ),
            says="Pull requests wait {pr.pickup_time} for their first review, beside a cycle time of {pr.cycle_time}: "
            "look at who is asked, how large the changes are, and whether anybody watches the queue.",
            check=rows("See the pull requests", "pr.pickup_time"),
        ),
    ),
)

REVIEW_TIME = _merged_time(
    key="pr.review_time",
    name="Review time",
    fact="PR",
    meaning="How long a review takes until the pull request is approved.",
    formula=(
        f"first review → last approval before the merge, 0 if they are the same; {REVIEW}. Left out if nobody else "
        f"approved it. {MERGED}"
    ),
    of=Distribution(MERGED_PULL_REQUESTS, column="review_seconds"),
    categories=(Category.EFFICIENCY, Category.HYGIENE),
    space=(SpaceDimension.EFFICIENCY, SpaceDimension.COMMUNICATION),
    positive_indicators=("pr.pickup_time", "pr.size", "pr.cycle_time"),
    negative_indicators=("pr.review_depth",),
)

MERGE_TIME = _merged_time(
    key="pr.merge_time",
    name="Merge time",
    fact="PR",
    meaning="How long an approved pull request waits until it is merged.",
    formula=f"last approval by another person before the merge → merge. Left out if nobody else approved it. {MERGED}",
    of=Distribution(MERGED_PULL_REQUESTS, column="merge_seconds"),
    positive_indicators=("pr.review_time", "ci.wait_per_pull_request", "pr.cycle_time"),
    negative_indicators=("pr.self_merged_rate",),
)

CI_WAIT = _merged_time(
    key="ci.wait_per_pull_request",
    name="Pipeline wait per pull request",
    fact="PR",
    meaning="How long a pull request waits for pipelines while it is open.",
    formula="time between open and merge in which at least one attempt of a pipeline run for one of its commits was "
    f"queued or running. Left out if no such run is known. {MERGED}",
    of=Distribution(MERGED_PULL_REQUESTS, column="ci_wait_seconds"),
    positive_indicators=("ci.duration", "ci.queue_time", "ci.success_rate", "pr.cycle_time"),
    source="Pull requests with their commits, and pipeline runs by commit",
    reference=CONTINUOUS_INTEGRATION,
)

THROUGHPUT = Count(
    key="pr.throughput",
    name="Merged pull requests",
    short="Merged PRs",
    fact="PR",
    meaning="How many pull requests were merged.",
    formula=(
        f"number of merged pull requests. {MERGED} A pull request with commits of two agents, or that touches two "
        "services, counts for each of them, and once in the total."
    ),
    of=MERGED_COUNT,
    better=Better.HIGHER,
    categories=(Category.EFFICIENCY,),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.ACTIVITY,),
    segments=DIMENSIONS,
    positive_indicators=("pr.cycle_time", "pr.size"),
    negative_indicators=("pr.unreviewed_rate", "pr.revert_rate"),
    source=SOURCE,
    reference=SPACE_FRAMEWORK,
)
