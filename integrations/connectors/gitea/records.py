"""Pull requests and issues of Gitea as drafts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from integrations.connectors.base import Json
from integrations.connectors.drafts import (
    MISSING,
    AssignmentDraft,
    ProvidedParts,
    PullRequestCommitDraft,
    PullRequestDraft,
    PullRequestEventDraft,
    ReviewDraft,
    TransitionDraft,
    Who,
    WorkItemDraft,
    shown_title,
)
from integrations.connectors.git.agent_signatures import agents_of_message
from integrations.connectors.git.history import written_at
from integrations.connectors.reader import Reader
from integrations.connectors.references import host_of, issue_key, pull_request_references
from integrations.enums import PullRequestEventKind, PullRequestState, ReviewState, StatusCategory

CATEGORIES = {"open": StatusCategory.TODO, "closed": StatusCategory.DONE}
REVIEWS = {
    "APPROVED": ReviewState.APPROVED,
    "REQUEST_CHANGES": ReviewState.CHANGES_REQUESTED,
    "COMMENT": ReviewState.COMMENTED,
}
"""Other states are those of a review that is not submitted yet, and of one that was only asked for."""
EVENTS = frozenset({"close", "reopen", "review_request", "change_title", "pull_push", "assignees"})
"""Types in a timeline; its other entries (comments, labels …) are dropped as soon as they are read."""
_KINDS = {  # by type, and whether it removes somebody
    ("close", False): PullRequestEventKind.CLOSED,
    ("reopen", False): PullRequestEventKind.REOPENED,
    ("review_request", False): PullRequestEventKind.REVIEW_REQUESTED,
    ("review_request", True): PullRequestEventKind.REVIEW_REQUEST_REMOVED,
}
_TITLES = {(True, False): PullRequestEventKind.READY, (False, True): PullRequestEventKind.DRAFT}
_MOVES = {"close": ("open", "closed"), "reopen": ("closed", "open")}
_DRAFT = re.compile(r"\s*(?:wip:|\[wip\])", re.IGNORECASE)  # title prefixes, unless the server is configured otherwise


def normalise_pull_request(payload: Json) -> list[PullRequestDraft]:
    """Gitea `pull_request` → draft, with `commits`, `reviews` and `timeline`, which a webhook leaves out."""
    reader = Reader(payload)
    pull = Reader(payload.get("pull_request"), "pull_request", parent=reader)
    merged_at, closed_at = pull.time("merged_at", default=None), pull.part_time("closed_at")
    state = pull.text("state", default="") or ("closed" if closed_at else "open")
    # A deleted branch leaves refs/pull/12/head in `ref`; `label` still has its name.
    branch = pull.text("head.label", default="") or pull.text("head.ref", default="")
    title = pull.text("title", default="")
    is_whole = reader.has("timeline")
    newest_first = reader.parts("commits", _commit)
    commits = [replace(commit, position=position) for position, commit in enumerate(reversed(newest_first or ()))]
    reviews, events = reader.parts("reviews", _review), reader.parts("timeline", _event)
    references = pull_request_references(
        repository=pull.text("base.repo.full_name", default=""),
        host=host_of(pull.text("html_url", default="")),
        branch=branch,
        title=title,
        body=pull.text("body", default=""),
        commits=(commit.subject for commit in commits),
    )
    return [
        PullRequestDraft(
            external_id=pull.identifier("id"),
            updated_at=pull.part_time("updated_at"),
            repository=pull.identifier("base.repo.id"),
            number=pull.integer("number"),
            title=shown_title(title),
            url=pull.text("html_url", default=MISSING),
            author=account(pull.object("user")),
            requested_by=None,
            state=_state(state, is_merged=merged_at is not None),
            native_state=state,
            is_draft=pull.boolean("draft", default=_is_draft(title)),
            created_at=pull.time("created_at"),
            merged_at=merged_at,
            closed_at=closed_at,
            merged_by=account(pull.object("merged_by")),
            merge_sha=pull.text("merge_commit_sha", default=""),
            head_sha=pull.text("head.sha", default=MISSING),
            source_branch=branch or MISSING,
            target_branch=pull.text("base.ref", default=MISSING),
            additions=pull.integer("additions", default=MISSING),
            deletions=pull.integer("deletions", default=MISSING),
            changed_files=pull.integer("changed_files", default=MISSING),
            commit_count=MISSING if newest_first is None else len(commits),
            comment_count=pull.integer("comments", default=MISSING),
            review_comment_count=pull.integer("review_comments", default=MISSING),
            labels=pull.names("labels"),
            commits=MISSING if newest_first is None else ProvidedParts(commits),
            reviews=MISSING if reviews is None else ProvidedParts(reviews),
            events=MISSING if events is None else ProvidedParts(events),
            references=ProvidedParts(references, whole=is_whole),
            left_out=tuple(reader.left_out),
        )
    ]


def _state(native: str, *, is_merged: bool) -> PullRequestState:
    """The state of a pull request; Gitea calls a merged one closed."""
    if is_merged:
        return PullRequestState.MERGED
    return PullRequestState.CLOSED if native == "closed" else PullRequestState.OPEN


def normalise_issue(payload: Json) -> list[WorkItemDraft]:
    """Gitea `issue` → draft, with `repository` (id and full name), and `timeline`, which a webhook leaves out."""
    reader = Reader(payload)
    issue = Reader(payload.get("issue"), "issue", parent=reader)
    resolved_at = issue.part_time("closed_at")
    state = issue.text("state", default="") or ("closed" if issue.has("closed_at") else "open")
    happened = reader.parts("timeline", _dated)
    assignees = [who for who in map(account, issue.objects("assignees")) if who is not None]
    return [
        WorkItemDraft(
            external_id=issue.identifier("id"),
            updated_at=issue.part_time("updated_at"),
            deleted=reader.boolean("deleted", default=False),
            project=reader.identifier("repository.id"),
            key=issue_key(reader.text("repository.full_name"), issue.integer("number")),
            title=shown_title(issue.text("title", default="")),
            url=issue.text("html_url", default=MISSING),
            native_type="",
            native_status=state,
            status_category=CATEGORIES.get(state, MISSING),
            resolution="",
            parent_key="",
            due_on=_due_on(issue),
            reporter=account(issue.object("user")),
            assignee=assignees[0] if assignees else None,
            labels=issue.names("labels"),
            has_description=bool(issue.text("body", default="").strip()),
            comment_count=issue.integer("comments", default=MISSING),
            created_at=issue.time("created_at"),
            resolved_at=resolved_at,
            transitions=MISSING if happened is None else ProvidedParts(_transitions(happened)),
            assignments=MISSING if happened is None else ProvidedParts(_assignments(happened)),
            left_out=tuple(reader.left_out),
        )
    ]


def account(user: Reader | None) -> Who | None:
    """The account, or None if it was deleted: Gitea shows Ghost, with a negative id.  Its own Actions have one too, as
    a bot.
    """
    if user is None or not (login := user.text("login", default="")) or login.lower() == "ghost":
        return None
    number = user.integer("id", default=0)
    return Who(login=login, account=str(number) if number > 0 else "", bot=number < 0)


def _commit(commit: Reader) -> PullRequestCommitDraft:
    message, known = commit.text("commit.message", default=""), account(commit.object("author"))
    committed_at = commit.part_time("commit.committer.date")
    name, email = (commit.text(f"commit.author.{field}", default="") for field in ("name", "email"))
    login, number = (known.login, known.account) if known else ("", "")
    return PullRequestCommitDraft(
        sha=commit.text("sha"),
        position=0,  # among all of them, which are listed newest first
        author=Who(login=login, account=number, name=name, email=email) if login or name or email else None,
        authored_at=written_at(message, authored_at=commit.part_time("commit.author.date"), committed_at=committed_at),
        committed_at=committed_at,
        subject=shown_title(message.strip().partition("\n")[0].rstrip()),
        parents=commit.all_texts("parents", "sha", default=()),
        agents=agents_of_message(message),
    )


def _review(review: Reader) -> ReviewDraft | None:
    native = review.text("state", default="")
    at = review.part_time("submitted_at", required=True) if native in REVIEWS else None
    if at is None:
        return None
    return ReviewDraft(
        external_id=review.identifier("id"),
        author=account(review.object("user")),
        state=ReviewState.DISMISSED if review.boolean("dismissed", default=False) else REVIEWS[native],
        native_state=native.lower(),
        submitted_at=at,
        commit_sha=review.text("commit_id", default=""),
    )


def _event(event: Reader) -> PullRequestEventDraft | None:
    kind, at = _kind_of(event), event.part_time("created_at", required=True)
    if kind is None or at is None:
        return None
    return PullRequestEventDraft(
        kind=kind,
        at=at,
        by=account(event.object("user")),
        of=account(event.object("assignee")),
        team=event.text("assignee_team.name", default=""),
    )


def _kind_of(event: Reader) -> PullRequestEventKind | None:
    """The kind of an event: draft changes show in the title, and only the body says which pushes were forced."""
    type_ = event.text("type", default="")
    if type_ == "pull_push" and '"is_force_push":true' in event.text("body", default=""):
        return PullRequestEventKind.FORCE_PUSHED
    if type_ == "change_title":
        before, after = (event.text(field, default="") for field in ("old_title", "new_title"))
        return _TITLES.get((_is_draft(before), _is_draft(after)))
    return _KINDS.get((type_, event.boolean("removed_assignee", default=False)))


def _is_draft(title: str) -> bool:
    return _DRAFT.match(title) is not None


def _due_on(issue: Reader) -> date | None:
    """The due date; Gitea writes the end of the day, in its own time zone."""
    at = issue.part_time("due_date")
    return None if at is None else date.fromisoformat(issue.text("due_date")[:10])


def _dated(event: Reader) -> tuple[datetime, str, Reader] | None:
    """Time and type of an event that moves or assigns an issue."""
    type_ = event.text("type", default="")
    at = event.part_time("created_at", required=True) if type_ in (*_MOVES, "assignees") else None
    return None if at is None else (at, type_, event)


def _transitions(happened: Iterable[tuple[datetime, str, Reader]]) -> list[TransitionDraft]:
    return [
        TransitionDraft(
            at=at, from_status=before, to_status=after, category=CATEGORIES[after], by=account(event.object("user"))
        )
        for at, type_, event in happened
        if type_ in _MOVES
        for before, after in (_MOVES[type_],)
    ]


def _assignments(happened: Iterable[tuple[datetime, str, Reader]]) -> list[AssignmentDraft]:
    """The assignments over time, with the first of several assignees."""
    assignments: list[AssignmentDraft] = []
    assigned: list[Who] = []
    for at, type_, event in happened:
        who = account(event.object("assignee")) if type_ == "assignees" else None
        if who is None:
            continue
        is_removed = event.boolean("removed_assignee", default=False)
        now_assigned = [other for other in assigned if other != who] + ([] if is_removed else [who])
        if now_assigned[:1] != assigned[:1]:
            assignments.append(AssignmentDraft(at=at, assignee=now_assigned[0] if now_assigned else None))
        assigned = now_assigned
    return assignments
