"""Built-in ticket templates; an installation edits its copies in admin.

Each is a common finding with a proven resolution.
"""

from __future__ import annotations

# slug, title, opportunity or challenge, area of the cause, metric, days, resolution
BUILT_IN = (
    (
        *("pull-requests-without-work-item", "challenge", "Pull requests lack a work item", "process"),
        *("pr.linked_rate", 21),
        "Add a check that requires a work item's key in the title or branch of each pull request, and labels it until "
        "it has one. First agree on what needs none: typos, dependency updates.",
    ),
    (
        *("reviews-wait", "challenge", "Pull requests wait for their first review", "process"),
        *("pr.pickup_time", 28),
        "Name a reviewer for each half day. If a pull request has waited for four hours, ask about it in the team's "
        "chat. Treat large ones separately: they wait because of their size.",
    ),
    (
        *("large-pull-requests", "challenge", "Pull requests are too large to review well", "process"),
        *("pr.size", 42),
        "Agree on a usual size. Split changes into steps that can be merged separately, behind a flag if users must "
        "not see them yet. Do not count generated files.",
    ),
    (
        *("merged-without-review", "challenge", "Changes are merged without a review", "process"),
        *("pr.unreviewed_rate", 14),
        "Protect the default branch: one approval by somebody else. Document who may bypass it in an emergency, and "
        "review these changes afterwards.",
    ),
    (
        *("few-reviewers", "challenge", "Few people carry most of the reviews", "people"),
        *("review.load_concentration", 42),
        "Assign reviews in turn instead of by habit, and pair newcomers to the code with somebody who knows it. First "
        "check whether ownership rules send everything to the same two people.",
    ),
    (
        *("slow-pipeline", "challenge", "The pipeline takes too long", "tooling"),
        *("ci.duration", 42),
        "Measure which step takes the time. Cache dependencies, run tests in parallel, and run only what a change can "
        "affect.",
    ),
    (
        *("flaky-tests", "challenge", "Builds fail and pass again without a change", "tooling"),
        *("ci.flaky_rate", 28),
        "List the tests that failed and passed on the same commit. Quarantine the worst ones, each with an owner and "
        "a date, and fix or delete them.",
    ),
    (
        *("rare-deployments", "opportunity", "Deploy as soon as a change is merged", "tooling"),
        *("dora.deployment_frequency", 56),
        "Automate the manual steps of a release one by one, starting with the one that waits longest for a person.",
    ),
    (
        *("failed-changes", "challenge", "Too many deployments cause an incident", "process"),
        *("dora.change_failure_rate", 56),
        "Compare the last ten failed changes. Add the test, check or rollout step that would have caught most of them.",
    ),
    (
        *("slow-recovery", "challenge", "Recovering from a failed change takes too long", "tooling"),
        *("dora.recovery_time", 42),
        "Make rollback a single step that anybody on call can take, and practise it on a quiet day. Let alerts name "
        "the preceding deployment.",
    ),
    (
        *("too-much-begun", "challenge", "Too much work is in progress at the same time", "process"),
        *("wip.count", 28),
        "Agree on a limit for work in progress. Help to finish work before starting something new.",
    ),
    (
        *("idle-seats", "opportunity", "Seats of coding agents are paid for but not used", "process"),
        *("ai.idle_seats", 28),
        "Ask people with a seat and no session for a month what stops them. Offer a pairing session, or give the seat "
        "to somebody who is waiting for one.",
    ),
    (
        *("wasted-sessions", "opportunity", "Agent sessions end without a commit", "tooling"),
        *("ai.spend_wasted", 28),
        "Look at the longest ones by repository. Put your conventions for agents into a context file in the "
        "repository, and split tasks so that each one can be committed.",
    ),
)
