"""Business reviews by unit and period."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.page_links import page_links, read_page, url_with
from insights.privacy.scope_access import access_in
from insights.ui.views import record_view
from programs.history.events import names_of_accounts
from programs.models import QbrState
from programs.qbr.queries import QbrFilters, visible_qbrs

PAGE_SIZE = 25
TONES = {QbrState.SIGNED: ("good", "check"), QbrState.FROZEN: ("acc", "snowflake"), QbrState.DRAFT: ("", "writing")}


@record_view
def qbrs(request: HttpRequest) -> HttpResponseBase:
    """`unit`, `period`, `state` and `start` narrow the list."""
    access = access_in(request)
    filtered = QbrFilters(request.GET, visible_qbrs(access.visibility))
    page = Paginator(filtered.qs, PAGE_SIZE).get_page(read_page(request))
    params = {name: request.GET[name] for name in QbrFilters.base_filters if request.GET.get(name)}
    context: dict[str, Any] = {
        "qbrs": page,
        "names": names_of_accounts([qbr.signed_by_id for qbr in page]),
        "tones": TONES,
        "form": filtered.form,
        "is_narrowed": bool(params),
        "new_url": reverse("qbr_new") if access.visibility.leads_any and access.is_of_account else "",
        **page_links(page, lambda number: url_with("", {**params, "page": number})),
    }
    return render(request, "programs/qbr/list.html", context)
