"""Pages of figures over years of facts: time, queries and work, in a browser, and by tab."""

from __future__ import annotations

import gc
import re
from collections.abc import Sequence

from bench.figures import Measured
from bench.in_browser import pages_in_browser
from bench.organisation import numbers_by_level
from bench.page_work import measured_work, work_of
from bench.responses import browser, first_responses, measured_responses, visit, with_parts
from insights.pages.ai.tabs import AI_PAGE
from insights.pages.allocation.tabs import ALLOCATION_PAGE
from insights.pages.answers import Tab
from insights.pages.capacity import CAPACITY
from insights.pages.delivery.tabs import DELIVERY_PAGE
from insights.pages.planning.tabs import PLANNING_PAGE

PAGES = {"AI page": "/insights/ai/", "delivery page": "/insights/delivery/"}
TABBED = {
    "AI": AI_PAGE,
    "Delivery": DELIVERY_PAGE,
    "Planning": PLANNING_PAGE,
    "Allocation": ALLOCATION_PAGE,
    "Capacity": CAPACITY.page,
}
OF_EVERYBODY = {"Findings": "/insights/findings/", "Why reviews wait": "/insights/findings/waits/"}
REPORT = "/insights/report/"
WEEKS = 12
PART = re.compile(r"/(?:parts|charts)/")
PROCESSOR_SECONDS = {"everybody": 2.0, "a unit": 1.6}
FIRST_VISITS = 20  # by HTTP, units of all levels and sizes
FIRST_VISITS_IN_BROWSER = 10


def pages(session_cookie: str, *, units: int, rounds: int, conditions: str) -> list[Measured]:
    """First views of pages: the server has just started, or each visit is to another unit."""
    root, middle, team = _units(units)
    others = visited_units(units, FIRST_VISITS + FIRST_VISITS_IN_BROWSER)
    by_http, in_browser = others[FIRST_VISITS_IN_BROWSER:], others[:FIRST_VISITS_IN_BROWSER]
    measured = []
    with browser(session_cookie) as client:
        for name, page in PAGES.items():
            everybody = visit(client, _address(page))
            visits = [visit(client, _address(page, unit)) for unit in by_http]
            for scope, seconds in {"everybody": everybody, "a unit": visits[0]}.items():
                measured += measured_work(
                    f"{name}, {scope}",
                    work_of(list(seconds), session_cookie),
                    goal_seconds=PROCESSOR_SECONDS[scope],
                    conditions=conditions,
                )
            addresses = with_parts(client, [_address(page), *(_address(page, unit) for unit in (root, middle, team))])
            measured += [
                first_responses(f"{name}, first look, everybody", [everybody], conditions),
                first_responses(f"{name}, first look, units", visits, conditions),
                *measured_responses(
                    f"{name}, again", client, addresses, rounds=rounds, conditions=f"four scopes; {conditions}"
                ),
            ]
    for name, page in PAGES.items():
        measured += pages_in_browser(
            session_cookie,
            name,
            first=[_address(page, unit) for unit in in_browser],
            again=[_address(page), _address(page, middle)],
            rounds=rounds,
        )
    return measured


def tabs(session_cookie: str, *, units: int, conditions: str) -> list[Measured]:
    """The work of each tab with all its parts and menus: for everybody, for a unit with nearly all people, and for a
    small one.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)  # as in the server: config/launcher/web_server.py
    levels = numbers_by_level(units)
    scopes = {"everybody": None, "a large unit": levels[1][0], "a small unit": levels[3][-1]}
    pages = {
        f"{name}, {tab.label}" if tab.label else name: page.at(word).path
        for name, page in TABBED.items()
        for word, tab in (page.tabs or {"": Tab("", ())}).items()
    }
    addresses = {
        **{
            (name, scope): _address(page, unit)
            for name, page in {**pages, "Report": REPORT}.items()
            for scope, unit in scopes.items()
        },
        **{(name, "everybody"): page for name, page in OF_EVERYBODY.items()},
    }
    measured = []
    with browser(session_cookie) as client:
        for (name, scope), page in addresses.items():
            visited = list(visit(client, page))
            shown = [visited[0], *(later for later in visited if PART.search(later))]
            measured += measured_work(
                f"{name}, {scope}",
                work_of(shown, session_cookie),
                goal_seconds=PROCESSOR_SECONDS["everybody" if scope == "everybody" else "a unit"],
                conditions=conditions,
            )
    return measured


def addresses_of_both(units: int) -> list[str]:
    """Both pages, of everybody and of a unit."""
    return [_address(page, unit) for page in PAGES.values() for unit in (None, _units(units)[1])]


def _address(page: str, unit: int | None = None) -> str:
    return f"{page}?range={WEEKS}w" + (f"&unit=bench-{unit}" if unit is not None else "")


def _units(units: int) -> tuple[int, int, int]:
    """The root of the tree by hand, a unit below its upper levels, and a team at its foot."""
    levels = numbers_by_level(units)
    return levels[0][0], levels[2][0], levels[-1][-1]


def visited_units(units: int, at_most: int) -> Sequence[int]:
    """Units spread evenly over all levels, shuffled the same way for both uses."""
    others = [number for level in numbers_by_level(units) for number in level[1:] if number not in _units(units)]
    spread = others[:: max(1, len(others) // at_most)][:at_most]
    return [*spread[1::3], *spread[0::3], *spread[2::3]]
