"""The calendar feed of an account, and the page that creates, renews and revokes its address."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from core.secret_links import secret_link
from core.views import form_view
from programs.meetings.services.feeds import TooManyReadsError, find_feed, read_feed, renew_feed, revoke_feed
from programs.models import CalendarFeed


@secret_link
@require_safe
@cache_control(private=True, no_cache=True)
def calendar_ics(request: HttpRequest, token: str) -> HttpResponse:
    """The account's meetings for calendar programs, which cannot sign in: the secret address is the credential."""
    feed = find_feed(token)
    if feed is None:
        raise Http404("There is no calendar at this address.")
    try:
        content = read_feed(feed)
    except TooManyReadsError:
        return HttpResponse("This calendar is being read too often.\n", status=429, headers={"Retry-After": "60"})
    if content is None:
        raise Http404("There is no calendar at this address.")
    etag, changed_at = f'"{content.etag}"', int(content.changed_at.timestamp())
    response = get_conditional_response(request, etag=etag, last_modified=changed_at)
    if response is None:
        response = HttpResponse(content.file, content_type="text/calendar; charset=utf-8")
    response["ETag"], response["Last-Modified"] = etag, http_date(changed_at)
    return response


@form_view
def calendar_feed(request: HttpRequest) -> HttpResponse:
    """The page; a POST creates a new address, shown once, or revokes the current one (`revoke`)."""
    account = request.user
    assert isinstance(account, User), "the page is for accounts"  # noqa: S101 — none else is let in
    address = ""
    if request.method == "POST":
        if "revoke" in request.POST:
            revoke_feed(account)
            messages.success(request, "The address is revoked: calendars that use it receive no more updates.")
            return redirect("calendar_feed")
        address = settings.BASE_URL + reverse("calendar_ics", args=[renew_feed(account)])
    feed = CalendarFeed.objects.filter(account=account).first()
    return render(request, "programs/meetings/feed.html", {"feed": feed, "address": address})
