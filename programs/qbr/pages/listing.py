"""Business reviews by unit and period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.page_links import page_links
from insights.privacy.scope_access import access_in
from insights.ui import wording
from insights.ui.page_numbers import read_page
from insights.ui.scope_bar import EVERYBODY
from insights.ui.views import record_view
from insights.ui.wording import moment
from programs.history.events import names_of_accounts
from programs.models import Qbr, QbrPeriod, QbrState
from programs.qbr.queries import QbrFilters, visible_qbrs

PAGE_SIZE = 25
TONES = {QbrState.SIGNED: ("good", "check"), QbrState.FROZEN: ("acc", "snowflake"), QbrState.DRAFT: ("", "writing")}


@dataclass(frozen=True)
class QbrLine:
    url: str
    period: str
    days: str
    unit: str
    kind: str
    state: str
    tone: str
    icon: str
    frozen: str
    signed: str


@record_view
def qbrs(request: HttpRequest) -> HttpResponseBase:
    """`unit`, `period`, `state` and `start` narrow the list."""
    access = access_in(request)
    filtered = QbrFilters(request.GET, visible_qbrs(access.visibility))
    page = Paginator(filtered.qs, PAGE_SIZE).get_page(read_page(request))
    params = {name: request.GET[name] for name in QbrFilters.base_filters if request.GET.get(name)}
    context: dict[str, Any] = {
        "qbrs": _lines(list(page)),
        "form": filtered.form,
        "is_narrowed": bool(params),
        "new_url": reverse("qbr_new") if access.visibility.leads_any and access.is_of_account else "",
        **page_links(page, lambda number: f"?{urlencode({**params, 'page': number})}"),
    }
    return render(request, "programs/qbr/list.html", context)


def _lines(listed: Sequence[Qbr]) -> list[QbrLine]:
    names = names_of_accounts([qbr.signed_by_id for qbr in listed])
    return [
        QbrLine(
            url=reverse("qbr", args=[qbr.pk]),
            period=qbr.period_name,
            days=wording.days(qbr.window),
            unit=qbr.unit.name if qbr.unit else EVERYBODY,
            kind=QbrPeriod(qbr.period).label,
            state=QbrState(qbr.state).label,
            tone=TONES[QbrState(qbr.state)][0],
            icon=TONES[QbrState(qbr.state)][1],
            frozen=moment(qbr.document.frozen_at) if qbr.document else "",
            signed=f"{names[qbr.signed_by_id]}, {moment(qbr.signed_at)}" if qbr.signed_at else "",
        )
        for qbr in listed
    ]
