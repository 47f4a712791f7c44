"""The REST API of the simulated GitHub: people, repositories, pull requests, issues, commits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar
from urllib.parse import unquote

from demo.plan.delivery import Account, Commit, Repository
from demo.providers import github_conversations as conversations
from demo.providers import github_events as events
from demo.providers.faults import Answer
from demo.providers.github_routes import REPOSITORY, Call, NotFoundError, RefusedError, UnprocessableError, route
from demo.providers.record_states import IssueState, PullRequestState

Conversation = TypeVar("Conversation", IssueState, PullRequestState, IssueState | PullRequestState)
_LONGEST_LIST_OF_COMMITS = 250  # of a pull request


# Who asks, and what there is -------------------------------------------------------------------------------------


@route("/user")
def user(call: Call) -> Answer:
    login = call.token.login
    known = (account for account in call.shown.history.accounts if account.login == login)
    return Answer.of(call.payloads.whole_user(next(known, Account(0, login))))


@route("/users/(?P<login>[^/]+)")
def user_by_login(call: Call, login: str) -> Answer:
    return Answer.of(call.payloads.whole_user(_account(call, login)))


@route("/orgs/(?P<login>[^/]+)")
def organisation(call: Call, login: str) -> Answer:
    return Answer.of(call.payloads.whole_user(_organisation(call, login)))


@route("/orgs/(?P<login>[^/]+)/repos", "metadata")
def repositories_of_organisation(call: Call, login: str) -> Answer:
    _organisation(call, login)
    return call.listed(_seen_repositories(call), call.payloads.repository)


@route("/user/repos", "metadata")
def repositories_of_user(call: Call) -> Answer:
    return call.listed(_seen_repositories(call), call.payloads.repository)


@route("/installation/repositories", "metadata")
def repositories_of_installation(call: Call) -> Answer:
    if not call.token.is_installation:
        raise NotFoundError
    return call.counted("repositories", _seen_repositories(call), call.payloads.repository)


@route(REPOSITORY, "metadata")
def repository(call: Call, owner: str, name: str) -> Answer:
    return Answer.of(call.payloads.repository(call.repository(owner, name)))


def _seen_repositories(call: Call) -> list[Repository]:
    visible = call.token.repositories
    return sorted(
        (candidate for candidate in call.shown.repositories.values() if visible is None or candidate.name in visible),
        key=lambda item: item.name,
    )


def _account(call: Call, login: str) -> Account:
    for account in call.shown.history.accounts:
        if call.payloads.login(account).lower() == login.lower():
            return account
    raise NotFoundError


def _organisation(call: Call, login: str) -> Account:
    if login.lower() != call.payloads.owner.login.lower():
        raise NotFoundError
    return call.payloads.owner


# Pull requests ---------------------------------------------------------------------------------------------------


@route(f"{REPOSITORY}/pulls", "pull_requests")
def pull_requests(call: Call, owner: str, name: str) -> Answer:
    matching = _in_state(call.shown.pull_requests[call.repository(owner, name).name].values(), call)
    return call.listed(
        _sorted(matching, call, newest_first=call.request.query.get("sort", "created") == "created"),
        lambda item: conversations.listed_pull_request(call.payloads, item),
    )


@route(f"{REPOSITORY}/pulls/(?P<number>[0-9]+)", "pull_requests")
def pull_request(call: Call, owner: str, name: str, number: str) -> Answer:
    return Answer.of(conversations.pull_request(call.payloads, _pull_request(call, owner, name, number)))


@route(f"{REPOSITORY}/pulls/(?P<number>[0-9]+)/commits", "pull_requests")
def pull_request_commits(call: Call, owner: str, name: str, number: str) -> Answer:
    state = _pull_request(call, owner, name, number)
    return call.listed(
        state.commits[:_LONGEST_LIST_OF_COMMITS],
        lambda item: call.payloads.commit(state.pull_request.repository, item),
    )


@route(f"{REPOSITORY}/pulls/(?P<number>[0-9]+)/reviews", "pull_requests")
def pull_request_reviews(call: Call, owner: str, name: str, number: str) -> Answer:
    state = _pull_request(call, owner, name, number)
    return call.listed(state.reviews, lambda item: conversations.review(call.payloads, state, item))


@route(f"{REPOSITORY}/pulls/(?P<number>[0-9]+)/requested_reviewers", "pull_requests")
def requested_reviewers(call: Call, owner: str, name: str, number: str) -> Answer:
    state = _pull_request(call, owner, name, number)
    return Answer.of(
        {
            "users": [call.payloads.user(reviewer) for reviewer in state.requested],
            "teams": [call.payloads.team(team) for team in state.requested_teams],
        }
    )


@route(f"{REPOSITORY}/pulls/(?P<number>[0-9]+)/comments", "pull_requests")
def pull_request_comments(call: Call, owner: str, name: str, number: str) -> Answer:
    state = _pull_request(call, owner, name, number)
    return _line_comments(call, [state])


@route(f"{REPOSITORY}/pulls/comments", "pull_requests")
def line_comments(call: Call, owner: str, name: str) -> Answer:
    return _line_comments(call, call.shown.pull_requests[call.repository(owner, name).name].values())


def _line_comments(call: Call, standings: Iterable[PullRequestState]) -> Answer:
    since = call.time("since")
    comments_found = [
        (review.at, comment.id, pull_request_state, review, comment)
        for pull_request_state in standings
        for review in pull_request_state.reviews
        for comment in review.line_comments
        if since is None or review.at >= since
    ]
    comments_found.sort(key=lambda item: item[:2], reverse=call.request.query.get("direction") == "desc")
    return call.listed(comments_found, lambda item: conversations.line_comment(call.payloads, *item[2:]))


def _pull_request(call: Call, owner: str, name: str, number: str) -> PullRequestState:
    pull = call.shown.pull_requests[call.repository(owner, name).name].get(int(number))
    if pull is None:
        raise NotFoundError
    return pull


def _in_state(standings: Iterable[Conversation], call: Call) -> list[Conversation]:
    state = call.request.query.get("state", "open")
    if state not in ("open", "closed", "all"):
        raise UnprocessableError(f"{state} is no state")
    return [
        record_state
        for record_state in standings
        if state == "all" or (record_state.closed is not None) == (state == "closed")
    ]


def _sorted(listed: list[Conversation], call: Call, *, newest_first: bool) -> list[Conversation]:
    """Sort by `sort` and `direction`; `newest_first` is the default direction."""
    by = call.request.query.get("sort", "created")
    direction = call.request.query.get("direction", "desc" if newest_first else "asc")
    if by not in ("created", "updated", "comments", "popularity", "long-running") or direction not in ("asc", "desc"):
        raise UnprocessableError(f"{by} {direction} is no order")
    return sorted(
        listed,
        key=lambda item: (item.updated_at if by == "updated" else item.record.created_at, item.record.number),
        reverse=direction == "desc",
    )


# Issues ----------------------------------------------------------------------------------------------------------


@route(f"{REPOSITORY}/issues", "issues")
def issues(call: Call, owner: str, name: str) -> Answer:
    """Pull requests are among them, as GitHub has it."""
    found_at = call.repository(owner, name).name
    both: list[IssueState | PullRequestState] = [
        *call.shown.issues[found_at].values(),
        *call.shown.pull_requests[found_at].values(),
    ]
    since = call.time("since")
    matching = [
        conversation for conversation in _in_state(both, call) if since is None or conversation.updated_at >= since
    ]
    return call.listed(
        _sorted(matching, call, newest_first=True), lambda item: conversations.issue(call.payloads, item)
    )


@route(f"{REPOSITORY}/issues/(?P<number>[0-9]+)", "issues")
def issue(call: Call, owner: str, name: str, number: str) -> Answer:
    return Answer.of(conversations.issue(call.payloads, _conversation(call, owner, name, number)))


def _conversation(call: Call, owner: str, name: str, number: str) -> IssueState | PullRequestState:
    found_at = call.repository(owner, name).name
    conversation = call.shown.issues[found_at].get(int(number)) or call.shown.pull_requests[found_at].get(int(number))
    if conversation is None:
        if call.shown.was_deleted(found_at, int(number)):
            raise RefusedError(410, "This issue was deleted")
        raise NotFoundError
    return conversation


@route(f"{REPOSITORY}/issues/(?P<number>[0-9]+)/labels", "pull_requests_write", method="POST")
def add_labels(call: Call, owner: str, name: str, number: str) -> Answer:
    repository, state = call.repository(owner, name), _conversation(call, owner, name, number)
    labels = list(dict.fromkeys([*state.labels, *call.request.json()["labels"]]))
    call.labels.write(repository, int(number), state, labels)
    return Answer.of(call.payloads.labels(repository, labels))


@route(f"{REPOSITORY}/issues/(?P<number>[0-9]+)/labels/(?P<label>[^/]+)", "pull_requests_write", method="DELETE")
def remove_label(call: Call, owner: str, name: str, number: str, label: str) -> Answer:
    repository, state = call.repository(owner, name), _conversation(call, owner, name, number)
    if unquote(label) not in state.labels:
        raise RefusedError(404, "Label does not exist")
    labels = [known for known in state.labels if known != unquote(label)]
    call.labels.write(repository, int(number), state, labels)
    return Answer.of(call.payloads.labels(repository, labels))


@route(f"{REPOSITORY}/issues/(?P<number>[0-9]+)/comments", "issues")
def comments(call: Call, owner: str, name: str, number: str) -> Answer:
    state = _conversation(call, owner, name, number)
    return call.listed(state.comments, lambda item: events.comment(call.payloads, state, item))


@route(f"{REPOSITORY}/issues/(?P<number>[0-9]+)/timeline", "issues")
def timeline(call: Call, owner: str, name: str, number: str) -> Answer:
    state = _conversation(call, owner, name, number)
    return call.listed(list(events.events_of(state)), lambda item: events.timeline_entry(call.payloads, state, item))


@route(f"{REPOSITORY}/issues/(?P<number>[0-9]+)/events", "issues")
def events_of_issue(call: Call, owner: str, name: str, number: str) -> Answer:
    state = _conversation(call, owner, name, number)
    listed = [event for event in events.events_of(state) if event.name not in events.TIMELINE_ONLY]
    return call.listed(listed, lambda item: events.timeline_entry(call.payloads, state, item))


@route(f"{REPOSITORY}/issues/events", "issues")
def events_of_repository(call: Call, owner: str, name: str) -> Answer:
    """The newest first, each with its issue."""
    found_at = call.repository(owner, name).name
    standings: list[IssueState | PullRequestState] = [
        *call.shown.issues[found_at].values(),
        *call.shown.pull_requests[found_at].values(),
    ]
    rows = [
        (event.happening.at, event.id, state, event)
        for state in standings
        for event in events.events_of(state)
        if event.name not in events.TIMELINE_ONLY
    ]
    rows.sort(key=lambda item: item[:2], reverse=True)
    return call.listed(
        rows,
        lambda item: {
            **events.timeline_entry(call.payloads, *item[2:]),
            "issue": conversations.issue(call.payloads, item[2]),
        },
    )


# Commits ---------------------------------------------------------------------------------------------------------


@route(f"{REPOSITORY}/commits", "contents")
def commits(call: Call, owner: str, name: str) -> Answer:
    """List the commits of the default branch, or those reachable from `sha`."""
    found_at = call.repository(owner, name)
    if not call.shown.commits.get(found_at.name):
        raise RefusedError(409, "Git Repository is empty.")
    since, until = call.time("since"), call.time("until")
    reached = _reached(call, found_at, call.request.query.get("sha", ""))
    matching = [
        commit
        for commit in reversed(reached)
        if (since is None or commit.committed_at >= since) and (until is None or commit.committed_at <= until)
    ]
    return call.listed(matching, lambda item: call.payloads.commit(found_at, item))


@route(f"{REPOSITORY}/compare/(?P<base>[^/]+)\\.\\.\\.(?P<head>[^/]+)", "contents")
def comparison(call: Call, owner: str, name: str, base: str, head: str) -> Answer:
    """List the commits that `head` reaches and `base` does not, oldest first."""
    found_at = call.repository(owner, name)
    known = {commit.sha for commit in _reached(call, found_at, base)}
    ahead = [commit for commit in _reached(call, found_at, head) if commit.sha not in known]
    chosen, links = call.page_of(len(ahead))
    document = {
        "status": "ahead" if ahead else "identical",
        "ahead_by": len(ahead),
        "behind_by": 0,
        "total_commits": len(ahead),
        "commits": [call.payloads.commit(found_at, ahead_commit) for ahead_commit in ahead[chosen]],
        "files": [],
    }
    return Answer.of(document, headers=links)


def _reached(call: Call, repository: Repository, sha: str) -> list[Commit]:
    """The default branch up to that commit, all of it where none is named, in order of time."""
    branch = call.shown.commits.get(repository.name, [])
    if not sha or sha == repository.default_branch:
        return branch
    for position, commit in enumerate(branch):
        if commit.sha == sha:
            return branch[: position + 1]
    raise NotFoundError


@route(f"{REPOSITORY}/commits/(?P<sha>[0-9a-f]{{40}})", "contents")
def commit(call: Call, owner: str, name: str, sha: str) -> Answer:
    found_at = call.repository(owner, name)
    record = call.shown.commit(found_at.name, sha)
    if record is None:
        raise NotFoundError
    return Answer.of(call.payloads.commit(found_at, record, stats=True))
