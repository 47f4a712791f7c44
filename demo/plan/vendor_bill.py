"""Anthropic's bill of the demo: the year's sessions of Claude Code, and use that telemetry does not report.

Such use is planted: people without telemetry, a second machine that sends none, and an application with an API key of
its own.  The quiet flavour has none of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache

from demo.plan.agents import CLAUDE_CODE
from demo.plan.people import NEVER, email_of
from demo.plan.session import DemoSession, ModelRequest
from demo.plan.vendor_usage import VendorUse
from demo.plan.year import DemoYear

_DISCOUNT = Decimal("0.05")
_COUNTED_AFTER = timedelta(days=1, minutes=30)  # the day's beginning
_UNREPORTED = email_of("Robin Specimen")  # whose second machine sends no telemetry
_SINCE_WEEKS = 10  # before the end
_WITHOUT_TELEMETRY = 2  # people who never took an agent up, as far as telemetry tells
_APPLICATION = "apikey_01OrchardReleaseNotes"


@cache
def bill_of(year: DemoYear) -> tuple[VendorUse, ...]:
    """The use of every day of the year, by person and model."""
    uses: dict[tuple[date, str, str], VendorUse] = {}
    sessions: dict[tuple[date, str], set[str]] = defaultdict(set)
    for session in _sessions(year):
        email = session.setting.person.email
        for request in _requests(session):
            day = request.at.astimezone(UTC).date()
            sessions[day, email].add(session.session_id)
            key = (day, email, request.model)
            uses[key] = _with(uses.get(key) or _empty(day, email, request.model), request)
    counted = [
        replace(use, sessions=len(sessions.pop((use.day, use.email), ())))  # once, with the day's first model
        for _, use in sorted(uses.items())
    ]
    return (*map(_charged, counted), *(() if year.flavour.is_quiet else map(_charged, _planted(year, counted))))


def _sessions(year: DemoYear) -> Iterator[DemoSession]:
    for week in range(year.weeks):
        yield from (session for session in year.sessions_of_week(week) if session.setting.agent == CLAUDE_CODE)


def _requests(session: DemoSession) -> Iterator[ModelRequest]:
    for run in session.active_periods:
        for turn in run.turns:
            yield from turn.requests


def _empty(day: date, email: str, model: str, *, account: str = "", product: str = CLAUDE_CODE) -> VendorUse:
    known_at = datetime.combine(day, time(), UTC) + _COUNTED_AFTER
    return VendorUse(day, known_at, account or f"user_{email.partition('@')[0]}", product, model, email=email)


def _with(use: VendorUse, request: ModelRequest) -> VendorUse:
    edits = request.tool is not None and request.tool.edits and not request.tool.refused
    return replace(
        use,
        uncached_input=use.uncached_input + request.uncached_input,
        cache_read=use.cache_read + request.cache_read,
        cache_write=use.cache_write + request.cache_write,
        output=use.output + request.output,
        requests=use.requests + 1,
        lines_added=use.lines_added + (request.tool.lines_added if request.tool and edits else 0),
        lines_removed=use.lines_removed + (request.tool.lines_removed if request.tool and edits else 0),
        accepted=use.accepted + edits,
        rejected=use.rejected + bool(request.tool and request.tool.refused),
        list_cost=use.list_cost + Decimal(str(round(request.cost_usd, 6))),
    )


def _planted(year: DemoYear, uses: Iterable[VendorUse]) -> Iterator[VendorUse]:
    """The use that telemetry misses: a second machine with as much again, silent people and an application."""
    first = year.first_day_of(_SINCE_WEEKS)
    silent = sorted(person.email for person in year.people if person.took_up == NEVER)[:_WITHOUT_TELEMETRY]
    days: dict[date, VendorUse] = {}
    for use in uses:
        if use.day < first:
            continue
        if use.email == _UNREPORTED:
            yield replace(use, account="user_second_machine", sessions=0)
        days.setdefault(use.day, use)
    for day, usual in sorted(days.items()):
        if day.weekday() < 5:
            for email in silent:
                yield replace(usual, account=f"user_{email.partition('@')[0]}", email=email, sessions=2)
        yield replace(usual, account=_APPLICATION, email="", product="api", sessions=0, lines_added=0, accepted=0)


def _charged(use: VendorUse) -> VendorUse:
    return replace(use, cost=use.list_cost * (1 - _DISCOUNT))
