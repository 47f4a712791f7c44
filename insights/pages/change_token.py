"""The change token: open pages poll it every two seconds, as an ETag, to learn whether facts changed.

It is a keyed digest for one reader that contains no counts.  A change alone reveals that other people did something, so
readers who may not see everything with names learn of changes at most once in a quarter of an hour.
"""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.http import quote_etag
from django.views.decorators.http import etag

from core.cache import Cache
from core.views import page_view
from insights.columns.change_token import change_token
from insights.privacy.scope_access import access_in

SECONDS_OF_STEP = 900
states_by_step: Cache[str] = Cache(4000, len)
"""The state that the first reader of a quarter of an hour found, by its number."""


def current_token(request: HttpRequest) -> str:
    """The ETag of the figures, as far as the reader may learn about their changes."""
    access = access_in(request)
    at_once = access.visibility.whole and access.shows_small_groups
    state = change_token() if at_once else _state_of_step()
    return quote_etag(salted_hmac("change token", f"{request.user.pk} {state}", algorithm="sha256").hexdigest()[:32])


def _state_of_step() -> str:
    """The state at the first request in this quarter of an hour, shared by all readers of this process.

    With a state per reader, two readers could narrow down the time of a change.
    """
    step = str(int(time.time() // SECONDS_OF_STEP))
    state = states_by_step.get(step)
    if state is None:
        state = change_token()
        states_by_step.put(step, state)
    return state


@page_view
@etag(current_token)
def page_change_token(request: HttpRequest) -> HttpResponse:
    """Returns 204 with the token for the newest facts, columns, memberships and day; 304 while it is unchanged."""
    return HttpResponse(status=204)
