"""The page of one session: totals, outcome and timeline.  No prompt and no code is stored.

A short timeline is listed event by event, a long one by hour, and each hour can be opened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from core.page_links import links_of_page, read_page, url_with
from core.views import page_view
from insights.catalogue.agents import agent_name
from insights.engine.plan import Clock
from insights.pages.ai.sessions.listing import COMMITTED, OUTCOMES, PENDING, UNKNOWN, WASTED, outcome_of
from insights.pages.attribution.labels import METHODS
from insights.privacy.scope_access import access_in
from insights.query.errors import QueryError
from insights.ui import wording
from integrations.code.commits.listing import visible_commits
from integrations.models import AgentSession, ToolOutcome
from integrations.telemetry.sessions.summaries import NOTHING, SessionFigures, SessionSummary, summaries_of
from integrations.telemetry.sessions.timeline import (
    ActivePeriod,
    EventType,
    Hour,
    SessionCommit,
    SessionTimeline,
    TimelineEvent,
    ToolUse,
)
from integrations.telemetry.sessions.visible import visible_sessions
from orgtree.access.access import Access

PAUSE_SECONDS = 30 * 60  # a longer gap separates work periods
SHORT_SHA = 10
ICONS = {EventType.REQUEST: "message", EventType.TOOL: "tool", EventType.COMMIT: "git-commit", EventType.METER: "clock"}
TOKEN_KINDS = ("uncached", "cache read", "cache write", "output")
LISTED_ALONE = 300  # events: longer timelines list hours first
PAGE_SIZE = 200
ACTIVE_PERIODS_LISTED = 30
NO_PRICE = "unknown: its models have no price"


@page_view
def session_page(request: HttpRequest, pk: int) -> HttpResponseBase:
    access = access_in(request)
    session = get_object_or_404(visible_sessions(access).select_related("identity__person"), pk=pk)
    story = SessionTimeline(session)
    summary = summaries_of([session.pk]).get(session.pk, NOTHING)
    commits, active_periods = story.commits(), story.active_periods()
    context = {
        "session": session,
        "title": f"{agent_name(session.agent)} session",
        "whose": session.identity.person.full_name if session.identity.person else "Unmatched",
        "is_own": session.identity.person_id is not None and session.identity.person_id == access.visibility.person_id,
        "facts": _facts(session, summary, active_periods),
        "totals": _totals(summary.whole, commits),
        "outcome": _explained(session, Clock.read().settled_before, commits),
        "models": [
            {"name": name or "No model", "cells": _cells(figures)}
            for name, figures in summary.by_model.items()
            if figures.requests or figures.tokens or figures.reported_cost
        ],
        "whole_cells": _cells(summary.whole),
        "tools": [_tool_line(tool) for tool in story.tools()],
        "commits": _commit_lines(commits, access),
        "work_periods": _work_period_lines(active_periods),
        "more_work_periods": max(0, len(active_periods) - ACTIVE_PERIODS_LISTED),
        "by_metrics": story.by_metrics,
        **_timeline(request, session, story, access),
    }
    return render(request, "insights/sessions/session.html", context)


def _explained(session: AgentSession, settled_before: datetime, commits: Sequence[SessionCommit]) -> dict[str, Any]:
    key = outcome_of(session, settled_before)
    settles_at = session.ended_at + settings.SETTLING_TIME
    hours = int(settings.SETTLING_TIME.total_seconds() // 3600)
    lines = sum(commit.lines for commit in commits)
    why = {
        COMMITTED: f"{wording.count(lines, 'line')} of it {'is' if lines == 1 else 'are'} in "
        f"{wording.count(len(commits), 'counted commit')}.",
        PENDING: f"It ended less than {hours} hours ago, and no commit contains its lines yet. The outcome is decided "
        f"in the first full hour after {wording.moment(settles_at)}.",
        UNKNOWN: "No commit contains its lines, and no connected repository has a commit of its developer within a "
        "year of it. Its lines may be elsewhere, so it does not count as waste.",
        WASTED: f"No counted commit contains its lines {hours} hours after it ended, although commits of its developer "
        "are known.",
    }
    return {"key": key, "label": OUTCOMES[key], "why": why[key]}


def _facts(
    session: AgentSession, summary: SessionSummary, active_periods: Sequence[ActivePeriod]
) -> list[tuple[str, str]]:
    version = f" {session.agent_version}" if session.agent_version else ""
    open_seconds = (session.ended_at - session.started_at).total_seconds()
    return [
        ("Agent", f"{agent_name(session.agent)}{version}"),
        ("Models", ", ".join(summary.models) or "none named"),
        ("Started", wording.moment(session.started_at)),
        ("Last event", wording.moment(session.ended_at)),
        (
            "Active time",
            f"{wording.duration(session.active_seconds)}, in {wording.count(len(active_periods), 'work period')}",
        ),
        ("Open", str(wording.duration(open_seconds))),
        ("Session id", "The agent sent none: all requests of a day" if session.is_unnamed else session.external_id),
    ]


def _totals(whole: SessionFigures, commits: Sequence[SessionCommit]) -> list[tuple[str, str]]:
    return [
        ("Requests", f"{whole.requests:,}"),
        ("Tokens", f"{whole.tokens:,}"),
        ("Spend", _spend(whole)),
        ("Reported by the agent", _reported(whole)),
        ("Tool calls", f"{whole.tool_calls:,}, of which {whole.tool_failures:,} failed"),
        ("Refused calls", f"{whole.tool_refusals:,}"),
        ("Lines generated", f"{whole.lines_added:,}"),
        ("AI lines committed", f"{sum(commit.lines for commit in commits):,}"),
    ]


def _spend(figures: SessionFigures) -> str:
    if figures.spend is None:
        return NO_PRICE if figures.unpriced_tokens else "none"
    beside = f", and {figures.unpriced_tokens:,} tokens without a price" if figures.unpriced_tokens else ""
    return f"{_money(figures.spend)}{beside}"


def _reported(figures: SessionFigures) -> str:
    if figures.reported_cost is None:
        return "nothing"
    if figures.spend is None:
        return _money(figures.reported_cost)
    difference = figures.reported_cost - figures.spend
    if abs(difference) < 0.00005:
        return f"{_money(figures.reported_cost)}, the same"
    return f"{_money(figures.reported_cost)}, {_money(abs(difference))} {'more' if difference > 0 else 'less'}"


def _cells(figures: SessionFigures) -> list[str]:
    counts = (
        *(figures.requests, figures.input_tokens, figures.cache_read_tokens, figures.cache_write_tokens),
        *(figures.output_tokens, figures.tokens),
    )
    unknown = "unknown" if figures.unpriced_tokens else ""
    return [
        *(f"{count:,}" for count in counts),
        unknown if figures.spend is None else _money(figures.spend),
        "" if figures.reported_cost is None else _money(figures.reported_cost),
    ]


def _money(value: float) -> str:
    """Dollars with four decimals, because requests cost fractions of a cent."""
    return f"${value:,.4f}"


def _tool_line(tool: ToolUse) -> dict[str, Any]:
    return {
        "name": tool.tool or "unknown",
        "succeeded": f"{tool.succeeded:,}",
        "failed": f"{tool.failed:,}",
        "refused": f"{tool.refused:,}",
        "took": "" if tool.seconds is None else _took(tool.seconds),
        "error_types": ", ".join(tool.error_types),
    }


def _commit_lines(commits: Sequence[SessionCommit], access: Access) -> list[dict[str, Any]]:
    shas = [commit.sha for commit in commits]
    seen = set(visible_commits(access).filter(sha__in=shas).values_list("sha", flat=True)) if shas else set()
    return [
        {
            "sha": commit.sha[:SHORT_SHA],
            "url": reverse("attributed_commit", args=[commit.sha]) if commit.sha in seen else "",
            "subject": commit.subject if commit.sha in seen else "",
            "repository": commit.repository if commit.sha in seen else "",
            "at": wording.moment(commit.committed_at),
            "methods": ", ".join(METHODS[method] for method in commit.methods),
            "lines": f"{commit.lines:,}",
        }
        for commit in commits
    ]


def _work_period_lines(active_periods: Sequence[ActivePeriod]) -> list[dict[str, Any]]:
    pauses = ["", *(str(wording.duration((b.start - a.end).total_seconds())) for a, b in pairwise(active_periods))]
    return [
        {
            "period": _time_range(period.start, period.end),
            "duration": str(wording.duration(period.seconds)),
            "pause": pause,
        }
        for period, pause in zip(active_periods[:ACTIVE_PERIODS_LISTED], pauses, strict=False)
    ]


def _timeline(request: HttpRequest, session: AgentSession, story: SessionTimeline, access: Access) -> dict[str, Any]:
    """One page of events, of the session or of one hour, or the list of hours."""
    start = _read_hour(request)
    end = start + timedelta(hours=1) if start else None
    number = read_page(request)
    total = story.count(start, end)
    url = reverse("ai_session", args=[session.pk])
    if start is None and total > LISTED_ALONE:
        hours = [
            _hour_line(hour, f"{url_with(url, {'hour': hour.start.isoformat()})}#timeline") for hour in story.hours()
        ]
        return {"hours": hours, "happened": f"{total:,}"}
    events = story.events(first=(number - 1) * PAGE_SIZE, count=PAGE_SIZE, start=start, end=end)
    seen = [happening.name for happening in events if happening.what == "commit"]
    links = set(visible_commits(access).filter(sha__in=seen).values_list("sha", flat=True)) if seen else set()

    def page_url(page: str) -> str:
        return f"{url_with(url, {'hour': start and start.isoformat(), 'page': page})}#timeline"

    return {
        "days": _events_by_day(events, links),
        "hour": _time_range(start, end) if start and end else "",
        "hours_url": f"{url}#timeline" if start else "",
        "happened": f"{total:,}",
        **links_of_page(number, events, total, page_url, size=PAGE_SIZE),
        "paged": total > PAGE_SIZE,
    }


def _events_by_day(events: Sequence[TimelineEvent], open_commits: Collection[str]) -> list[dict[str, Any]]:
    """Events by local day, in order; `open_commits` are the SHAs that the viewer may open."""
    by_day = []
    before: datetime | None = None
    for name, of_day in groupby(events, key=lambda happening: wording.day(timezone.localdate(happening.at))):
        listed = list(of_day)
        by_day.append({"name": name, "entries": list(_entries(listed, before, open_commits))})
        before = listed[-1].at
    return by_day


def _hour_line(hour: Hour, url: str) -> dict[str, Any]:
    return {
        "name": wording.moment(hour.start),
        "url": url,
        "cells": [
            f"{hour.requests:,}",
            f"{hour.tokens:,}",
            "" if hour.spend is None else f"${hour.spend:,.4f}",
            f"{hour.tool_calls:,}",
            f"{hour.tool_failures:,}",
            f"{hour.commits:,}",
        ],
        "failures": f"{hour.tool_failures:,}",
    }


def _time_range(start: datetime, end: datetime) -> str:
    """The range between two times, without repeating the day."""
    local = timezone.localtime(end)
    if timezone.localdate(start) == local.date():
        return f"{wording.moment(start)}–{local:%H:%M}"
    return f"{wording.moment(start)} – {wording.moment(end)}"


def _entries(
    events: Sequence[TimelineEvent], before: datetime | None, open_commits: Collection[str]
) -> Iterator[dict[str, Any]]:
    for happening in events:
        quiet = (happening.at - before).total_seconds() if before else 0.0
        is_commit = happening.what is EventType.COMMIT
        opens = is_commit and happening.name in open_commits
        yield {
            "time": f"{timezone.localtime(happening.at):%H:%M:%S}",
            "icon": ICONS[happening.what],
            "tone": "good" if is_commit else "bad" if happening.outcome == ToolOutcome.FAILED else "",
            "what": _what(happening),
            "url": reverse("attributed_commit", args=[happening.name]) if opens else "",
            "detail": " · ".join(filter(None, _details(happening))),
            "pause": f"{wording.duration(quiet)} without an event" if quiet > PAUSE_SECONDS else "",
        }
        before = happening.at


def _what(happening: TimelineEvent) -> str:
    match happening.what:
        case EventType.COMMIT:
            return f"Commit {happening.name[:SHORT_SHA]}"
        case EventType.METER:
            return f"15 minutes of {happening.name or 'no model'}"
        case _:
            return happening.name or "unknown"


def _details(happening: TimelineEvent) -> Iterator[str]:
    if happening.what is EventType.TOOL:
        yield {
            ToolOutcome.SUCCEEDED: "succeeded",
            ToolOutcome.FAILED: f"failed{f': {happening.error_type}' if happening.error_type else ''}",
            ToolOutcome.REFUSED: "refused by the person",
        }.get(ToolOutcome(happening.outcome), happening.outcome)
    if sum(happening.tokens):
        kinds = [f"{count:,} {kind}" for count, kind in zip(happening.tokens, TOKEN_KINDS, strict=True) if count]
        yield f"{', '.join(kinds)} tokens"
    if happening.what is EventType.REQUEST:
        yield f"${happening.spend:,.4f}" if happening.spend is not None else "price unknown"
    if happening.reported_cost:
        yield f"${happening.reported_cost:,.4f} reported"
    if happening.duration_seconds is not None:
        yield _took(happening.duration_seconds)


def _took(seconds: float) -> str:
    """The duration; below ten seconds with tenths of a second."""
    return f"{seconds:.1f} s" if seconds < 10 else str(wording.duration(seconds))


def _read_hour(request: HttpRequest) -> datetime | None:
    written = request.GET.get("hour", "")
    if not written:
        return None
    try:
        hour = datetime.fromisoformat(written)
    except ValueError:
        raise QueryError("hour", "It must be an hour's beginning, such as 2026-07-01T09:00:00+00:00.") from None
    if timezone.is_naive(hour) or not 2000 <= hour.year < 9999:
        raise QueryError("hour", "It must be a time from 2000 on, with its offset.")
    return hour
