"""Built-in ticket templates; an installation edits its copies in admin.

Each is a common finding with a proven resolution.
"""

from __future__ import annotations

# slug, what it is, opportunity or challenge, where the cause lies, metric, days, resolution
BUILT_IN = (
    (
        *("pull-requests-without-work-item", "challenge", "Pull requests miss their work item", "process"),
        *("pr.linked_rate", 21),
        "A check asks each pull request for the key of a work item in its title or branch, and labels it until there "
        "is one. Agree first on what needs none: typing errors, updates of dependencies.",
    ),
    (
        *("reviews-wait", "challenge", "Pull requests wait for their first review", "process"),
        *("pr.pickup_time", 28),
        "Name a reviewer for each half day. A pull request that has waited for four hours is asked about where the "
        "team talks. Look at large ones apart: they wait because of their size.",
    ),
    (
        *("large-pull-requests", "challenge", "Pull requests are too large to review well", "process"),
        *("pr.size", 42),
        "Agree on a size that is usual here. Split by step that can be merged alone, behind a flag where it must not "
        "be seen yet. Leave generated files out of the count.",
    ),
    (
        *("merged-without-review", "challenge", "Changes are merged without a review", "process"),
        *("pr.unreviewed_rate", 14),
        "Protect the default branch: one approval by somebody else. Write down who may go past it in an emergency, and "
        "review these afterwards.",
    ),
    (
        *("few-reviewers", "challenge", "Few people carry most of the reviews", "people"),
        *("review.load_concentration", 42),
        "Assign reviews in turn instead of by habit, and pair somebody new to the code with somebody who knows it. "
        "First see whether ownership rules send everything to the same two.",
    ),
    (
        *("slow-pipeline", "challenge", "The pipeline takes too long", "tooling"),
        *("ci.duration", 42),
        "Measure which step takes the time. Cache dependencies, run tests side by side, and run only what a change can "
        "touch.",
    ),
    (
        *("flaky-tests", "challenge", "Builds fail and pass again without a change", "tooling"),
        *("ci.flaky_rate", 28),
        "List the tests that failed and passed on the same commit. Put the worst ones aside with an owner and a date "
        "each, and mend or delete them.",
    ),
    (
        *("rare-deployments", "opportunity", "Deploy as soon as a change is merged", "tooling"),
        *("dora.deployment_frequency", 56),
        "Take the manual steps of a release one by one into the pipeline, beginning with the one that waits longest "
        "for a person.",
    ),
    (
        *("failed-changes", "challenge", "Too many deployments cause an incident", "process"),
        *("dora.change_failure_rate", 56),
        "Read the last ten failed changes side by side. Add the test, the check or the step of the rollout that would "
        "have caught most of them.",
    ),
    (
        *("slow-recovery", "challenge", "Recovering from a failed change takes too long", "tooling"),
        *("dora.recovery_time", 42),
        "Make going back one step that anybody on call can take, and try it on a quiet day. Alerts name the deployment "
        "that came before them.",
    ),
    (
        *("too-much-begun", "challenge", "Too much is begun at the same time", "process"),
        *("wip.count", 28),
        "Agree on a limit of what is in progress. Whoever is free helps to finish before something new is begun.",
    ),
    (
        *("idle-seats", "opportunity", "Seats of coding agents are paid and not used", "process"),
        *("ai.idle_seats", 28),
        "Ask who has a seat and no session for a month what keeps them: an afternoon in pairs, or give the seat to "
        "somebody who waits for one.",
    ),
    (
        *("wasted-sessions", "opportunity", "Agent sessions end without anything committed", "tooling"),
        *("ai.spend_wasted", 28),
        "Look at the longest of them by repository. Give agents the rules of the house in a file of the repository, "
        "and split tasks so that each can be committed.",
    ),
)
