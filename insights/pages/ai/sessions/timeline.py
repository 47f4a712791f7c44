"""The timeline of a session's page: events by day, with the pauses between them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils import timezone

from insights.ui import wording
from insights.ui.wording import moment
from integrations.models import ToolOutcome
from integrations.telemetry.sessions.timeline import EventType, Hour, TimelineEvent

PAUSE_SECONDS = 30 * 60  # a longer gap separates work periods
SHORT_SHA = 10
ICONS = {EventType.REQUEST: "message", EventType.TOOL: "tool", EventType.COMMIT: "git-commit", EventType.METER: "clock"}
TOKEN_KINDS = ("uncached", "cache read", "cache write", "output")


def days(events: Sequence[TimelineEvent], open_commits: Collection[str]) -> list[dict[str, Any]]:
    """By local day, in order; `open_commits` are the SHAs that the viewer may open."""
    days_listed = []
    before: datetime | None = None
    for name, of_day in groupby(events, key=lambda happening: wording.day(timezone.localdate(happening.at))):
        listed = list(of_day)
        days_listed.append({"name": name, "entries": list(_entries(listed, before, open_commits))})
        before = listed[-1].at
    return days_listed


def hour_line(hour: Hour, url: str) -> dict[str, Any]:
    return {
        "name": moment(hour.start),
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


def time_range(start: datetime, end: datetime) -> str:
    """From one time to another, without repeating the day."""
    local = timezone.localtime(end)
    if timezone.localdate(start) == local.date():
        return f"{moment(start)}–{local:%H:%M}"
    return f"{moment(start)} – {moment(end)}"


def _entries(
    events: Sequence[TimelineEvent], before: datetime | None, open_commits: Collection[str]
) -> Iterator[dict[str, Any]]:
    for happening in events:
        quiet = (happening.at - before).total_seconds() if before else 0.0
        yield {
            "time": f"{timezone.localtime(happening.at):%H:%M:%S}",
            "icon": ICONS[happening.what],
            "tone": _tone(happening),
            "what": _what(happening),
            "url": reverse("attributed_commit", args=[happening.name]) if _opens(happening, open_commits) else "",
            "detail": " · ".join(filter(None, _details(happening))),
            "pause": f"{wording.duration(quiet)} without an event" if quiet > PAUSE_SECONDS else "",
        }
        before = happening.at


def _opens(happening: TimelineEvent, open_commits: Collection[str]) -> bool:
    return happening.what is EventType.COMMIT and happening.name in open_commits


def _tone(happening: TimelineEvent) -> str:
    if happening.what is EventType.COMMIT:
        return "good"
    return "bad" if happening.outcome == ToolOutcome.FAILED else ""


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
        yield took(happening.duration_seconds)


def took(seconds: float) -> str:
    """Below ten seconds with tenths of a second."""
    return f"{seconds:.1f} s" if seconds < 10 else str(wording.duration(seconds))
