"""A year of pull requests and DORA: the columns, ad-hoc filters, and the delivery page."""

from __future__ import annotations

import time
from datetime import timedelta

import httpx
from django.utils import timezone

from bench.columns import columns
from bench.delivery_facts import DeliverySize, generate_delivery_once
from bench.figures import Measured
from bench.organisation import numbers_by_level
from bench.responses import browser, measured_responses, parts_of, seconds_of, with_parts
from integrations.models import PullRequest

PAGE = "/insights/delivery/"
ONE_FAMILY_SECONDS = 1.0
WHOLE_PAGE_SECONDS = 1.5
AD_HOC_WEEKS = 26
AD_HOC = ["work_type=feature", "size_class=M"]


def dora(session_cookie: str, *, size: DeliverySize, rounds: int) -> list[Measured]:
    generate_delivery_once(size)
    conditions = f"{size.people:,} people, {PullRequest.objects.count():,} pull requests in {size.weeks} weeks"
    measured = columns(conditions)
    with browser(session_cookie) as client:
        levels = numbers_by_level(size.units)
        units = (levels[0][0], levels[2][0], levels[-1][-1])
        addresses = with_parts(client, [PAGE, *(f"{PAGE}?unit=bench-{number}" for number in units)])
        responses = measured_responses(
            "delivery page responses", client, addresses, rounds=rounds, conditions=f"four scopes; {conditions}"
        )
        return [*measured, *responses, *_ad_hoc(client, conditions)]


def _ad_hoc(client: httpx.Client, conditions: str) -> list[Measured]:
    today = timezone.localdate()
    params = {"from": str(today - timedelta(weeks=AD_HOC_WEEKS)), "to": str(today), "granularity": "week"}
    family = seconds_of(client, "/api/v1/metrics/dora.lead_time/series/", {**params, "facet": AD_HOC})
    page = f"{PAGE}?range={AD_HOC_WEEKS}w&work_type=feature&size_class=M"
    started = time.perf_counter()
    parts = parts_of(client, page)
    whole = time.perf_counter() - started
    return [
        Measured(
            name="ad-hoc filter, lead time",
            value=family,
            unit="s",
            goal=f"≤ {ONE_FAMILY_SECONDS:g} s",
            met=family <= ONE_FAMILY_SECONDS,
            conditions=f"features of size M over {AD_HOC_WEEKS} weeks, everybody; {conditions}",
        ),
        Measured(
            name="ad-hoc filter, the delivery page",
            value=whole,
            unit="s",
            goal=f"≤ {WHOLE_PAGE_SECONDS:g} s",
            met=whole <= WHOLE_PAGE_SECONDS,
            conditions=f"page and {len(parts)} charts and parts, one after the other, the same filter",
        ),
    ]
