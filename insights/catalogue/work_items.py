"""Work items: lead and cycle time, work in progress, features and bugs."""

from __future__ import annotations

from functools import partial

from insights.catalogue.declarations import Count, CountPerTime, Duration, Ratio
from insights.catalogue.references import SMALL_BATCHES, TEST_AUTOMATION, WIP_LIMITS, WORK_VISIBILITY
from insights.catalogue.rules import Rule, base, how, rise, rows, value
from insights.query.enums import Better, Category, Initiative, SpaceDimension
from insights.query.measures import Distribution, Facts, Total
from insights.query.query import Dimension
from integrations.facts.work_items import (
    CREATED_WORK_ITEMS,
    DONE_WORK_ITEMS,
    WORK_IN_PROGRESS,
)

SOURCE = "Work items with their history of statuses and assignees"
DONE = (
    "It counts on the day of the item's last entry into done, for the assignee at that time, else the last one. Items "
    "cancelled, not planned or otherwise dropped, by status or resolution, are not done; each connection's value "
    "mappings decide which values mean that."
)
MADE_BY = (Dimension.ASSISTANCE, Dimension.AGENT)
WHERE_WRITTEN = (Dimension.PROJECT, Dimension.REPOSITORY)
DONE_DIMENSIONS = (Dimension.WORK_TYPE, *WHERE_WRITTEN, *MADE_BY)
STANDING_DIMENSIONS = (Dimension.WORK_TYPE, *WHERE_WRITTEN)


DONE_ITEMS = Facts(DONE_WORK_ITEMS)
DONE_BUGS = Total(DONE_WORK_ITEMS, column="bugs")
CREATED_BUGS = Total(CREATED_WORK_ITEMS, column="bugs")

_item_time = partial(
    Duration,
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DONE_DIMENSIONS,
    source=SOURCE,
    reference=WORK_VISIBILITY,
)

ISSUE_LEAD_TIME = _item_time(
    key="issue.lead_time",
    name="Issue lead time",
    fact="item",
    meaning="How long a work item takes from creation to done.",
    formula=f"created → done, of completed items; a reopened item ends at its last done. {DONE}",
    of=Distribution(DONE_WORK_ITEMS, column="lead_seconds"),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.EFFICIENCY, SpaceDimension.PERFORMANCE),
    positive_indicators=("issue.cycle_time", "flow.efficiency", "wip.count", "dora.lead_time"),
    negative_indicators=("bug.reopen_rate",),
)

ISSUE_CYCLE_TIME = _item_time(
    key="issue.cycle_time",
    name="Issue cycle time",
    fact="item",
    meaning="How long a work item takes from the start of work to done.",
    formula=(
        "first entry into a status in progress → done, of completed items; items that were never in progress, or whose "
        f"history is unknown, are left out. {DONE}"
    ),
    of=Distribution(DONE_WORK_ITEMS, column="cycle_seconds"),
    positive_indicators=("issue.lead_time", "flow.efficiency", "wip.count", "pr.cycle_time"),
    negative_indicators=("bug.reopen_rate",),
)

_item_share = partial(
    Ratio,
    better=Better.HIGHER,
    minimum_sample=5,
    categories=(Category.QUALITY,),
    space=(SpaceDimension.PERFORMANCE,),
    segments=WHERE_WRITTEN,
    source=SOURCE,
    reference=TEST_AUTOMATION,
)

_item_count = partial(
    Count,
    fact="item",
    categories=(Category.PLANNING, Category.EFFICIENCY),
    space=(SpaceDimension.ACTIVITY,),
    source=SOURCE,
    reference=WORK_VISIBILITY,
)

ISSUES_CREATED = _item_count(
    key="issue.created",
    name="Arrivals",
    meaning="How many work items come in.",
    formula="work items created. They count on the day of creation, for their assignee when done, else the last one",
    of=Facts(CREATED_WORK_ITEMS),
    segments=(Dimension.WORK_TYPE, *WHERE_WRITTEN),
    positive_indicators=("issue.completed", "backlog.age"),
)

ISSUES_COMPLETED = _item_count(
    key="issue.completed",
    name="Completions",
    meaning="How many work items are done.",
    formula=f"work items done. {DONE}",
    of=DONE_ITEMS,
    better=Better.HIGHER,
    segments=DONE_DIMENSIONS,
    positive_indicators=("issue.created", "wip.count", "issue.cycle_time"),
    negative_indicators=("bug.reopen_rate",),
)

FLOW_EFFICIENCY = _item_share(
    key="flow.efficiency",
    name="Flow efficiency",
    fact="item",
    sample="{facts:item}",
    meaning="Share of the time in progress in which work is active rather than waiting.",
    formula=(
        "Σ active time ÷ Σ cycle time, of completed items, × 100. An item is active in statuses in progress, except "
        "waiting ones (blocked, on hold, waiting, pending, ready for …, by each connection's value mappings). It is "
        f"not active while back in a to-do status, or in done before it was reopened. {DONE}"
    ),
    numerator=Total(DONE_WORK_ITEMS, column="active_seconds"),
    denominator=Total(DONE_WORK_ITEMS, column="cycle_seconds"),
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.EFFICIENCY,),
    segments=DONE_DIMENSIONS,
    positive_indicators=("issue.cycle_time", "wip.count", "pr.pickup_time"),
    reference=WORK_VISIBILITY,
)

FEATURES_PER_WEEK = CountPerTime(
    key="work.features_per_week",
    name="Feature velocity",
    fact="item",
    meaning="How many features are completed per week.",
    formula=f"completed work items of type feature ÷ weeks of the window that have passed. {DONE}",
    of=Total(DONE_WORK_ITEMS, column="features"),
    per_days=7,
    better=Better.HIGHER,
    categories=(Category.EFFICIENCY,),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.ACTIVITY, SpaceDimension.PERFORMANCE),
    segments=(*WHERE_WRITTEN, *MADE_BY),
    positive_indicators=("work.feature_completion_rate", "issue.lead_time"),
    negative_indicators=("bug.ratio",),
    source=SOURCE,
    reference=SMALL_BATCHES,
)

FEATURE_COMPLETION_RATE = _item_share(
    key="work.feature_completion_rate",
    name="Feature completion rate",
    fact="item",
    meaning="Whether features are completed as fast as they are created.",
    formula="features done ÷ features created in the same time × 100; above 100 the number of unfinished ones falls. "
    f"{DONE} What is created counts on its day of creation, for the same person.",
    numerator=Total(DONE_WORK_ITEMS, column="features"),
    denominator=Total(CREATED_WORK_ITEMS, column="features"),
    categories=(Category.EFFICIENCY, Category.PLANNING),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    positive_indicators=("work.features_per_week",),
    negative_indicators=("bug.ratio",),
    reference=SMALL_BATCHES,
)

BUG_RATIO = _item_share(
    key="bug.ratio",
    name="Bug ratio",
    fact="item",
    meaning="Share of completed work items that are bugs.",
    formula=f"bugs done ÷ work items done × 100. {DONE}",
    numerator=DONE_BUGS,
    denominator=DONE_ITEMS,
    better=Better.LOWER,
    segments=(*WHERE_WRITTEN, *MADE_BY),
    positive_indicators=("bug.escaped", "bug.reopen_rate", "work.features_per_week", "dora.change_failure_rate"),
    negative_indicators=("bug.fix_rate",),
)

BUG_REOPEN_RATE = _item_share(
    key="bug.reopen_rate",
    name="Bug reopen rate",
    fact="item",
    meaning="Share of fixed bugs that had been fixed before.",
    formula=f"done bugs that were reopened before ÷ done bugs × 100. {DONE}",
    numerator=Total(DONE_WORK_ITEMS, column="reopened_bugs"),
    denominator=DONE_BUGS,
    better=Better.LOWER,
    segments=(*WHERE_WRITTEN, *MADE_BY),
    positive_indicators=("bug.ratio",),
    negative_indicators=("bug.fix_rate",),
    look_for=(
        Rule(
            when=(base("bug.reopen_rate", "bugs fixed").at_least(20), value("bug.reopen_rate").at_least(15.0)),
            says="{bug.reopen_rate} of the fixed bugs had been closed before. Check how fixes are tested and who "
            "closes them.",
            check=rows("See the bugs", "bug.reopen_rate"),
        ),
    ),
)

_CREATED = "It counts on the day of the bug's creation, for its assignee when done, else the last one."
_FOUND = "by each connection's value mappings"

_bug_count = partial(
    Count,
    better=Better.LOWER,
    categories=(Category.QUALITY,),
    segments=WHERE_WRITTEN,
    source=SOURCE,
    reference=TEST_AUTOMATION,
)

BUG_ESCAPED = _bug_count(
    key="bug.escaped",
    name="Escaped bugs",
    fact="item",
    meaning="How many bugs were found in production.",
    formula=(
        "bugs created whose label, type, project or reporter shows that they were found in production or by a "
        f"customer; {_FOUND}. {_CREATED}"
    ),
    of=Total(CREATED_WORK_ITEMS, column="escaped_bugs"),
    space=(SpaceDimension.PERFORMANCE,),
    positive_indicators=("bug.customer_found", "bug.ratio", "dora.change_failure_rate", "incident.count"),
    negative_indicators=("work.features_per_week",),
)

BUG_CUSTOMER_FOUND = _bug_count(
    key="bug.customer_found",
    name="Bugs found by customers",
    fact="item",
    meaning="How many bugs customers found.",
    formula="bugs created whose label, type, project or reporter shows that a customer found them; "
    f"{_FOUND}. {_CREATED}",
    of=Total(CREATED_WORK_ITEMS, column="bugs_of_customers"),
    initiatives=(Initiative.ENGINEERING_EXCELLENCE, Initiative.BUSINESS_ALIGNMENT),
    space=(SpaceDimension.SATISFACTION, SpaceDimension.PERFORMANCE),
    positive_indicators=("bug.escaped", "bug.ratio", "incident.count"),
)

BUG_FIX_RATE = _item_share(
    key="bug.fix_rate",
    name="Bug fix rate",
    fact="item",
    meaning="Whether bugs are fixed as fast as they are found.",
    formula="bugs done ÷ bugs created in the same time × 100; above 100 the number of open bugs falls. "
    f"{DONE} What is created counts on its day of creation, for the same person.",
    numerator=Total(DONE_WORK_ITEMS, column="bugs"),
    denominator=CREATED_BUGS,
    positive_indicators=("bug.ratio",),
    negative_indicators=("bug.reopen_rate",),
)

_AT_THE_END = "at the end of the window's last day, or today, for the assignee when done, else the last one"

WIP_COUNT = Count(
    key="wip.count",
    name="Work in progress",
    fact="item",
    meaning="How many work items are in progress at the same time.",
    formula=f"work items in a status in progress {_AT_THE_END}",
    of=Facts(WORK_IN_PROGRESS),
    better=Better.LOWER,
    categories=(Category.EFFICIENCY,),
    space=(SpaceDimension.EFFICIENCY, SpaceDimension.ACTIVITY),
    segments=STANDING_DIMENSIONS,
    positive_indicators=("wip.age", "issue.cycle_time", "flow.efficiency"),
    negative_indicators=("pr.throughput",),
    source=SOURCE,
    reference=WIP_LIMITS,
    look_for=(
        Rule(
            when=(
                value("wip.count").earlier.at_least(20),
                rise("wip.count").at_least(0.25),
                rise("pr.throughput").at_most(0.05),
            ),
            says="Work in progress grew by {rise} while no more was merged than before: more work is started than "
            "finished. Finish work before starting more, or limit work in progress.",
            check=how("wip.count"),
        ),
    ),
)

WIP_AGE = _item_time(
    key="wip.age",
    name="Age of work in progress",
    fact="item",
    meaning="How long the work items in progress have been in progress.",
    formula="first entry into a status in progress → end of the window, of the work items in a status in progress "
    f"{_AT_THE_END}; in whole local days. Items with an unknown start are left out",
    of=Distribution(WORK_IN_PROGRESS, column="age_seconds"),
    segments=STANDING_DIMENSIONS,
    positive_indicators=("wip.count", "issue.cycle_time"),
    reference=WIP_LIMITS,
)
