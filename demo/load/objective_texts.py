"""Texts of the demo's objectives; objectives.py writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demo.plan.people import CHECKOUT, DATA, MOBILE, PLATFORM, SEARCH, TOOLING

KeyResultFields = Mapping[str, Any]  # as they are written


def relative(title: str, metric: str, percent: float, better: str = "") -> KeyResultFields:
    return {
        "title": title,
        "metric": metric,
        "better": better,
        "target_kind": "relative",
        "change_percent": percent,
    }


def holds(title: str, metric: str, room: float) -> KeyResultFields:
    return {"title": title, "metric": metric, "target_kind": "guardrail", "change_percent": room}


def by_hand(title: str, baseline: float, target: float, unit: str) -> KeyResultFields:
    return {"title": title, "better": "higher", "baseline": baseline, "target": target, "unit_of_measure": unit}


@dataclass(frozen=True, slots=True)
class DemoObjective:
    """`ago` counts quarters back from the one that runs.  `said` are notes of check-ins, the first one first; the last
    one is that of `well` or of `badly`, by how it goes, and so is what was learned.
    """

    ago: int
    team: str  # empty: the whole organisation
    title: str
    why: str
    owner: str  # the address before the @
    key_results: tuple[KeyResultFields, ...]
    said: tuple[str, ...]
    well: str = "We are nearly there."
    badly: str = "Not as we wished, so far."
    values: tuple[float, ...] = ()  # of what is entered by hand, with the check-ins
    template: str = ""
    learned: tuple[str, str] = ("", "")  # where it was reached, and where it was not
    carried: bool = False
    override: tuple[str, str] = ("", "")  # standing, reason
    is_further: bool = False  # beside the team's mandatory one

    @property
    def is_mandatory(self) -> bool:
        return bool(self.team) and not self.is_further


OBJECTIVES = (
    DemoObjective(
        3,
        "",
        "What agents write for us is kept",
        "Sessions cost time and money: what they write should reach users.",
        "della.director",
        (relative("Committed code that agents wrote", "ai.committed_code_share", 25, "higher"),),
        said=("Each team looks at its ship rate once.",),
        well="More of it is kept in every team.",
        learned=("Looking at it together was enough.", "Looking at a rate does not change it."),
    ),
    DemoObjective(
        3,
        MOBILE,
        "Builds are done before the coffee is",
        "Nobody waits for a build with care.",
        "willow.example",
        (relative("Duration of runs", "ci.duration", -70),),
        said=("The cache is planned.", "Two of us are away for the release."),
        badly="The cache was never built.",
        learned=(
            "A cache is worth more than machines.",
            "It **failed**: a goal that is in nobody's week stays a wish. It goes on, with a day for it.",
        ),
        carried=True,
    ),
    DemoObjective(
        3,
        SEARCH,
        "Agents know our house rules",
        "They explored for half of each session.",
        "hazel.fictus",
        (
            by_hand("Repositories with a page of rules", 0, 3, "repositories"),
            relative("Ship rate", "ai.ship_rate", 10),
        ),
        said=("The first page is written.", "The second one, too."),
        well="All three have theirs, and agents follow them.",
        badly="All three have theirs; agents ship as much as before.",
        values=(1, 2, 3),
        learned=("A page of rules is read by people, too.", "Rules alone do not make agents ship."),
    ),
    DemoObjective(
        2,
        "",
        "What we ship works",
        "Failures cost us more than slowness does.",
        "della.director",
        (relative("Change failure rate", "dora.change_failure_rate", -20),),
        said=("Each team knows its last three failures.",),
        learned=("Rolling back by one command is worth a quarter by itself.", "We counted failures, and mended none."),
    ),
    DemoObjective(
        2,
        PLATFORM,
        "Reviews begin within a day",
        "Changes of Platform wait overnight, whoever wrote them.",
        "robin.specimen",
        (relative("Pickup", "dora.lead_time_pickup", -25), relative("Cycle time", "pr.cycle_time", -15)),
        said=("The agreement stands.", "It holds on most days."),
        well="It holds, also on Fridays.",
        template="lead-time",
        learned=("One sentence that everybody agreed on did more than a tool.", "An agreement needs a reminder."),
    ),
    DemoObjective(
        2,
        CHECKOUT,
        "Every change belongs to a work item",
        "Nobody could say what a release was for.",
        "max.member",
        (relative("Linked pull requests", "pr.linked_rate", 10), holds("As many merged", "pr.throughput", -25)),
        said=("The check labels what is not linked.", "Some link anything, to be rid of the label."),
        template="planning",
        learned=("The check was enough.", "A label that nobody minds is no check."),
    ),
    DemoObjective(
        1,
        PLATFORM,
        "A change goes out the day it is merged",
        "Merged changes wait for a release that somebody makes.",
        "ivy.placeholder",
        (
            relative("From merge to production", "dora.lead_time_deploy", -20),
            relative("Deployments", "dora.deployment_frequency", 10),
        ),
        said=("Two releases a week now.", "The scripts have owners."),
        template="lead-time",
        learned=("We deploy more often where somebody owns the script.", "More releases are not yet sooner ones."),
        carried=True,
    ),
    DemoObjective(
        1,
        CHECKOUT,
        "Deployments stop failing users",
        "Every tenth deployment was followed by an incident.",
        "maya.manager",
        (
            relative("Change failure rate", "dora.change_failure_rate", -40),
            relative("Recovery", "dora.recovery_time", -20),
        ),
        said=("Smoke tests run.", "They miss what needs data."),
        template="quality",
        learned=("Smoke tests before the switch were enough.", "Smoke tests without data find what never breaks."),
    ),
    DemoObjective(
        0,
        "",
        "Reviews no longer hold up what we build",
        "Half of the time of a change is waiting for somebody.",
        "della.director",
        (relative("Pickup", "dora.lead_time_pickup", -15), holds("No more failures", "dora.change_failure_rate", 50)),
        said=("Each team has its own goal below this one.",),
        badly="One team holds it up.",
        template="lead-time",
    ),
    DemoObjective(
        0,
        SEARCH,
        "Reviews in Search begin the same day",
        "They wait for days since summer.",
        "sorrel.testwell",
        (relative("Pickup", "dora.lead_time_pickup", -30), relative("Cycle time", "pr.cycle_time", -15)),
        said=("The rota stands.",),
        badly="Two of us forget it, and it shows.",
        template="lead-time",
    ),
    DemoObjective(
        0,
        CHECKOUT,
        "Users find fewer of our defects",
        "Smoke tests alone were not enough.",
        "maya.manager",
        (
            relative("Change failure rate", "dora.change_failure_rate", -25),
            by_hand("Satisfaction with the checkout", 3.6, 4.2, "of 5"),
            holds("We deploy as often", "dora.deployment_frequency", -30),
        ),
        said=("A copy of production's data is ready.", "The first failures were found before users did."),
        badly="Customers notice; deployments still fail.",
        values=(3.6, 3.8, 3.9),
        template="quality",
    ),
    DemoObjective(
        0,
        PLATFORM,
        "Reviews begin within half a day",
        "A day was a good beginning.",
        "robin.specimen",
        (relative("Pickup", "dora.lead_time_pickup", -30), relative("Cycle time", "pr.cycle_time", -20)),
        said=("Whoever begins a day begins with reviews.",),
        well="It holds since October.",
        template="lead-time",
        override=("at_risk", "Two people are on loan to Checkout until the end of the quarter."),
        is_further=True,
    ),
    DemoObjective(
        0,
        TOOLING,
        "What agents write in Tooling is kept",
        "Most of it is thrown away: the repository tells agents nothing.",
        "quill.placeholder",
        (relative("Ship rate", "ai.ship_rate", 50), relative("Failing tool calls", "ai.error_rate", -30)),
        said=("The page of rules is in review.",),
        badly="The proxy breaks every fetch.",
    ),
    DemoObjective(
        0,
        DATA,
        "Reviews that find something",
        "An approval without a word helps nobody.",
        "fennel.fictus",
        (relative("Review depth", "pr.review_depth", 15), relative("Efficiency", "flow.efficiency", 5)),
        said=("Two read what is larger than a screen.",),
        well="Comments are questions now, and they are answered.",
    ),
)

# The improvement plan of each of this quarter's: tickets by what they are about (demo_tickets.py).
PLANS = {
    "Reviews in Search begin the same day": ("Reviews wait for days in Search", "Old branches hide unfinished work"),
    "Users find fewer of our defects": (
        "Deployments of Checkout fail users far too often",
        "Small pull requests wait as long as large ones",
    ),
    "A change goes out the day it is merged": ("Nobody owns the deployment scripts",),
    "Reviews that find something": ("Pull requests of Data are too large to review",),
    "Reviews no longer hold up what we build": ("Incidents have no written cause",),
}
