"""Pull requests and issues with what is said about them, as GitHub's REST API and webhooks write them."""

from __future__ import annotations

import hashlib

from demo.plan.delivery import Account, DeliveryEvent, LineComment, Repository, Verdict
from demo.providers.github_payloads import Json, Payloads, reactions, when, when_or_none
from demo.providers.record_states import IssueState, PullRequestState

REVIEW_STATES = {
    Verdict.APPROVED: "APPROVED",
    Verdict.CHANGES_REQUESTED: "CHANGES_REQUESTED",
    Verdict.COMMENTED: "COMMENTED",
}


def listed_pull_request(payloads: Payloads, state: PullRequestState) -> Json:
    """An element of a list, and what events about reviews carry: without sizes and counts."""
    pull_request = state.pull_request
    repository = pull_request.repository
    address = f"{payloads.at(repository)}/pulls/{pull_request.number}"
    issue = f"{payloads.at(repository)}/issues/{pull_request.number}"
    page = page_of(payloads, state)
    statuses = f"{payloads.at(repository)}/statuses/{state.head_sha}"
    return {
        "url": address,
        "id": pull_request.id,
        "node_id": f"PR_{pull_request.id}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        "number": pull_request.number,
        "state": "closed" if state.closed else "open",
        "locked": False,
        "title": state.title,
        "user": payloads.user_or_none(pull_request.author),
        "body": pull_request.body or None,
        "created_at": when(pull_request.created_at),
        "updated_at": when(state.updated_at),
        "closed_at": when_or_none(state.closed_at),
        "merged_at": when(state.merged.at) if state.merged else None,
        "merge_commit_sha": _merge_sha(state),
        "assignee": payloads.user(state.assignees[0]) if state.assignees else None,
        "assignees": [payloads.user(assignee) for assignee in state.assignees],
        "requested_reviewers": [payloads.user(reviewer) for reviewer in state.requested],
        "requested_teams": [payloads.team(team) for team in state.requested_teams],
        "labels": payloads.labels(repository, state.labels),
        "milestone": None,
        "draft": state.is_draft,
        "commits_url": f"{address}/commits",
        "review_comments_url": f"{address}/comments",
        "review_comment_url": f"{payloads.at(repository)}/pulls/comments{{/number}}",
        "comments_url": f"{issue}/comments",
        "statuses_url": statuses,
        "head": _end(payloads, repository, pull_request.source_branch, state.head_sha, pull_request.author),
        "base": _end(payloads, repository, pull_request.target_branch, pull_request.base_sha, payloads.owner),
        "_links": {
            "self": {"href": address},
            "html": {"href": page},
            "issue": {"href": issue},
            "comments": {"href": f"{issue}/comments"},
            "review_comments": {"href": f"{address}/comments"},
            "review_comment": {"href": f"{payloads.at(repository)}/pulls/comments{{/number}}"},
            "commits": {"href": f"{address}/commits"},
            "statuses": {"href": statuses},
        },
        "author_association": "MEMBER",
        "auto_merge": None,
        "active_lock_reason": None,
    }


def pull_request(payloads: Payloads, state: PullRequestState) -> Json:
    """GET /pulls/{number}, and what events about the pull request itself carry."""
    open_ = state.closed is None
    return listed_pull_request(payloads, state) | {
        "merged": state.merged is not None,
        "mergeable": True if open_ else None,
        "rebaseable": True if open_ else None,
        "mergeable_state": "clean" if open_ else "unknown",
        "merged_by": payloads.user_or_none(state.merged.by) if state.merged else None,
        "comments": len(state.comments),
        "review_comments": state.line_comment_count,
        "maintainer_can_modify": False,
        "commits": len(state.commits),
        "additions": state.additions,
        "deletions": state.deletions,
        "changed_files": state.changed_files,
    }


def _end(payloads: Payloads, repository: Repository, branch: str, sha: str, user: Account | None) -> Json:
    return {
        "label": f"{payloads.owner.login}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": payloads.user_or_none(user),
        "repo": payloads.repository(repository),
    }


def review(payloads: Payloads, state: PullRequestState, review: DeliveryEvent) -> Json:
    pull_request = state.pull_request
    page = page_of(payloads, state)
    address = f"{payloads.at(pull_request.repository)}/pulls/{pull_request.number}"
    anchor = f"{page}#pullrequestreview-{review.id}"
    return {
        "id": review.id,
        "node_id": f"PRR_{review.id}",
        "user": payloads.user_or_none(review.by),
        "body": review.text,
        "state": review_state(state, review),
        "html_url": anchor,
        "pull_request_url": address,
        "author_association": "MEMBER",
        "_links": {"html": {"href": anchor}, "pull_request": {"href": address}},
        "submitted_at": when(review.at),
        "commit_id": review.sha,
    }


def line_comment(payloads: Payloads, state: PullRequestState, review: DeliveryEvent, comment: LineComment) -> Json:
    pull_request = state.pull_request
    page = page_of(payloads, state)
    address = f"{payloads.at(pull_request.repository)}/pulls/{pull_request.number}"
    url = f"{payloads.at(pull_request.repository)}/pulls/comments/{comment.id}"
    anchor = f"{page}#discussion_r{comment.id}"
    return {
        "url": url,
        "pull_request_review_id": review.id,
        "id": comment.id,
        "node_id": f"PRRC_{comment.id}",
        "diff_hunk": "@@ -1 +1 @@",
        "path": comment.path,
        "position": 1,
        "original_position": 1,
        "commit_id": review.sha,
        "original_commit_id": review.sha,
        "user": payloads.user_or_none(review.by),
        "body": comment.body,
        "created_at": when(review.at),
        "updated_at": when(review.at),
        "html_url": anchor,
        "pull_request_url": address,
        "author_association": "MEMBER",
        "_links": {"self": {"href": url}, "html": {"href": anchor}, "pull_request": {"href": address}},
        "reactions": reactions(url),
        "start_line": None,
        "original_start_line": None,
        "start_side": None,
        "line": 1,
        "original_line": 1,
        "side": "RIGHT",
    }


def issue(payloads: Payloads, state: IssueState | PullRequestState) -> Json:
    """An element of a list of issues, among which GitHub counts pull requests."""
    record = state.record
    repository = record.repository
    address = f"{payloads.at(repository)}/issues/{record.number}"
    page = page_of(payloads, state)
    payload = {
        "url": address,
        "repository_url": payloads.at(repository),
        "labels_url": f"{address}/labels{{/name}}",
        "comments_url": f"{address}/comments",
        "events_url": f"{address}/events",
        "html_url": page,
        "id": record.id,
        "node_id": f"I_{record.id}",
        "number": record.number,
        "title": state.title,
        "user": payloads.user_or_none(record.author),
        "labels": payloads.labels(repository, state.labels),
        "state": "closed" if state.closed else "open",
        "locked": False,
        "assignee": payloads.user(state.assignees[0]) if state.assignees else None,
        "assignees": [payloads.user(assignee) for assignee in state.assignees],
        "milestone": None,
        "comments": len(state.comments),
        "created_at": when(record.created_at),
        "updated_at": when(state.updated_at),
        "closed_at": when_or_none(state.closed_at),
        "author_association": "MEMBER",
        "active_lock_reason": None,
        "body": record.body or None,
        "closed_by": payloads.user_or_none(state.closed.by) if state.closed else None,
        "reactions": reactions(address),
        "timeline_url": f"{address}/timeline",
        "performed_via_github_app": None,
        "state_reason": (state.closed.text or "completed") if state.closed else None,
        "draft": isinstance(state, PullRequestState) and state.is_draft,
    }
    if isinstance(state, PullRequestState):
        payload["pull_request"] = {
            "url": f"{payloads.at(repository)}/pulls/{record.number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": when(state.merged.at) if state.merged else None,
        }
    elif state.issue.epic is not None:  # GitHub omits it if there is none
        payload["parent_issue_url"] = f"{payloads.at(repository)}/issues/{state.issue.epic}"
    return payload


def page_of(payloads: Payloads, state: IssueState | PullRequestState) -> str:
    """The address at which people read it."""
    kind = "pull" if isinstance(state, PullRequestState) else "issues"
    return f"{payloads.web}/{payloads.full_name(state.record.repository)}/{kind}/{state.record.number}"


def review_state(state: PullRequestState, review: DeliveryEvent) -> str:
    if review.id in state.dismissed:
        return "DISMISSED"
    return REVIEW_STATES[review.verdict or Verdict.COMMENTED]


def _merge_sha(state: PullRequestState) -> str | None:
    """The merge commit, or GitHub's trial merge for an open pull request, which is nobody's commit."""
    if state.merged:
        return state.merged.sha
    if state.closed:
        return None
    return hashlib.sha1(f"trial of {state.head_sha}".encode(), usedforsecurity=False).hexdigest()
