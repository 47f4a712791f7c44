"""Pull requests with their commits, iterations, votes and threads.

A list has no time of change, and can only be filtered by creation and by end.  So a first reading goes back by creation
time; a later one lists the active pull requests and those that have ended since, and reads those whose entry differs
from the known one.  A comment changes no entry: each reading checks the threads of one pull request that is active or
ended recently, in turn.  A cursor is one of
  {}                               nothing has been read
  {"history", "watched"}           a first reading is in progress, at the cursor `history` of connectors/changes.py
  {"since", "watched", "looked"}   everything that ended before `since` was read
`watched` is number → [digest of the entry, digest of the threads, time of the end], `looked` the number whose threads
were checked last.

https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/get-pull-requests,
/git/pull-request-commits, /git/pull-request-iterations
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.azure.lists import PER_PAGE, entries_in, get, list_all, list_by_number
from integrations.connectors.azure.records import KEY, Place, account, branch
from integrations.connectors.azure.threads import count_comments, events_in, read_threads, remarks_in, threads_in
from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.changes import AT_A_TIME, GRAIN, OVERLAP, Changes, ListedPage, written
from integrations.connectors.drafts import (
    MISSING,
    ProvidedParts,
    PullRequestCommitDraft,
    PullRequestDraft,
    PullRequestEventDraft,
    ReviewDraft,
    Who,
    shown_title,
)
from integrations.connectors.errors import GoneError
from integrations.connectors.git.agent_signatures import agents_of_message
from integrations.connectors.git.history import written_at
from integrations.connectors.rate_limits import response_time
from integrations.connectors.reader import Reader
from integrations.connectors.references import host_of, issue_key, pull_request_references, references
from integrations.connectors.reviews import reviews_of
from integrations.connectors.unchecked import as_record, fields_of, object_of, objects_of, record_of, text_of, time_of
from integrations.enums import LinkMethod, PullRequestEventKind, PullRequestState

SOURCE, ID = "pull_request", "pullRequestId"
LATELY = timedelta(days=14)  # after the end comments are still looked for
LONGEST_LISTED = 400  # characters of a description in lists
_CRITERIA = "searchCriteria."
_OF_ITERATION = ("id", "createdDate", "author", "reason", "sourceRefCommit")
_STATES = {"completed": PullRequestState.MERGED, "abandoned": PullRequestState.CLOSED}


def normalise_pull_request(payload: Json) -> list[PullRequestDraft]:
    """`pull_request` alone, with `threads`, `commits` and `iterations`; each may be missing.  `page` is its address."""
    reader = Reader(payload)
    pull = Reader(payload.get("pull_request"), "pull_request", parent=reader)
    native, title = pull.text("status", default=""), pull.text("title", default="")
    threads = threads_in(reader)
    listed, iterations = reader.parts("commits", _commit), reader.parts("iterations", _iteration)
    commits = None if listed is None else [replace(one, position=at) for at, one in enumerate(_in_order(listed))]
    closed_at = pull.time("closedDate", default=None) if native in _STATES else None
    state = _STATES.get(native, PullRequestState.OPEN)
    is_merged = state is PullRequestState.MERGED
    page = reader.text("page", default="")
    named = pull_request_references(
        repository=KEY,
        host=host_of(page),
        branch=branch(pull.text("sourceRefName", default="")),
        title=title,
        body=pull.text("description", default=""),
        commits=(commit.subject for commit in commits or ()),
    )
    linked = pull.parts("workItemRefs", lambda item: item.identifier("id"))
    keys = (issue_key(KEY, int(number)) for number in linked or () if number.isdecimal())
    return [
        PullRequestDraft(
            external_id=pull.identifier(ID),
            repository=pull.identifier("repository.id"),
            number=pull.integer(ID),
            title=shown_title(title),
            url=page or MISSING,
            author=account(pull.object("createdBy")),
            requested_by=None,
            state=state,
            native_state=native or MISSING,
            is_draft=pull.boolean("isDraft", default=False),
            created_at=pull.time("creationDate"),
            merged_at=closed_at if is_merged else None,
            closed_at=closed_at,
            merged_by=account(pull.object("closedBy")) if is_merged else None,
            merge_sha=pull.text("lastMergeCommit.commitId", default="") if is_merged else "",
            head_sha=pull.text("lastMergeSourceCommit.commitId", default=MISSING),
            source_branch=branch(pull.text("sourceRefName", default="")) or MISSING,
            target_branch=branch(pull.text("targetRefName", default="")) or MISSING,
            additions=None,
            deletions=None,
            changed_files=None,
            commit_count=MISSING if commits is None else len(commits),
            comment_count=MISSING if threads is None else count_comments(threads, on_files=False),
            review_comment_count=MISSING if threads is None else count_comments(threads, on_files=True),
            labels=pull.names("labels"),
            commits=MISSING if commits is None else ProvidedParts(commits),
            reviews=MISSING
            if threads is None
            else ProvidedParts(_reviews(pull, reviews_of(remarks_in(threads), _approves(pull)), iterations or ())),
            events=MISSING
            if threads is None or iterations is None
            else ProvidedParts(sorted((*events_in(threads), *_force_pushes(iterations)), key=lambda event: event.at)),
            references=ProvidedParts(
                list(dict.fromkeys([*references(keys, LinkMethod.PROVIDER), *named])), whole=commits is not None
            ),
            left_out=tuple(reader.left_out),
        )
    ]


def _commit(commit: Reader) -> PullRequestCommitDraft:
    message, committed_at = commit.text("comment", default=""), commit.part_time("committer.date")
    name, email = commit.text("author.name", default=""), commit.text("author.email", default="")
    parents = commit.texts("parents")
    return PullRequestCommitDraft(
        sha=commit.text("commitId"),
        position=0,  # among all of them
        author=Who(name=name, email=email) if name or email else None,
        authored_at=written_at(message, authored_at=commit.part_time("author.date"), committed_at=committed_at),
        committed_at=committed_at,
        subject=shown_title(message.strip().partition("\n")[0].rstrip()),
        parents=parents if isinstance(parents, tuple) else (),
        agents=agents_of_message(message),
    )


def _in_order(listed: Sequence[PullRequestCommitDraft]) -> list[PullRequestCommitDraft]:
    """The commits, oldest first; they are listed newest first."""
    oldest_first = list(reversed(listed))
    if all(commit.committed_at for commit in oldest_first):
        oldest_first.sort(key=lambda commit: commit.committed_at)  # type: ignore[arg-type,return-value]
    return oldest_first


def _approves(pull: Reader) -> Callable[[Who], bool] | None:
    """Whether somebody's approval counts now, by the current votes; None if the payload has none."""
    if not pull.has("reviewers"):
        return None
    votes = pull.parts("reviewers", lambda one: (one.identifier("id").lower(), one.integer("vote", default=0)))
    approvers = {id_ for id_, vote in votes or () if vote > 0}
    return lambda by: by.account in approvers


# Iterations ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Iteration:
    """A push to the source branch."""

    at: datetime
    by: Who | None
    sha: str
    is_forced: bool


def _iteration(iteration: Reader) -> Iteration | None:
    at = iteration.part_time("createdDate", required=True)
    is_forced = iteration.text("reason", default="") in ("forcePush", "rebase")
    sha = iteration.text("sourceRefCommit.commitId", default="")
    return None if at is None else Iteration(at, account(iteration.object("author")), sha, is_forced)


def _force_pushes(iterations: Sequence[Iteration]) -> list[PullRequestEventDraft]:
    kind = PullRequestEventKind.FORCE_PUSHED
    return [PullRequestEventDraft(kind=kind, at=push.at, by=push.by) for push in iterations if push.is_forced]


def _reviews(pull: Reader, reviews: Sequence[ReviewDraft], iterations: Sequence[Iteration]) -> list[ReviewDraft]:
    """The reviews, with the head of the branch when each was submitted."""

    newest_first = sorted(iterations, key=lambda push: push.at, reverse=True)

    def head_at(at: datetime) -> str:
        return next((push.sha for push in newest_first if push.at <= at), "")

    return [replace(review, commit_sha=head_at(review.submitted_at)) for review in reviews]


# Reading ------------------------------------------------------------------------------------------------------------


def fetch_pull_requests(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read pull requests: a changed one costs four requests."""
    if place.resource.details.get("disabled"):  # its pull requests cannot be read, whatever the permissions
        yield Page((), cursor)
        return
    stream = _Stream(http, place, dict(cursor.get("watched", {})), now)
    if "since" in cursor:
        yield from stream.later(cursor)
    else:
        yield from stream.first(cursor.get("history", {}))


@dataclass(slots=True)
class _Stream:
    """The stream of a repository, the pull requests to check again, and the provider's time, as far as it is known."""

    http: Http
    place: Place
    watched: dict[str, list[str]]
    now: datetime

    @property
    def path(self) -> str:
        return self.place.api("git/repositories", self.place.resource.external_id, "pullrequests")

    def first(self, cursor: Cursor) -> Iterator[Page]:
        changes = Changes(
            list_page=self._created_before,
            read=self.read,
            answered=f"Azure DevOps answered {self.path}",
            time_field="creationDate",
            id_field=ID,
        )
        for page in changes.pages(self.http, cursor, now=self.now):
            if page.complete:
                yield replace(page, cursor={"since": page.cursor["since"], "watched": dict(self.watched)})
            else:
                yield replace(page, cursor={"history": page.cursor, "watched": dict(self.watched)})

    def _created_before(self, http: Http, since: str, before: datetime | None, number: int) -> ListedPage:
        criteria: dict[str, Any] = {f"{_CRITERIA}status": "all", f"{_CRITERIA}queryTimeRangeType": "created"}
        if before is not None:
            criteria[f"{_CRITERIA}maxTime"] = written(before + GRAIN)
        response = get(http, self.path, {**criteria, "$top": PER_PAGE, "$skip": (number - 1) * PER_PAGE})
        self.now = response_time(response.headers, self.now)
        items = entries_in(response, self.path)
        return ListedPage(items, len(items) < PER_PAGE, response.headers)

    def later(self, cursor: Cursor) -> Iterator[Page]:
        """Read the pull requests that are active or have ended since, then the threads of one that seems unchanged."""
        active, headers = list_by_number(self.http, self.path, {f"{_CRITERIA}status": "active"})
        ended, _ = list_by_number(
            self.http,
            self.path,
            {
                f"{_CRITERIA}status": "all",
                f"{_CRITERIA}queryTimeRangeType": "closed",
                f"{_CRITERIA}minTime": cursor["since"],
            },
        )
        self.now = response_time(headers, self.now)
        listed = {text_of(entry, ID): entry for entry in (*active, *ended)}
        entries = [entry for number, entry in listed.items() if self.watched.get(number, [""])[0] != _digest(entry)]
        entries += self._vanished(listed)
        looked = str(cursor.get("looked", ""))
        for start in range(0, len(entries), AT_A_TIME):
            records = self.read(entries[start : start + AT_A_TIME])
            place = {"since": cursor["since"], "watched": dict(self.watched), "looked": looked}
            yield Page(records, place, left=len(entries) - start - AT_A_TIME)
        looked, records = self._look(looked)
        known = {number: entry for number, entry in self.watched.items() if not self._is_old(entry)}
        since = written(self.now - OVERLAP)
        yield Page(records, {"since": since, "watched": known, "looked": looked}, left=0)

    def _vanished(self, listed: Mapping[str, Json]) -> Iterator[Json]:
        """Pull requests that were active and are now in neither list, for example because clocks differ."""
        for number, (_, _, ended) in list(self.watched.items()):
            if not ended and number not in listed:
                try:
                    yield as_record(get(self.http, f"{self.path}/{number}").json())
                except GoneError:
                    del self.watched[number]

    def _look(self, looked: str) -> tuple[str, list[RawRecord]]:
        """The number of the next pull request to check, and its record if its threads have changed."""
        numbers = sorted(self.watched, key=lambda number: (len(number), number))
        following = [number for number in numbers if (len(number), number) > (len(looked), looked)]
        number = next(iter((*following, *numbers)), "")
        if not number:
            return "", []
        try:
            threads = read_threads(self.http, f"{self.path}/{number}")
            if _digest_of(threads) == self.watched[number][1]:
                return number, []
            entry = as_record(get(self.http, f"{self.path}/{number}").json())
        except GoneError:
            del self.watched[number]
            return number, []
        return number, self.read([entry])

    def read(self, entries: Sequence[Json]) -> list[RawRecord]:
        return [record for entry in entries for record in self._read(entry)]

    def _read(self, entry: Json) -> Iterator[RawRecord]:
        number = text_of(entry, ID)
        page = f"{self.place.resource.details.get('html_url', '')}/pullrequest/{number}"
        if not number:
            yield record_of(SOURCE, normalise_pull_request, entry, id_field=ID)
            return
        path = f"{self.path}/{number}"
        try:
            whole = get(self.http, path, {"includeWorkItemRefs": "true"}).json()  # lists cut descriptions
            threads = read_threads(self.http, path)
            commits = [self._with_message(commit) for commit in list_all(self.http, f"{path}/commits", {"$top": 100})]
            iterations = [fields_of(one, _OF_ITERATION) for one in list_all(self.http, f"{path}/iterations")]
        except GoneError:  # its repository was deleted since it was listed
            return
        watched = [_digest(entry), _digest_of(threads), text_of(entry, "closedDate")]
        self.watched.pop(number, None)
        if not self._is_old(watched):
            self.watched[number] = watched
        parts = {"threads": threads, "commits": commits, "iterations": iterations, "page": page}
        yield record_of(SOURCE, normalise_pull_request, whole, id_field=ID, **parts)

    def _is_old(self, watched: Sequence[str]) -> bool:
        """Whether it ended so long ago that no comment is expected."""
        ended = time_of({"at": watched[2]}, "at")
        return ended is not None and ended < self.now - LATELY

    def _with_message(self, commit: Any) -> Json:
        """The commit with its whole message: trailers at its end name agents."""
        if not isinstance(commit, dict):
            return as_record(commit)
        fields: Json = fields_of(commit, ("commitId", "author", "committer", "comment", "parents"))
        if commit.get("commentTruncated") is True:
            path = self.place.api(
                "git/repositories", self.place.resource.external_id, "commits", fields.get("commitId")
            )
            fields["comment"] = object_of(get(self.http, path).json()).get("comment", fields.get("comment"))
        return fields


def _digest(entry: Json) -> str:
    """A digest of the fields of an entry that show that the pull request has changed."""
    reviewers = sorted(
        (text_of(one, "id"), one.get("vote"), one.get("hasDeclined")) for one in objects_of(entry.get("reviewers"))
    )
    labels = sorted(text_of(label, "name") for label in objects_of(entry.get("labels")))
    plain = [entry.get(name) for name in ("status", "title", "isDraft", "targetRefName", "closedDate")]
    body = text_of(entry, "description")[:LONGEST_LISTED]
    head = text_of(object_of(entry, "lastMergeSourceCommit"), "commitId")
    return _digest_of([plain, body, head, reviewers, labels])


def _digest_of(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()[:12]
