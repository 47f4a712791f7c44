"""What the demo's objectives say: see demo_objectives.py, which writes them."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.demo.people import CHECKOUT, DATA, MOBILE, PLATFORM, SEARCH, TOOLING
from programs.services.objectives.drafts import KeyResultDraft


def relative(title: str, metric: str, percent: float, statistic: str = "") -> KeyResultDraft:
    return KeyResultDraft(title, metric, statistic, target_kind="relative", change_percent=percent)


def holds(title: str, metric: str, room: float) -> KeyResultDraft:
    return KeyResultDraft(title, metric, target_kind="guardrail", change_percent=room)


def by_hand(title: str, baseline: float, target: float, unit: str) -> KeyResultDraft:
    return KeyResultDraft(
        title, better="higher", baseline=baseline, target=target, target_kind="absolute", unit_of_measure=unit
    )


@dataclass(frozen=True, slots=True)
class DemoObjective:
    """`ago` counts quarters back from the one that runs; `said` are check-ins, the first one first."""

    ago: int
    team: str  # empty: the whole organisation
    title: str
    why: str
    owner: str  # the address before the @
    key_results: tuple[KeyResultDraft, ...]
    said: tuple[tuple[str, str], ...] = ()  # confidence, note
    values: tuple[float, ...] = ()  # of what is entered by hand, with the check-ins
    template: str = ""
    learned: str = ""
    carried: bool = False
    override: tuple[str, str] = ("", "")  # standing, reason
    is_further: bool = False  # beside the team's mandatory one

    @property
    def is_mandatory(self) -> bool:
        return bool(self.team) and not self.is_further


HIGH, MEDIUM, LOW = "high", "medium", "low"
OBJECTIVES = (
    DemoObjective(
        3,
        "",
        "Changes reach users within a week",
        "The whole organisation waits less, so that it learns sooner.",
        "della.director",
        (relative("Lead time", "dora.lead_time", -20), holds("No more failures", "dora.change_failure_rate", 25)),
        ((MEDIUM, "Teams have chosen where they begin."), (HIGH, "Platform's agreement on reviews works.")),
        learned="Waiting for reviews is most of it. We look there first from now on.",
    ),
    DemoObjective(
        3,
        PLATFORM,
        "Reviews begin within a day",
        "Changes of Platform waited overnight, whoever wrote them.",
        "robin.specimen",
        (relative("Pickup", "dora.lead_time_pickup", -25), relative("Cycle time", "pr.cycle_time", -15)),
        ((MEDIUM, "The agreement stands."), (HIGH, "It holds, also on Fridays.")),
        template="lead-time",
        learned="One sentence that everybody agreed on did more than a tool.",
    ),
    DemoObjective(
        3,
        MOBILE,
        "Builds are done before the coffee is",
        "Nobody waits twenty minutes with care.",
        "willow.example",
        (relative("Duration of runs", "ci.duration", -70),),
        (
            (HIGH, "The cache is planned."),
            (LOW, "Two of us left for the release."),
            (LOW, "The cache was never built."),
        ),
        learned="It **failed**: a goal that is in nobody's week stays a wish. It goes on, with a day for it.",
        carried=True,
    ),
    DemoObjective(
        2,
        "",
        "What we ship works",
        "Failures cost us more than slowness does.",
        "della.director",
        (relative("Change failure rate", "dora.change_failure_rate", -20),),
        ((MEDIUM, "Checkout is the most of it."),),
        learned="Rolling back by one command is worth a quarter by itself.",
    ),
    DemoObjective(
        2,
        CHECKOUT,
        "Every change belongs to a work item",
        "Nobody could say what a release was for.",
        "max.member",
        (relative("Linked pull requests", "pr.linked_rate", 10), holds("As many merged", "pr.throughput", -25)),
        ((MEDIUM, "The check labels them."), (HIGH, "Nobody merges without any more.")),
        template="planning",
        learned="The check was enough; the meeting about it was not needed.",
    ),
    DemoObjective(
        2,
        SEARCH,
        "Agents know our house rules",
        "They explored for half of each session.",
        "hazel.fictus",
        (relative("Ship rate", "ai.ship_rate", 15), by_hand("Repositories with a page of rules", 0, 3, "repositories")),
        ((MEDIUM, "The first page is written."), (HIGH, "All three have theirs.")),
        (1, 3),
        learned="A page of rules is read more often by people than by agents.",
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
        ((MEDIUM, "Two releases a week now."), (MEDIUM, "The scripts have owners.")),
        template="lead-time",
        learned="We deploy more often where somebody owns the script.",
        carried=True,
    ),
    DemoObjective(
        1,
        CHECKOUT,
        "Deployments stop failing users",
        "Every third deployment was followed by an incident.",
        "maya.manager",
        (
            relative("Change failure rate", "dora.change_failure_rate", -40),
            relative("Recovery", "dora.recovery_time", -20),
        ),
        ((MEDIUM, "Smoke tests run."), (LOW, "They miss what needs data."), (LOW, "We will not reach it.")),
        template="quality",
        learned="Smoke tests without production's data find what was never broken.",
    ),
    DemoObjective(
        0,
        "",
        "Reviews no longer hold up what we build",
        "Half of the time of a change is waiting for somebody.",
        "della.director",
        (relative("Pickup", "dora.lead_time_pickup", -15), holds("No more failures", "dora.change_failure_rate", 25)),
        ((MEDIUM, "Each team has its own goal below this one."),),
        template="lead-time",
    ),
    DemoObjective(
        0,
        SEARCH,
        "Reviews in Search begin the same day",
        "They wait for days since summer.",
        "sorrel.testwell",
        (relative("Pickup", "dora.lead_time_pickup", -30), relative("Cycle time", "pr.cycle_time", -15)),
        ((MEDIUM, "The rota stands."), (LOW, "Two of us forget it, and it shows.")),
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
        (
            (MEDIUM, "A copy of production's data is ready."),
            (MEDIUM, "First failures found before users did."),
            (HIGH, "Customers notice."),
        ),
        (3.6, 3.8, 3.9),
        template="quality",
    ),
    DemoObjective(
        0,
        PLATFORM,
        "More of what we begin reaches users",
        "Work in progress grew for a year.",
        "robin.specimen",
        (
            relative("Features a week", "work.features_per_week", 10),
            relative("Age of work in progress", "wip.age", -20),
        ),
        ((HIGH, "Old work was closed or finished."),),
        template="velocity",
        is_further=True,
        override=("at_risk", "Two people are on loan to Checkout until the end of the quarter."),
    ),
    DemoObjective(
        0,
        TOOLING,
        "What agents write for us is kept",
        "Most of it is thrown away: the repository tells agents nothing.",
        "quill.placeholder",
        (relative("Ship rate", "ai.ship_rate", 50), relative("Failing tool calls", "ai.error_rate", -30)),
        ((MEDIUM, "The page of rules is in review."), (LOW, "The proxy breaks every fetch.")),
    ),
    DemoObjective(
        0,
        DATA,
        "Pull requests that can be reviewed",
        "Nobody reads a thousand lines.",
        "fennel.fictus",
        (relative("Size", "pr.size", -30), relative("Review depth", "pr.review_depth", 15)),
        ((HIGH, "Most of us cut them now."),),
    ),
)
