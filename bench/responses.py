"""Pages as a browser requests them: the time and the number of queries of every response."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import unescape

import httpx
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.figures import Limit, Measured, percentile

FIRST_P95_MS = 250  # at a first look
P95_MS = 40  # at each further one
QUERIES = 15
NAMED_SLOWEST = 3
SOURCES = re.compile(r'data-(?:chart|src)="([^"]+)"|hx-get="([^"]+)"')
LATER_STILL = re.compile(r'hx-get="([^"]+)" hx-trigger="load')  # in a part, which is a page's without its menus


def browser(session_cookie: str) -> httpx.Client:
    """A client that is signed in to the server of this installation."""
    return httpx.Client(
        base_url=settings.BASE_URL, cookies={settings.SESSION_COOKIE_NAME: session_cookie}, timeout=120, trust_env=False
    )


def visit(client: httpx.Client, page: str) -> dict[str, float]:
    """Request, one after another, everything that a browser requests to show the page; seconds by address."""
    seconds: dict[str, float] = {}
    waiting = [page]
    while waiting:
        address = waiting.pop(0)
        started = time.perf_counter()
        text = client.get(address).raise_for_status().text
        seconds[address] = time.perf_counter() - started
        sources = SOURCES.findall(text) if address == page else [(later, "") for later in LATER_STILL.findall(text)]
        found = dict.fromkeys(unescape(first or second) for first, second in sources)
        waiting += [new for new in found if new.startswith("/") and new not in seconds and new not in waiting]
    return seconds


def with_parts(client: httpx.Client, pages: Iterable[str]) -> list[str]:
    """The pages, and the addresses of their charts and deferred parts."""
    return list(dict.fromkeys(address for page in pages for address in visit(client, page)))


def again_ms(client: httpx.Client, addresses: Sequence[str], rounds: int) -> list[float]:
    """Milliseconds of all responses, all addresses in turn."""
    return [1000 * seconds_of(client, address) for _ in range(rounds) for address in addresses]


def first_responses(name: str, visits: Collection[Mapping[str, float]], conditions: str) -> Measured:
    """The 95th percentile of all responses of these visits, seconds by address."""
    times = [
        (1000 * seconds, address) for seconds_by_address in visits for address, seconds in seconds_by_address.items()
    ]
    p95 = percentile((milliseconds for milliseconds, _ in times), 95)
    slowest = ", ".join(f"{address} {ms:.0f} ms" for ms, address in sorted(times, reverse=True)[:NAMED_SLOWEST])
    return Measured(
        name=name,
        value=p95,
        unit="ms, p95",
        goal=f"≤ {FIRST_P95_MS} ms",
        met=p95 <= FIRST_P95_MS,
        conditions=f"{len(times)} responses of {len(visits)} visits; slowest {slowest}; {conditions}",
    )


def measured_responses(
    name: str, client: httpx.Client, addresses: Sequence[str], *, rounds: int, conditions: str, goal_ms: int = P95_MS
) -> list[Measured]:
    """The 95th percentile of all responses, met if the slowest address keeps to the goal; and the maximum number of
    queries.
    """
    times = {address: [1000 * seconds_of(client, address) for _ in range(rounds)] for address in addresses}
    empty = [1000 * seconds_of(client, "/healthz") for _ in range(rounds)]
    slowest = max(addresses, key=lambda address: percentile(times[address], 95))
    slowest_ms = percentile(times[slowest], 95)
    session_cookie = next(cookie.value for cookie in client.cookies.jar if cookie.name == settings.SESSION_COOKIE_NAME)
    counts = {address: _query_count(address, session_cookie or "") for address in addresses}
    busiest = max(addresses, key=lambda address: counts[address])
    return [
        Measured(
            name=name,
            value=percentile([milliseconds for series in times.values() for milliseconds in series], 95),
            unit="ms, p95",
            goal=f"≤ {goal_ms} ms",
            met=slowest_ms <= goal_ms,
            limit=Limit("ms: p95 of /healthz", percentile(empty, 95)),
            conditions=f"{len(addresses)} addresses × {rounds}; slowest {slowest} {slowest_ms:.0f} ms; {conditions}",
        ),
        Measured(
            name=f"{name}: queries",
            value=counts[busiest],
            unit="at most",
            goal=f"≤ {QUERIES}",
            met=counts[busiest] <= QUERIES,
            conditions=f"most by {busiest}",
        ),
    ]


def seconds_of(client: httpx.Client, address: str) -> float:
    started = time.perf_counter()
    client.get(address).raise_for_status()
    return time.perf_counter() - started


def _query_count(address: str, session_cookie: str) -> int:
    """Queries of one response, counted in this process: the server's own can't be seen from outside."""
    client = signed_in(session_cookie)
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


def signed_in(session_cookie: str) -> Client:
    """A client that is signed in to this very process."""
    client = Client(headers={"host": settings.BASE_URL.partition("://")[2]})
    client.cookies[settings.SESSION_COOKIE_NAME] = session_cookie
    return client
