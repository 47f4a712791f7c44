"""Events of issues and pull requests, as GitHub writes them in timelines and event lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from demo.plan.delivery import Commit, DeliveryEvent, EventKind
from demo.providers import github_conversations as conversations
from demo.providers.github_payloads import Json, Payloads, reactions, when
from demo.providers.record_states import IssueState, PullRequestState

_NAMES = {
    EventKind.REVIEW_REQUESTED: "review_requested",
    EventKind.REVIEW_REQUEST_REMOVED: "review_request_removed",
    EventKind.REVIEW_DISMISSED: "review_dismissed",
    EventKind.MADE_READY: "ready_for_review",
    EventKind.MADE_DRAFT: "convert_to_draft",
    EventKind.FORCE_PUSHED: "head_ref_force_pushed",
    EventKind.LABELLED: "labeled",
    EventKind.UNLABELLED: "unlabeled",
    EventKind.ASSIGNED: "assigned",
    EventKind.UNASSIGNED: "unassigned",
    EventKind.RETITLED: "renamed",
    EventKind.CLOSED: "closed",
    EventKind.REOPENED: "reopened",
    EventKind.MERGED: "merged",
    EventKind.COMMENTED: "commented",
    EventKind.REVIEWED: "reviewed",
}
TIMELINE_ONLY = frozenset({"commented", "reviewed", "committed"})
_CLOSED_BY_MERGE = 1_000_000_000  # added to the merge's id: a merge is two events, and the second needs one of its own


@dataclass(frozen=True, slots=True)
class Event:
    """`commit` is that of a commit's event; GitHub tells each of a push by itself."""

    id: int
    name: str
    happening: DeliveryEvent
    commit: Commit | None = None


def events_of(state: IssueState | PullRequestState) -> Iterator[Event]:
    """Events in order of time; a merge also closes the pull request."""
    if isinstance(state, PullRequestState):
        opened = DeliveryEvent(0, EventKind.PUSHED, state.pull_request.created_at, state.pull_request.author)
        yield from (Event(0, "committed", opened, commit) for commit in state.pull_request.commits)
    for happening in state.seen:
        if happening.did is EventKind.PUSHED:
            yield from (Event(0, "committed", happening, commit) for commit in happening.commits)
        elif name := _NAMES.get(happening.did):
            yield Event(happening.id, name, happening)
        if happening.did is EventKind.MERGED:
            yield Event(happening.id + _CLOSED_BY_MERGE, "closed", happening)


def timeline_entry(payloads: Payloads, state: IssueState | PullRequestState, event: Event) -> Json:
    """An element of an issue's timeline; of its list of events, where it is not one of TIMELINE_ONLY."""
    repository, happening = state.record.repository, event.happening
    if event.commit is not None:
        address = f"{payloads.at(repository)}/git/commits/{event.commit.sha}"
        committed = payloads.commit(repository, event.commit)
        return {
            "event": "committed",
            "sha": event.commit.sha,
            "node_id": committed["node_id"],
            "url": address,
            "html_url": committed["html_url"],
            **{part: committed["commit"][part] for part in ("author", "committer", "message", "tree", "verification")},
            "parents": committed["parents"],
        }
    if event.name == "reviewed" and isinstance(state, PullRequestState):
        review = conversations.review(payloads, state, happening)
        return {**review, "event": "reviewed", "state": review["state"].lower()}
    if event.name == "commented":
        return {**comment(payloads, state, happening), "event": "commented", "actor": _actor(payloads, happening)}
    return {
        "id": event.id,
        "node_id": f"E_{event.id}",
        "url": f"{payloads.at(repository)}/issues/events/{event.id}",
        "actor": _actor(payloads, happening),
        "event": event.name,
        **_commit_of(payloads, state, event),
        "created_at": when(happening.at),
        **_particulars(payloads, state, event),
        "performed_via_github_app": None,
    }


def comment(payloads: Payloads, state: IssueState | PullRequestState, happening: DeliveryEvent) -> Json:
    """A remark in the conversation: an element of GET /issues/{number}/comments."""
    issue = f"{payloads.at(state.record.repository)}/issues/{state.record.number}"
    address = f"{payloads.at(state.record.repository)}/issues/comments/{happening.id}"
    return {
        "url": address,
        "html_url": f"{conversations.page_of(payloads, state)}#issuecomment-{happening.id}",
        "issue_url": issue,
        "id": happening.id,
        "node_id": f"IC_{happening.id}",
        "user": payloads.user_or_none(happening.by),
        "created_at": when(happening.at),
        "updated_at": when(happening.at),
        "author_association": "MEMBER",
        "body": happening.text,
        "reactions": reactions(address),
        "performed_via_github_app": None,
    }


def _actor(payloads: Payloads, happening: DeliveryEvent) -> Json | None:
    return payloads.user_or_none(happening.by)


def _commit_of(payloads: Payloads, state: IssueState | PullRequestState, event: Event) -> Json:
    happening, sha = event.happening, None
    if event.name == "merged":
        sha = happening.sha
    elif event.name == "head_ref_force_pushed":
        sha = happening.commits[-1].sha
    address = f"{payloads.at(state.record.repository)}/commits/{sha}" if sha else None
    return {"commit_id": sha, "commit_url": address}


def _particulars(payloads: Payloads, state: IssueState | PullRequestState, event: Event) -> Json:
    """The fields that only this kind of event has."""
    happening = event.happening
    label = payloads.label(state.record.repository, happening.text) if happening.text else {}
    reviewer = (
        {"requested_team": payloads.team(happening.team)}
        if happening.team
        else {"requested_reviewer": payloads.user_or_none(happening.of)}
    )
    reason = (happening.text or "completed") if isinstance(state, IssueState) else None
    particulars: dict[str, Json] = {
        "review_requested": {"review_requester": _actor(payloads, happening), **reviewer},
        "review_dismissed": {
            "dismissed_review": {"state": "dismissed", "review_id": happening.review, "dismissal_message": None}
        },
        "labeled": {"label": {"name": label.get("name"), "color": label.get("color")}},
        "assigned": {"assignee": payloads.user_or_none(happening.of), "assigner": _actor(payloads, happening)},
        "renamed": {"rename": {"from": title_before(state, happening), "to": happening.text}},
        "closed": {"state_reason": reason},
        "reopened": {"state_reason": None},
    }
    alike = {"review_request_removed": "review_requested", "unlabeled": "labeled", "unassigned": "assigned"}
    return particulars.get(alike.get(event.name, event.name), {})


def title_before(state: IssueState | PullRequestState, renaming: DeliveryEvent) -> str:
    title = state.record.title
    for happening in state.seen:
        if happening is renaming:
            break
        if happening.did is EventKind.RETITLED:
            title = happening.text
    return title
