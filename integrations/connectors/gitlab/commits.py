"""Commits of the default branch: from its head, later those that were added since.

The commits that one head reaches and another does not never change, so their list is paged without gaps whatever is
pushed meanwhile.  A cursor is one of
  {}                          nothing was read yet
  {"head"}                    everything up to that commit was read
  {"to", "from", "page"}      a reading is under way, from head to head (or from the beginning), at that page

https://docs.gitlab.com/api/commits/#list-repository-commits: `ref_name` may be a range of revisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page
from integrations.connectors.drafts import CommitDraft, Who
from integrations.connectors.errors import GoneError, TransientError
from integrations.connectors.gitlab.lists import PER_PAGE, list_page
from integrations.connectors.gitlab.records import Place
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import record_of, text_of

SOURCE = "commit"
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""What a clone makes of an author's time that cannot be (git/history.py): outside of what counts as one."""


def normalise_commit(payload: Json) -> list[CommitDraft]:
    """`commit` from a list, and `project` (its id).  It names no account, and its lines are counted by a mirror."""
    reader = Reader(payload)
    commit = Reader(payload.get("commit"), "commit", parent=reader)
    parents = commit.texts("parent_ids")
    return [
        CommitDraft(
            external_id=commit.text("id"),
            repository=reader.identifier("project.id"),
            parents=parents if isinstance(parents, tuple) else (),
            author=_signed(commit, "author"),
            authored_at=commit.part_time("authored_date") or NO_TIME,
            committer=_signed(commit, "committer"),
            committed_at=commit.time("committed_date"),
            message=commit.text("message", default=""),
            left_out=tuple(commit.left_out),
        )
    ]


def _signed(commit: Reader, role: str) -> Who:
    name, email = (commit.text(f"{role}_{field}", default="") for field in ("name", "email"))
    return Who(name=name, email=email) if name or email else Who(name="unknown")


def fetch_commits(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read a hundred commits per request."""
    to, from_, number = str(cursor.get("to", "")), str(cursor.get("from", "")), int(cursor.get("page", 1))
    if not to:
        from_, number = str(cursor.get("head", "")), 1
        to = _tip(http, place) or from_
    while to and to != from_:
        items, is_last = _page(http, place, from_, to, number)
        if not items and from_ and number == 1:
            from_ = ""  # the branch was rewritten, and GitLab has forgotten the old head
            continue
        records = [record_of(SOURCE, normalise_commit, item, id_field="id", project=place.project) for item in items]
        if is_last:
            yield Page(records, {"head": to}, left=0)
            return
        number += 1
        yield Page(records, {"to": to, "from": from_, "page": number})
    yield Page((), {"head": to} if to else {})


def _tip(http: Http, place: Place) -> str:
    """The newest commit of the default branch; empty if there is none."""
    branch = place.resource.details.get("default_branch")
    try:
        newest = list_page(http, _path(place), {"ref_name": branch, "per_page": 1}).items if branch else []
    except GoneError:  # an empty repository
        return ""
    return text_of(newest[0], "id") if newest else ""


def _page(http: Http, place: Place, from_: str, to: str, number: int) -> tuple[list[Any], bool]:
    """The commits that `to` reaches and `from_` does not, and whether these are all of them.

    Raises TransientError if the first of them is not `to`: a proxy answered with another page.
    """
    range_ = f"{from_}..{to}" if from_ else to
    try:
        listed = list_page(http, _path(place), {"ref_name": range_, "page": number})
    except GoneError:
        if not from_:
            raise
        return [], True
    if listed.items and (text_of(listed.items[0], "id") == to) != (number == 1):
        raise TransientError("GitLab answered with a page of commits other than the requested one.")
    return listed.items, not listed.next and len(listed.items) < PER_PAGE


def _path(place: Place) -> str:
    return place.path("repository", "commits")
