"""The inbox: notices, newest first, and marking them as read."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from core.page_links import Picker, page_links, read_page, url_with
from core.views import action_view, record_view
from insights.pages.findings import lines_of
from insights.privacy.scope_access import access_in
from insights.query.errors import QueryError
from insights.ui import wording
from programs.models import MessageKind, Notice
from programs.reminders.services.inbox import COUNTED, count_unread, notices_of, read_notices, unread_notices
from programs.reminders.services.labels import items_of, notices_of_page, with_related

PAGE_SIZE, FINDINGS_SHOWN = 25, 3
SHOWN = {"unread": "Unread", "all": "All"}
ICONS = {
    MessageKind.DUE_SOON.value: "calendar-due",
    MessageKind.DUE.value: "clock",
    MessageKind.OVERDUE.value: "clock-exclamation",
    MessageKind.OVERDUE_IN_TEAM.value: "clock-exclamation",
    MessageKind.ASSIGNED.value: "user-check",
    MessageKind.MENTIONED.value: "message",
    MessageKind.COMMENTED.value: "message",
    MessageKind.CHECK_IN_DUE.value: "target",
    MessageKind.OBJECTIVE_MISSING.value: "flag",
    MessageKind.MEETING_INVITATION.value: "calendar",
    MessageKind.MEETING_CANCELLED.value: "calendar",
    MessageKind.MEETING_SOON.value: "clock",
    MessageKind.MEETING_UNSIGNED.value: "writing",
    MessageKind.POLICY.value: "eye",
    MessageKind.DIGEST.value: "mail",
}
LATE = (MessageKind.OVERDUE, MessageKind.OVERDUE_IN_TEAM)


@record_view
def inbox_count(request: HttpRequest) -> HttpResponse:
    """The number of unread notices for the navigation and bell; empty if there are none."""
    count = count_unread(access_in(request))
    return render(request, "programs/inbox/_count.html", {"count": f"{COUNTED}+" if count > COUNTED else count or ""})


@record_view
def inbox(request: HttpRequest) -> HttpResponseBase:
    access = access_in(request)
    shown = request.GET.get("show", "unread")
    if shown not in SHOWN:
        raise QueryError("show", f"show= is one of: {', '.join(SHOWN)}.")
    notices = notices_of(access)
    matching = notices.unread() if shown == "unread" else notices
    page = Paginator(matching.order_by("-at", "-pk").values_list("pk", flat=True), PAGE_SIZE).get_page(
        read_page(request)
    )
    listed, now = notices_of_page(list(page)), timezone.now()
    context: dict[str, Any] = {
        "notices": [
            (notice, item, ICONS.get(notice.kind, "bell"), notice.kind in LATE, wording.ago(notice.at, now))
            for notice, item in zip(listed, items_of(listed), strict=True)
        ],
        "shown": shown,
        "pickers": [Picker(label=label, url=_url(show=word), active=word == shown) for word, label in SHOWN.items()],
        "has_unread": bool(page.object_list) if shown == "unread" else notices.unread().exists(),
        **page_links(page, lambda number: _url(show=shown, page=number)),
        "here": request.get_full_path(),
        "findings": lines_of(access, most=FINDINGS_SHOWN) if page.number == 1 else [],
    }
    return render(request, "programs/inbox/list.html", context)


@record_view
def notice_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks the notice as read and redirects to its subject."""
    notice = _own(request, pk)
    read_notices(access_in(request), [pk])
    [item] = items_of([notice])
    return redirect(item.path)


@action_view
def notice_read(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks the notice as read with `read=1`, as unread otherwise."""
    notice = _own(request, pk)
    (read_notices if request.POST.get("read") == "1" else unread_notices)(access_in(request), [notice.pk])
    return _back(request)


@action_view
def inbox_read_all(request: HttpRequest) -> HttpResponse:
    count = read_notices(access_in(request))
    messages.success(request, f"{wording.count(count, 'notification')} marked as read.")
    return redirect("inbox")


def _own(request: HttpRequest, pk: int) -> Notice:
    return get_object_or_404(with_related(notices_of(access_in(request))), pk=pk)


def _url(**params: object) -> str:
    pairs = [pair for pair in params.items() if pair not in (("show", "unread"), ("page", 1))]
    return url_with(reverse("inbox"), pairs)


def _back(request: HttpRequest) -> HttpResponse:
    """Redirects to the page of the inbox on which the notice was marked."""
    back = request.POST.get("back", "")
    path = reverse("inbox")
    return redirect(back if back == path or back.startswith(f"{path}?") else path)
