"""Pages over years of facts: time and queries of every response, and ad-hoc filters."""

from __future__ import annotations

import time
from datetime import timedelta

import httpx
from django.utils import timezone

from bench.columns import columns
from bench.facts import Size, generate_once
from bench.figures import Measured, percentile
from bench.in_browser import pages_in_browser
from bench.organisation import numbers_by_level
from bench.responses import FIRST_P95_MS, browser, measured_responses, parts_of, seconds_of, with_parts

ONE_FAMILY_SECONDS = 1.0
WHOLE_PAGE_SECONDS = 1.5
AD_HOC_WEEKS = 26
LOOKED_AT_WEEKS = 12
VISITED_UNITS = 40
PAGE = "/insights/ai/"


def dashboards(session_cookie: str, *, size: Size, rounds: int) -> list[Measured]:
    """Every response of the AI page, by the server's own clock, then the page with an ad-hoc filter."""
    generate_once(size)
    conditions = str(size)
    of_columns = columns(conditions)
    with browser(session_cookie) as client:
        visits = [
            *_first_visits_of_pages(client, "leaderboard", _units(size)[1], conditions),
            *_first_visits_of_pages(client, "differences", _units(size)[1], conditions),
            *_first_visits_of_pages(client, "adoption_effect", _units(size)[1], conditions),
            _first_look(client, "the row Unassigned", "units/unassigned/", "", conditions),
        ]
        visits.append(_first_visits(client, size, conditions))
        addresses = with_parts(client, [PAGE, *(f"{PAGE}?unit=bench-{number}" for number in _units(size))])
        responses = measured_responses(
            "dashboard responses", client, addresses, rounds=rounds, conditions=f"four scopes; {conditions}"
        )
        in_browser = pages_in_browser(
            session_cookie,
            {
                "AI page": f"{PAGE}?range={LOOKED_AT_WEEKS}w",
                "AI page of a unit": f"{PAGE}?range={LOOKED_AT_WEEKS}w&unit=bench-{_units(size)[1]}",
            },
            rounds=rounds,
            conditions=conditions,
        )
        return [*of_columns, *visits, *responses, *in_browser, *_ad_hoc(client, conditions)]


def _units(size: Size) -> tuple[int, int, int]:
    """The root of the tree by hand, a unit below its upper levels, and a team at its foot."""
    levels = numbers_by_level(size.units)
    return levels[0][0], levels[2][0], levels[-1][-1]


def _first_visits_of_pages(client: httpx.Client, part: str, unit: int, conditions: str) -> list[Measured]:
    """At a part of the page whose figures are read person by person: of everybody, and of a unit with some movers."""
    return [
        _first_look(client, f"{part}, {label}", f"parts/{part}/", f"&unit=bench-{on}" if on else "", conditions)
        for label, on in (("everybody", 0), ("a unit", unit))
    ]


def _first_look(client: httpx.Client, name: str, path: str, scope: str, conditions: str) -> Measured:
    milliseconds = 1000 * seconds_of(client, f"{PAGE}{path}?range={LOOKED_AT_WEEKS}w{scope}")
    return Measured(
        name=f"first look at {name}",
        value=milliseconds,
        unit="ms",
        goal=f"≤ {FIRST_P95_MS} ms",
        met=milliseconds <= FIRST_P95_MS,
        conditions=f"{LOOKED_AT_WEEKS} weeks, the server's first answer; {conditions}",
    )


def _first_visits(client: httpx.Client, size: Size, conditions: str) -> Measured:
    """Every response of the page of units of all levels and sizes, of each the first that anybody asks for."""
    known = f"unit=bench-{_units(size)[0]}"
    addresses = with_parts(client, [f"{PAGE}?range={LOOKED_AT_WEEKS}w&{known}"])
    visited = [number for level in numbers_by_level(size.units) for number in level[1:] if number not in _units(size)]
    visited = visited[:: max(1, len(visited) // VISITED_UNITS)]
    times = [
        (1000 * seconds_of(client, address.replace(known, f"unit=bench-{number}")), number, address)
        for number in visited
        for address in addresses
    ]
    p95 = percentile((milliseconds for milliseconds, _, _ in times), 95)
    slowest_ms, number, address = max(times)
    return Measured(
        name="responses at first visits",
        value=p95,
        unit="ms, p95",
        goal=f"≤ {FIRST_P95_MS} ms",
        met=p95 <= FIRST_P95_MS,
        conditions=f"{len(addresses)} addresses of {len(visited)} units, each asked for once; slowest "
        f"{address.replace(known, f'unit=bench-{number}')} {slowest_ms:.0f} ms; {LOOKED_AT_WEEKS} weeks; {conditions}",
    )


def _ad_hoc(client: httpx.Client, conditions: str) -> list[Measured]:
    today = timezone.localdate()
    window = {"from": str(today - timedelta(weeks=AD_HOC_WEEKS)), "to": str(today), "granularity": "week"}
    series = seconds_of(client, "/api/v1/metrics/ai.spend/series/", {**window, "facet": "model=claude-opus-4-1"})
    held = seconds_of(client, "/api/v1/metrics/ai.spend/series/", {**window, "where": "role=Staff engineer"})
    page = f"{PAGE}?range={AD_HOC_WEEKS}w&model=claude-opus-4-1"
    started = time.perf_counter()
    parts_of(client, page)
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
            name="ad-hoc filter of people",
            value=held,
            unit="s",
            goal=f"≤ {ONE_FAMILY_SECONDS:g} s",
            met=held <= ONE_FAMILY_SECONDS,
            conditions=f"ai.spend of whoever had a role at that time, over {AD_HOC_WEEKS} weeks",
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
