"""Commits of the default branch: from its head, later those that were added since.

The commits that one head reaches and another does not never change, so their list is paged without gaps whatever is
pushed meanwhile.  A cursor is one of
  {}                          nothing was read yet
  {"head"}                    everything up to that commit was read
  {"to", "from", "next"}      a reading is under way, from head to head (or from the beginning), at that page

https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commits/#api-repositories-workspace-repo-slug-commits-get
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from integrations.connectors.base import Cursor, Http, Json, Page
from integrations.connectors.bitbucket.lists import Listed, list_page
from integrations.connectors.bitbucket.records import Place, commit_fields, signed_by
from integrations.connectors.drafts import CommitDraft, Who
from integrations.connectors.errors import GoneError, TransientError
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import record_of, text_of

SOURCE = "branch_commit"


def normalise_commit(payload: Json) -> list[CommitDraft]:
    """`branch_commit` from a list, and `repository`.  It has one time; its lines are counted by a mirror."""
    reader = Reader(payload)
    commit = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    author, at = signed_by(commit) or Who(name="unknown"), commit.time("date")
    return [
        CommitDraft(
            external_id=commit.text("hash"),
            repository=reader.identifier("repository.id"),
            parents=commit.all_texts("parents", "hash", default=()),
            author=author,
            authored_at=at,
            committer=author,
            committed_at=at,
            message=commit.text("message", default=""),
            left_out=tuple(commit.left_out),
        )
    ]


def fetch_commits(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read a hundred commits per request."""
    to, from_ = str(cursor.get("to", "")), str(cursor.get("from", ""))
    following: Mapping[str, str] = cursor.get("next", {})
    if not to:
        from_, following = str(cursor.get("head", "")), {}
        to = _tip(http, place) or from_
    while to and to != from_:
        listed = _page(http, place, from_, to, following)
        if listed is None:
            from_, following = "", {}  # the branch was rewritten, and Bitbucket has forgotten the old head
            continue
        records = [
            record_of(SOURCE, normalise_commit, commit_fields(item), id_field="hash", repository=place.repository)
            for item in listed.items
        ]
        if not listed.next:
            yield Page(records, {"head": to}, left=0)
            return
        following = listed.next
        yield Page(records, {"to": to, "from": from_, "next": following})
    yield Page((), {"head": to} if to else {})


def _tip(http: Http, place: Place) -> str:
    """The newest commit of the default branch; empty if there is none."""
    branch = str(place.resource.details.get("default_branch", ""))
    if not branch:
        return ""
    try:
        newest = list_page(http, place.path("commits"), {"include": branch, "pagelen": 1}).items
    except GoneError:  # an empty repository
        return ""
    return text_of(newest[0], "hash") if newest else ""


def _page(http: Http, place: Place, from_: str, to: str, following: Mapping[str, str]) -> Listed | None:
    """The commits that `to` reaches and `from_` does not; None if `from_` is gone.

    Raises TransientError if the first of them is not `to`: a proxy answered with another page.
    """
    range_ = {"include": to, **({"exclude": from_} if from_ else {})}
    try:
        listed = list_page(http, place.path("commits"), {**range_, **following})
    except GoneError:
        if not from_:
            raise
        return None
    if listed.items and (text_of(listed.items[0], "hash") == to) != (not following):
        raise TransientError("Bitbucket answered with a page of commits other than the requested one.")
    return listed
