"""GraphQL's nodes: a record's fields as GitHub's schema names them, and connections of which a query takes a piece.

A node is a mapping; what costs something, or takes arguments, is a function that GraphQL calls when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from demo.plan.delivery import Account, Commit, DeliveryEvent, Deployment, DeploymentStatus, Release, Repository
from demo.providers.github_conversations import page_of, review_state
from demo.providers.github_delivery import DEPLOYMENT_STATES
from demo.providers.github_events import Event, events_of, title_before
from demo.providers.github_graphql_connections import connection, in_order
from demo.providers.github_payloads import Json, Payloads, when, when_or_none
from demo.providers.record_states import HistoryAt, IssueState, PullRequestState

_TYPES = {
    "review_requested": "ReviewRequestedEvent",
    "review_request_removed": "ReviewRequestRemovedEvent",
    "review_dismissed": "ReviewDismissedEvent",
    "ready_for_review": "ReadyForReviewEvent",
    "convert_to_draft": "ConvertToDraftEvent",
    "head_ref_force_pushed": "HeadRefForcePushedEvent",
    "labeled": "LabeledEvent",
    "unlabeled": "UnlabeledEvent",
    "assigned": "AssignedEvent",
    "unassigned": "UnassignedEvent",
    "renamed": "RenamedTitleEvent",
    "closed": "ClosedEvent",
    "reopened": "ReopenedEvent",
    "merged": "MergedEvent",
    "commented": "IssueComment",
    "reviewed": "PullRequestReview",
}


@dataclass(frozen=True, slots=True)
class Nodes:
    """Makes nodes of a history's records as they stand at an instant."""

    shown: HistoryAt
    payloads: Payloads

    def actor(self, account: Account | None) -> Json | None:
        """GraphQL leaves the ending [bot] out."""
        if account is None:
            return None
        kind = "Bot" if account.is_bot else "Organization" if account.is_organisation else "User"
        return {
            "__typename": kind,
            "id": f"U_{account.id}",
            "databaseId": account.id,
            "login": self.payloads.login(account).removesuffix("[bot]"),
            "name": account.name or None,
            "email": account.email,
            "url": f"{self.payloads.web}/{self.payloads.login(account)}",
        }

    def user(self, account: Account | None) -> Json | None:
        """A user node for fields that hold only people; None for bots."""
        return None if account is None or account.is_bot else self.actor(account)

    # Repositories -----------------------------------------------------------------------------------------------

    def repository(self, repository: Repository) -> Json:
        name = repository.name
        shown = self.shown
        return {
            "__typename": "Repository",
            "id": f"R_{repository.id}",
            "databaseId": repository.id,
            "name": name,
            "nameWithOwner": self.payloads.full_name(repository),
            "url": f"{self.payloads.web}/{self.payloads.full_name(repository)}",
            "createdAt": when(repository.created_at),
            "isArchived": repository.is_archived,
            "isPrivate": repository.is_private,
            "defaultBranchRef": self._ref(repository.default_branch),
            "pullRequest": lambda info, number: self._by_number(shown.pull_requests[name], number, self.pull_request),
            "pullRequests": lambda info, **args: self._listed(
                shown.pull_requests[name].values(), args, "pullRequests", self.pull_request, pull_request_state
            ),
            "issue": lambda info, number: self._by_number(shown.issues[name], number, self.issue),
            "issues": lambda info, **args: self._listed(
                shown.issues[name].values(), args, "issues", self.issue, _issue_state
            ),
            "deployments": lambda info, **args: self._deployments(name, args),
            "releases": lambda info, **args: connection(
                in_order(shown.releases.get(name, []), args), args, "releases", self.release
            ),
        }

    def _by_number(self, records: Any, number: int, show: Callable[[Any], Json]) -> Json | None:
        record = records.get(number)
        return None if record is None else show(record)

    def _listed(
        self,
        records: Iterable[Any],
        args: Json,
        name: str,
        show: Callable[[Any], Json],
        state: Callable[[Any], str],
    ) -> Json:
        states, order = args.get("states"), args.get("orderBy") or {}
        matching = [record for record in records if not states or state(record) in states]
        by_change = order.get("field") == "UPDATED_AT"
        matching.sort(
            key=lambda record: (record.updated_at if by_change else record.record.created_at, record.record.number)
        )
        return connection(in_order(matching, args), args, name, show)

    def _deployments(self, repository: str, args: Json) -> Json:
        environments = args.get("environments")
        deployments = [
            deployment
            for deployment in self.shown.deployments.get(repository, [])
            if not environments or deployment.environment in environments
        ]
        return connection(in_order(deployments, args), args, "deployments", self.deployment)

    def _ref(self, name: str) -> Json:
        return {"__typename": "Ref", "id": f"REF_{name}", "name": name}

    # Pull requests and issues -----------------------------------------------------------------------------------

    def pull_request(self, state: PullRequestState) -> Json:
        pull_request = state.pull_request
        repository = pull_request.repository
        return {
            "__typename": "PullRequest",
            "id": f"PR_{pull_request.id}",
            "state": pull_request_state(state),
            "isDraft": state.is_draft,
            "merged": state.merged is not None,
            "mergedBy": lambda info: self.actor(state.merged.by) if state.merged else None,
            "mergeCommit": lambda info: self._commit_by_sha(repository, state.merged.sha if state.merged else ""),
            "headRefName": pull_request.source_branch,
            "headRefOid": state.head_sha,
            "baseRefName": pull_request.target_branch,
            "baseRefOid": pull_request.base_sha,
            "mergedAt": when(state.merged.at) if state.merged else None,
            "additions": lambda info: state.additions,
            "deletions": lambda info: state.deletions,
            "changedFiles": lambda info: state.changed_files,
            "totalCommentsCount": lambda info: len(state.comments) + state.line_comment_count,
            "commits": lambda info, **args: connection(
                state.commits, args, "commits", lambda item: self._commit_of(repository, item)
            ),
            "reviews": lambda info, **args: connection(
                [review for review in state.reviews if review_state(state, review) in _or_all(args, "states")],
                args,
                "reviews",
                lambda item: self.review(state, item),
            ),
            "reviewRequests": lambda info, **args: self._review_requests(state, args),
            **self._conversation(state),
        }

    def issue(self, state: IssueState) -> Json:
        return {
            "__typename": "Issue",
            "id": f"I_{state.issue.id}",
            "state": _issue_state(state),
            "stateReason": (state.closed.text or "completed").upper() if state.closed else None,
            **self._conversation(state),
        }

    def _conversation(self, state: PullRequestState | IssueState) -> Json:
        """The fields that pull requests and issues share."""
        record = state.record
        return {
            "databaseId": record.id,
            "fullDatabaseId": str(record.id),
            "number": record.number,
            "title": state.title,
            "body": record.body,
            "url": page_of(self.payloads, state),
            "author": lambda info: self.actor(record.author),
            "createdAt": when(record.created_at),
            "updatedAt": when(state.updated_at),
            "closedAt": when_or_none(state.closed_at),
            "repository": lambda info: self.repository(record.repository),
            "assignees": lambda info, **args: connection(state.assignees, args, "assignees", self.user),
            "labels": lambda info, **args: connection(state.labels, args, "labels", _label),
            "comments": lambda info, **args: connection(state.comments, args, "comments", self._comment),
            "timelineItems": lambda info, **args: self._timeline(state, args),
        }

    def review(self, state: PullRequestState, review: DeliveryEvent) -> Json:
        repository = state.pull_request.repository
        return {
            "__typename": "PullRequestReview",
            "id": f"PRR_{review.id}",
            "databaseId": review.id,
            "fullDatabaseId": str(review.id),
            "author": self.actor(review.by),
            "body": review.text,
            "state": review_state(state, review),
            "createdAt": when(review.at),
            "submittedAt": when(review.at),
            "commit": lambda info: self._commit_by_sha(repository, review.sha),
            "comments": lambda info, **args: connection(
                review.line_comments,
                args,
                "comments",
                lambda item: {
                    "__typename": "PullRequestReviewComment",
                    "id": f"PRRC_{item.id}",
                    "databaseId": item.id,
                    "author": self.actor(review.by),
                    "body": item.body,
                    "path": item.path,
                    "createdAt": when(review.at),
                },
            ),
        }

    def _comment(self, comment: DeliveryEvent) -> Json:
        return {
            "__typename": "IssueComment",
            "id": f"IC_{comment.id}",
            "databaseId": comment.id,
            "author": self.actor(comment.by),
            "body": comment.text,
            "createdAt": when(comment.at),
        }

    def _review_requests(self, state: PullRequestState, args: Json) -> Json:
        reviewers = [*map(self.actor, state.requested), *map(self._team, state.requested_teams)]
        number = state.pull_request.id
        return connection(
            list(enumerate(reviewers)),
            args,
            "reviewRequests",
            lambda item: {"id": f"RR_{number}_{item[0]}", "requestedReviewer": item[1]},
        )

    def _team(self, slug: str) -> Json:
        return {"__typename": "Team", "id": f"T_{slug}", "name": slug, "slug": slug}

    def _timeline(self, state: PullRequestState | IssueState, args: Json) -> Json:
        events = [event for event in events_of(state) if event.commit is None]
        item_types = args.get("itemTypes")
        matching = [event for event in events if not item_types or _item_type(event) in item_types]
        piece = connection(matching, args, "timelineItems", lambda item: self._event(state, item))
        return {**piece, "totalCount": len(events), "filteredCount": len(matching)}

    def _event(self, state: PullRequestState | IssueState, event: Event) -> Json:
        happening, repository = event.happening, state.record.repository
        if isinstance(state, PullRequestState):
            if event.name == "reviewed":
                return self.review(state, happening)
            reviews = {review.id: review for review in state.reviews}
        else:
            reviews = {}
        if event.name == "commented":
            return self._comment(happening)
        head = happening.commits[-1] if happening.commits else None
        dismissed = reviews.get(happening.review)
        return {
            "__typename": _TYPES[event.name],
            "id": f"E_{event.id}",
            "actor": self.actor(happening.by),
            "createdAt": when(happening.at),
            "requestedReviewer": self._team(happening.team) if happening.team else self.actor(happening.of),
            "assignee": self.actor(happening.of),
            "label": _label(happening.text),
            "currentTitle": happening.text,
            "previousTitle": lambda info: title_before(state, happening),
            "stateReason": (happening.text or "completed").upper() if isinstance(state, IssueState) else None,
            "commit": lambda info: self._commit_by_sha(repository, happening.sha),
            "beforeCommit": None,  # GitHub keeps it for some weeks
            "afterCommit": lambda info: self.commit(repository, head) if head else None,
            "review": lambda info: (
                self.review(state, dismissed) if dismissed and isinstance(state, PullRequestState) else None
            ),
        }

    # Commits, deployments, releases -----------------------------------------------------------------------------

    def commit(self, repository: Repository, commit: Commit) -> Json:
        signed = {
            "name": commit.author_name,
            "email": commit.author_email,
            "user": self.user(commit.author),
        }
        return {
            "__typename": "Commit",
            "id": f"C_{commit.sha}",
            "oid": commit.sha,
            "message": commit.message.rstrip("\n"),
            "messageHeadline": commit.subject,
            "authoredDate": when(commit.authored_at),
            "committedDate": when(commit.committed_at),
            "author": {**signed, "date": when(commit.authored_at)},
            "committer": {**signed, "date": when(commit.committed_at)},
            "additions": commit.additions,
            "deletions": commit.deletions,
            "changedFilesIfAvailable": len(commit.paths),
            "parents": lambda info, **args: connection(commit.parents, args, "parents", lambda sha: {"oid": sha}),
            "url": f"{self.payloads.web}/{self.payloads.full_name(repository)}/commit/{commit.sha}",
        }

    def _commit_of(self, repository: Repository, commit: Commit) -> Json:
        return {"id": f"PRC_{commit.sha}", "commit": self.commit(repository, commit)}

    def _commit_by_sha(self, repository: Repository, sha: str) -> Json | None:
        """The commit; None for one of a branch that was rewritten."""
        commit = self.shown.commit(repository.name, sha)
        return None if commit is None else self.commit(repository, commit)

    def deployment(self, deployment: Deployment) -> Json:
        statuses = [status for status in reversed(deployment.statuses) if status.at <= self.shown.at]
        changed_at = statuses[0].at if statuses else deployment.created_at
        return {
            "__typename": "Deployment",
            "id": f"DE_{deployment.id}",
            "databaseId": deployment.id,
            "environment": deployment.environment,
            "description": deployment.description or None,
            "state": _deployment_state(statuses),
            "commitOid": deployment.sha,
            "ref": self._ref(deployment.ref),
            "creator": self.actor(deployment.by),
            "createdAt": when(deployment.created_at),
            "updatedAt": when(changed_at),
            "latestStatus": self._status(deployment, statuses[0]) if statuses else None,
            "statuses": lambda info, **args: connection(statuses, args, "statuses", partial(self._status, deployment)),
        }

    def _status(self, deployment: Deployment, status: DeploymentStatus) -> Json:
        return {
            "__typename": "DeploymentStatus",
            "id": f"DES_{status.id}",
            "creator": self.actor(status.by),
            "description": status.description or None,
            "state": DEPLOYMENT_STATES[status.state].upper(),
            "environment": deployment.environment,
            "createdAt": when(status.at),
            "updatedAt": when(status.at),
        }

    def release(self, release: Release) -> Json:
        page = f"{self.payloads.web}/{self.payloads.full_name(release.repository)}"
        return {
            "__typename": "Release",
            "id": f"RE_{release.id}",
            "databaseId": release.id,
            "name": release.name,
            "tagName": release.tag,
            "isDraft": False,
            "isPrerelease": release.is_prerelease,
            "author": self.user(release.by),
            "tagCommit": lambda info: self._commit_by_sha(release.repository, release.sha),
            "createdAt": when(release.created_at),
            "publishedAt": when(release.published_at),
            "updatedAt": when(release.published_at),
            "url": f"{page}/releases/tag/{release.tag}",
        }


def pull_request_state(state: PullRequestState) -> str:
    """GraphQL has a word for merged, which REST has not."""
    if state.merged:
        return "MERGED"
    return "CLOSED" if state.closed else "OPEN"


def _issue_state(state: IssueState) -> str:
    return "CLOSED" if state.closed else "OPEN"


def _deployment_state(statuses: Sequence[DeploymentStatus]) -> str:
    """The deployment's state from its statuses, newest first.  GraphQL says active where REST's latest status is
    success.
    """
    latest = DEPLOYMENT_STATES[statuses[0].state].upper() if statuses else "PENDING"
    return "ACTIVE" if latest == "SUCCESS" else latest


def _or_all(args: Json, name: str) -> Sequence[str]:
    return args.get(name) or ("APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING")


def _label(name: str) -> Json:
    return {"__typename": "Label", "id": f"LA_{name}", "name": name}


def _item_type(event: Event) -> str:
    """The word by which a query picks the event's type: ClosedEvent is CLOSED_EVENT."""
    return re.sub("(?<!^)(?=[A-Z])", "_", _TYPES[event.name]).upper()
