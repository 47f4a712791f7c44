"""GraphQL's nodes: a record's fields as GitHub's schema names them, and connections of which a query takes a piece.

A node is a mapping; what costs something, or takes arguments, is a function that GraphQL calls when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from demo.plan.delivery import Account, Commit, Deployment, DeploymentStatus, Happening, Release, Repository
from demo.providers.github_conversations import page_of, review_state
from demo.providers.github_delivery import DEPLOYMENT_STATES
from demo.providers.github_events import Event, events_of, title_before
from demo.providers.github_graphql_connections import connection, in_order
from demo.providers.github_payloads import Json, Payloads, when, when_or_none
from demo.providers.standing import HistoryAt, IssueStanding, PullRequestStanding

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
        """Where only people can stand: bots are left out."""
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
            "pullRequests": lambda info, **asked: self._listed(
                shown.pull_requests[name].values(), asked, "pullRequests", self.pull_request, pull_request_state
            ),
            "issue": lambda info, number: self._by_number(shown.issues[name], number, self.issue),
            "issues": lambda info, **asked: self._listed(
                shown.issues[name].values(), asked, "issues", self.issue, _issue_state
            ),
            "deployments": lambda info, **asked: self._deployments(name, asked),
            "releases": lambda info, **asked: connection(
                in_order(shown.releases.get(name, []), asked), asked, "releases", self.release
            ),
        }

    def _by_number(self, records: Any, number: int, show: Callable[[Any], Json]) -> Json | None:
        found = records.get(number)
        return None if found is None else show(found)

    def _listed(
        self,
        records: Iterable[Any],
        asked: Json,
        name: str,
        show: Callable[[Any], Json],
        state: Callable[[Any], str],
    ) -> Json:
        states, order = asked.get("states"), asked.get("orderBy") or {}
        found = [record for record in records if not states or state(record) in states]
        by_change = order.get("field") == "UPDATED_AT"
        found.sort(key=lambda each: (each.updated_at if by_change else each.record.created_at, each.record.number))
        return connection(in_order(found, asked), asked, name, show)

    def _deployments(self, repository: str, asked: Json) -> Json:
        wanted = asked.get("environments")
        found = [
            each for each in self.shown.deployments.get(repository, []) if not wanted or each.environment in wanted
        ]
        return connection(in_order(found, asked), asked, "deployments", self.deployment)

    def _ref(self, name: str) -> Json:
        return {"__typename": "Ref", "id": f"REF_{name}", "name": name}

    # Pull requests and issues -----------------------------------------------------------------------------------

    def pull_request(self, standing: PullRequestStanding) -> Json:
        pull_request = standing.pull_request
        repository = pull_request.repository
        return {
            "__typename": "PullRequest",
            "id": f"PR_{pull_request.id}",
            "state": pull_request_state(standing),
            "isDraft": standing.is_draft,
            "merged": standing.merged is not None,
            "mergedBy": lambda info: self.actor(standing.merged.by) if standing.merged else None,
            "mergeCommit": lambda info: self._commit_by_sha(repository, standing.merged.sha if standing.merged else ""),
            "headRefName": pull_request.source_branch,
            "headRefOid": standing.head_sha,
            "baseRefName": pull_request.target_branch,
            "baseRefOid": pull_request.base_sha,
            "mergedAt": when(standing.merged.at) if standing.merged else None,
            "additions": lambda info: standing.additions,
            "deletions": lambda info: standing.deletions,
            "changedFiles": lambda info: standing.changed_files,
            "totalCommentsCount": lambda info: len(standing.comments) + standing.line_comment_count,
            "commits": lambda info, **asked: connection(
                standing.commits, asked, "commits", lambda each: self._commit_of(repository, each)
            ),
            "reviews": lambda info, **asked: connection(
                [each for each in standing.reviews if review_state(standing, each) in _or_all(asked, "states")],
                asked,
                "reviews",
                lambda each: self.review(standing, each),
            ),
            "reviewRequests": lambda info, **asked: self._review_requests(standing, asked),
            **self._conversation(standing),
        }

    def issue(self, standing: IssueStanding) -> Json:
        return {
            "__typename": "Issue",
            "id": f"I_{standing.issue.id}",
            "state": _issue_state(standing),
            "stateReason": (standing.closed.text or "completed").upper() if standing.closed else None,
            **self._conversation(standing),
        }

    def _conversation(self, standing: PullRequestStanding | IssueStanding) -> Json:
        """What pull requests and issues have in common."""
        record = standing.record
        return {
            "databaseId": record.id,
            "fullDatabaseId": str(record.id),
            "number": record.number,
            "title": standing.title,
            "body": record.body,
            "url": page_of(self.payloads, standing),
            "author": lambda info: self.actor(record.author),
            "createdAt": when(record.created_at),
            "updatedAt": when(standing.updated_at),
            "closedAt": when_or_none(standing.closed_at),
            "repository": lambda info: self.repository(record.repository),
            "assignees": lambda info, **asked: connection(standing.assignees, asked, "assignees", self.user),
            "labels": lambda info, **asked: connection(standing.labels, asked, "labels", _label),
            "comments": lambda info, **asked: connection(standing.comments, asked, "comments", self._comment),
            "timelineItems": lambda info, **asked: self._timeline(standing, asked),
        }

    def review(self, standing: PullRequestStanding, review: Happening) -> Json:
        repository = standing.pull_request.repository
        return {
            "__typename": "PullRequestReview",
            "id": f"PRR_{review.id}",
            "databaseId": review.id,
            "fullDatabaseId": str(review.id),
            "author": self.actor(review.by),
            "body": review.text,
            "state": review_state(standing, review),
            "createdAt": when(review.at),
            "submittedAt": when(review.at),
            "commit": lambda info: self._commit_by_sha(repository, review.sha),
            "comments": lambda info, **asked: connection(
                review.line_comments,
                asked,
                "comments",
                lambda each: {
                    "__typename": "PullRequestReviewComment",
                    "id": f"PRRC_{each.id}",
                    "databaseId": each.id,
                    "author": self.actor(review.by),
                    "body": each.body,
                    "path": each.path,
                    "createdAt": when(review.at),
                },
            ),
        }

    def _comment(self, comment: Happening) -> Json:
        return {
            "__typename": "IssueComment",
            "id": f"IC_{comment.id}",
            "databaseId": comment.id,
            "author": self.actor(comment.by),
            "body": comment.text,
            "createdAt": when(comment.at),
        }

    def _review_requests(self, standing: PullRequestStanding, asked: Json) -> Json:
        wanted = [*map(self.actor, standing.requested), *map(self._team, standing.requested_teams)]
        number = standing.pull_request.id
        return connection(
            list(enumerate(wanted)),
            asked,
            "reviewRequests",
            lambda each: {"id": f"RR_{number}_{each[0]}", "requestedReviewer": each[1]},
        )

    def _team(self, slug: str) -> Json:
        return {"__typename": "Team", "id": f"T_{slug}", "name": slug, "slug": slug}

    def _timeline(self, standing: PullRequestStanding | IssueStanding, asked: Json) -> Json:
        events = [event for event in events_of(standing) if event.commit is None]
        wanted = asked.get("itemTypes")
        found = [event for event in events if not wanted or _item_type(event) in wanted]
        piece = connection(found, asked, "timelineItems", lambda each: self._event(standing, each))
        return {**piece, "totalCount": len(events), "filteredCount": len(found)}

    def _event(self, standing: PullRequestStanding | IssueStanding, event: Event) -> Json:
        happening, repository = event.happening, standing.record.repository
        if isinstance(standing, PullRequestStanding):
            if event.name == "reviewed":
                return self.review(standing, happening)
            reviews = {review.id: review for review in standing.reviews}
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
            "previousTitle": lambda info: title_before(standing, happening),
            "stateReason": (happening.text or "completed").upper() if isinstance(standing, IssueStanding) else None,
            "commit": lambda info: self._commit_by_sha(repository, happening.sha),
            "beforeCommit": None,  # GitHub keeps it for some weeks
            "afterCommit": lambda info: self.commit(repository, head) if head else None,
            "review": lambda info: (
                self.review(standing, dismissed) if dismissed and isinstance(standing, PullRequestStanding) else None
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
            "url": f"{self.payloads.web}/{self.payloads.full_name(repository)}/commit/{commit.sha}",
        }

    def _commit_of(self, repository: Repository, commit: Commit) -> Json:
        return {"id": f"PRC_{commit.sha}", "commit": self.commit(repository, commit)}

    def _commit_by_sha(self, repository: Repository, sha: str) -> Json | None:
        """None where it is gone: of a branch that was rewritten."""
        found = self.shown.commit(repository.name, sha)
        return None if found is None else self.commit(repository, found)

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
            "latestStatus": self._status(statuses[0]) if statuses else None,
            "statuses": lambda info, **asked: connection(statuses, asked, "statuses", self._status),
        }

    def _status(self, status: DeploymentStatus) -> Json:
        return {
            "__typename": "DeploymentStatus",
            "id": f"DES_{status.id}",
            "creator": self.actor(status.by),
            "description": status.description or None,
            "state": DEPLOYMENT_STATES[status.state].upper(),
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


def pull_request_state(standing: PullRequestStanding) -> str:
    """GraphQL has a word for merged, which REST has not."""
    if standing.merged:
        return "MERGED"
    return "CLOSED" if standing.closed else "OPEN"


def _issue_state(standing: IssueStanding) -> str:
    return "CLOSED" if standing.closed else "OPEN"


def _deployment_state(statuses: Sequence[DeploymentStatus]) -> str:
    """Of statuses, newest first.  GraphQL calls a deployment active where REST's latest status is success."""
    latest = DEPLOYMENT_STATES[statuses[0].state].upper() if statuses else "PENDING"
    return "ACTIVE" if latest == "SUCCESS" else latest


def _or_all(asked: Json, name: str) -> Sequence[str]:
    return asked.get(name) or ("APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING")


def _label(name: str) -> Json:
    return {"__typename": "Label", "id": f"LA_{name}", "name": name}


def _item_type(event: Event) -> str:
    """The word by which a query picks the event's type: ClosedEvent is CLOSED_EVENT."""
    return re.sub("(?<!^)(?=[A-Z])", "_", _TYPES[event.name]).upper()
