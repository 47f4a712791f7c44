"""The activity of pull requests: approvals, requested changes, comments, and updates with the state after each.

A withdrawn approval leaves no entry; the participants of a pull request say whose approval counts now.
https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/
#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-activity-get
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from integrations.connectors.base import Http, Json
from integrations.connectors.bitbucket.lists import PER_PAGE_OF_PULL_REQUESTS, list_all, list_page
from integrations.connectors.bitbucket.records import Place, account, person_fields
from integrations.connectors.drafts import PullRequestEventDraft
from integrations.connectors.errors import PermanentError
from integrations.connectors.rate_limits import response_time
from integrations.connectors.reader import Reader
from integrations.connectors.reviews import Remark
from integrations.connectors.unchecked import fields_of, object_of, objects_of, text_of, time_of
from integrations.enums import PullRequestEventKind, ReviewState

Entry = tuple[datetime, str, Reader]
UPDATE, COMMENT = "update", "comment"
VERDICTS = {"approval": ReviewState.APPROVED, "changes_requested": ReviewState.CHANGES_REQUESTED}
KINDS = (UPDATE, COMMENT, *VERDICTS)
CLOSED = frozenset({"DECLINED", "SUPERSEDED"})
MERGED = "MERGED"
_OF_UPDATE = ("date", "state", "changes", "reviewers", "author")
_OF_COMMENT = ("id", "created_on", "deleted", "user")
MOST_PAGES = 5  # of the activity of all pull requests of a repository since the last reading


def read_activity(http: Http, path: str) -> list[Json]:
    """The activity of the pull request at `path`, newest first, without texts that people wrote."""
    listed = list_all(http, f"{path}/activity", {"pagelen": PER_PAGE_OF_PULL_REQUESTS})
    return [_without_texts(entry) for entry in objects_of(list(listed))]


def _without_texts(entry: Json) -> Json:
    kind = next((kind for kind in KINDS if kind in entry), "")
    part = entry.get(kind)
    if not isinstance(part, dict):
        return {kind: part} if kind else {}
    if kind == COMMENT:
        is_inline = part.get("inline") is not None
        return {kind: {**fields_of(part, _OF_COMMENT), "user": person_fields(part.get("user")), "is_inline": is_inline}}
    if kind != UPDATE:
        return {kind: {"date": part.get("date"), "user": person_fields(part.get("user"))}}
    kept = {**fields_of(part, _OF_UPDATE), "author": person_fields(part.get("author"))}
    if isinstance(part.get("reviewers"), list):
        kept["reviewers"] = [person_fields(one) for one in part["reviewers"]]
    kept["changes"] = _changes(part.get("changes"))
    return {kind: {**kept, "head": text_of(object_of(part, "source", "commit"), "hash")}}


def _changes(changes: Any) -> Any:
    """The changes of reviewers and of the draft state; changes of texts are left out."""
    if not isinstance(changes, dict):
        return changes
    reviewers = object_of(changes, "reviewers")
    people = {
        name: [person_fields(one) for one in reviewers[name]]
        for name in ("added", "removed")
        if isinstance(reviewers.get(name), list)
    }
    return {**fields_of(changes, ("draft",)), "reviewers": people}


# Reading a record ---------------------------------------------------------------------------------------------------


def activity_in(reader: Reader) -> list[Entry] | None:
    """Time, kind and content of each entry of a payload, in order of time; None if it has none."""
    entries = reader.parts("activity", _entry)
    return None if entries is None else sorted(entries, key=lambda entry: entry[0])


def _entry(entry: Reader) -> Entry | None:
    for kind in KINDS:
        part = entry.object(kind)
        if part is not None:
            at = part.part_time("created_on" if kind == COMMENT else "date", required=True)
            return None if at is None else (at, kind, part)
    return None


def _is_comment(entry: Entry, *, inline: bool) -> bool:
    _, kind, part = entry
    is_there = kind == COMMENT and not part.boolean("deleted", default=False)
    return is_there and part.boolean("is_inline", default=False) == inline


def count_comments(activity: Sequence[Entry], *, inline: bool) -> int:
    return sum(_is_comment(entry, inline=inline) for entry in activity)


def remarks_in(activity: Sequence[Entry]) -> Iterator[Remark]:
    """Approvals, requested changes, and comments on lines."""
    for entry in activity:
        at, kind, part = entry
        by = account(part.object("user"))
        if kind in VERDICTS:
            name = by.account if by else "somebody"
            yield Remark(id=f"{kind}/{name}/{at:%Y%m%dT%H%M%S.%f}", by=by, at=at, verdict=VERDICTS[kind])
        elif _is_comment(entry, inline=True):
            yield Remark(id=part.identifier("id", default=""), by=by, at=at)


def ended_at(activity: Sequence[Entry], states: frozenset[str]) -> datetime | None:
    """The time of the last update that brought it into one of these states; Bitbucket gives no other time."""
    entered = [at for at, state, _ in _states(activity) if state in states]
    return max(entered, default=None)


def heads_in(activity: Sequence[Entry]) -> list[tuple[datetime, str]]:
    """The head of its branch after each update, newest first, as far as the hash is given."""
    heads = [(at, part.text("head", default="")) for at, kind, part in activity if kind == UPDATE]
    return [head for head in reversed(heads) if head[1]]


def _states(activity: Sequence[Entry]) -> Iterator[tuple[datetime, str, Reader]]:
    """The updates that changed its state."""
    before = "OPEN"
    for at, kind, part in activity:
        state = part.text("state", default="") if kind == UPDATE else ""
        if state and state != before:
            yield at, state, part
            before = state


def events_in(activity: Sequence[Entry]) -> Iterator[PullRequestEventDraft]:
    """Closed and reopened, draft and ready, and requested reviews."""
    for at, state, part in _states(activity):
        if state != MERGED:
            event = PullRequestEventKind.CLOSED if state in CLOSED else PullRequestEventKind.REOPENED
            yield PullRequestEventDraft(kind=event, at=at, by=account(part.object("author")))
    is_first = True
    for at, kind, part in activity:
        if kind == UPDATE:
            yield from _changed(at, part, is_first=is_first)
            is_first = False


def _changed(at: datetime, update: Reader, *, is_first: bool) -> Iterator[PullRequestEventDraft]:
    """The events of an update.  The first update is the creation: its reviewers were requested with it."""
    by = account(update.object("author"))
    added = list(update.objects("changes.reviewers.added"))
    requested, removed = PullRequestEventKind.REVIEW_REQUESTED, PullRequestEventKind.REVIEW_REQUEST_REMOVED
    for kind, people in (
        (requested, added or (list(update.objects("reviewers")) if is_first else [])),
        (removed, list(update.objects("changes.reviewers.removed"))),
    ):
        for who in map(account, people):
            if who is not None:
                yield PullRequestEventDraft(kind=kind, at=at, by=by, of=who)
    is_draft = update.boolean("changes.draft.new", default=None)
    if is_draft is not None:
        kind = PullRequestEventKind.DRAFT if is_draft else PullRequestEventKind.READY
        yield PullRequestEventDraft(kind=kind, at=at, by=by)


# What happened in a repository --------------------------------------------------------------------------------------


def latest_activity(
    http: Http, place: Place, since: datetime | None, now: datetime
) -> tuple[Mapping[str, str], datetime]:
    """Number of a pull request → the time of its last activity, if it had any since then; and the time of the answer.

    Empty if Bitbucket refuses the list: approvals then arrive later, but none is lost.
    """
    latest: dict[str, str] = {}
    answered_at = now
    params: dict[str, Any] = {"pagelen": PER_PAGE_OF_PULL_REQUESTS}
    for position in range(MOST_PAGES):
        try:
            listed = list_page(http, place.path("pullrequests/activity"), params)
        except PermanentError:
            return latest, answered_at
        if not position:
            answered_at = response_time(listed.headers, now)
        times = []
        for entry in objects_of(listed.items):
            number, at = text_of(object_of(entry, "pull_request"), "id"), _time_of(entry)
            if at is None or not number:
                continue
            times.append(at)
            if since is None or at >= since:
                latest[number] = max(latest.get(number, ""), at.astimezone(UTC).isoformat())
        if not listed.next or since is None or (times and min(times) < since):
            break
        params = {**params, **listed.next}
    return latest, answered_at


def _time_of(entry: Json) -> datetime | None:
    for kind in KINDS:
        part = object_of(entry, kind)
        if part:
            return time_of(part, "updated_on") or time_of(part, "created_on") or time_of(part, "date")
    return None
