"""Unsubscribes by the link in an e-mail.

A GET changes nothing, for mail programs and filters open links by themselves; the page has a button.  A POST ends it:
from that button, or at once from a mail program that offers one (RFC 8058), which has no session and no CSRF token.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.secret_links import secret_link
from programs.reminders.services.unsubscribing import NoSuchLinkError, is_unsubscribed, read_token, unsubscribe


@csrf_exempt
@secret_link
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    try:
        account, channel = read_token(token)
    except NoSuchLinkError:
        raise Http404("No such link.") from None
    if request.method == "POST":
        unsubscribe(account, channel)
    done = is_unsubscribed(account, channel)
    return render(request, "programs/notifications/unsubscribe.html", {"done": done, "channel": channel.label})
