"""The threads of a pull request: people's comments, and Azure DevOps' own entries about votes, reviewers, drafts and
status.

Its own entries are read by their properties, never by their text; people are named by `identities`, before 2017 by
their id.  https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads/list: the published example has
the older form.  The names of the properties are those of Microsoft's own web client (CodeReviewDiscussionConstants).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from integrations.connectors.azure.lists import list_all
from integrations.connectors.azure.records import account, person_fields
from integrations.connectors.base import Http, Json
from integrations.connectors.drafts import PullRequestEventDraft, Who
from integrations.connectors.reader import Reader
from integrations.connectors.reviews import Remark
from integrations.connectors.unchecked import fields_of, object_of, objects_of
from integrations.enums import PullRequestEventKind, ReviewState

Thread = tuple[datetime, Reader]
VOTES = {
    "10": ReviewState.APPROVED,
    "5": ReviewState.APPROVED,  # with suggestions
    "-5": ReviewState.CHANGES_REQUESTED,  # waits for the author
    "-10": ReviewState.CHANGES_REQUESTED,  # rejected
}
_STATUS = {"abandoned": PullRequestEventKind.CLOSED, "active": PullRequestEventKind.REOPENED}
_REVIEWERS = {
    "CodeReviewReviewersUpdatedAdded": PullRequestEventKind.REVIEW_REQUESTED,
    "CodeReviewReviewersUpdatedRemoved": PullRequestEventKind.REVIEW_REQUEST_REMOVED,
}
_NOW_DRAFT = frozenset({"1", "true"})
_FIELDS = ("id", "publishedDate", "lastUpdatedDate", "isDeleted")


def read_threads(http: Http, path: str) -> list[Json]:
    """The threads of the pull request at `path`, without texts that people wrote."""
    return [_without_texts(thread) for thread in objects_of(list(list_all(http, f"{path}/threads")))]


def _without_texts(thread: Json) -> Json:
    properties = object_of(thread, "properties")
    identities = object_of(thread, "identities")
    comments = thread.get("comments")
    return {
        **fields_of(thread, _FIELDS),
        "on_file": thread.get("threadContext") is not None,
        "properties": {name: value for name, value in properties.items() if name.startswith("CodeReview")},
        "identities": {key: person_fields(who) for key, who in identities.items()},
        "comments": [_comment(comment) for comment in comments] if isinstance(comments, list) else comments,
    }


def _comment(comment: Any) -> Any:
    if not isinstance(comment, dict):
        return comment
    fields = {name: comment.get(name) for name in ("id", "publishedDate", "commentType", "isDeleted")}
    return {**fields, "author": person_fields(comment.get("author"))}


def threads_in(reader: Reader) -> list[Thread] | None:
    """The threads of a payload, in order of time; None if it has none."""
    threads = reader.parts("threads", _dated)
    return None if threads is None else sorted(threads, key=lambda thread: thread[0])


def _dated(thread: Reader) -> Thread | None:
    at = thread.part_time("publishedDate", required=True)
    return None if at is None else (at, thread)


def _value(thread: Reader, name: str) -> str:
    """A property, which is text or a number."""
    return thread.identifier(f"properties.{name}.$value", default="")


def _kind(thread: Reader) -> str:
    return _value(thread, "CodeReviewThreadType")


def _identity(thread: Reader, name: str) -> Reader | None:
    """The identity that a property names, in its present form."""
    key = _value(thread, f"{name}Identity")
    return thread.object(f"identities.{key}") if key.isdecimal() else None


def _who(thread: Reader, name: str) -> Who | None:
    """The person whom a property names."""
    if (identity := _identity(thread, name)) is not None:
        return account(identity)
    id_ = _value(thread, f"{name}TfId").replace("-", "").lower()
    if len(id_) != 32:
        return None
    dashed = "-".join((id_[:8], id_[8:12], id_[12:16], id_[16:20], id_[20:]))
    return Who(account=dashed, name=_value(thread, f"{name}DisplayName"))


# Comments -----------------------------------------------------------------------------------------------------------


def comments_of(thread: Reader) -> Iterator[tuple[datetime, Reader]]:
    """The comments that people wrote and have not deleted."""
    if thread.boolean("isDeleted", default=False):
        return
    for comment in thread.objects("comments"):
        is_written = comment.text("commentType", default="text") != "system" and not _kind(thread)
        if (
            is_written
            and not comment.boolean("isDeleted", default=False)
            and (at := comment.part_time("publishedDate"))
        ):
            yield at, comment


def count_comments(threads: Sequence[Thread], *, on_files: bool) -> int:
    return sum(
        1 for _, thread in threads if thread.boolean("on_file", default=False) == on_files for _ in comments_of(thread)
    )


# Reviews and events -------------------------------------------------------------------------------------------------


def remarks_in(threads: Sequence[Thread]) -> list[Remark]:
    """Votes, and comments on files, in order of time."""
    found = [remark for at, thread in threads for remark in _remarks(at, thread)]
    return sorted(found, key=lambda remark: remark.at)


def _remarks(at: datetime, thread: Reader) -> Iterator[Remark]:
    number = thread.identifier("id", default="")
    if _kind(thread) == "VoteUpdate":
        vote = _value(thread, "CodeReviewVoteResult")
        by = _who(thread, "CodeReviewVotedBy")
        yield Remark(id=number, by=by, at=at, verdict=VOTES.get(vote), withdraws=vote not in VOTES)
    elif thread.boolean("on_file", default=False):
        for said_at, comment in comments_of(thread):
            part = comment.identifier("id", default="")
            yield Remark(id=f"{number}.{part}", by=account(comment.object("author")), at=said_at)


def events_in(threads: Sequence[Thread]) -> Iterator[PullRequestEventDraft]:
    """Draft changes, requested reviews, and the times at which the pull request was abandoned or reactivated."""
    for at, thread in threads:
        kind = _kind(thread)
        if kind == "IsDraftUpdate":
            is_draft = _value(thread, "CodeReviewIsDraftNowSet").lower() in _NOW_DRAFT
            event = PullRequestEventKind.DRAFT if is_draft else PullRequestEventKind.READY
            yield PullRequestEventDraft(kind=event, at=at, by=_who(thread, "CodeReviewIsDraftUpdatedBy"))
        elif kind == "StatusUpdate" and (status := _STATUS.get(_value(thread, "CodeReviewStatus").lower())):
            yield PullRequestEventDraft(kind=status, at=at, by=_who(thread, "CodeReviewStatusUpdatedBy"))
        elif kind == "ReviewersUpdate":
            yield from _requests(at, thread)


def _requests(at: datetime, thread: Reader) -> Iterator[PullRequestEventDraft]:
    by = _who(thread, "CodeReviewReviewersUpdatedBy")
    for name, kind in _REVIEWERS.items():
        identity, of = _identity(thread, name), _who(thread, name)
        is_team = identity is not None and identity.boolean("isContainer", default=False)
        team = identity.text("displayName", default="") if identity is not None and is_team else ""
        if of is not None or team:
            yield PullRequestEventDraft(kind=kind, at=at, by=by, of=of, team=team)
