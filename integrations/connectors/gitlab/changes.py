"""GitLab's lists by last change: connectors/changes.py, by the filters of GitLab's API.

https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests and those of issues, pipelines and deployments
have the same filters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, RawRecord
from integrations.connectors.changes import AT_A_TIME, GRAIN, OVERLAP, Changes, ListedPage, written
from integrations.connectors.gitlab.group_changes import GroupChanges
from integrations.connectors.gitlab.lists import PER_PAGE, list_page

# A comment within a minute of the last change leaves the time of change as it is, so younger records are read again:
# https://github.com/python-gitlab/python-gitlab/issues/743
SETTLED = timedelta(minutes=2)


def changes_in(
    path: str,
    read: Callable[[Sequence[Json]], Sequence[RawRecord]],
    *,
    params: Mapping[str, Any] | None = None,
    batch: int = AT_A_TIME,
    tells_all: bool = True,
    group: GroupChanges | None = None,
) -> Changes:
    """The list at `path`; `group` is the same list for all projects of the group, which shows whether there are changes
    to read.
    """

    def page(http: Http, since: str, before: datetime | None, number: int) -> ListedPage:
        # Deployments may be sorted by change only with a filter by it.
        filters = {**(params or {}), "order_by": "updated_at", "sort": "desc", "page": number}
        filters["updated_after"] = since or "1970-01-01T00:00:00Z"
        if before is not None:
            filters["updated_before"] = written(before + GRAIN)
        listed = list_page(http, path, filters)
        is_last = not listed.next and len(listed.items) < PER_PAGE
        return ListedPage(listed.items, is_last, listed.headers, listed.total)

    def quiet(http: Http, ended: Mapping[str, Any], now: datetime) -> Cursor | None:
        since, known = datetime.fromisoformat(ended["since"]), ended.get("known", {})
        unread = group.unread(http, since, known, now) if group else None
        if unread is None or not unread.is_quiet:
            return None
        begin = max(since, unread.answered_at - OVERLAP)
        young = {id_: text for id_, text in known.items() if datetime.fromisoformat(text) >= begin}
        return {"since": written(begin), "known": young}

    return Changes(
        list_page=page,
        read=read,
        answered=f"GitLab answered {path}",
        batch=batch,
        settles=SETTLED,
        tells_all=tells_all,
        quiet=quiet,
    )
