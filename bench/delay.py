"""Delay from an answered 200 to the first answer of /series/ that contains the event, and to an open page."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.utils import timezone

from bench.figures import Measured, percentile
from bench.in_browser import window
from bench.load import SENDERS, Connection, logs_body
from orgtree.models import Person
from orgtree.people_import.rows import drafts_of
from orgtree.people_import.store import store_people

IDLE_SECONDS = 1.5
LOADED_SECONDS = 3.0
OPEN_PAGE_SECONDS = 4.0
SESSIONS = '[data-tile="ai.sessions"] .hw-val'
LOAD_RECORDS_PER_SECOND = 1000
LOAD_RECORDS_PER_REQUEST = 100
POLL_SECONDS = 0.1
GIVE_UP_SECONDS = 30.0
PAUSE_SECONDS = 6.3  # by then the page has polled again, at another point of its two-second interval
MINIMUM_GROUP = 10  # people; above what an organisation asks for unless somebody changes it


def event_to_tile(token: str, session_cookie: str, *, samples: int) -> list[Measured]:
    """The delay on an idle installation, and while it receives a thousand records a second."""
    senders = people_who_send()
    idle = _delays(token, session_cookie, samples, senders)
    open_page = _delays_to_open_page(token, session_cookie, samples, senders)
    with _load(token, senders, seconds=samples * LOADED_SECONDS):
        loaded = _delays(token, session_cookie, samples, senders)
    polled = f"asked every {POLL_SECONDS:g} s"
    measured = [
        _measured("event to tile, idle", idle, IDLE_SECONDS, f"nothing else is sent; {polled}"),
        _measured(
            "event to tile, under load",
            loaded,
            LOADED_SECONDS,
            f"beside {LOAD_RECORDS_PER_SECOND} records/s; {polled}",
        ),
    ]
    if open_page:
        measured.append(
            _measured("event to open page", open_page, OPEN_PAGE_SECONDS, "nothing else is sent; the tile in a browser")
        )
    return measured


def _measured(name: str, delays: list[float], goal: float, conditions: str) -> Measured:
    p95 = percentile(delays, 95)
    return Measured(
        name=name,
        value=p95,
        unit="s, p95",
        goal=f"≤ {goal:g} s",
        met=p95 <= goal,
        conditions=f"{len(delays)} events, {conditions}; median {percentile(delays, 50):.2f} s",
    )


def people_who_send() -> Sequence[str]:
    """People of the organisation, which is imported if there is none: figures of people known only from telemetry are
    hidden.
    """
    if not Person.objects.exists():
        lines = [f"{email.partition('@')[0]},{email}" for email in SENDERS]
        store_people(drafts_of("\n".join(("full_name,email", *lines)).encode()))
    there = Person.objects.filter(employments__during__contains=timezone.localdate(), email__isnull=False)
    return [email for email in there.order_by("pk").values_list("email", flat=True)[: len(SENDERS)] if email]


def _delays(token: str, session_cookie: str, samples: int, senders: Sequence[str]) -> list[float]:
    """The delays of requests sent one at a time, each with a model of its own so that it can be told apart.

    Each request covers as many people as a figure needs in order not to be hidden: under load the installation's trial
    ends.
    """
    connection = Connection(settings.BASE_URL, token)
    delays = []
    for _ in range(samples):
        model = f"bench-{time.time_ns()}"
        connection.post_logs(logs_body(MINIMUM_GROUP, model=model, per_person=1, senders=senders))
        answered = time.perf_counter()
        while not _is_counted(model, session_cookie):
            if time.perf_counter() - answered > GIVE_UP_SECONDS:
                raise TimeoutError(f"An event that was answered with 200 is in no figure after {GIVE_UP_SECONDS:g} s.")
            time.sleep(POLL_SECONDS)
        delays.append(time.perf_counter() - answered)
    connection.close()
    return delays


def _delays_to_open_page(token: str, session_cookie: str, samples: int, senders: Sequence[str]) -> list[float]:
    """The delays until the tile in an open page shows the sessions of one request; empty without a browser."""
    with window(session_cookie) as page:
        if page is None:
            return []
        connection = Connection(settings.BASE_URL, token)
        delays = []
        page.goto(f"{settings.BASE_URL}/insights/ai/")
        for _ in range(samples):
            shown = page.inner_text(SESSIONS)
            connection.post_logs(logs_body(MINIMUM_GROUP, per_person=1, senders=senders))
            answered = time.perf_counter()
            page.wait_for_function(
                "([selector, shown]) => document.querySelector(selector).innerText !== shown",
                arg=[SESSIONS, shown],
                timeout=GIVE_UP_SECONDS * 1000,
            )
            delays.append(time.perf_counter() - answered)
            page.wait_for_timeout(PAUSE_SECONDS * 1000)
        connection.close()
    return delays


def _is_counted(model: str, session_cookie: str) -> bool:
    request = urllib.request.Request(  # noqa: S310 -- an address of this machine
        f"{settings.BASE_URL}/api/v1/metrics/ai.tokens/series/?facet=model%3D{model}",
        headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={session_cookie}"},
    )
    with urllib.request.urlopen(request, timeout=GIVE_UP_SECONDS) as answer:  # noqa: S310
        return bool(json.load(answer)["total"][0]["value"])


@contextmanager
def _load(token: str, senders: Sequence[str], *, seconds: float) -> Iterator[None]:
    """Send records at an even pace from a separate thread until the block is left."""
    pause = LOAD_RECORDS_PER_REQUEST / LOAD_RECORDS_PER_SECOND
    bodies = [logs_body(LOAD_RECORDS_PER_REQUEST, senders=senders) for _ in range(int(seconds / pause))]
    over = threading.Event()

    def send() -> None:
        connection = Connection(settings.BASE_URL, token)
        due = time.perf_counter()
        for body in bodies:
            if over.is_set():
                break
            connection.post_logs(body)
            due += pause
            over.wait(max(0.0, due - time.perf_counter()))
        connection.close()

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()
