"""The stages of lead time from an idea to production, for pull requests that reached production, and their labels on
pages.

The five stages of lead time are computed over the pull requests that have all five, so that their means add up; the
others are counted as left out.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from insights.catalogue.declarations import Duration
from insights.catalogue.dora import AT_DEPLOYMENT, LEAD_TIME_DIMENSIONS, LEAD_TIME_SOURCE
from insights.catalogue.references import FOUR_KEYS, PULL_REQUEST_STAGES, WORK_VISIBILITY
from insights.query.enums import Category, Initiative, SpaceDimension
from insights.query.measures import Distribution
from insights.query.query import MetricValue
from integrations.facts.delivery import LEAD_TIMES

ALL_FIVE = (
    "Only pull requests with all five stages count (coding, pickup, review, merge and deploy), and pushes with both of "
    "theirs (coding and deploy)."
)
LINKED = "Pull requests without a linked work item are left out."


def _stage(
    key: str,
    name: str,
    meaning: str,
    formula: str,
    column: str,
    *,
    improves_with: tuple[str, ...] = (),
    at_the_cost_of: str,
    reference: str,
) -> Duration:
    return Duration(
        key=key,
        name=name,
        fact="PR",
        meaning=meaning,
        formula=f"{formula} {AT_DEPLOYMENT}",
        of=Distribution(LEAD_TIMES, column=column),
        needs_pull_requests=True,
        categories=(Category.DORA, Category.EFFICIENCY),
        initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
        space=(SpaceDimension.EFFICIENCY,),
        segments=LEAD_TIME_DIMENSIONS,
        positive_indicators=("dora.lead_time", *improves_with),
        negative_indicators=(at_the_cost_of,),
        source=LEAD_TIME_SOURCE,
        reference=reference,
    )


CODING = _stage(
    "dora.lead_time_coding",
    "Lead time: coding",
    "The part of the lead time before a change is open for review.",
    f"first own commit → open. {ALL_FIVE}",
    "whole_coding_seconds",
    improves_with=("pr.coding_time",),
    at_the_cost_of="code.rework_rate",
    reference=FOUR_KEYS,
)
PICKUP = _stage(
    "dora.lead_time_pickup",
    "Lead time: pickup",
    "The part of the lead time in which a change waits for its first review.",
    f"open → first review by somebody else. {ALL_FIVE}",
    "whole_pickup_seconds",
    improves_with=("pr.pickup_time",),
    at_the_cost_of="review.load_concentration",
    reference=FOUR_KEYS,
)
REVIEW = _stage(
    "dora.lead_time_review",
    "Lead time: review",
    "The part of the lead time between the first review and the approval.",
    f"first review → last approval before the merge. {ALL_FIVE}",
    "whole_review_seconds",
    improves_with=("pr.review_time",),
    at_the_cost_of="pr.review_depth",
    reference=FOUR_KEYS,
)
MERGE = _stage(
    "dora.lead_time_merge",
    "Lead time: merge",
    "The part of the lead time in which an approved change waits for its merge.",
    f"that approval → merge. {ALL_FIVE}",
    "whole_merge_seconds",
    improves_with=("pr.merge_time",),
    at_the_cost_of="pr.self_merged_rate",
    reference=FOUR_KEYS,
)
DEPLOY = _stage(
    "dora.lead_time_deploy",
    "Lead time: deploy",
    "The part of the lead time in which a merged change waits for production.",
    f"merge → deployed. {ALL_FIVE}",
    "whole_deploy_seconds",
    improves_with=("pr.deploy_time",),
    at_the_cost_of="dora.change_failure_rate",
    reference=FOUR_KEYS,
)
DEPLOY_TIME = _stage(
    "pr.deploy_time",
    "Deploy time",
    "How long a merged change waits for production.",
    "merge → first successful production deployment that contains it; left out if it finished before the merge.",
    "deploy_seconds",
    improves_with=("dora.deployment_frequency",),
    at_the_cost_of="dora.change_failure_rate",
    reference=PULL_REQUEST_STAGES,
)
PLANNING_TIME = _stage(
    "delivery.planning_time",
    "Planning time",
    "How long a work item is in progress before its first commit.",
    f"linked work item first in progress → first own commit. {LINKED}",
    "planning_seconds",
    improves_with=("delivery.idea_to_production",),
    at_the_cost_of="code.rework_rate",
    reference=WORK_VISIBILITY,
)
BACKLOG_TIME = _stage(
    "delivery.backlog_time",
    "Backlog time",
    "How long an idea waits before work on it begins.",
    f"linked work item created → first in progress. {LINKED}",
    "backlog_seconds",
    improves_with=("delivery.idea_to_production",),
    at_the_cost_of="wip.count",
    reference=WORK_VISIBILITY,
)
IDEA_TO_PRODUCTION = _stage(
    "delivery.idea_to_production",
    "Idea to production",
    "How long it takes from the first record of an idea until users have it.",
    f"linked work item created (the first, of several) → deployed. {LINKED}",
    "idea_seconds",
    improves_with=("delivery.backlog_time", "delivery.planning_time"),
    at_the_cost_of="dora.change_failure_rate",
    reference=WORK_VISIBILITY,
)


LEAD_TIME = "dora.lead_time"
# In order: the metric, the stage's name, and its bounds.
STAGES: Mapping[str, tuple[str, str, str]] = {
    "coding": ("dora.lead_time_coding", "Coding", "first commit → open"),
    "pickup": ("dora.lead_time_pickup", "Pickup", "waiting for the first review"),
    "review": ("dora.lead_time_review", "Review", "first review → approval"),
    "merge": ("dora.lead_time_merge", "Merge", "approved, not merged"),
    "deploy": ("dora.lead_time_deploy", "Deploy", "merged, not in production"),
}
# The stages in which nobody works on the change.
WAITS = ("pickup", "merge", "deploy")
HALF = 0.5
NOISE = 1e-9  # rounding error in a mean
FEW_CHANGES = 5  # with fewer, the longest wait is a matter of chance


class StageFigures(NamedTuple):
    """The figures of a stage: three statistics of its duration over its `sample` changes, and whether they are hidden
    from the viewer.
    """

    median: float | None
    trimmed_mean: float | None
    mean: float | None
    sample: int
    hidden: bool = False

    @classmethod
    def of(cls, median: MetricValue, trimmed_mean: MetricValue, mean: MetricValue) -> StageFigures:
        """Builds them from the three values; if one is withheld, none is read."""
        if any(figure.withheld for figure in (median, trimmed_mean, mean)):
            return cls(None, None, None, 0, hidden=True)
        return cls(median.value, trimmed_mean.value, mean.value, mean.sample_size)


class NoBottleneck(enum.StrEnum):
    """The reason why no wait is the bottleneck."""

    NO_DATA = "No change with all its stages reached production."
    HIDDEN = "A stage is hidden, so the longest wait cannot be told."
    FEW = f"Fewer than {FEW_CHANGES} changes: the longest wait would be a matter of chance."
    NO_WAIT = "No change waited."
    TIE = "Several waits are equally long."
    MEANS_ALONE = "Only means are known here, which the slowest changes may make."


@dataclass(frozen=True)
class Bottleneck:
    """`stage` is the bottleneck, or with `only_slowest` the wait that is the longest only because of a few changes;
    empty if there is a `reason`.
    """

    stage: str
    only_slowest: bool = False
    reason: NoBottleneck | None = None

    @property
    def held(self) -> str:
        """The stage that is the bottleneck; empty if none is."""
        return "" if self.only_slowest else self.stage


def bottleneck(stages: Mapping[str, StageFigures]) -> Bottleneck:
    """The largest wait, both by the median and by the mean without the slowest 5 %; coding and review are work, not
    waits.

    If no wait is the largest by both, the one with the largest mean owes it to the slowest changes, and is not a
    bottleneck.  A change without a stage, such as a push without a review, did not wait there: means are over all
    changes (all of them have the stage coding), and a median counts as 0 if fewer than half of the changes have the
    stage.  If any wait is hidden, there is no result, because the largest of the others would reveal something about
    it.
    """
    waits = {name: stages[name] for name in WAITS if name in stages}
    changes = max((figures.sample for figures in stages.values()), default=0)
    if reason := _why_unknown(waits, changes):
        return Bottleneck("", reason=reason)
    median, trimmed, mean = {}, {}, {}
    for name, figures in waits.items():
        share = figures.sample / changes
        median[name] = (figures.median or 0.0) if share >= HALF else 0.0
        trimmed[name], mean[name] = (figures.trimmed_mean or 0.0) * share, (figures.mean or 0.0) * share
    both = [name for name in _longest(median) if name in _longest(trimmed)]
    longest = both or _longest(mean)
    if len(longest) != 1:
        return Bottleneck("", reason=NoBottleneck.TIE if longest else NoBottleneck.NO_WAIT)
    if waits[longest[0]].sample < FEW_CHANGES:
        return Bottleneck("", reason=NoBottleneck.FEW)
    return Bottleneck(longest[0], only_slowest=not both)


def _why_unknown(waits: Mapping[str, StageFigures], changes: int) -> NoBottleneck | None:
    """The reason why the longest waits of that many changes cannot be told."""
    known = [figures for figures in waits.values() if figures.mean is not None]
    if any(figures.hidden for figures in waits.values()):
        return NoBottleneck.HIDDEN
    if not known:
        return NoBottleneck.NO_DATA
    if any(None in (figures.median, figures.trimmed_mean) for figures in known):
        return NoBottleneck.MEANS_ALONE
    return NoBottleneck.FEW if changes < FEW_CHANGES else None


def _longest(seconds: Mapping[str, float]) -> list[str]:
    """The longest waits, several in a tie; none if all are 0."""
    most = max(seconds.values())
    return [name for name, value in seconds.items() if math.isclose(value, most, rel_tol=NOISE)] if most > 0 else []
