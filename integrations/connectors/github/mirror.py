"""Headway's writes at GitHub: mirrors of action tickets as issues, and labels of pull requests.

https://docs.github.com/en/rest/issues/issues: creating and updating take *Issues: write*.
https://docs.github.com/en/rest/issues/labels: those of a pull request take *Pull requests: write*.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from integrations.connectors.base import Http, Json, MirrorDraft, MirroredItem
from integrations.connectors.errors import GoneError
from integrations.connectors.github.lists import list_page
from integrations.connectors.github.stream_repository import Place
from integrations.connectors.reader import Reader
from integrations.enums import MirrorState

NOT_PLANNED = "not_planned"
STATES: dict[MirrorState, Json] = {
    MirrorState.OPEN: {"state": "open", "state_reason": "reopened"},
    MirrorState.DONE: {"state": "closed", "state_reason": "completed"},
    MirrorState.DROPPED: {"state": "closed", "state_reason": NOT_PLANNED},
}
LATEST = 50  # issues searched for one whose creation was not confirmed


def write_issue(http: Http, place: Place, draft: MirrorDraft, key: str) -> MirroredItem:
    """Create or update the issue; `key` is its number, empty to create it, unless an unanswered request already did."""
    text = {"title": draft.title, "body": f"{draft.body}\n\n{draft.marker}".strip()}
    known = key or _number_of(http, place, draft.marker)
    if not known:
        created = Reader(http.post_once(place.path("issues"), json=text).json(), "issue")
        if draft.state is MirrorState.OPEN:
            return _item(created)
        known = created.identifier("number")
    return _item(Reader(http.patch(place.path("issues", known), json={**text, **STATES[draft.state]}).json(), "issue"))


def _number_of(http: Http, place: Place, marker: str) -> str:
    """The number of the issue whose text holds the marker; empty if none of the latest does."""
    latest = {"state": "all", "sort": "created", "direction": "desc", "per_page": LATEST}
    page = list_page(http, place.path("issues"), params=latest)
    return next((str(issue["number"]) for issue in page.items if _has(issue, marker)), "") if page else ""


def _has(issue: Any, marker: str) -> bool:
    return isinstance(issue, dict) and "pull_request" not in issue and marker in (issue.get("body") or "")


def _item(issue: Reader) -> MirroredItem:
    is_open = issue.text("state") == "open"
    dropped = issue.text("state_reason", default="") == NOT_PLANNED
    return MirroredItem(
        external_id=issue.identifier("id"),
        key=issue.identifier("number"),
        url=issue.text("html_url"),
        state=MirrorState.OPEN if is_open else MirrorState.DROPPED if dropped else MirrorState.DONE,
        updated_at=issue.time("updated_at"),
    )


def write_labels(http: Http, place: Place, number: int, *, add: Collection[str], remove: Collection[str]) -> None:
    """Set labels, which GitHub creates where the repository has none of the name, and remove others."""
    labels = place.path("issues", number, "labels")
    if add:
        http.post(labels, json={"labels": sorted(add)})
    for name in sorted(remove):
        try:
            http.delete(f"{labels}/{quote(name, safe='')}")
        except GoneError:
            continue  # somebody removed it, or the pull request is gone
