"""The stream of commits: the default branch from its head, later the commits added since.

The history of a commit never changes, so its list is paged without gaps whatever is pushed meanwhile.  Later commits
come from GitHub's comparison of two heads, since a commit's date says nothing about when it was pushed.  A cursor is
one of
  {}                          nothing was read yet
  {"head", "etag"}            everything up to that commit was read
  {"to", "from", "next"}      a reading is under way, from head to head (or from the beginning), at that page
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from integrations.connectors.base import Cursor, Http, Json, Page
from integrations.connectors.drafts import CommitDraft, Who
from integrations.connectors.errors import GoneError
from integrations.connectors.github.accounts import author_of_commit
from integrations.connectors.github.lists import PER_PAGE, Listed, following, list_page
from integrations.connectors.github.refusal import EmptyRepositoryError
from integrations.connectors.github.stream_repository import Place, record_of
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import text_of

NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""What a clone makes of an author's time that cannot be (git/history.py): outside of what counts as one."""


def normalise_commit(payload: Json) -> list[CommitDraft]:
    """`commit` from a list, and `repository` (its id).  Lists do not count lines: a mirror does."""
    reader = Reader(payload)
    commit = Reader(payload.get("commit"), "commit", parent=reader)
    return [
        CommitDraft(
            external_id=commit.text("sha"),
            repository=reader.identifier("repository.id"),
            parents=commit.all_texts("parents", "sha"),
            author=_signed(commit, "author"),
            authored_at=commit.part_time("commit.author.date") or NO_TIME,
            committer=_signed(commit, "committer"),
            committed_at=commit.time("commit.committer.date"),
            message=commit.text("commit.message", default=""),
            left_out=tuple(commit.left_out),
        )
    ]


def _signed(commit: Reader, role: str) -> Who:
    return author_of_commit(commit.object(f"commit.{role}"), commit.object(role)) or Who(name="unknown")


def fetch_commits(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read a hundred commits per request."""
    to, from_, address = (str(cursor.get(name, "")) for name in ("to", "from", "next"))
    etag = str(cursor.get("etag", ""))
    record = partial(record_of, "commit", normalise_commit, id_field="sha", repository=place.repository)
    if not to:
        from_, address = str(cursor.get("head", "")), ""
        tip = _tip(http, place, etag)
        to, etag = (text_of(tip.items[0], "sha"), tip.etag) if tip and tip.items else (from_, etag)
    while to and to != from_:
        try:
            listed = _page(http, place, from_, to, address=address)
        except GoneError:
            if not from_:
                raise
            from_, address = "", ""  # the branch was rewritten, and GitHub has forgotten the old head
            continue
        records = [record(entry) for entry in listed.items]
        if not listed.next:
            yield Page(records, {"head": to, "etag": etag})
            return
        address = following(listed, address)
        left = None if listed.pages_left is None else listed.pages_left * PER_PAGE
        yield Page(records, {"to": to, "from": from_, "next": address, "etag": etag}, left=left)
    yield Page((), {"head": to, "etag": etag} if to else {})


def _tip(http: Http, place: Place, etag: str) -> Listed | None:
    """The newest commit of the default branch; None if it is the same as before, or there is none."""
    try:
        return list_page(http, place.path("commits"), params={"per_page": 1}, etag=etag)
    except EmptyRepositoryError:
        return None


def _page(http: Http, place: Place, from_: str, to: str, *, address: str) -> Listed:
    """A page of the commits that `to` reaches and `from_` does not; the first one without an address.

    Raises GoneError if one of the two no longer exists.
    """
    within = "commits" if from_ else ""
    if address:
        listed = list_page(http, address, within=within)
    elif from_:
        path = place.path("compare", f"{from_}...{to}")
        listed = list_page(http, path, params={"per_page": PER_PAGE, "page": 1}, within=within)
    else:
        listed = list_page(http, place.path("commits"), params={"sha": to, "per_page": PER_PAGE})
    if listed is None:
        raise AssertionError("Nothing was asked conditionally.")
    return listed
