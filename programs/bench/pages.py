"""Pages over years of facts: time and queries of every response, and the ad-hoc filter outside the snapshots."""

from __future__ import annotations

import io
import json
import re
import time
from datetime import timedelta
from html import unescape

import httpx
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from programs.bench.facts import Size, generate
from programs.bench.figures import Limit, Measured, percentile

P95_MS = 60
QUERIES = 15
ONE_FAMILY_SECONDS = 1.0
WHOLE_PAGE_SECONDS = 4.0
RECOMPUTE_MINUTES = 10
AD_HOC_WEEKS = 26
PAGE = "/insights/ai/"
SOURCES = re.compile(r'data-(?:chart|src)="([^"]+)"|hx-get="([^"]+)"')


def dashboards(session_cookie: str, *, size: Size, rounds: int) -> list[Measured]:
    """Every response of the AI page, by the server's own clock, then the page with a filter that no snapshot holds."""
    generate(size)
    conditions = str(size)
    fill = _fill(conditions)
    with httpx.Client(
        base_url=settings.BASE_URL, cookies={settings.SESSION_COOKIE_NAME: session_cookie}, timeout=120, trust_env=False
    ) as browser:
        return [fill, *_responses(browser, session_cookie, conditions, rounds), *_ad_hoc(browser, conditions)]


def _fill(conditions: str) -> Measured:
    """Every kept figure from its facts, as each night."""
    output = io.StringIO()
    started = time.perf_counter()
    call_command("recompute", "--wait", "--json", stdout=output)
    minutes = (time.perf_counter() - started) / 60
    return Measured(
        name="recompute everything",
        value=minutes,
        unit="min",
        goal=f"≤ {RECOMPUTE_MINUTES} min for a year of the whole product's facts",
        met=None,  # those facts are not all there yet
        conditions=f"{json.loads(output.getvalue())['cells']:,} cells; {conditions}",
    )


def _responses(browser: httpx.Client, session_cookie: str, conditions: str, rounds: int) -> list[Measured]:
    addresses = [PAGE, *_parts(browser.get(PAGE).raise_for_status().text)]
    times = {address: [_milliseconds(browser, address) for _ in range(rounds)] for address in addresses}
    empty = [_milliseconds(browser, "/healthz") for _ in range(rounds)]
    slowest = max(addresses, key=lambda address: percentile(times[address], 95))
    p95 = percentile([each for series in times.values() for each in series], 95)
    counts = {address: _query_count(address, session_cookie) for address in addresses}
    busiest = max(addresses, key=lambda address: counts[address])
    slowest_ms = percentile(times[slowest], 95)
    return [
        Measured(
            name="dashboard responses",
            value=p95,
            unit="ms, p95",
            goal=f"≤ {P95_MS} ms",
            met=slowest_ms <= P95_MS,
            limit=Limit("ms: p95 of /healthz", percentile(empty, 95)),
            conditions=f"{len(addresses)} addresses × {rounds}; slowest {slowest} {slowest_ms:.0f} ms; {conditions}",
        ),
        Measured(
            name="queries of a response",
            value=counts[busiest],
            unit="at most",
            goal=f"≤ {QUERIES}",
            met=counts[busiest] <= QUERIES,
            conditions=f"most by {busiest}",
        ),
    ]


def _ad_hoc(browser: httpx.Client, conditions: str) -> list[Measured]:
    today = timezone.localdate()
    window = {"from": str(today - timedelta(weeks=AD_HOC_WEEKS)), "to": str(today), "granularity": "week"}
    series = _seconds(browser, "/api/v1/metrics/ai.spend/series/", {**window, "facet": "model=claude-opus-4-1"})
    page_filters = {"weeks": str(AD_HOC_WEEKS), "model": "claude-opus-4-1"}
    started = time.perf_counter()
    page = browser.get(PAGE, params=page_filters).raise_for_status()
    for part in _parts(page.text):
        browser.get(part).raise_for_status()
    whole = time.perf_counter() - started
    return [
        Measured(
            name="ad-hoc filter, one family",
            value=series,
            unit="s",
            goal=f"≤ {ONE_FAMILY_SECONDS:g} s",
            met=series <= ONE_FAMILY_SECONDS,
            conditions=f"ai.spend by model over {AD_HOC_WEEKS} weeks; {conditions}",
        ),
        Measured(
            name="ad-hoc filter, the whole AI page",
            value=whole,
            unit="s",
            goal=f"≤ {WHOLE_PAGE_SECONDS:g} s",
            met=whole <= WHOLE_PAGE_SECONDS,
            conditions=f"page and charts, one after the other, one model, {AD_HOC_WEEKS} weeks",
        ),
    ]


def _parts(page: str) -> list[str]:
    """The addresses from which a page's charts and late parts come."""
    found = (unescape(first or second) for first, second in SOURCES.findall(page))
    return list(dict.fromkeys(address for address in found if address.startswith("/")))


def _milliseconds(browser: httpx.Client, address: str) -> float:
    return _seconds(browser, address, {}) * 1000


def _seconds(browser: httpx.Client, address: str, parameters: dict[str, str]) -> float:
    started = time.perf_counter()
    browser.get(address, params=parameters or None).raise_for_status()
    return time.perf_counter() - started


def _query_count(address: str, session_cookie: str) -> int:
    """Queries of one response, counted in this process: the server's own can't be seen from outside."""
    client = Client(headers={"host": settings.BASE_URL.partition("://")[2]})
    client.cookies[settings.SESSION_COOKIE_NAME] = session_cookie
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)
