"""The details of a record's page: pairs of term and description; empty descriptions are omitted."""

from __future__ import annotations

from collections.abc import Sequence

from insights.pages.records.labels import status_words, who
from insights.ui import wording
from insights.ui.wording import moment
from integrations.delivery.records.deployment import DeploymentStory
from integrations.models import (
    Incident,
    PullRequest,
    PullRequestExclusion,
    PullRequestFigures,
    WorkItem,
    WorkItemFigures,
)

Facts = Sequence[tuple[str, str]]
NOBODY_OWNS = "none yet: an admin can set the owner"


def pull_request_facts(pull_request: PullRequest) -> Facts:
    figures = getattr(pull_request, "figures", None)
    facts = [
        ("Repository", pull_request.repository.name),
        ("Author", who(pull_request.author)),
        ("Requested by", who(pull_request.requested_by)),
        ("Branches", " → ".join(filter(None, (pull_request.source_branch, pull_request.target_branch)))),
        ("Merged", moment(pull_request.merged_at)),
        ("Merged by", who(pull_request.merged_by)),
        ("Work type", status_words(pull_request.work_type)),
        ("Labels", ", ".join(pull_request.labels)),
        ("Source", pull_request.connection.name),
    ]
    if figures is None:
        return facts
    size = "" if figures.size is None else f"{figures.size:,} lines ({figures.size_class})"
    reviewers = wording.count(figures.reviewer_count, "person", "people")
    counted = f"{wording.count(figures.review_count, 'review')} by {reviewers}"
    exclusion_reason = PullRequestExclusion(figures.exclusion_reason).label if figures.exclusion_reason else ""
    facts[3:3] = [
        ("Counts for", _counts_for(pull_request, figures)),
        ("Excluded as", exclusion_reason),
        ("Reviews", counted if figures.review_count else "none counted"),
        ("Size", size),
        ("Files", "" if figures.file_count is None else f"{figures.file_count:,}"),
    ]
    return facts


def _counts_for(pull_request: PullRequest, figures: PullRequestFigures) -> str:
    """The person that it counts for, where that is not its author."""
    if figures.is_autonomous:
        return "autonomous agents, in the unit that owns the repository"
    return who(figures.credited) if figures.credited_id != pull_request.author_id else ""


def work_item_facts(item: WorkItem, figures: WorkItemFigures | None) -> Facts:
    return [
        ("Project", item.project.name),
        ("Team", item.native_team),
        ("Assignee", who(item.assignee)),
        ("Counts for", who(figures.credited) if figures and figures.credited_id != item.assignee_id else ""),
        ("Reported by", who(item.reporter)),
        ("Type", item.native_type or status_words(item.work_type)),
        ("Work type", status_words(item.work_type)),
        ("Priority", item.native_priority or (status_words(item.priority) if item.priority != "unknown" else "")),
        ("Estimate", "" if item.estimate is None else f"{item.estimate:g}"),
        ("Created", moment(item.created_at)),
        ("Done", moment(figures.done_at) if figures else ""),
        ("Reopened", wording.count(figures.reopened, "time") if figures and figures.reopened else ""),
        ("Found", _found_by(figures)),
        ("Labels", ", ".join(item.labels)),
        ("Versions", ", ".join(item.versions)),
        ("Release", wording.day(item.release_on) if item.release_on else ""),
        ("Source", item.connection.name),
    ]


def _found_by(figures: WorkItemFigures | None) -> str:
    if figures is None:
        return ""
    return "by a customer" if figures.found_by_customer else "in production" if figures.found_in_production else ""


def deployment_facts(story: DeploymentStory, owners: Sequence[str]) -> Facts:
    deployment = story.deployment
    return [
        ("Repository", deployment.repository.name),
        ("Service", deployment.service),
        ("Owner", wording.listed(list(owners)) or NOBODY_OWNS),
        ("Environment", deployment.native_environment or status_words(deployment.environment)),
        ("Finished", moment(deployment.finished_at)),
        ("Deployed by", who(deployment.deployed_by)),
        ("Commit", deployment.sha[:10]),
        (
            "Contains",
            wording.count(story.contained, "pull request") if deployment.environment == "production" else "",
        ),
        (
            "Unplanned",
            {True: "yes: it fixes something users noticed", False: "no", None: ""}[deployment.unplanned],
        ),
        ("Restored", moment(story.failed.restored_at) if story.failed else ""),
        ("Source", deployment.connection.name),
    ]


def incident_facts(incident: Incident, owners: Sequence[str]) -> Facts:
    return [
        ("Service", incident.service),
        ("Repository", incident.repository.name if incident.repository else ""),
        ("Owner", wording.listed(list(owners)) or NOBODY_OWNS),
        ("Severity", incident.native_severity or status_words(incident.severity)),
        ("Status", incident.native_status),
        ("Started", moment(incident.started_at)),
        ("Acknowledged", moment(incident.acknowledged_at)),
        ("Resolved", moment(incident.resolved_at)),
        ("Source", incident.connection.name),
    ]
