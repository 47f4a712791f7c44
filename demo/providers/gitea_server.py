"""A simulated Gitea that shows the pull requests and issues of a delivery history.

with GiteaServer(history, token="x") as gitea:
    connect to gitea.url with that token
    gitea.advance(to)      # what happened until then is there now
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from demo.plan.delivery import Account, Commit, DeliveryEvent, DeliveryHistory, EventKind, Repository, Verdict
from demo.providers.faults import Answer, Fault, Request
from demo.providers.record_states import ConversationState, HistoryAt, IssueState, PullRequestState
from demo.providers.simulated_server import SimulatedServer

State = TypeVar("State", IssueState, PullRequestState, IssueState | PullRequestState)
API = "/api/v1"
_ROUTE = re.compile(r"/repos/[^/]+/([^/]+)/(issues|pulls)(?:/(\d+)(?:/(timeline|commits|reviews))?)?")
_VERDICTS = {Verdict.APPROVED: "APPROVED", Verdict.CHANGES_REQUESTED: "REQUEST_CHANGES", Verdict.COMMENTED: "COMMENT"}
_GHOST = {"id": -1, "login": "Ghost", "full_name": "", "email": ""}
_ENTRIES = {
    EventKind.CLOSED: "close",
    EventKind.REOPENED: "reopen",
    EventKind.MERGED: "merge_pull",
    EventKind.COMMENTED: "comment",
    EventKind.LABELLED: "label",
    EventKind.ASSIGNED: "assignees",
    EventKind.UNASSIGNED: "assignees",
    EventKind.REVIEW_REQUESTED: "review_request",
    EventKind.REVIEW_REQUEST_REMOVED: "review_request",
    EventKind.PUSHED: "pull_push",
    EventKind.FORCE_PUSHED: "pull_push",
    EventKind.MADE_READY: "change_title",
    EventKind.MADE_DRAFT: "change_title",
}


class GiteaServer(SimulatedServer):
    """Serves one history.  `at` is the instant that is shown, by default the history's end; `page` the maximum number
    of entries in a list.
    """

    def __init__(
        self,
        history: DeliveryHistory,
        *,
        token: str,
        at: datetime | None = None,
        faults: Iterable[Fault] = (),
        page: int = 50,
        port: int = 0,
    ) -> None:
        super().__init__("Gitea", faults=faults, port=port)
        self._history, self._token, self._page_size = history, token, page
        self.advance(at or history.ends_at)

    def advance(self, to: datetime) -> None:
        """Show the history as of another instant, which is the server's own time, from the next request on."""
        self.at = to
        self.clock_ahead = to - datetime.now(UTC)

    def split(self, path: str) -> tuple[str, str]:
        return path.removeprefix(API), API if path.startswith(API) else ""

    def answer_of(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"token {self._token}":
            return _refusal(401, "user does not exist [uid: 0, name: ]")
        if request.path == "/user":
            return Answer.of({"id": 1, "login": "reader"})
        shown = HistoryAt(self._history, self.at)
        if request.path == "/user/repos":
            return self._page(request, [self._repository(one) for one in shown.repositories.values()])
        route = _ROUTE.fullmatch(request.path)
        if route is None or route[1] not in shown.repositories:
            return _refusal(404, "The target couldn't be found.")
        issues, pulls = shown.issues.get(route[1], {}), shown.pull_requests.get(route[1], {})
        if route[3] is None:
            of_pulls = [self.pull_request(state) for state in _last_first(pulls.values())]
            of_issues = self._issues(request, issues.values(), pulls.values())
            return self._page(request, of_pulls if route[2] == "pulls" else of_issues)
        found = pulls.get(int(route[3])) or issues.get(int(route[3]))
        return _refusal(404, "The target couldn't be found.") if found is None else self._of(request, found, route[4])

    def _issues(
        self, request: Request, issues: Iterable[IssueState], pulls: Iterable[PullRequestState]
    ) -> list[dict[str, Any]]:
        """Issues and pull requests of the requested type (default: both), changed since the requested time."""
        states: list[IssueState | PullRequestState] = []
        states += issues if request.query.get("type") != "pulls" else ()
        states += pulls if request.query.get("type") != "issues" else ()
        if since := request.query.get("since"):
            states = [state for state in states if state.updated_at >= datetime.fromisoformat(since)]
        return [self.issue(state) for state in _last_first(states)]

    def _of(self, request: Request, state: IssueState | PullRequestState, part: str | None) -> Answer:
        if part == "timeline":
            return self._page(request, self._timeline(state), is_linked=False)
        if not isinstance(state, PullRequestState):
            return Answer.of(self.issue(state))
        if part is None:
            counts = {name: getattr(state, name) for name in ("additions", "deletions", "changed_files")}
            return Answer.of({**self.pull_request(state), **counts})
        if part == "commits":
            return self._page(request, [_commit(commit) for commit in reversed(state.commits)])
        return self._page(request, [_review(review, state) for review in state.reviews], is_linked=False)

    def _page(self, request: Request, entries: Sequence[Any], *, is_linked: bool = True) -> Answer:
        limit = min(int(request.query.get("limit", "30")), self._page_size)
        number = int(request.query.get("page", "1"))
        headers = {"X-Total-Count": str(len(entries))}
        if is_linked and number * limit < len(entries):
            headers["Link"] = f'<{self.url}{API}{request.path}?limit={limit}&page={number + 1}>; rel="next"'
        return Answer.of(list(entries[(number - 1) * limit : number * limit]) or None, headers=headers)

    # Documents --------------------------------------------------------------------------------------------------

    def _repository(self, repository: Repository) -> dict[str, Any]:
        name = f"{self._history.organisation.login}/{repository.name}"
        return {
            "id": repository.id,
            "name": repository.name,
            "full_name": name,
            "html_url": f"{self.url}/{name}",
            "default_branch": repository.default_branch,
            "archived": repository.is_archived,
            "has_issues": True,
            "has_pull_requests": True,
        }

    def _conversation(self, state: ConversationState, record: Any) -> dict[str, Any]:
        return {
            "id": record.id,
            "number": record.number,
            "user": _user(record.author),
            "title": state.title,
            "body": record.body,
            "state": "closed" if state.closed else "open",
            "labels": [{"id": number, "name": label} for number, label in enumerate(state.labels, start=1)],
            "assignees": [_user(one) for one in state.assignees] or None,
            "comments": len(state.comments),
            "created_at": _written(record.created_at),
            "updated_at": _written(state.updated_at),
            "closed_at": _written(state.closed_at) if state.closed_at else None,
        }

    def issue(self, state: IssueState | PullRequestState) -> dict[str, Any]:
        """The issue as in lists of issues; a pull request is listed too, with an id of its own there."""
        of_pull, record = isinstance(state, PullRequestState), state.record
        repository = self._repository(record.repository)
        kind = "pulls" if of_pull else "issues"
        return {
            **self._conversation(state, record),
            "id": record.id + (1_000_000 if of_pull else 0),
            "html_url": f"{repository['html_url']}/{kind}/{record.number}",
            "due_date": None,
            "repository": {name: repository[name] for name in ("id", "name", "full_name")},
            "pull_request": {"merged": state.closed is not None} if of_pull else None,
        }

    def pull_request(self, state: PullRequestState) -> dict[str, Any]:
        pull, merged = state.pull_request, state.merged
        repository = self._repository(pull.repository)
        return {
            **self._conversation(state, pull),
            "title": f"WIP: {state.title}" if state.is_draft else state.title,
            "html_url": f"{repository['html_url']}/pulls/{pull.number}",
            "draft": state.is_draft,
            "review_comments": state.line_comment_count,
            "merged": merged is not None,
            "merged_at": _written(merged.at) if merged else None,
            "merged_by": _user(merged.by) if merged else None,
            "merge_commit_sha": merged.sha if merged else None,
            "base": {"label": pull.target_branch, "ref": pull.target_branch, "sha": pull.base_sha, "repo": repository},
            "head": {"label": pull.source_branch, "ref": f"refs/pull/{pull.number}/head", "sha": state.head_sha},
        }

    def _timeline(self, state: IssueState | PullRequestState) -> list[dict[str, Any]]:
        return [self._entry(event, state) for event in state.seen if event.did in _ENTRIES]

    def _entry(self, event: DeliveryEvent, state: ConversationState) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "id": event.id,
            "type": _ENTRIES[event.did],
            "user": _user(event.by),
            "created_at": _written(event.at),
            "body": event.text,
            "assignee": _user(event.of) if event.of else None,
            "assignee_team": {"name": event.team} if event.team else None,
            "removed_assignee": event.did in (EventKind.UNASSIGNED, EventKind.REVIEW_REQUEST_REMOVED),
        }
        if event.did in (EventKind.PUSHED, EventKind.FORCE_PUSHED):
            forced, shas = event.did is EventKind.FORCE_PUSHED, [commit.sha for commit in event.commits]
            body = json.dumps({"is_force_push": forced, "commit_ids": shas}, separators=(",", ":"))
            return {**entry, "body": body}
        titles = [state.title, f"WIP: {state.title}"]
        if event.did is EventKind.MADE_READY:
            titles.reverse()
        return {**entry, "old_title": titles[0], "new_title": titles[1]}


def _last_first(states: Iterable[State]) -> list[State]:
    """The last created first."""
    return sorted(states, key=lambda state: (state.record.created_at, state.record.id), reverse=True)


def _user(account: Account | None) -> dict[str, Any]:
    if account is None:
        return _GHOST
    number = -2 if account.is_bot else account.id
    return {"id": number, "login": account.login, "full_name": account.name, "email": account.email}


def _commit(commit: Commit) -> dict[str, Any]:
    signed = {"name": commit.author_name, "email": commit.author_email}
    return {
        "sha": commit.sha,
        "commit": {
            "message": commit.message,
            "author": {**signed, "date": _written(commit.authored_at)},
            "committer": {**signed, "date": _written(commit.committed_at)},
        },
        "author": _user(commit.author) if commit.author else None,
        "parents": [{"sha": sha} for sha in commit.parents],
    }


def _review(review: DeliveryEvent, state: PullRequestState) -> dict[str, Any]:
    return {
        "id": review.id,
        "user": _user(review.by),
        "state": _VERDICTS[review.verdict or Verdict.COMMENTED],
        "commit_id": review.sha,
        "dismissed": review.id in state.dismissed,
        "submitted_at": _written(review.at),
    }


def _refusal(status: int, message: str) -> Answer:
    return Answer.of({"message": message, "url": "/api/swagger"}, status=status)


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
