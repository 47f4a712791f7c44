"""Merge requests with their commits, reviews and events.

A list names the changed ones, including merged ones; commits, notes and state changes are read for each, and lines and
current approvals for ten at once over GraphQL, because REST has neither.  GitLab's approvals have no time, which is
taken from the notes that GitLab writes itself.

https://docs.gitlab.com/api/merge_requests/, /api/notes/, /api/resource_state_events/
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.drafts import (
    MISSING,
    Missing,
    ProvidedParts,
    PullRequestCommitDraft,
    PullRequestDraft,
    PullRequestEventDraft,
    ReviewDraft,
    Who,
    shown_title,
)
from integrations.connectors.errors import GoneError, PermanentError
from integrations.connectors.git.agent_signatures import agents_of_message
from integrations.connectors.git.history import written_at
from integrations.connectors.gitlab.changes import changes_in
from integrations.connectors.gitlab.group_changes import GroupChanges
from integrations.connectors.gitlab.lists import list_all
from integrations.connectors.gitlab.records import (
    Note,
    Place,
    account,
    is_system,
    logins_in,
    notes_in,
    read_notes,
    said,
)
from integrations.connectors.reader import Reader
from integrations.connectors.references import host_of, pull_request_references
from integrations.connectors.reviews import Remark, reviews_of
from integrations.connectors.unchecked import object_of, record_of, text_of
from integrations.enums import PullRequestEventKind, PullRequestState, ReviewState

SOURCE = "merge_request"
_VERDICTS = {
    "approved this merge request": ReviewState.APPROVED,
    "requested changes": ReviewState.CHANGES_REQUESTED,
}
_WITHDRAWN = "unapproved this merge request"
_AS_DRAFT = r"marked (this merge request )?as (a )?\*\*(draft|Work In Progress)\*\*"
_DRAFT = re.compile(_AS_DRAFT, re.IGNORECASE)
_READY = re.compile(rf"marked this merge request as \*\*ready\*\*|un{_AS_DRAFT}", re.IGNORECASE)
_REQUESTED, _NOT_REQUESTED = "requested review from", "removed review request for"
_TITLE_OF_DRAFT = re.compile(r"\s*(?:draft:|\[draft\]|\(draft\)|wip:|\[wip\])", re.IGNORECASE)
_STATES = {
    "closed": PullRequestEventKind.CLOSED,
    "reopened": PullRequestEventKind.REOPENED,
    "opened": PullRequestEventKind.REOPENED,  # the first state is not recorded
}
_ON_LINES = frozenset({"DiffNote", "DiscussionNote"})
_FIELDS = "diffStatsSummary { additions deletions fileCount } approvedBy { nodes { username } }"


def normalise_merge_request(payload: Json) -> list[PullRequestDraft]:
    """`merge_request` from a list, with `commits`, `notes` and `state_events`, and `details` from GraphQL; each may be
    missing.
    """
    reader = Reader(payload)
    merge_request = Reader(payload.get("merge_request"), "merge_request", parent=reader)
    details = reader.object("details")
    native, title = merge_request.text("state", default=""), merge_request.text("title", default="")
    notes, states = notes_in(reader), reader.parts("state_events", _state_event)
    merged_at = merge_request.time("merged_at", default=None) or (_merged_at(reader) if native == "merged" else None)
    closed_at = merge_request.part_time("closed_at") or merged_at
    newest_first = reader.parts("commits", _commit)
    commits = [replace(commit, position=position) for position, commit in enumerate(reversed(newest_first or ()))]
    page = merge_request.text("web_url", default="")
    references = pull_request_references(
        repository=merge_request.text("references.full", default="").rpartition("!")[0],
        host=host_of(page),
        branch=merge_request.text("source_branch", default=""),
        title=title,
        body=merge_request.text("description", default=""),
        commits=(commit.subject for commit in commits),
    )
    return [
        PullRequestDraft(
            external_id=merge_request.identifier("id"),
            updated_at=merge_request.part_time("updated_at"),
            repository=merge_request.identifier("project_id"),
            number=merge_request.integer("iid"),
            title=shown_title(title),
            url=page or MISSING,
            author=account(merge_request.object("author")),
            requested_by=None,
            state=_state(native, is_merged=merged_at is not None),
            native_state=native or MISSING,
            is_draft=_is_draft(merge_request, title),
            created_at=merge_request.time("created_at"),
            merged_at=merged_at,
            closed_at=None if native == "opened" else closed_at,
            merged_by=account(merge_request.object("merge_user") or merge_request.object("merged_by")),
            merge_sha=_merge_sha(merge_request) if merged_at else "",
            head_sha=merge_request.text("sha", default=MISSING),
            source_branch=merge_request.text("source_branch", default=MISSING),
            target_branch=merge_request.text("target_branch", default=MISSING),
            additions=_count(details, "additions"),
            deletions=_count(details, "deletions"),
            changed_files=_count(details, "fileCount"),
            commit_count=MISSING if newest_first is None else len(commits),
            comment_count=_comments(notes, on_lines=False),
            review_comment_count=MISSING
            if notes is None
            else sum(_is_comment(note, on_lines=True) for _, note in notes),
            labels=merge_request.texts("labels"),
            commits=MISSING if newest_first is None else ProvidedParts(commits),
            reviews=MISSING if notes is None else ProvidedParts(_reviews(notes, _approvers(details))),
            events=MISSING if notes is None or states is None else ProvidedParts(_events(notes, states)),
            references=ProvidedParts(references, whole=newest_first is not None),
            left_out=tuple(reader.left_out),
        )
    ]


def _state(native: str, *, is_merged: bool) -> PullRequestState:
    """The state; a locked merge request is being merged."""
    if is_merged or native == "merged":
        return PullRequestState.MERGED
    return PullRequestState.CLOSED if native == "closed" else PullRequestState.OPEN


def _merged_at(reader: Reader) -> datetime | None:
    """The time of the merge by the state changes, or else of the last change; used if `merged_at` is missing.

    https://docs.gitlab.com/api/merge_requests/: old ones have no merged_at.
    """
    merged = reader.parts("state_events", lambda event: event.part_time("created_at") if _is_merge(event) else None)
    return max(merged or (), default=None) or reader.part_time("merge_request.updated_at")


def _is_merge(event: Reader) -> bool:
    return event.text("state", default="") == "merged"


def _merge_sha(merge_request: Reader) -> str:
    """The commit of the target branch: of the merge, the squashed one, or after a fast-forward the head itself."""
    names = ("merge_commit_sha", "squash_commit_sha", "sha")
    return next((sha for name in names if (sha := merge_request.text(name, default=""))), "")


def _is_draft(merge_request: Reader, title: str) -> bool:
    """Whether it is a draft; servers before 14 call it work in progress."""
    by_title = _TITLE_OF_DRAFT.match(title) is not None
    return merge_request.boolean("draft", default=merge_request.boolean("work_in_progress", default=by_title))


def _count(details: Reader | None, name: str) -> int | Missing:
    return MISSING if details is None else details.integer(f"diffStatsSummary.{name}", default=MISSING)


def _commit(commit: Reader) -> PullRequestCommitDraft:
    """A commit, which names no account; those of merge requests often name no parents either."""
    message, committed_at = commit.text("message", default=""), commit.part_time("committed_date")
    name, email = commit.text("author_name", default=""), commit.text("author_email", default="")
    parents = commit.texts("parent_ids")
    return PullRequestCommitDraft(
        sha=commit.text("id"),
        position=0,  # among all of them, which are listed newest first
        author=Who(name=name, email=email) if name or email else None,
        authored_at=written_at(message, authored_at=commit.part_time("authored_date"), committed_at=committed_at),
        committed_at=committed_at,
        subject=shown_title(message.strip().partition("\n")[0].rstrip()),
        parents=() if parents is MISSING else parents,
        agents=agents_of_message(message),
    )


# Notes ----------------------------------------------------------------------------------------------------------


def _is_comment(note: Reader, *, on_lines: bool) -> bool:
    """Whether somebody wrote it: on a line or in a thread that can be resolved, or among the general comments."""
    return not is_system(note) and (note.text("type", default="") in _ON_LINES) == on_lines


def _comments(notes: Sequence[Note] | None, *, on_lines: bool) -> int | Missing:
    return MISSING if notes is None else sum(_is_comment(note, on_lines=on_lines) for _, note in notes)


def _approvers(details: Reader | None) -> Collection[str] | None:
    """The logins of the people whose approval counts now; None if GitLab did not report them."""
    nodes = None if details is None else details.parts("approvedBy.nodes", lambda node: node.text("username"))
    return None if nodes is None else set(nodes)


def _remarks(notes: Sequence[Note]) -> Iterator[Remark]:
    for at, note in notes:
        by, words, number = account(note.object("author")), said(note), note.identifier("id", default="")
        verdict = _VERDICTS.get(words)
        if words == _WITHDRAWN:
            yield Remark(id=number, by=by, at=at, withdraws=True)
        elif number and (verdict or _is_comment(note, on_lines=True)):
            yield Remark(id=number, by=by, at=at, verdict=verdict)


def _reviews(notes: Sequence[Note], approvers: Collection[str] | None) -> list[ReviewDraft]:
    return reviews_of(_remarks(notes), None if approvers is None else lambda by: by.login in approvers)


def _events(notes: Sequence[Note], states: Sequence[PullRequestEventDraft]) -> list[PullRequestEventDraft]:
    """Draft, ready and requested reviews by the notes, closed and reopened by the changes of state, in order."""
    return sorted((*states, *(event for at, note in notes for event in _noted(at, note))), key=lambda event: event.at)


def _noted(at: datetime, note: Reader) -> Iterator[PullRequestEventDraft]:
    words, by = said(note), account(note.object("author"))
    if _READY.match(words) or _DRAFT.match(words):
        kind = PullRequestEventKind.READY if _READY.match(words) else PullRequestEventKind.DRAFT
        yield PullRequestEventDraft(kind=kind, at=at, by=by)
    elif words.startswith((_REQUESTED, _NOT_REQUESTED)):
        requested, _, removed = words.partition(_NOT_REQUESTED)
        for kind, text in (
            (PullRequestEventKind.REVIEW_REQUESTED, requested),
            (PullRequestEventKind.REVIEW_REQUEST_REMOVED, removed),
        ):
            for login in logins_in(text):
                yield PullRequestEventDraft(kind=kind, at=at, by=by, of=Who(login=login))


def _state_event(event: Reader) -> PullRequestEventDraft | None:
    kind, at = _STATES.get(event.text("state", default="")), event.part_time("created_at", required=True)
    if kind is None or at is None:
        return None
    return PullRequestEventDraft(kind=kind, at=at, by=account(event.object("user")))


# Reading --------------------------------------------------------------------------------------------------------


def fetch_merge_requests(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read merge requests: a changed one costs three requests, and ten of them one more."""

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        details = _details_of(http, place.graphql, [text_of(entry, "id") for entry in entries])
        return [record for entry in entries for record in _read(http, place, entry, details)]

    changes = changes_in(
        place.path("merge_requests"),
        params={"state": "all", "scope": "all"},
        read=read,
        group=GroupChanges(place, "merge_requests"),
    )
    yield from changes.pages(http, cursor, now=now)


def _read(http: Http, place: Place, entry: Json, details: Mapping[str, Json]) -> Iterator[RawRecord]:
    number = text_of(entry, "iid")
    if not number:
        yield record_of(SOURCE, normalise_merge_request, entry)
        return
    path = place.path("merge_requests", number)
    try:
        parts: dict[str, Any] = {
            "commits": list(list_all(http, f"{path}/commits")),
            "notes": read_notes(http, path),
            "state_events": list(list_all(http, f"{path}/resource_state_events")),
        }
    except GoneError:  # deleted since it was listed
        return
    yield record_of(SOURCE, normalise_merge_request, entry, **parts, details=details.get(text_of(entry, "id")))


def _details_of(http: Http, address: str, ids: Sequence[str]) -> Mapping[str, Json]:
    """Id → lines and approvers, in one request; empty if GraphQL refuses it, in which case lines are unknown.

    https://docs.gitlab.com/api/graphql/reference/#querymergerequest
    """
    known = [id_ for id_ in ids if id_.isdecimal()]
    if not known or not address:
        return {}
    fields = " ".join(f'm{id_}: mergeRequest(id: "gid://gitlab/MergeRequest/{id_}") {{ {_FIELDS} }}' for id_ in known)
    try:
        data = object_of(http.post(address, json={"query": f"{{ {fields} }}"}).json(), "data")
    except PermanentError:
        return {}
    return {id_: found for id_ in known if (found := object_of(data, f"m{id_}"))}
