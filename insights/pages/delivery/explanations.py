"""What to look for on the delivery page: hints that documented rules derive from a window's figures.

As in insights/pages/ai/explanations.py; the rules and thresholds are listed in docs/reference/what-to-look-for.md.
"""

from __future__ import annotations

from core.seconds import HOUR
from insights.pages.ai.explanations import Hint
from insights.query.query import MetricValue
from insights.ui import wording
from insights.ui.tiles import Link

FEW_FACTS = 20  # fewer give no hint
LONG_WAIT_SECONDS = 4 * HOUR
WAIT_SHARE = 0.5  # of the cycle time
MORE_WORK = 0.25
STEADY_OUTPUT = 0.05
FLAKY_PERCENT = 5.0
FEW_RUNS = 100
FAILURE_RISE_POINTS = 5.0
FEW_DEPLOYMENTS = 10
LARGER_SHARE = 0.20
REOPENED_PERCENT = 15.0
UNREVIEWED_PERCENT = 20.0
LARGE_LINES = 400.0
SHALLOW_COMMENTS = 1.0  # per 100 lines
UNLINKED_PERCENT = 60.0


def reviews_wait(pickup: MetricValue, cycle: MetricValue, *, url: str) -> Hint | None:
    """The wait for a first review is long, and much of the way from open to merge."""
    if pickup.value is None or not cycle.value or pickup.sample_size < FEW_FACTS:
        return None
    if pickup.value < LONG_WAIT_SECONDS or pickup.value < cycle.value * WAIT_SHARE:
        return None
    return Hint(
        f"Pull requests wait {wording.duration(pickup.value)} for their first review, beside a cycle time of "
        f"{wording.duration(cycle.value)}: look at who is asked, how large the changes are, and whether anybody "
        "watches the queue.",
        Link("See the pull requests", url),
    )


def wip_outgrows_output(
    wip: MetricValue, wip_before: MetricValue, merged: MetricValue, merged_before: MetricValue, *, url: str
) -> Hint | None:
    """Work in progress grew by a quarter or more, and no more was merged."""
    if not wip.value or not wip_before.value or not merged_before.value or wip_before.value < FEW_FACTS:
        return None
    rise, output = wip.value / wip_before.value - 1, (merged.value or 0) / merged_before.value - 1
    if rise < MORE_WORK or output > STEADY_OUTPUT:
        return None
    return Hint(
        f"Work in progress grew by {rise:.0%} while no more was merged than before: more work is started than "
        "finished. Finish work before starting more, or limit work in progress.",
        Link("See how it is computed", url),
    )


def flaky_runs(flaky: MetricValue, *, url: str) -> Hint | None:
    """Many runs passed only when they were run again."""
    if flaky.value is None or flaky.value < FLAKY_PERCENT or (flaky.denominator or 0) < FEW_RUNS:
        return None
    return Hint(
        f"{wording.reading(flaky.value, 'percent')} of the runs failed first and passed on a retry without a change. "
        "Each costs a wait and hides real failures.",
        Link("See the runs", url),
    )


def failures_rise(
    failures: MetricValue, before: MetricValue, size: MetricValue, size_before: MetricValue, *, url: str
) -> Hint | None:
    """More deployments fail than before; mentions the size of changes where it grew as well."""
    fewest = min(failures.denominator or 0, before.denominator or 0)
    if failures.value is None or before.value is None or fewest < FEW_DEPLOYMENTS:
        return None
    rise = failures.value - before.value
    if rise < FAILURE_RISE_POINTS:
        return None
    larger = size.value / size_before.value - 1 if size.value and size_before.value else 0.0
    also = (
        f" Pull requests grew by {larger:.0%} as well: smaller changes fail less often."
        if larger >= LARGER_SHARE
        else ""
    )
    return Hint(
        f"The change failure rate rose by {wording.difference(rise, 'percent')} to "
        f"{wording.reading(failures.value, 'percent')}.{also}",
        Link("See the deployments", url),
    )


def bugs_come_back(reopened: MetricValue, *, url: str) -> Hint | None:
    """Many fixed bugs had been closed before."""
    if reopened.value is None or reopened.value < REOPENED_PERCENT or (reopened.denominator or 0) < FEW_FACTS:
        return None
    return Hint(
        f"{wording.reading(reopened.value, 'percent')} of the fixed bugs had been closed before. Check how fixes are "
        "tested and who closes them.",
        Link("See the bugs", url),
    )


def merged_unreviewed(unreviewed: MetricValue, *, url: str) -> Hint | None:
    """Many pull requests were merged without a review."""
    if unreviewed.value is None or unreviewed.value < UNREVIEWED_PERCENT:
        return None
    if (unreviewed.denominator or 0) < FEW_FACTS:
        return None
    return Hint(
        f"{wording.reading(unreviewed.value, 'percent')} of the pull requests were merged without a review by anybody "
        "else. Check whether that is a few repositories, or how the team works.",
        Link("See the pull requests", url),
    )


def large_and_hardly_discussed(size: MetricValue, depth: MetricValue, *, url: str) -> Hint | None:
    """Changes are large, and reviews say little about them."""
    if size.value is None or depth.value is None or size.sample_size < FEW_FACTS:
        return None
    if size.value < LARGE_LINES or depth.value >= SHALLOW_COMMENTS:
        return None
    return Hint(
        f"Pull requests change {wording.compact(size.value)} lines, and reviews leave {depth.value:.1f} comments per "
        "100 lines: large changes are often waved through. Smaller ones get read.",
        Link("See the pull requests", url),
    )


def unlinked(linked: MetricValue, *, url: str) -> Hint | None:
    """Many pull requests name no work item, so that idea to production covers few of them."""
    if linked.value is None or linked.value >= UNLINKED_PERCENT or (linked.denominator or 0) < FEW_FACTS:
        return None
    return Hint(
        f"Only {wording.reading(linked.value, 'percent')} of the pull requests name a work item, and idea to "
        "production is known only for those. Put the item's key in the branch name or the title.",
        Link("See the pull requests", url),
    )
