"""Built-in objective templates; an installation edits its copies in admin.

Each is one of the method's five, with key results bound to metrics.  An outcome that no metric measures is entered by
hand, and the text says so.
"""

from __future__ import annotations

from typing import Any

KeyResultFields = dict[str, Any]  # of a TemplateKeyResult: a change from the baseline in percent, or a value


def _lower(title: str, metric: str, percent: float) -> KeyResultFields:
    return _relative(title, metric, "lower", -percent)


def _higher(title: str, metric: str, percent: float) -> KeyResultFields:
    return _relative(title, metric, "higher", percent)


def _relative(title: str, metric: str, better: str, percent: float) -> KeyResultFields:
    return {
        "title": title,
        "metric": metric,
        "better": better,
        "target_kind": "relative",
        "change_percent": percent,
    }


def _no_worse(title: str, metric: str, better: str, room: float) -> KeyResultFields:
    """A guardrail that allows `room` percent of deviation from the baseline, because no figure stays exactly
    the same.
    """
    change = room if better == "lower" else -room
    return {**_relative(title, metric, better, change), "target_kind": "guardrail"}


# slug, title, audience, description, key results
BUILT_IN = (
    (
        "lead-time",
        "Improve DORA lead time",
        "For teams whose changes wait: less time in each stage, without more failures.",
        "Changes reach users sooner, because they wait less on their way.\n\n"
        "Lead time is the total; pickup, review and deploy are the stages in which changes usually wait. The delivery "
        "page also shows coding and merge: use one of them here if most of your time goes there.",
        (
            _lower("Changes reach production in four fifths of the time", "dora.lead_time", 20),
            _lower("Reviews start sooner", "dora.lead_time_pickup", 25),
            _lower("Reviews take less time", "dora.lead_time_review", 20),
            _lower("Merged changes are deployed sooner", "dora.lead_time_deploy", 20),
            _no_worse("No more deployments fail than before", "dora.change_failure_rate", "lower", 10),
        ),
    ),
    (
        "quality",
        "Improve quality",
        "For teams whose users find their defects: fewer defects, found earlier, at the same speed.",
        "Users find fewer defects, and meet fewer failures.",
        (
            _lower("Customers find fewer defects", "bug.customer_found", 25),
            _lower("Fewer defects escape into production", "bug.escaped", 25),
            _lower("Fewer deployments fail", "dora.change_failure_rate", 20),
            _lower("Fewer incidents", "incident.count", 20),
            _no_worse("We deploy as often as before", "dora.deployment_frequency", "higher", 10),
        ),
    ),
    (
        "planning",
        "Better planning",
        "For teams that miss what they planned: more of it delivered, less added on the way, steadier delivery.",
        "What we plan is what we deliver.\n\n"
        "The sprints of the team's boards measure it: what is in a sprint one working day after its start is planned. "
        "A team without sprints drops these results and keeps the age of its work in progress.",
        (
            _higher("More of what we plan is delivered", "sprint.delivered_vs_planned", 10),
            _lower("Less is added after a sprint has begun", "sprint.scope_creep", 25),
            _lower("Less is taken out of sprints again", "sprint.churn", 25),
            _lower("Delivery varies less from sprint to sprint", "sprint.predictability", 20),
            _lower("Work in progress is younger", "wip.age", 20),
        ),
    ),
    (
        "velocity",
        "Scale velocity",
        "For teams with rising demand: more features per week, without loss of quality.",
        "More features reach users each week, and they work.",
        (
            _higher("More features per week", "work.features_per_week", 15),
            _lower("Pull requests are merged sooner", "pr.cycle_time", 15),
            _no_worse("The share of bugs in our work does not grow", "bug.ratio", "lower", 10),
            _no_worse("No more deployments fail than before", "dora.change_failure_rate", "lower", 10),
        ),
    ),
    (
        "allocation",
        "Optimize resource allocation",
        "For teams pulled in many directions: effort goes to the agreed goals.",
        "Our effort goes where we agreed it should go.\n\n"
        "People's time is shared over what they work on, and rules assign it to categories of investment. The "
        "targets of a unit's categories are on the page Allocation.",
        (
            _higher("More of our time goes to new features", "allocation.new_share", 10),
            _lower("Less of our time goes to keeping the lights on", "allocation.maintenance_share", 15),
            _lower("Less of our time goes to work that no item is linked to", "allocation.unlinked_share", 20),
            _higher("Items wait for a smaller share of their time", "flow.efficiency", 10),
        ),
    ),
)
