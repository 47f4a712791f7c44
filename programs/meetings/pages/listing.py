"""Meetings of a unit and of all below it: upcoming and past, all and one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.page_links import Picker, page_links, read_page, url_with
from insights.privacy.scope_access import access_in
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from insights.ui.views import record_view
from orgtree.access.access import Access
from programs.meetings.queries.meetings import WHEN, MeetingFilters
from programs.meetings.services.records import records_of

PAGE_SIZE = 25
OWN = ("when", "kind", "mine")


@record_view
def meetings(request: HttpRequest) -> HttpResponseBase:
    access = access_in(request)
    filters = filters_of(request, facets=())
    own = {name: value for name in OWN if (value := request.GET.get(name, "").strip())}
    around = scope_navigation(request, filters)
    # one's own meetings are of whatever unit
    unit = {} if "mine" in own or filters.scope.unit is None else {"unit": filters.scope.unit}
    matching = MeetingFilters({"when": "upcoming", **own, **unit}, access.visibility)
    page = Paginator(matching.qs, PAGE_SIZE).get_page(read_page(request))
    shown = list(page)
    records = records_of(shown, access.visibility)
    url = _Urls(filters, own)
    is_past = own.get("when") == "past"
    context: dict[str, Any] = {
        "scope": scope_bar(filters, around, {}, request.path, extra_params=own),
        "whose": scope_words(filters, around),
        "meetings": [(meeting, records.get(meeting.pk)) for meeting in shown],
        "is_past": is_past,
        "times": [Picker(label, url(when=key), active=is_past == (key == "past")) for key, label in WHEN.items()],
        "kinds": [
            Picker(label, url(kind=key), active=own.get("kind", "") == key)
            for key, label in MeetingFilters.pickers()["kind"].items()
        ],
        "mine": _mine(own, access, url),
        "is_narrowed": bool(own.keys() - {"when"}),
        "all_url": url(kind="", mine=""),
        "may_schedule": access.visibility.leads_any,
        "new_url": url_with(reverse("meeting_series_new"), {"unit": filters.scope.unit}),
        **page_links(page, lambda number: url(page=number)),
    }
    return render(request, "programs/meetings/list.html", context)


class _Urls:
    """This list with other parameters; an empty one is left out."""

    def __init__(self, filters: Filters, own: Mapping[str, str]) -> None:
        self._params = {**dict(filters.scope_parameters()), **own}

    def __call__(self, **changed: str) -> str:
        params = {**self._params, **changed}
        return url_with(reverse("meetings"), [pair for pair in params.items() if pair != ("when", "upcoming")])


def _mine(own: Mapping[str, str], access: Access, url: _Urls) -> Picker | None:
    """Nothing for an account that is no person."""
    if access.visibility.person_id is None:
        return None
    return Picker("My meetings", url(mine="" if "mine" in own else "yes"), active="mine" in own)
