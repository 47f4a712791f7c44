"""The stream of commits: the default branch from its head, later what came to it since.

A branch at a commit never changes, so its list is paged without gaps however much is pushed meanwhile.  What came later
is GitHub's comparison of two heads, for a commit's date says nothing of when it was pushed.  A cursor is one of
  {}                          nothing was read yet
  {"head", "etag"}            everything up to that commit was read
  {"to", "from", "page"}      a reading is under way, from head to head (or from the beginning), at that page
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from integrations.connectors.base import Cursor, Http, Page, RawRecord
from integrations.connectors.errors import GoneError
from integrations.connectors.github.commits import normalise_commit
from integrations.connectors.github.lists import PER_PAGE, Listed, as_record, list_page, text_of
from integrations.connectors.github.place import Place
from integrations.connectors.github.refusal import EmptyRepositoryError

SOURCE = "commit"


def fetch_commits(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """A hundred commits a request."""
    to, from_, page = str(cursor.get("to", "")), str(cursor.get("from", "")), int(cursor.get("page", 1))
    etag = str(cursor.get("etag", ""))
    if not to:
        from_, page = str(cursor.get("head", "")), 1
        tip = _tip(http, place, etag, now)
        to, etag = (text_of(tip.items[0], "sha"), tip.etag) if tip and tip.items else (from_, etag)
    while to and to != from_:
        try:
            listed = _page(http, place, from_, to, page=page, now=now)
        except GoneError:
            if not from_:
                raise
            from_, page = "", 1  # the branch was rewritten, and GitHub has forgotten the old head
            continue
        records = [_record(place, entry) for entry in listed.items]
        if not listed.next:
            yield Page(records, {"head": to, "etag": etag})
            return
        page += 1
        left = None if listed.pages_left is None else listed.pages_left * PER_PAGE
        yield Page(records, {"to": to, "from": from_, "page": page, "etag": etag}, left=left)
    yield Page((), {"head": to, "etag": etag} if to else {})


def _tip(http: Http, place: Place, etag: str, now: datetime) -> Listed | None:
    """The newest commit of the default branch; None where it is the same as before, or there is none."""
    try:
        return list_page(http, place.path("commits"), now=now, params={"per_page": 1}, etag=etag)
    except EmptyRepositoryError:
        return None


def _page(http: Http, place: Place, from_: str, to: str, *, page: int, now: datetime) -> Listed:
    """A page of what `to` reaches and `from_` does not.  Raises GoneError where one of them is not there any more."""
    asked = {"per_page": PER_PAGE, "page": page}
    if from_:
        path = place.path("compare", f"{from_}...{to}")
        listed = list_page(http, path, now=now, params=asked, within="commits")
    else:
        listed = list_page(http, place.path("commits"), now=now, params={"sha": to, **asked})
    if listed is None:
        raise AssertionError("Nothing was asked conditionally.")
    return listed


def _record(place: Place, commit: Any) -> RawRecord:
    payload = {"commit": as_record(commit), "repository": place.repository}
    return RawRecord(payload, normalise_commit, text_of(commit, "sha"), SOURCE)
