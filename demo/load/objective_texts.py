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
    """An objective of the demo.  `ago` counts quarters back from the current one.  `said` are check-in notes, oldest
    first; progress decides whether the last note is `well` or `badly`, and which half of `learned` applies.
    """

    ago: int
    team: str  # empty: the whole organisation
    title: str
    why: str
    owner: str  # the address before the @
    key_results: tuple[KeyResultFields, ...]
    said: tuple[str, ...]
    well: str = "We are nearly there."
    badly: str = "Behind plan so far."
    values: tuple[float, ...] = ()  # entered by hand with the check-ins
    template: str = ""
    learned: tuple[str, str] = ("", "")  # if it was reached, and if it was missed
    carried: bool = False
    override: tuple[str, str] = ("", "")  # standing, reason
    is_further: bool = False  # in addition to the team's mandatory one

    @property
    def is_mandatory(self) -> bool:
        return bool(self.team) and not self.is_further


OBJECTIVES = (
    DemoObjective(
        3,
        "",
        "Ship what our agents write",
        "Sessions cost time and money, so their output should reach users.",
        "della.director",
        (relative("AI committed code", "ai.committed_code_share", 25, "higher"),),
        said=("Each team is reviewing its ship rate.",),
        well="Ship rate is up in every team.",
        learned=("Reviewing it together was enough.", "Looking at a rate does not change it."),
    ),
    DemoObjective(
        3,
        MOBILE,
        "Builds finish before the coffee does",
        "People switch context while they wait for a build.",
        "willow.example",
        (relative("Pipeline duration", "ci.duration", -70),),
        said=("The cache is planned.", "Two of us are tied up with the release."),
        badly="We never built the cache.",
        learned=(
            "A cache beats more machines.",
            "We **missed** it: a goal without time set aside stays a wish. We carry it over, with one day a week.",
        ),
        carried=True,
    ),
    DemoObjective(
        3,
        SEARCH,
        "Agents know our conventions",
        "Agents spent half of each session exploring.",
        "hazel.fictus",
        (
            by_hand("Repositories with a context file", 0, 3, "repositories"),
            relative("Ship rate", "ai.ship_rate", 10),
        ),
        said=("The first file is written.", "The second is done, too."),
        well="All three have one, and agents follow it.",
        badly="All three have one, but the ship rate has not moved.",
        values=(1, 2, 3),
        learned=("People read context files, too.", "Context files alone do not raise the ship rate."),
    ),
    DemoObjective(
        2,
        "",
        "Our releases work the first time",
        "Failures cost us more than slow delivery.",
        "della.director",
        (relative("Change failure rate", "dora.change_failure_rate", -20),),
        said=("Every team has reviewed its last three failures.",),
        learned=("One-command rollback alone was worth the quarter.", "We counted failures but fixed none."),
    ),
    DemoObjective(
        2,
        PLATFORM,
        "Reviews start within a day",
        "Platform's changes wait overnight, whoever wrote them.",
        "robin.specimen",
        (relative("Pickup", "dora.lead_time_pickup", -25), relative("Cycle time", "pr.cycle_time", -15)),
        said=("We have a working agreement.", "We keep it on most days."),
        well="We keep it, even on Fridays.",
        template="lead-time",
        learned=("A one-sentence agreement did more than any tool.", "An agreement needs reminders."),
    ),
    DemoObjective(
        2,
        CHECKOUT,
        "Link every change to a work item",
        "Nobody could say what a release contained.",
        "max.member",
        (relative("Linked pull requests", "pr.linked_rate", 10), holds("Merged PRs", "pr.throughput", -25)),
        said=("The check labels unlinked PRs.", "Some people link any item to clear the label."),
        template="planning",
        learned=("The check was enough.", "A label that everyone ignores is not a check."),
    ),
    DemoObjective(
        1,
        PLATFORM,
        "Ship every change the day it is merged",
        "Merged changes wait for someone to cut a release.",
        "ivy.placeholder",
        (
            relative("Time to deploy", "dora.lead_time_deploy", -20),
            relative("Deployments", "dora.deployment_frequency", 10),
        ),
        said=("We are at two releases a week.", "The scripts have owners."),
        template="lead-time",
        learned=("We deploy more often when someone owns the script.", "More releases did not mean earlier ones."),
        carried=True,
    ),
    DemoObjective(
        1,
        CHECKOUT,
        "Cut failed deployments",
        "One deployment in ten caused an incident.",
        "maya.manager",
        (
            relative("Change failure rate", "dora.change_failure_rate", -40),
            relative("Recovery", "dora.recovery_time", -20),
        ),
        said=("Smoke tests are running.", "They miss bugs that need realistic data."),
        template="quality",
        learned=("Smoke tests before cutover were enough.", "Smoke tests need realistic data to find anything."),
    ),
    DemoObjective(
        0,
        "",
        "Stop reviews from holding up delivery",
        "Changes spend half their time waiting for someone.",
        "della.director",
        (
            relative("Pickup", "dora.lead_time_pickup", -15),
            holds("Change failure rate", "dora.change_failure_rate", 50),
        ),
        said=("Every team has its own objective under this one.",),
        badly="One team is behind.",
        template="lead-time",
    ),
    DemoObjective(
        0,
        SEARCH,
        "Search reviews start the same day",
        "They have taken days since the summer.",
        "sorrel.testwell",
        (relative("Pickup", "dora.lead_time_pickup", -30), relative("Cycle time", "pr.cycle_time", -15)),
        said=("The rota is in place.",),
        badly="Two of us keep forgetting it, and it shows.",
        template="lead-time",
    ),
    DemoObjective(
        0,
        CHECKOUT,
        "Catch defects before users do",
        "Smoke tests alone were not enough.",
        "maya.manager",
        (
            relative("Change failure rate", "dora.change_failure_rate", -25),
            by_hand("Checkout satisfaction", 3.6, 4.2, "of 5"),
            holds("Deployment frequency", "dora.deployment_frequency", -30),
        ),
        said=("A copy of production data is ready.", "We caught the first failures before users did."),
        badly="Customers are happier, but deployments still fail.",
        values=(3.6, 3.8, 3.9),
        template="quality",
    ),
    DemoObjective(
        0,
        PLATFORM,
        "Reviews start within half a day",
        "One day was a good start.",
        "robin.specimen",
        (relative("Pickup", "dora.lead_time_pickup", -30), relative("Cycle time", "pr.cycle_time", -20)),
        said=("Everyone starts the day with reviews.",),
        well="We have kept to it since October.",
        template="lead-time",
        override=("at_risk", "Two people are on loan to Checkout until the end of the quarter."),
        is_further=True,
    ),
    DemoObjective(
        0,
        TOOLING,
        "Raise Tooling's ship rate",
        "Most agent output is thrown away because the repository has no context files.",
        "quill.placeholder",
        (relative("Ship rate", "ai.ship_rate", 50), relative("Error rate", "ai.error_rate", -30)),
        said=("The context file is in review.",),
        badly="The proxy breaks every fetch.",
    ),
    DemoObjective(
        0,
        DATA,
        "Reviews that catch problems",
        "A silent approval helps nobody.",
        "fennel.fictus",
        (relative("Review depth", "pr.review_depth", 15), relative("Flow efficiency", "flow.efficiency", 5)),
        said=("Anything longer than a screen gets two reviewers.",),
        well="Reviewers ask questions now, and authors answer them.",
    ),
)

# The improvement plan of each current objective: titles of tickets (tickets.py).
PLANS = {
    "Search reviews start the same day": ("Reviews wait for days in Search", "Old branches hide unfinished work"),
    "Catch defects before users do": (
        "Checkout deployments fail too often",
        "Small pull requests wait as long as large ones",
    ),
    "Ship every change the day it is merged": ("Nobody owns the deployment scripts",),
    "Reviews that catch problems": ("Data's pull requests are too large to review",),
    "Stop reviews from holding up delivery": ("Incidents have no written cause",),
}
