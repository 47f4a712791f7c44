"""Capacity: when people of a team work, how fragmented their days are, and how much they carry; never for one
person.
"""

from __future__ import annotations

from functools import partial

from insights.catalogue.declarations import Ratio
from insights.catalogue.references import SPACE_FRAMEWORK, WIP_LIMITS
from insights.query.enums import Better, Category, SpaceDimension, UnitOfMeasure
from insights.query.measures import Total
from integrations.facts.people_time import WORK_DAYS

ACTIVITIES = "commits, reviews, pull requests opened and moves of work items"
WHOSE = (
    "Days and hours are those of the person's own time zone. Public holidays and leave are left out. Only of teams of "
    "at least the minimum group size, never of a person"
)

_capacity = partial(
    Ratio,
    fact="person-day",
    better=Better.LOWER,
    minimum_sample=20,
    categories=(Category.CAPACITY,),
    space=(SpaceDimension.SATISFACTION, SpaceDimension.EFFICIENCY),
    source="Commits, reviews, pull requests and work items, with people's time zones, holidays and leave",
)


def _of(column: str) -> Total:
    return Total(WORK_DAYS, column=column)


AFTER_HOURS_SHARE = _capacity(
    key="capacity.after_hours_share",
    name="After-hours share",
    meaning="What share of a team's work happens outside working hours on working days.",
    formula=(
        f"{ACTIVITIES} on working days outside working hours (8:00 to 19:00, or those of the team's working agreement) "
        f"÷ all of them × 100. {WHOSE}"
    ),
    sample="{numerator} of {denominator} activities",
    numerator=_of("late_acts"),
    denominator=_of("acts"),
    reference=SPACE_FRAMEWORK,
    positive_indicators=("capacity.weekend_share", "capacity.wip_per_person", "capacity.review_load"),
)
WEEKEND_SHARE = _capacity(
    key="capacity.weekend_share",
    name="Weekend share",
    meaning="What share of a team's work happens at weekends.",
    formula=f"{ACTIVITIES} at weekends ÷ all of them × 100. {WHOSE}",
    sample="{numerator} of {denominator} activities",
    numerator=_of("weekend_acts"),
    denominator=_of("acts"),
    reference=SPACE_FRAMEWORK,
    positive_indicators=("capacity.after_hours_share", "capacity.wip_per_person"),
)
CONTEXT_SWITCHES = _capacity(
    key="capacity.context_switches",
    name="Context switches a day",
    label="Context switches",
    unit=UnitOfMeasure.COUNT,
    meaning="How often people of a team turn to other work within a day.",
    formula=(
        f"how often two of {ACTIVITIES} in a row on one day were on different work (the work item, else the "
        f"repository) ÷ days with any. {WHOSE}"
    ),
    sample="{denominator} person-days",
    numerator=_of("switches"),
    denominator=_of("active"),
    reference=WIP_LIMITS,
    positive_indicators=("focus.days", "capacity.wip_per_person"),
)
FOCUS_DAYS = _capacity(
    key="focus.days",
    name="Focus days",
    meaning="What share of a team's days at work is spent on one thing.",
    formula=f"days on which all of {ACTIVITIES} were on the same work ÷ days with any × 100. {WHOSE}",
    sample="{numerator} of {denominator} person-days",
    better=Better.HIGHER,
    numerator=_of("focused"),
    denominator=_of("active"),
    reference=WIP_LIMITS,
    positive_indicators=("capacity.context_switches", "capacity.wip_per_person"),
)
REVIEW_LOAD = _capacity(
    key="capacity.review_load",
    name="Review load",
    unit=UnitOfMeasure.COUNT,
    better=Better.NEITHER,
    meaning="How many reviews people of a team give on a day at work.",
    formula=f"reviews given ÷ days with any of {ACTIVITIES}. {WHOSE}",
    sample="{numerator} reviews on {denominator} person-days",
    numerator=_of("reviews"),
    denominator=_of("active"),
    reference=SPACE_FRAMEWORK,
    positive_indicators=("review.load_concentration", "pr.pickup_time"),
)
WIP_PER_PERSON = _capacity(
    key="capacity.wip_per_person",
    name="Work in progress per person",
    label="WIP per person",
    unit=UnitOfMeasure.COUNT,
    meaning="How many work items people of a team have in progress at once.",
    formula=(
        "Σ work items in progress at the end of working days, of the person they are assigned to ÷ person-days with "
        f"any. {WHOSE}"
    ),
    sample="{denominator} person-days",
    numerator=_of("in_progress"),
    denominator=_of("loaded"),
    reference=WIP_LIMITS,
    positive_indicators=("wip.count", "wip.age", "capacity.context_switches"),
)
IDLE_SHARE = _capacity(
    key="capacity.idle_share",
    name="Idle work in progress",
    label="Idle for a week",
    meaning="What share of a team's work in progress nothing happened to for a week.",
    formula=(
        "Σ work items in progress without a move, a change, a commit, a review or a pull request opened in the last "
        f"seven days ÷ Σ work items in progress, at the end of working days × 100. {WHOSE}"
    ),
    sample="{numerator} of {denominator} item-days",
    numerator=_of("idle"),
    denominator=_of("in_progress"),
    reference=WIP_LIMITS,
    positive_indicators=("wip.age", "capacity.restart_rate"),
)
RESTART_RATE = _capacity(
    key="capacity.restart_rate",
    name="Work restarts",
    meaning="How often a team takes up work again that it had put aside.",
    formula=(
        "entries of work items into progress that had been in progress before ÷ all entries into progress × 100. "
        f"{WHOSE}"
    ),
    sample="{numerator} of {denominator} starts",
    numerator=_of("restarts"),
    denominator=_of("starts"),
    reference=WIP_LIMITS,
    positive_indicators=("capacity.idle_share", "bug.reopen_rate"),
)
