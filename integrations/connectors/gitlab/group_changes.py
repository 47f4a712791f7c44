"""Lists the changes in all projects of a group: a thousand projects without changes cost one request together.

The latest list of each group is cached for a few seconds, and shows whether its projects have changes to read.
https://docs.gitlab.com/api/merge_requests/#list-group-merge-requests,
https://docs.gitlab.com/api/issues/#list-group-issues
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from cachetools import TTLCache

from integrations.connectors.base import Http, Json
from integrations.connectors.errors import PermanentError
from integrations.connectors.gitlab.lists import PER_PAGE, list_page
from integrations.connectors.gitlab.records import Place
from integrations.connectors.rate_limits import response_time
from integrations.connectors.unchecked import as_record, text_of, time_of

CACHED_SECONDS = 4.0  # a webhook makes a stream due that must not be taken for quiet by an older list
REFUSED_SECONDS = 600.0
FURTHEST = timedelta(days=1)  # back from now: a project whose last reading is older is read separately
ALL = {"state": "all", "scope": "all", "order_by": "updated_at", "sort": "desc", "per_page": PER_PAGE}
_Key = tuple[str, str, str]
_cached: TTLCache[_Key, _Latest] = TTLCache(1_000, ttl=CACHED_SECONDS)
_refused: TTLCache[_Key, bool] = TTLCache(1_000, ttl=REFUSED_SECONDS)  # a token of one project does not see its group
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Latest:
    """All records of a group that changed since `since`, by project."""

    since: datetime
    answered_at: datetime
    by_project: Mapping[str, Sequence[Json]]


@dataclass(frozen=True, slots=True)
class GroupChanges:
    """The list `name` of the group of a project; `type_` limits it to issues of that type."""

    place: Place
    name: str
    type_: str = ""

    def unread(self, http: Http, since: datetime, known: Mapping[str, str], now: datetime) -> _Unread | None:
        """The project's changes that are not known yet; None if the group's list does not show them."""
        group = str(self.place.resource.details.get("group", ""))
        if not group or self.place.resource.details.get("archived") or since < now - FURTHEST:
            return None
        latest = self._latest(http, group, since, now)
        if latest is None or since < latest.since:
            return None
        of_project = latest.by_project.get(self.place.resource.external_id, ())
        changed = [item for item in of_project if not self.type_ or text_of(item, "issue_type") == self.type_]
        recent = [item for item in changed if (at := time_of(item, "updated_at")) is None or at >= since]
        is_quiet = all(known.get(text_of(item, "id")) == text_of(item, "updated_at") for item in recent)
        return _Unread(is_quiet, latest.answered_at)

    def _latest(self, http: Http, group: str, since: datetime, now: datetime) -> _Latest | None:
        """The group's latest list: from the cache if that goes back far enough, otherwise read; None if it cannot
        be read.
        """
        key = (self.place.credential, group, self.name)
        with _lock:
            cached = _cached.get(key)
            if key in _refused or (cached is not None and cached.since <= since):
                return cached
        latest = self._read(http, group, since, now)
        with _lock:
            if latest is None:
                _refused[key] = True
            else:
                _cached[key] = latest
        return latest

    def _read(self, http: Http, group: str, since: datetime, now: datetime) -> _Latest | None:
        path = f"groups/{quote(group, safe='')}/{self.name}"
        try:
            listed = list_page(http, path, {**ALL, "updated_after": f"{since:%Y-%m-%dT%H:%M:%SZ}"})
        except PermanentError:
            return None
        items = [as_record(item) for item in listed.items]
        times = [at for item in items if (at := time_of(item, "updated_at"))]
        is_whole = not listed.next and len(items) < PER_PAGE
        by_project: dict[str, list[Json]] = {}
        for item in items:
            by_project.setdefault(text_of(item, "project_id"), []).append(_version_of(item))
        begin = since if is_whole else min(times, default=now) + timedelta(milliseconds=1)
        return _Latest(begin, response_time(listed.headers, now), by_project)


@dataclass(frozen=True, slots=True)
class _Unread:
    """Whether a project has no unread changes, as of the time of the answer."""

    is_quiet: bool
    answered_at: datetime


def _version_of(item: Json) -> dict[str, Any]:
    """The fields by which a later list shows whether the record has changed."""
    return {name: item.get(name) for name in ("id", "updated_at", "issue_type")}


def forget() -> None:
    """Forget all lists."""
    with _lock:
        _cached.clear()
        _refused.clear()
