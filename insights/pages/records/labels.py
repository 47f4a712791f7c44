"""Labels of records: kinds, stages, relations, methods and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from integrations.delivery.records.deployment import EnvironmentRule
from integrations.delivery.records.parts import Happened, Happening, RecordKind, RecordName
from integrations.models import DeploymentMethod, FailureMethod, RevertMethod
from orgtree.models import Identity


class StageLabel(NamedTuple):
    name: str
    limits: str  # from where to where


STAGES: Mapping[str, StageLabel] = {
    "backlog": StageLabel("Backlog", "item created → in progress"),
    "planning": StageLabel("Planning", "item in progress → first commit"),
    "coding": StageLabel("Coding", "first commit → open"),
    "pickup": StageLabel("Pickup", "open → first review"),
    "review": StageLabel("Review", "first review → last approval"),
    "merge": StageLabel("Merge", "approval → merge"),
    "deploy": StageLabel("Deploy", "merge → production"),
    "cycle": StageLabel("Cycle time", "open → merge"),
    "lead": StageLabel("Lead time", "first commit → production"),
    "in_progress": StageLabel("Cycle time", "first in progress → done"),
    "active": StageLabel("Active", "in progress, in no status that waits"),
    "waiting": StageLabel("Waiting", "of the cycle, the rest"),
    "item_lead": StageLabel("Lead time", "created → done"),
    "rollout": StageLabel("Rollout", "started → finished"),
    "recovery": StageLabel("Recovery", "finished, or its first incident if earlier → restored"),
    "detection": StageLabel("Until it began", "deployment finished → incident started"),
    "acknowledgement": StageLabel("Acknowledgement", "started → acknowledged"),
    "resolution": StageLabel("Resolution", "started → resolved"),
}
# Sums of stages, or parts of one: never the longest stage.
WHOLES = frozenset({"cycle", "lead", "item_lead", "active", "waiting", "detection", "resolution"})

WHY_MISSING: Mapping[str, str] = {
    "draft": "It was never ready for review.",
    "no_commit": "None of its own commits are known.",
    "no_review": "Nobody else reviewed it before the merge.",
    "no_approval": "Nobody else approved it before the merge.",
    "not_merged": "Not merged yet.",
    "closed": "Closed without a merge.",
    "no_deployment": "No successful production deployment is known that contains it.",
    "not_started": "Never known to be in progress.",
    "not_done": "Not done yet.",
    "dropped": "Closed without being done.",
    "reopened": "Open again.",
    "running": "Not finished.",
    "not_restored": "Not restored yet.",
    "no_failure": "No failure is linked to it.",
    "during_rollout": "It began during the rollout.",
    "no_cause": "No deployment is linked as its cause.",
    "not_acknowledged": "Nobody acknowledged it.",
    "not_resolved": "Not resolved yet.",
    "negative": "Left out: its end is before its start.",
    "unknown": "The provider does not report the time.",
}

RELATIONS: Mapping[str, str] = {
    "work_item": "Work items",
    "deployment": "First in production with",
    "incident": "Incidents caused by it",
    "repaired_by": "Repaired by",
    "repairs": "Repairs",
    "rolls_back": "Rolls back",
    "reverts": "Reverts",
    "reverted_by": "Reverted by",
    "pull_request": "Pull requests",
    "parent": "Part of",
    "part_of": "Counts as part of",
    "reported_too": "Also reported as",
    "duplicate_of": "Counts as",
    "previous": "Previous deployment",
    "next": "Next deployment",
    "caused_by": "Caused by",
    "same_cause": "Other incidents of that deployment",
}
ENVIRONMENT_RULES: Mapping[EnvironmentRule, str] = {
    EnvironmentRule.ADMIN: "mapped by an admin",
    EnvironmentRule.TITLE: "named by the run's title",
    EnvironmentRule.JOB: "named by its deploying job",
    EnvironmentRule.PIPELINE: "by the pipeline's name",
    EnvironmentRule.STATUS: "named by a status",
    EnvironmentRule.SOURCE: "because its source says that users meet the environment",
    EnvironmentRule.NAME: "by the environment's name",
    EnvironmentRule.OPEN: "until an admin confirms that it is production (Value mappings)",
}
METHODS: Mapping[str, str] = {
    "provider": "reported by the provider",
    "branch": "key in the branch",
    "title": "key in the title",
    "body": "key in the description",
    "commit": "key in a commit",
    RevertMethod.BRANCH_NUMBER: "number in the branch of the revert",
    RevertMethod.BRANCH_COMMIT: "commit in the branch of the revert",
    RevertMethod.TITLE_NUMBER: "number in the title of the revert",
    RevertMethod.NAMED_COMMIT: "commit named by the revert",
    RevertMethod.QUOTED_TITLE: "title quoted by the revert",
    DeploymentMethod.CHAIN: "position on the default branch",
    DeploymentMethod.GRAPH: "commit graph",
    DeploymentMethod.PICK: "commit graph, of a cherry-picked copy",
    DeploymentMethod.TIME: "first deployment that started after the merge",
    FailureMethod.EXPLICIT: "the incident names the deployment",
    FailureMethod.ROLLBACK: "rolled back",
    FailureMethod.HOTFIX: "hotfix",
    FailureMethod.WINDOW: "started during it or soon after",
    "rollback_proposed": "an older state deployed again; counts once confirmed",
    "rollback_confirmed": "an older state deployed again, confirmed",
    "rollback_refused": "an older state deployed again; it was no rollback",
}

ICONS: Mapping[Happened, str] = {  # all others have a dot
    Happened.COMMIT: "git-commit",
    Happened.READY: "git-pull-request",
    Happened.APPROVED: "check",
    Happened.CHANGES_REQUESTED: "refresh",
    Happened.COMMENTED: "message",
    Happened.DISMISSED: "x",
    Happened.CLOSED: "x",
    Happened.MERGED: "git-merge",
    Happened.RUN: "settings",
    Happened.DEPLOYED: "rocket",
    Happened.REVERTED: "arrow-back-up",
    Happened.REPAIRED: "tool",
    Happened.INCIDENT: "flame",
    Happened.FINISHED: "rocket",
    Happened.RESOLVED: "circle-check",
    Happened.RESTORED: "circle-check",
    Happened.ASSIGNED: "user",
    Happened.UNASSIGNED: "user",
    Happened.STATUS: "arrow-right",
    Happened.PULL_REQUEST_OPENED: "git-pull-request",
    Happened.PULL_REQUEST_MERGED: "git-merge",
}
GOOD = frozenset({Happened.APPROVED, Happened.MERGED, Happened.RESOLVED, Happened.RESTORED, Happened.DEPLOYED})
BAD = frozenset({Happened.INCIDENT, Happened.REVERTED})

# (Kind of the page's record, event) → label, if it differs from the event's general one.
_OF_KIND: Mapping[tuple[RecordKind, Happened], str] = {
    (RecordKind.PULL_REQUEST, Happened.CREATED): "opened it",
    (RecordKind.WORK_ITEM, Happened.CREATED): "created it",
    (RecordKind.DEPLOYMENT, Happened.CREATED): "requested it",
    (RecordKind.DEPLOYMENT, Happened.STARTED): "Rollout started",
    (RecordKind.DEPLOYMENT, Happened.FINISHED): "Rollout finished",
    (RecordKind.INCIDENT, Happened.STARTED): "Incident started",
    (RecordKind.INCIDENT, Happened.ACKNOWLEDGED): "Acknowledged",
    (RecordKind.INCIDENT, Happened.RESOLVED): "Resolved",
    (RecordKind.INCIDENT, Happened.DEPLOYED): "The deployment that caused it finished:",
    (RecordKind.DEPLOYMENT, Happened.INCIDENT): "An incident began:",
    (RecordKind.INCIDENT, Happened.INCIDENT): "Another incident of that deployment began:",
}
_WORDS: Mapping[Happened, str] = {
    Happened.COMMIT: "committed",
    Happened.READY: "marked it ready for review",
    Happened.DRAFT: "made it a draft",
    Happened.REVIEW_REQUESTED: "requested a review from",
    Happened.REVIEW_REQUEST_REMOVED: "withdrew the review request for",
    Happened.FORCE_PUSHED: "force-pushed",
    Happened.APPROVED: "approved it",
    Happened.CHANGES_REQUESTED: "requested changes",
    Happened.COMMENTED: "reviewed with comments",
    Happened.DISMISSED: "had a review that was dismissed",
    Happened.CLOSED: "closed it",
    Happened.REOPENED: "reopened it",
    Happened.MERGED: "merged it",
    Happened.RUN: "Pipeline run",
    Happened.DEPLOYED: "Deployed to production:",
    Happened.REVERTED: "Reverted by",
    Happened.ASSIGNED: "Assigned to",
    Happened.UNASSIGNED: "Unassigned",
    Happened.SPRINT_JOINED: "Added to the sprint",
    Happened.SPRINT_LEFT: "Removed from the sprint",
    Happened.ESTIMATE_CHANGED: "Estimate",
    Happened.TYPE_CHANGED: "Type",
    Happened.PRIORITY_CHANGED: "Priority",
    Happened.VERSION_CHANGED: "Version",
    Happened.INCIDENT: "An incident began, caused by this deployment:",
    Happened.RESOLVED: "Resolved:",
    Happened.REPAIRED: "Repaired by",
    Happened.PULL_REQUEST_OPENED: "opened the pull request",
    Happened.PULL_REQUEST_MERGED: "Merged:",
    Happened.RESTORED: "Service restored",
}
# Events whose subject is a person; others name their initiator in the note.
DONE_BY_SOMEBODY = frozenset(
    {
        *(Happened.COMMIT, Happened.CREATED, Happened.READY, Happened.DRAFT, Happened.REVIEW_REQUESTED),
        *(Happened.REVIEW_REQUEST_REMOVED, Happened.FORCE_PUSHED, Happened.APPROVED, Happened.CHANGES_REQUESTED),
        *(Happened.COMMENTED, Happened.DISMISSED, Happened.CLOSED, Happened.REOPENED, Happened.MERGED),
        Happened.PULL_REQUEST_OPENED,
    }
)
SOMEBODY = "Somebody"
# Part of a host name → the product that runs there.
TOOLS: Mapping[str, str] = {
    **{"github": "GitHub", "gitlab": "GitLab", "bitbucket": "Bitbucket", "dev.azure": "Azure DevOps"},
    **{"atlassian": "Jira", "jira": "Jira", "linear.app": "Linear", "pagerduty": "PagerDuty", "opsgenie": "Opsgenie"},
    **{"service-now.com": "ServiceNow"},
}


def verb(kind: RecordKind, happening: Happening) -> str:
    """The label of an event, to be printed after the person who did it, if any."""
    return _OF_KIND.get((kind, happening.what)) or _WORDS.get(happening.what) or ""


def who(identity: Identity | None) -> str:
    """The name of an account's person, otherwise its name at the provider."""
    if identity is None:
        return ""
    return identity.person.full_name if identity.person else identity.value


def status_words(status: str) -> str:
    """A status as words: in_progress → in progress."""
    return status.replace("_", " ")


def method_words(method: str) -> str:
    return METHODS.get(method, method.replace("_", " "))


def tool_url(url: str) -> str:
    """The URL at the provider, if it is http(s): pushed records may contain any text."""
    return url if url.startswith(("https://", "http://")) else ""


def tool_label(url: str) -> str:
    """The label of the link: Open in GitHub, or with the host if its product is not known."""
    host = urlsplit(url).hostname or ""
    return f"Open in {next((product for part, product in TOOLS.items() if part in host), host)}"


def called(name: RecordName) -> str:
    """The reference, with the title if it differs."""
    return f"{name.reference} {name.title}" if name.title and name.title != name.reference else name.reference
