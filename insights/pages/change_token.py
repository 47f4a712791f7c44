"""The change token: open pages poll it every two seconds to learn whether facts changed, as an ETag.

It is a keyed digest for one reader, in which nothing can be counted.  That anything changed is a signal of what others
do, so who may not see everything with names learns it at most once a quarter of an hour.
"""

from __future__ import annotations

import os
import threading
import time

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.http import quote_etag
from django.views.decorators.http import etag

from insights.columns.change_token import change_token
from insights.privacy.scope_access import access_in
from insights.ui.views import page_view

SECONDS_OF_STEP = 900
_lock = threading.Lock()
_step: tuple[int, str] = (-1, "")
"""The current quarter of an hour, and the state that its first reader found."""


def current_token(request: HttpRequest) -> str:
    """The ETag of the figures as far as the reader may learn of their changes."""
    access = access_in(request)
    at_once = access.visibility.whole and access.shows_small_groups
    state = change_token() if at_once else _state_of_step()
    return quote_etag(salted_hmac("change token", f"{request.user.pk} {state}", algorithm="sha256").hexdigest()[:32])


def _state_of_step() -> str:
    """The state at the first look in this quarter of an hour, for all readers of this process.

    Not each reader's own: the time of a change would lie between the looks of two of them.
    """
    global _step  # noqa: PLW0603  # one per process
    number = int(time.time() // SECONDS_OF_STEP)
    with _lock:
        if _step[0] != number:
            _step = (number, change_token())
        return _step[1]


def _forget() -> None:
    global _lock, _step
    _lock, _step = threading.Lock(), (-1, "")


os.register_at_fork(after_in_child=_forget)


@page_view
@etag(current_token)
def page_change_token(request: HttpRequest) -> HttpResponse:
    """204 with the token of the newest facts, columns, memberships and day; 304 while it is unchanged."""
    return HttpResponse(status=204)
