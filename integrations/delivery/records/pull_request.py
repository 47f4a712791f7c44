"""The page of a pull request: from its first commit to production, and its consequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F

from integrations.code.commits.listing import CommitAttribution, attributions_of, visible_commits
from integrations.delivery.records.parts import (
    MOST_PARTS,
    Happened,
    Happening,
    Link,
    Openable,
    Stage,
    Story,
    consequences,
    happened,
    in_order,
    links_of_failures,
    name_of_run,
    stage,
)
from integrations.enums import PullRequestEventKind, PullRequestState, ReviewState
from integrations.models import (
    CountedReview,
    DeployedPullRequest,
    DeploymentFailure,
    PipelineRun,
    PullRequest,
    PullRequestCommit,
    PullRequestEvent,
    PullRequestFigures,
    PullRequestOrigin,
    PullRequestReview,
    WorkItemLink,
)
from orgtree.access.access import Access

_EVENTS = {
    PullRequestEventKind.READY: Happened.READY,
    PullRequestEventKind.DRAFT: Happened.DRAFT,
    PullRequestEventKind.CLOSED: Happened.CLOSED,
    PullRequestEventKind.REOPENED: Happened.REOPENED,
    PullRequestEventKind.REVIEW_REQUESTED: Happened.REVIEW_REQUESTED,
    PullRequestEventKind.REVIEW_REQUEST_REMOVED: Happened.REVIEW_REQUEST_REMOVED,
    PullRequestEventKind.FORCE_PUSHED: Happened.FORCE_PUSHED,
}
_REVIEWS = {
    ReviewState.APPROVED: Happened.APPROVED,
    ReviewState.CHANGES_REQUESTED: Happened.CHANGES_REQUESTED,
    ReviewState.COMMENTED: Happened.COMMENTED,
    ReviewState.DISMISSED: Happened.DISMISSED,
}


@dataclass(frozen=True)
class PullRequestStory(Story):
    """A pull request's story with its commits, oldest first, and, if the viewer may see them, agents' shares by sha."""

    pull_request: PullRequest
    commits: Sequence[PullRequestCommit]
    attributions: Mapping[str, Sequence[CommitAttribution]]


def pull_request_read(record: PullRequest) -> PullRequest:
    """The row with everything that it references; missing references are None."""
    return PullRequest.objects.select_related(
        *("repository", "connection", "author__person", "requested_by__person", "merged_by__person"),
        *("figures__credited__person", "figures__reverts__repository", "figures__reverted_by__repository"),
        "figures__reverted_by__figures",
        *("deployed__deployment__repository", "origin", "mark"),
    ).get(pk=record.pk)


def story_of_pull_request(record: PullRequest, access: Access) -> PullRequestStory:
    pull_request = pull_request_read(record)
    figures: PullRequestFigures | None = getattr(pull_request, "figures", None)
    deployed: DeployedPullRequest | None = getattr(pull_request, "deployed", None)
    commits = list(
        PullRequestCommit.objects.filter(pull_request=record)
        .select_related("author__person")
        .order_by(F("authored_at").asc(nulls_last=True), "position")[: MOST_PARTS + 1]
    )
    reviews = list(
        PullRequestReview.objects.filter(pull_request=record)
        .select_related("author__person")
        .order_by("submitted_at", "pk")[: MOST_PARTS + 1]
    )
    events = list(
        PullRequestEvent.objects.filter(pull_request=record)
        .select_related("by__person", "of__person")
        .order_by("at", "position", "pk")[: MOST_PARTS + 1]
    )
    runs = _runs_of(pull_request, commits)
    item_links = list(
        WorkItemLink.objects.filter(pull_request=record)
        .select_related("work_item__project")
        .order_by("key", "method")[:MOST_PARTS]
    )
    failures = _failures_of(deployed)
    openable = Openable(
        access,
        [
            *(link.work_item for link in item_links),
            deployed.deployment if deployed else None,
            *(failure.incident for failure in failures),
            *(failure.repaired_by for failure in failures),
            figures.reverts if figures else None,
            figures.reverted_by if figures else None,
        ],
    )
    counted = set(CountedReview.objects.filter(pull_request=record).values_list("review_id", flat=True))
    happenings = [
        *_its_own(pull_request),
        *_commit_events(commits[:MOST_PARTS]),
        *_provider_events(pull_request, events[:MOST_PARTS]),
        *_review_events(reviews[:MOST_PARTS], counted),
        *_run_events(runs[:MOST_PARTS]),
        *_production_events(deployed, failures, openable),
        *_reverted(figures, openable),
    ]
    more = {"commits": len(commits), "reviews": len(reviews), "events": len(events), "pipeline runs": len(runs)}
    return PullRequestStory(
        name=openable.name(pull_request),
        happenings=in_order(happenings),
        stages=_stages(pull_request, figures, deployed),
        links=list(_links(figures, deployed, item_links, failures, openable)),
        more=[name for name, count in more.items() if count > MOST_PARTS],
        pull_request=pull_request,
        commits=commits[:MOST_PARTS],
        attributions=_attributions(commits[:MOST_PARTS], access),
    )


def _attributions(commits: Sequence[PullRequestCommit], access: Access) -> Mapping[str, Sequence[CommitAttribution]]:
    known = list(visible_commits(access).filter(sha__in=[commit.sha for commit in commits]).only("sha"))
    attributions = attributions_of(known)
    return {commit.sha: attributions.get(commit.pk, ()) for commit in known}


def _runs_of(pull_request: PullRequest, commits: Sequence[PullRequestCommit]) -> list[PipelineRun]:
    shas = {commit.sha for commit in commits} | {pull_request.head_sha, pull_request.merge_sha}
    return list(
        PipelineRun.objects.filter(repository=pull_request.repository_id, sha__in=shas - {""}, deleted_at=None)
        .select_related("started_by__person")
        .order_by("finished_at", "pk")[: MOST_PARTS + 1]
    )


def _failures_of(deployed: DeployedPullRequest | None) -> list[DeploymentFailure]:
    if deployed is None:
        return []
    failures = DeploymentFailure.objects.filter(deployment=deployed.deployment_id)
    return list(failures.select_related("incident__repository", "repaired_by__repository").order_by("pk")[:MOST_PARTS])


def _its_own(pull_request: PullRequest) -> Iterator[Happening]:
    yield from happened(pull_request.created_at, Happened.CREATED, by=pull_request.author)
    yield from happened(pull_request.merged_at, Happened.MERGED, by=pull_request.merged_by)
    if pull_request.merged_at is None and pull_request.state == PullRequestState.CLOSED:
        yield from happened(pull_request.closed_at, Happened.CLOSED)


def _commit_events(commits: Sequence[PullRequestCommit]) -> Iterator[Happening]:
    for commit in commits:
        at = commit.authored_at or commit.committed_at
        yield from happened(at, Happened.COMMIT, by=commit.author, detail=commit.subject, status=commit.sha)


def _provider_events(pull_request: PullRequest, events: Sequence[PullRequestEvent]) -> Iterator[Happening]:
    """The timeline entries of events, without closed and merged, which the pull request itself contains."""
    ended = {pull_request.merged_at, pull_request.closed_at}
    for event in events:
        if event.kind == PullRequestEventKind.CLOSED and event.at in ended:
            continue
        what = _EVENTS[PullRequestEventKind(event.kind)]
        yield Happening(event.at, what, by=event.by, of=event.of, detail=event.team)


def _review_events(reviews: Sequence[PullRequestReview], counted: set[int]) -> Iterator[Happening]:
    for review in reviews:
        what = _REVIEWS[ReviewState(review.state)]
        yield Happening(review.submitted_at, what, by=review.author, counts=review.pk in counted)


def _run_events(runs: Sequence[PipelineRun]) -> Iterator[Happening]:
    for run in runs:
        at = run.finished_at or run.started_at or run.queued_at
        yield from happened(at, Happened.RUN, by=run.started_by, status=run.status, record=name_of_run(run))


def _production_events(
    deployed: DeployedPullRequest | None, failures: Sequence[DeploymentFailure], openable: Openable
) -> Iterator[Happening]:
    if deployed is not None:
        yield Happening(deployed.deployed_at, Happened.DEPLOYED, record=openable.name(deployed.deployment))
        yield from consequences(failures, openable)


def _reverted(figures: PullRequestFigures | None, openable: Openable) -> Iterator[Happening]:
    revert = figures.reverted_by if figures else None
    if revert:
        yield from happened(revert.merged_at, Happened.REVERTED, record=openable.name(revert))


def _stages(
    pull_request: PullRequest, figures: PullRequestFigures | None, deployed: DeployedPullRequest | None
) -> list[Stage]:
    if figures is None:
        return []
    origin: PullRequestOrigin | None = getattr(pull_request, "origin", None)
    no_merge = "" if figures.merged_at else "not_merged" if pull_request.state == PullRequestState.OPEN else "closed"
    no_commit = "" if figures.first_commit_at else "no_commit"
    no_review = "" if figures.first_review_at else "no_review"
    no_approval = "" if figures.approved_at else "no_approval"
    no_deployment = no_merge or ("" if deployed else "no_deployment")
    opened, merged = figures.opened_at, figures.merged_at
    in_production_at = deployed.deployed_at if deployed else None
    never_ready = "" if opened else "draft"
    stages = [
        stage("coding", figures.first_commit_at, opened, never_ready or no_commit),
        stage("pickup", opened, figures.first_review_at, never_ready or no_review),
        stage("review", figures.first_review_at, figures.approved_at, no_review or no_approval),
        stage("merge", figures.approved_at, merged, no_merge or no_approval),
        stage("deploy", merged, in_production_at, no_deployment),
        stage("cycle", opened, merged, never_ready or no_merge),
        stage("lead", figures.first_commit_at, in_production_at, no_deployment or no_commit),
    ]
    if origin is None:
        return stages
    planning = stage("planning", origin.started_at, figures.first_commit_at, no_commit or _not_started(origin))
    return [stage("backlog", origin.created_at, origin.started_at, _not_started(origin)), planning, *stages]


def _not_started(origin: PullRequestOrigin) -> str:
    return "" if origin.started_at else "not_started"


def _links(
    figures: PullRequestFigures | None,
    deployed: DeployedPullRequest | None,
    item_links: Sequence[WorkItemLink],
    failures: Sequence[DeploymentFailure],
    openable: Openable,
) -> Iterator[Link]:
    for link in item_links:
        if link.work_item and link.work_item.deleted_at is None:
            yield Link("work_item", openable.name(link.work_item), link.method)
    if deployed:
        yield Link("deployment", openable.name(deployed.deployment), deployed.method, deployed.deployed_at)
    yield from links_of_failures(failures, openable)
    if figures and figures.reverts:
        yield Link("reverts", openable.name(figures.reverts), figures.revert_method)
    if figures and figures.reverted_by:
        method = figures.reverted_by.figures.revert_method
        yield Link("reverted_by", openable.name(figures.reverted_by), method, figures.reverted_by.merged_at)
