"""The page of a story: its details, its timeline by day, its stages as bars, and its links by relation.

Details are pairs of term and description; empty descriptions are omitted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils import timezone

from core.seconds import HOUR
from insights.pages.records import labels
from insights.pages.records.labels import status_words, who
from insights.ui import wording
from integrations.delivery.records.deployment import DeploymentStory
from integrations.delivery.records.incident import IncidentStory
from integrations.delivery.records.parts import Happened, Happening, Link, RecordKind, RecordName, Stage, Story
from integrations.intake.resolve import shown_service
from integrations.models import (
    Deployment,
    DeploymentExclusion,
    DeploymentRule,
    PullRequest,
    PullRequestExclusion,
    PullRequestFigures,
    WorkItem,
    WorkItemFigures,
)
from integrations.models.working_agreements import MARK_PREFIX

FEWEST_GATHERED = 3  # consecutive commits of one person that become one entry
STATUS_IS_NEWS = frozenset({Happened.RUN, Happened.STATUS, Happened.FINISHED})
LONG_GAP_SECONDS = 20 * HOUR  # a night is not a gap


def timeline(story: Story) -> list[dict[str, Any]]:
    days: list[dict[str, Any]] = []
    before: datetime | None = None
    for name, of_day in groupby(story.happenings, key=lambda happening: wording.day(timezone.localdate(happening.at))):
        happenings = list(of_day)
        days.append(
            {
                "name": name,
                "gap": _gap(before, happenings[0].at),
                "entries": list(_entries(story.name.kind, happenings)),
            }
        )
        before = happenings[-1].at
    return days


def _gap(before: datetime | None, after: datetime) -> str:
    if before is None or (after - before).total_seconds() < LONG_GAP_SECONDS:
        return ""
    return f"{wording.duration((after - before).total_seconds())} later"


def _entries(kind: RecordKind, happenings: Sequence[Happening]) -> Iterator[dict[str, Any]]:
    for _, same in groupby(happenings, key=lambda happening: (happening.what, happening.by and happening.by.pk)):
        run = list(same)
        if run[0].what is Happened.COMMIT and len(run) >= FEWEST_GATHERED:
            yield _gathered(run)
        else:
            yield from (_entry(kind, happening) for happening in run)


def _gathered(commits: Sequence[Happening]) -> dict[str, Any]:
    first, last = timezone.localtime(commits[0].at), timezone.localtime(commits[-1].at)
    return {
        "time": f"{first:%H:%M}–{last:%H:%M}",
        "icon": labels.ICONS[Happened.COMMIT],
        "who": labels.who(commits[0].by) or labels.SOMEBODY,
        "text": f"made {len(commits)} commits",
        "gathered": [commit.detail or commit.status[:10] for commit in commits],
    }


def _entry(kind: RecordKind, happening: Happening) -> dict[str, Any]:
    by_somebody = happening.what in labels.DONE_BY_SOMEBODY
    verb = labels.verb(kind, happening)
    return {
        "time": f"{timezone.localtime(happening.at):%H:%M}",
        "icon": labels.ICONS.get(happening.what, "circle-dot"),
        "tone": "good"
        if happening.what in labels.GOOD
        else "bad"
        if happening.what in labels.BAD or happening.status == "failure"
        else "",
        "who": (labels.who(happening.by) or labels.SOMEBODY) if by_somebody else "",
        "text": verb,
        "detail": _detail(happening),
        "record": named(happening.record) if happening.record else None,
        "note": _note(happening, by_somebody=by_somebody),
    }


def _detail(happening: Happening) -> str:
    if happening.of is not None:
        return labels.who(happening.of)
    if happening.what is Happened.STATUS:
        return labels.status_words(happening.detail or happening.status)
    return happening.detail


def _note(happening: Happening, *, by_somebody: bool) -> str:
    """The small print of an entry."""
    parts = []
    status = labels.status_words(happening.status)
    if happening.what in STATUS_IS_NEWS and status not in ("", "other", labels.status_words(happening.detail.lower())):
        parts.append(status)
    if happening.by is not None and not by_somebody:
        parts.append(f"by {labels.who(happening.by)}")
    if not happening.counts:
        parts.append("not part of any stage")
    return ", ".join(parts)


def stage_lines(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    known = [stage for stage in stages if stage.seconds is not None and stage.start and stage.end]
    first = min((stage.start for stage in known if stage.start), default=None)
    last = max((stage.end for stage in known if stage.end), default=None)
    whole = (last - first).total_seconds() if first and last else 0.0
    parts = [stage for stage in known if stage.name not in labels.WHOLES]
    longest = max(parts, key=lambda stage: stage.seconds or 0.0, default=None) if len(parts) > 1 else None

    def line(stage: Stage) -> dict[str, Any]:
        name, limits = labels.STAGES[stage.name]
        placed = first is not None and stage.start is not None and stage.seconds is not None and whole > 0
        return {
            "name": name,
            "limits": limits,
            "duration": "" if stage.seconds is None else str(wording.duration(stage.seconds)),
            "missing": labels.WHY_MISSING[stage.missing] if stage.missing else "",
            "start": (stage.start - first).total_seconds() / whole if placed and stage.start and first else 0.0,
            "fraction": (stage.seconds or 0.0) / whole if placed else 0.0,
            "is_longest": stage is longest,
            "is_whole": stage.name in labels.WHOLES,
        }

    return [line(stage) for stage in stages]


def link_groups(links: Sequence[Link]) -> list[dict[str, Any]]:
    """Links by relation, in order of first appearance; a record's methods are combined."""
    groups: dict[str, dict[RecordName, list[Link]]] = {}
    for link in links:
        groups.setdefault(link.relation, {}).setdefault(link.record, []).append(link)
    return [
        {
            "name": labels.RELATIONS[relation],
            "links": [
                {
                    "record": named(record),
                    "method": ", ".join(labels.method_words(link.method) for link in listed if link.method),
                    "at": wording.moment(listed[0].at),
                }
                for record, listed in records.items()
            ],
        }
        for relation, records in groups.items()
    ]


def named(name: RecordName) -> dict[str, Any]:
    """A record's name, with its page's URL only if the viewer may open it; the provider checks access to its own
    page.
    """
    has_page = name.may_be_opened and name.kind is not RecordKind.PIPELINE_RUN
    url = reverse(name.kind, args=[name.pk]) if has_page else ""
    return {
        "text": labels.called(name),
        "url": url,
        "tool_url": labels.tool_url(name.url),
        "tool_label": labels.tool_label(name.url),
    }


Facts = Sequence[tuple[str, str]]
NOBODY_OWNS = "none yet: an admin can set the owner"


def pull_request_facts(pull_request: PullRequest) -> Facts:
    figures = getattr(pull_request, "figures", None)
    facts = [
        ("Repository", pull_request.repository.name),
        ("Author", who(pull_request.author)),
        ("Requested by", who(pull_request.requested_by)),
        ("Branches", " → ".join(filter(None, (pull_request.source_branch, pull_request.target_branch)))),
        ("Merged", wording.moment(pull_request.merged_at)),
        ("Merged by", who(pull_request.merged_by)),
        ("Work type", status_words(pull_request.work_type)),
        ("Labels", ", ".join(_labels_of(pull_request))),
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


def _labels_of(pull_request: PullRequest) -> Sequence[str]:
    """The labels from its tool, including those that Headway has set on it since."""
    mark = getattr(pull_request, "mark", None)
    if mark is None:
        return pull_request.labels
    return [*(label for label in pull_request.labels if not label.startswith(MARK_PREFIX)), *mark.labels]


def _counts_for(pull_request: PullRequest, figures: PullRequestFigures) -> str:
    """The person that it counts for, if that is not its author."""
    if figures.is_autonomous:
        return "autonomous agents, in the unit that owns the repository"
    return who(figures.credited) if figures.credited_id != pull_request.author_id else ""


def work_item_facts(item: WorkItem, figures: WorkItemFigures | None, *, is_predicted: bool = False) -> Facts:
    found = ""
    if figures and figures.found_by_customer:
        found = "by a customer"
    elif figures and figures.found_in_production:
        found = "in production"
    work_type = f"{status_words(item.work_type)}, predicted" if is_predicted else status_words(item.work_type)
    return [
        ("Project", item.project.name),
        ("Team", item.native_team),
        ("Assignee", who(item.assignee)),
        ("Counts for", who(figures.credited) if figures and figures.credited_id != item.assignee_id else ""),
        ("Reported by", who(item.reporter)),
        ("Type", item.native_type or work_type),
        ("Work type", work_type),
        ("Priority", item.native_priority or (status_words(item.priority) if item.priority != "unknown" else "")),
        ("Estimate", "" if item.estimate is None else f"{item.estimate:g}"),
        ("Created", wording.moment(item.created_at)),
        ("Done", wording.moment(figures.done_at) if figures else ""),
        ("Reopened", wording.count(figures.reopened, "time") if figures and figures.reopened else ""),
        ("Found", found),
        ("Labels", ", ".join(item.labels)),
        ("Versions", ", ".join(item.versions)),
        ("Release", wording.day(item.release_on) if item.release_on else ""),
        ("Source", item.connection.name),
    ]


def deployment_facts(story: DeploymentStory, owners: Sequence[str]) -> Facts:
    deployment = story.deployment
    return [
        ("Repository", deployment.repository.name),
        ("Service", shown_service(deployment.service)),
        ("Owner", wording.listed(list(owners)) or NOBODY_OWNS),
        ("Environment", deployment.native_environment or status_words(deployment.environment)),
        ("Counts as", f"{status_words(deployment.environment)}, {labels.ENVIRONMENT_RULES[story.environment_by]}"),
        ("A deployment because", DeploymentRule(deployment.rule).label if deployment.rule else ""),
        (
            "Not counted",
            DeploymentExclusion(deployment.exclusion_reason).label if deployment.exclusion_reason else "",
        ),
        ("Finished", wording.moment(deployment.finished_at)),
        ("Deployed by", who(deployment.deployed_by)),
        ("Commit", _commit(deployment)),
        (
            "Contains",
            wording.count(story.contained, "pull request") if deployment.environment == "production" else "",
        ),
        (
            "Unplanned",
            {True: "yes: it fixes something users noticed", False: "no", None: ""}[deployment.unplanned],
        ),
        ("Restored", wording.moment(story.failed.restored_at) if story.failed else ""),
        ("Source", deployment.connection.name),
    ]


def _commit(deployment: Deployment) -> str:
    """The commit that the deployment names, and how it names it if not by the id."""
    short, named = deployment.sha[:10], deployment.named_sha
    if named and not deployment.sha.startswith(named.lower()):
        short = f"{short} ({named})"
    return f"{short}, unknown" if deployment.names_unknown_commit else short


def incident_facts(story: IncidentStory, owners: Sequence[str]) -> Facts:
    incident = story.incident
    return [
        ("Service", shown_service(incident.service)),
        ("Repository", incident.repository.name if incident.repository else ""),
        ("Owner", wording.listed(list(owners)) or NOBODY_OWNS),
        ("Severity", incident.native_severity or status_words(incident.severity)),
        ("Status", incident.native_status),
        ("Started", wording.moment(incident.started_at)),
        ("Acknowledged", wording.moment(incident.acknowledged_at)),
        ("Resolved", wording.moment(incident.resolved_at)),
        ("Named cause does not count", story.uncounted_cause),
        ("Source", incident.connection.name),
    ]
