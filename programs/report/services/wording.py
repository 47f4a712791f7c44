"""The declared texts of the executive report, for readers without technical background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DORA = (
    *("dora.deployment_frequency", "dora.lead_time", "dora.change_failure_rate", "dora.recovery_time"),
    "dora.rework_rate",
)
SPEND, WASTED, ADOPTION = "ai.spend", "ai.spend_wasted", "ai.adoption_rate"
CUSTOMERS = "bug.customer_found"
FREQUENCY, CHANGES = "dora.deployment_frequency", "pr.throughput"
OTHERS = (ADOPTION, SPEND, WASTED, CUSTOMERS, CHANGES, "pr.pickup_time")
LATE = "Dates: {name} is likely {late} late; it is planned for {planned}."
LATE_AGAIN = "Dates: {name} is late, as said above."  # once the report has described it
NOT_LINKED = "No effect on customers, cost or dates is linked."

DATES, ON_CUSTOMERS = "dates", "customers"


@dataclass(frozen=True)
class MetricWords:
    """Texts for a metric's directions, with {now}, {before}, {size} (of the difference), {share} (of the value before)
    and {quarter} (the one before).

    `highlight` is shown large, with `phrase` next to it, if the metric got better; `good` and `bad` are for the
    headline; `concerns` says what a change of the metric affects.
    """

    better: str
    worse: str
    steady: str
    highlight: str
    phrase: str
    good: str
    bad: str
    concerns: tuple[str, ...]


WORDS: Mapping[str, MetricWords] = {
    "dora.deployment_frequency": MetricWords(
        better="We release more often: {share} more than in {quarter}.",
        worse="We release less often: {share} less than in {quarter}.",
        steady="We release about as often as in {quarter}.",
        highlight="+{share}",
        phrase="more releases",
        good="we release more often",
        bad="we release less often",
        concerns=(DATES, ON_CUSTOMERS),
    ),
    "dora.lead_time": MetricWords(
        better="A finished change reaches users {size} sooner.",
        worse="A finished change takes {size} longer to reach users.",
        steady="A change takes about as long to reach users as in {quarter}.",
        highlight="{now}",
        phrase="for a change to reach users, {size} sooner",
        good="changes reach users sooner",
        bad="changes take longer to reach users",
        concerns=(DATES, ON_CUSTOMERS),
    ),
    "dora.change_failure_rate": MetricWords(
        better="Fewer releases cause a problem: {now} of them, after {before}.",
        worse="More releases cause a problem: {now} of them, after {before}.",
        steady="About the same share of releases causes a problem as in {quarter}.",
        highlight="{now}",
        phrase="of releases cause a problem, fewer than before",
        good="fewer releases fail",
        bad="more releases fail",
        concerns=(ON_CUSTOMERS,),
    ),
    "dora.recovery_time": MetricWords(
        better="When something breaks, it is fixed {size} sooner.",
        worse="When something breaks, it takes {size} longer to fix.",
        steady="When something breaks, it takes about as long to fix as in {quarter}.",
        highlight="{now}",
        phrase="to fix what breaks, {size} sooner",
        good="we recover faster",
        bad="we recover more slowly",
        concerns=(ON_CUSTOMERS,),
    ),
    "dora.rework_rate": MetricWords(
        better="Fewer releases are unplanned fixes: {now} of them, after {before}.",
        worse="More releases are unplanned fixes: {now} of them, after {before}.",
        steady="Unplanned fixes take about the same share of releases as in {quarter}.",
        highlight="{now}",
        phrase="of releases are unplanned fixes, fewer than before",
        good="less is fixed after release",
        bad="more is fixed after release",
        concerns=(ON_CUSTOMERS,),
    ),
}
# What changes wait for in each stage of lead time; continues “Changes wait …”.
WAITS: Mapping[str, str] = {
    "pickup": "for a first review",
    "merge": "to be merged once they are approved",
    "deploy": "to reach users once they are finished",
}
WAIT_IN_HEADLINE: Mapping[str, str] = {
    "pickup": "changes wait longest for a first review",
    "merge": "approved changes wait longest to be merged",
    "deploy": "finished changes wait longest to be released",
}
# Metrics whose findings are early warnings about a team's health.
HEALTH = frozenset(("capacity.after_hours_share", "capacity.weekend_share", "wip.count", "review.load_concentration"))

SMALL, MEDIUM, LARGE = "small", "medium", "large"
EFFORTS = (SMALL, MEDIUM, LARGE)


@dataclass(frozen=True)
class Lever:
    """A change that lowers a metric, its effort, and the reason for that effort."""

    metric: str
    act: str
    what: str  # what gets shorter or smaller
    effort: str
    why: str


LEVERS = (
    Lever(
        "pr.size",
        "Agree on a maximum size of changes, and split larger work",
        "smaller changes",
        MEDIUM,
        "everybody plans work differently",
    ),
    Lever(
        "pr.pickup_time",
        "Name a reviewer for each half day",
        "a shorter wait for a first review",
        SMALL,
        "an agreement is enough, and nothing has to be built",
    ),
    Lever(
        "pr.review_time",
        "Give all comments of a review in one round",
        "shorter reviews",
        SMALL,
        "an agreement is enough, and nothing has to be built",
    ),
    Lever(
        "pr.merge_time",
        "Merge approved changes automatically once their checks pass",
        "a shorter wait of approved changes",
        SMALL,
        "it is a setting of repositories",
    ),
    Lever(
        "pr.deploy_time",
        "Release finished changes without manual steps",
        "a shorter wait of finished changes",
        MEDIUM,
        "the last steps of the pipeline have to be automated",
    ),
    Lever(
        "ci.duration",
        "Shorten the slowest step of the pipeline",
        "shorter pipelines",
        MEDIUM,
        "somebody who knows the pipelines needs some weeks",
    ),
    Lever(
        "ci.queue_time",
        "Add pipeline machines for the busiest hours",
        "a shorter wait for machines",
        SMALL,
        "machines cost money rather than time",
    ),
    Lever(
        "wip.count",
        "Agree on a limit of work in progress, and finish before starting",
        "less work in progress",
        SMALL,
        "an agreement is enough, and nothing has to be built",
    ),
    Lever(
        "ci.flaky_rate",
        "Fix or quarantine flaky checks",
        "fewer flaky checks",
        MEDIUM,
        "each of them has to be found and fixed",
    ),
    Lever(
        "incident.count",
        "Fix the main sources of incidents before starting new work",
        "fewer incidents",
        LARGE,
        "it takes the time of those who know these services",
    ),
    Lever(
        "allocation.maintenance_share",
        "Agree on the share of time that maintenance may take",
        "less time spent on maintenance",
        MEDIUM,
        "everybody plans work differently",
    ),
)
BATCH = Lever(
    FREQUENCY,
    "Release what is finished in smaller batches",
    "fewer changes in a release",
    MEDIUM,
    "releases have to be cheap enough to be made more often",
)
