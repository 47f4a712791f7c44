"""Pull requests with their activity, commits and lines.

A list names the changed ones, including merged ones; activity, commits and lines are read for each.  It is not
documented that every approval changes `updated_on`, so a reading begins with the activity of the whole repository, and
also reads pull requests with activity that the list does not name.  A cursor is that of connectors/changes.py, with
  {"heard"}     number → time of its last activity, if it is as recent as the overlap
  {"unread"}    numbers whose activity is still to be read

https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.bitbucket.activity import (
    CLOSED,
    MERGED,
    activity_in,
    count_comments,
    ended_at,
    events_in,
    heads_in,
    latest_activity,
    read_activity,
    remarks_in,
)
from integrations.connectors.bitbucket.lists import API, PER_PAGE_OF_PULL_REQUESTS, list_all, list_page
from integrations.connectors.bitbucket.records import (
    Place,
    account,
    commit_fields,
    committed_at,
    full_hash,
    person_fields,
    signed_by,
)
from integrations.connectors.changes import AT_A_TIME, GRAIN, OVERLAP, Changes, ListedPage
from integrations.connectors.drafts import (
    MISSING,
    ProvidedParts,
    PullRequestCommitDraft,
    PullRequestDraft,
    ReviewDraft,
    Who,
    shown_title,
)
from integrations.connectors.errors import GoneError, PermanentError
from integrations.connectors.git.agent_signatures import agents_of_message
from integrations.connectors.git.history import written_at
from integrations.connectors.reader import Reader
from integrations.connectors.references import host_of, pull_request_references
from integrations.connectors.reviews import reviews_of
from integrations.connectors.unchecked import as_record, fields_of, object_of, record_of, text_of, time_of
from integrations.enums import PullRequestState

SOURCE = "pullrequest"
FILES_PER_PAGE = 500
LINES_WITHIN = timedelta(days=365)  # lines of older ones cost a request each, and are asked for by nobody
_STATES = {
    "OPEN": PullRequestState.OPEN,
    MERGED: PullRequestState.MERGED,
    **dict.fromkeys(CLOSED, PullRequestState.CLOSED),
}
# Without states, the list has only open ones; without `draft`, it once had no drafts:
# https://jira.atlassian.com/browse/BCLOUD-23659
_ANY_STATE = " OR ".join(f'state = "{state}"' for state in _STATES)
_ALL = f"({_ANY_STATE}) AND (draft = true OR draft = false)"
_PEOPLE = "+values.participants"  # lists leave them out
_FIELDS = (
    *("id", "title", "description", "state", "draft", "created_on", "updated_on", "comment_count", "merge_commit"),
    *("source", "destination"),
)


def normalise_pull_request(payload: Json) -> list[PullRequestDraft]:
    """`pullrequest` with its `repository`; `activity`, `commits`, `lines` and `merge_hash`, which may be missing.

    Bitbucket gives no time of a merge: the time of the update in its activity is used, or else that of the last change.
    """
    reader = Reader(payload)
    pull = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    native, title = pull.text("state", default=""), pull.text("title", default="")
    state, activity = _STATES.get(native, PullRequestState.OPEN), activity_in(reader)
    newest_first = reader.parts("commits", _commit)
    commits = [replace(commit, position=position) for position, commit in enumerate(reversed(newest_first or ()))]
    hashes = [commit.sha for commit in commits]
    updated_at = pull.part_time("updated_on")
    closed_at = None if state is PullRequestState.OPEN else ended_at(activity or (), frozenset({native})) or updated_at
    is_merged = state is PullRequestState.MERGED
    head, number = pull.text("source.commit.hash", default=""), pull.integer("id")
    page = pull.text("page", default="")
    references = pull_request_references(
        repository=reader.text("repository.name", default=""),
        host=host_of(page),
        branch=pull.text("source.branch.name", default=""),
        title=title,
        body=pull.text("description", default=""),
        commits=(commit.subject for commit in commits),
    )
    repository = reader.identifier("repository.id")
    return [
        PullRequestDraft(
            external_id=f"{repository}/{number}",
            updated_at=updated_at,
            repository=repository,
            number=number,
            title=shown_title(title),
            url=page or MISSING,
            author=account(pull.object("author")),
            requested_by=None,
            state=state,
            native_state=native or MISSING,
            is_draft=pull.boolean("draft", default=False),
            created_at=pull.time("created_on"),
            merged_at=closed_at if is_merged else None,
            closed_at=closed_at,
            merged_by=account(pull.object("closed_by")) if is_merged else None,
            merge_sha=_merge_sha(reader) if is_merged else "",
            head_sha=full_hash(head, hashes) or MISSING,
            source_branch=pull.text("source.branch.name", default=MISSING),
            target_branch=pull.text("destination.branch.name", default=MISSING),
            additions=reader.integer("lines.added", default=MISSING),
            deletions=reader.integer("lines.removed", default=MISSING),
            changed_files=reader.integer("lines.files", default=MISSING),
            commit_count=MISSING if newest_first is None else len(commits),
            comment_count=MISSING if activity is None else count_comments(activity, inline=False),
            review_comment_count=MISSING if activity is None else count_comments(activity, inline=True),
            labels=(),
            commits=MISSING if newest_first is None else ProvidedParts(commits),
            reviews=MISSING if activity is None else ProvidedParts(_reviews(pull, activity, hashes)),
            events=MISSING
            if activity is None
            else ProvidedParts(sorted(events_in(activity), key=lambda event: event.at)),
            references=ProvidedParts(references, whole=newest_first is not None),
            left_out=tuple(reader.left_out),
        )
    ]


def _merge_sha(reader: Reader) -> str:
    """The full hash of the merge, squashed or last commit; truncated to twelve characters if it was not found."""
    return reader.text("merge_hash", default="") or reader.text(f"{SOURCE}.merge_commit.hash", default="")


def _commit(commit: Reader) -> PullRequestCommitDraft:
    message, at = commit.text("message", default=""), committed_at(commit)
    return PullRequestCommitDraft(
        sha=commit.text("hash"),
        position=0,  # among all of them, which are listed newest first
        author=signed_by(commit),
        authored_at=written_at(message, authored_at=at, committed_at=at),
        committed_at=at,
        subject=shown_title(message.strip().partition("\n")[0].rstrip()),
        parents=commit.all_texts("parents", "hash", default=()),
        agents=agents_of_message(message),
    )


def _reviews(pull: Reader, activity: Sequence[Any], hashes: list[str]) -> list[ReviewDraft]:
    """The reviews, with the head of the branch when each was submitted."""
    heads = heads_in(activity)

    def head_at(at: datetime) -> str:
        return full_hash(next((head for pushed_at, head in heads if pushed_at <= at), ""), hashes)

    reviews = reviews_of(remarks_in(activity), _approves(pull))
    return [replace(review, commit_sha=head_at(review.submitted_at)) for review in reviews]


def _approves(pull: Reader) -> Callable[[Who], bool] | None:
    """Whether somebody's approval counts now, by the participants; None if the payload has none."""
    if not pull.has("participants"):
        return None
    people = pull.parts("participants", lambda one: (account(one.object("user")), one.boolean("approved")))
    approvers = {who.account for who, approved in people or () if who is not None and approved}
    return lambda by: by.account in approvers


# Reading ------------------------------------------------------------------------------------------------------------


def fetch_pull_requests(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read pull requests: a changed one costs three requests, and one more once it is merged."""
    stream = _Stream(http, place, now)
    reading = {name: value for name, value in cursor.items() if name not in ("heard", "unread")}
    heard, unread = dict(cursor.get("heard", {})), list(cursor.get("unread", ()))
    if "then" not in reading:
        since = time_of(reading, "since")
        latest, answered_at = latest_activity(http, place, since, now)
        unread += [number for number, at in latest.items() if since and heard.get(number) != at]
        heard = {number: at for number, at in latest.items() if datetime.fromisoformat(at) >= answered_at - OVERLAP}
    changes = Changes(
        list_page=stream.changed,
        read=stream.read,
        answered=f"Bitbucket answered {stream.path}",
        time_field="updated_on",
        tells_all=False,  # a pull request cannot be deleted
    )
    for page in changes.pages(http, reading, now=now):
        unread = [number for number in dict.fromkeys(unread) if number not in stream.known]
        if "then" in page.cursor or not unread:
            yield replace(page, cursor={**page.cursor, "heard": heard, "unread": unread})
            continue
        records = list(page.records)
        for start in range(0, len(unread), AT_A_TIME):
            rest = unread[start + AT_A_TIME :]
            records += stream.read_numbers(unread[start : start + AT_A_TIME])
            yield Page(records, {**page.cursor, "heard": heard, "unread": rest}, left=len(rest))
            records = []


@dataclass(slots=True)
class _Stream:
    """The stream of a repository; `known` are the numbers of those that were read."""

    http: Http
    place: Place
    now: datetime
    known: set[str] = field(default_factory=set)

    @property
    def path(self) -> str:
        return self.place.path("pullrequests")

    def changed(self, http: Http, since: str, before: datetime | None, number: int) -> ListedPage:
        limits = [f"updated_on >= {_written(datetime.fromisoformat(since))}"] if since else []
        limits += [f"updated_on <= {_written(before + GRAIN)}"] if before is not None else []
        filters = {"q": " AND ".join((_ALL, *limits)), "sort": "-updated_on", "fields": _PEOPLE, "page": number}
        listed = list_page(http, self.path, {**filters, "pagelen": PER_PAGE_OF_PULL_REQUESTS})
        return ListedPage(listed.items, not listed.next, listed.headers, listed.total)

    def read(self, entries: Sequence[Json]) -> list[RawRecord]:
        return [record for entry in entries for record in self._read(entry)]

    def read_numbers(self, numbers: Sequence[str]) -> list[RawRecord]:
        """The records of pull requests that had activity and are not in the list of changed ones."""
        records: list[RawRecord] = []
        for number in numbers:
            try:
                records += self._read(as_record(self.http.get(f"{self.path}/{number}").json()))
            except GoneError:
                continue
        return records

    def _read(self, entry: Json) -> Iterator[RawRecord]:
        number, updated_at = text_of(entry, "id"), time_of(entry, "updated_on")
        if not number:
            yield self._record(entry)
            return
        path = f"{self.path}/{number}"
        self.known.add(number)
        try:
            activity = read_activity(self.http, path)
        except GoneError:  # its repository was deleted since it was listed
            return
        is_young = updated_at is not None and updated_at >= self.now - LINES_WITHIN
        yield self._record(
            entry,
            activity=activity,
            commits=self._commits(path),
            lines=self._lines(entry) if is_young else None,
            merge_hash=self._merge_hash(entry),
        )

    def _record(self, entry: Json, **parts: Any) -> RawRecord:
        return record_of(SOURCE, normalise_pull_request, _stored(entry), repository=self.place.repository, **parts)

    def _commits(self, path: str) -> list[Json] | None:
        """The commits; None if they are gone, as with a fork: https://github.com/apache/devlake/issues/7258"""
        try:
            return [commit_fields(commit) for commit in list_all(self.http, f"{path}/commits")]
        except GoneError:
            return None

    def _lines(self, entry: Json) -> Json | None:
        """The lines and files; None if Bitbucket can no longer compare the branches.

        Read through the link, which names both commits: the address of the pull request itself redirects there.
        """
        link = urlsplit(text_of(object_of(entry, "links", "diffstat"), "href"))
        path, params = link.path.partition(API)[2], dict(parse_qsl(link.query))
        if not path:
            return None
        try:
            files = [as_record(file) for file in list_all(self.http, path, {**params, "pagelen": FILES_PER_PAGE})]
        except PermanentError:
            return None
        added, removed = (sum(_count(file, name) for file in files) for name in ("lines_added", "lines_removed"))
        return {"added": added, "removed": removed, "files": len(files)}

    def _merge_hash(self, entry: Json) -> str | None:
        """The full hash of the merge; pull requests contain only twelve characters of it."""
        short = text_of(object_of(entry, "merge_commit"), "hash")
        if text_of(entry, "state") != MERGED or not short:
            return None
        try:
            return text_of(object_of(self.http.get(self.place.path("commit", short)).json()), "hash") or None
        except PermanentError:
            return None


def _count(file: Json, name: str) -> int:
    value = file.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _stored(entry: Json) -> Json:
    """The fields that are read, with the address of its page."""
    people: Json = {name: person_fields(entry[name]) for name in ("author", "closed_by") if name in entry}
    fields: Json = {**fields_of(entry, _FIELDS), **people}
    for name in ("source", "destination"):
        if isinstance(entry.get(name), dict):
            fields[name] = {part: entry[name].get(part) for part in ("branch", "commit")}
    if isinstance(entry.get("participants"), list):
        fields["participants"] = [
            {**fields_of(one, ("approved",)), "user": person_fields(one.get("user"))} if isinstance(one, dict) else one
            for one in entry["participants"]
        ]
    return {**fields, "page": text_of(object_of(entry, "links", "html"), "href")}


def _written(at: datetime) -> str:
    """The time in the form that Bitbucket's filters accept."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
