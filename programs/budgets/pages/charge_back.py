"""Spend by cost centre and month, as a table and as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import csv_response
from core.page_links import url_with
from core.views import record_view
from insights.catalogue.agents import AGENT_NAMES
from insights.privacy.scope_access import access_in, default_scope, has_scope
from insights.query.errors import ScopeNeededError, UnknownUnitError
from insights.query.query import Scope
from insights.ui import wording
from orgtree.access.access import Access
from orgtree.models import Attribute, Unit
from programs.budgets.queries.months import month_name, requested_months, written
from programs.budgets.services.charge_back import (
    CentreRow,
    charge_back,
    chosen_agent,
    chosen_attribute,
    csv_rows,
    file_name,
    needed_attribute,
)


@record_view
def charge_back_page(request: HttpRequest) -> HttpResponseBase:
    access = access_in(request)
    (months, unit), attribute = _requested(request, access), chosen_attribute(request.GET.get("attribute", ""))
    agent = chosen_agent(request.GET.get("agent", ""))
    charged = charge_back(access, attribute, months, _slug(unit), agent) if attribute else None
    days = {"from": written(months[0]), "to": written(months[-1])}
    chosen = {"attribute": attribute.slug if attribute else "", "agent": agent, **days}
    context: dict[str, Any] = {
        "whose": unit.name if unit else "The whole organisation",
        "unit": _slug(unit) or "",
        "attributes": list(Attribute.objects.all()),
        "agents": AGENT_NAMES.items(),
        "chosen": chosen,
        "charged": charged,
        "months": [month_name(month) for month in months],
        "rows": [_cells(row) for row in charged.rows] if charged else [],
        "total": _cells(charged.total) if charged else [],
        "unpriced": wording.compact(sum(charged.unpriced)) if charged and sum(charged.unpriced) else "",
        "csv_url": url_with(reverse("charge_back_csv"), {**chosen, "unit": _slug(unit)}) if charged else "",
    }
    return render(request, "programs/budgets/charge_back.html", context)


@record_view
def charge_back_csv(request: HttpRequest) -> HttpResponseBase:
    access = access_in(request)
    months, unit = _requested(request, access)
    attribute, agent = needed_attribute(request.GET.get("attribute", "")), chosen_agent(request.GET.get("agent", ""))
    charged = charge_back(access, attribute, months, _slug(unit), agent)
    return csv_response(file_name(charged), csv_rows(charged))


def _requested(request: HttpRequest, access: Access) -> tuple[Sequence[date], Unit | None]:
    scope = default_scope(Scope.of_unit(request.GET.get("unit", "")), access)
    if not has_scope(scope, access) or scope.person_id is not None:
        raise ScopeNeededError([])
    unit = Unit.objects.filter(slug=scope.unit).first() if scope.unit else None
    if scope.unit and unit is None:
        raise UnknownUnitError(scope.unit)
    return requested_months(request.GET.dict()), unit


def _slug(unit: Unit | None) -> str | None:
    return unit.slug if unit else None


def _cells(row: CentreRow) -> list[str]:
    amounts = [*row.amounts, row.total]
    return [row.centre, *("" if amount is None else wording.exact(amount, "currency") for amount in amounts)]
