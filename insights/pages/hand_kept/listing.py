"""The hand-kept metrics, and the templates that are not in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from insights.privacy.scope_access import access_in
from insights.ui import wording
from insights.ui.views import page_view
from integrations.hand_kept.definitions import may_define
from integrations.hand_kept.templates import TEMPLATES
from integrations.models import HandKeptMetric, HandKeptValue
from integrations.models.hand_kept import UNITS_OF_MEASURE
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of


@page_view
def hand_kept(request: HttpRequest) -> HttpResponse:
    access = access_in(request)
    lines = _lines(access)
    is_definer = may_define(access)
    context = {
        "lines": lines,
        "templates": _templates({line["metric"].slug for line in lines}) if is_definer else [],
        "may_define": is_definer,
    }
    return render(request, "insights/hand_kept/list.html", context)


def _lines(access: Access) -> list[dict[str, Any]]:
    """Three queries, whatever their number."""
    metrics = list(HandKeptMetric.objects.prefetch_related("keepers"))
    names = names_of({account for metric in metrics for account in cast(Sequence[User], metric.keepers.all())})
    visible = HandKeptValue.objects.within(access.visibility).order_by("metric", "-day").distinct("metric")
    latest = dict(visible.values_list("metric", "day"))
    return [
        {
            "metric": metric,
            "keepers": ", ".join(sorted(names[account.pk] for account in cast(Sequence[User], metric.keepers.all()))),
            "latest": wording.day(latest[metric.pk]) if metric.pk in latest else "",
        }
        for metric in metrics
    ]


def _templates(in_use: set[str]) -> list[dict[str, Any]]:
    """Those that no metric was made of."""
    return [
        {
            "name": template.name,
            "meaning": template.meaning,
            "unit_of_measure": dict(UNITS_OF_MEASURE)[template.unit_of_measure],  # type: ignore[index]  # a StrEnum's value
            "url": f"{reverse('hand_kept_new')}?{urlencode({'template': slug})}",
        }
        for slug, template in TEMPLATES.items()
        if slug not in in_use
    ]
