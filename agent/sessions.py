"""Stores sessions from transcripts and hooks in the ledger, and builds documents from them: counts and times, no
text.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from typing import Any

from .ledger import DAY, REQUEST, TOOL_CALL, TURN, Activity, Ledger, StoredActivity, log, path_of
from .payloads import Event

WITH_TRANSCRIPTS = ("claude_code", "codex")  # the agents of transcripts.SOURCES
SECONDS_BETWEEN = 60  # two readings of all transcripts
MOST_BYTES = 400_000_000  # of one reading; the next one goes on
MOST_DAYS = 365


def note_event(ledger: Ledger, event: Event, now: float) -> None:
    """Store what a hook reports of its session, unless the agent's transcripts report more.

    A tool call without its own id is stored only as a sign of activity, because telemetry may report it as well.
    """
    if event.agent in WITH_TRANSCRIPTS:
        return
    from .transcripts import request_of_turn, tool_name  # most hooks do not need it

    request = request_of_turn(event, now) if event.usage is not None else None
    if event.tool and event.has_own_id and event.outcome:
        figures = {"tool": tool_name(event.tool), "outcome": event.outcome, "duration_ms": event.duration_ms}
        found = Activity(TOOL_CALL, event.session, event.call, now, figures)
    else:
        minute = int(now) // 60 * 60
        found = Activity(TURN, event.session, f"{event.session} {minute}", minute, {})
    if now >= _since(ledger):
        ledger.add_activities(event.agent, [found, *([request] if request else [])])


def transcripts_are_due(ledger: Ledger, now: float) -> bool:
    return not 0 <= now - float(ledger.note("transcripts read") or 0) < SECONDS_BETWEEN


def read_transcripts_soon(ledger: Ledger) -> None:
    """Make the next worker read the transcripts, however recently that happened: a turn ended, or a person asked."""
    ledger.rows("DELETE FROM note WHERE name = 'transcripts read'")


def read_transcripts(ledger: Ledger, *, most_bytes: int = MOST_BYTES) -> int:
    """Read the new part of the transcripts of all agents; return the number of new activities."""
    from .registration import AGENTS
    from .transcripts import SOURCES, files_of, read_file

    begin(ledger, time.time())  # a version before this one was installed
    ledger.set_note("transcripts read", str(time.time()))
    since, pauses = _since(ledger), _pauses(ledger)
    new = done = 0
    known = {path for (path,) in ledger.rows("SELECT path FROM transcript")}
    for agent in AGENTS:
        source = SOURCES.get(agent.name)
        if source is None:
            continue
        for path, size, changed_at in files_of(agent.folder(), source):
            known.discard(path)
            try:
                position, state = ledger.transcript(path)
                if size < position:  # written anew
                    position, state = 0, {}
                while changed_at >= since and position < size and done < most_bytes:
                    before = position
                    found, position = read_file(path, before, state, source)
                    wanted = (activity for activity in found if _is_wanted(activity, since, pauses))
                    new += ledger.add_activities(agent.name, wanted, (path, position, state))
                    done += position - before
                    if position == before:
                        break
            except (OSError, ValueError) as problem:  # one file must not hold up the others
                log(f"{path} cannot be read: {problem}")
    ledger.forget_transcripts(known)
    return new


def begin(ledger: Ledger, since: float) -> None:
    """Set the time from which sessions are read, unless it is set; nothing from before the installation is sent."""
    if not ledger.note("sessions since"):
        ledger.set_note("sessions since", str(since))


def begin_again(ledger: Ledger, days: int, now: float) -> None:
    """Read all transcripts again, starting `days` ago."""
    since = now - days * DAY
    ledger.set_note("sessions since", str(min(since, _since(ledger))))
    ledger.rows("DELETE FROM transcript")


def note_pause(ledger: Ledger, since: float, until: float) -> None:
    """Store a pause, so that transcripts of that time are not read."""
    ledger.set_note("pauses", json.dumps([*_pauses(ledger), [since, until]]))


def documents_of(activities: Iterable[StoredActivity]) -> list[dict[str, Any]]:
    """The documents of sessions in the form in which they are sent."""
    from .transcripts import text_of

    sessions: dict[tuple[str, str], dict[str, Any]] = {}
    for activity in activities:
        document = sessions.setdefault(
            (activity.agent, activity.session),
            {
                **{"agent": activity.agent, "session": activity.session, "version": ""},
                **{"requests": [], "tool_calls": [], "turns": []},
            },
        )
        document["version"] = activity.version or document["version"]
        if activity.kind == TURN:
            document["turns"].append(text_of(activity.at))
        else:
            part = "requests" if activity.kind == REQUEST else "tool_calls"
            document[part].append({"id": activity.id, "at": text_of(activity.at), **activity.figures})
    return list(sessions.values())


def _is_wanted(found: Activity, since: float, pauses: Iterable[list[float]]) -> bool:
    return found.at >= since and not any(start <= found.at <= end for start, end in pauses)


def _since(ledger: Ledger) -> float:
    return float(ledger.note("sessions since") or "inf")


def _pauses(ledger: Ledger) -> list[list[float]]:
    pauses: list[list[float]] = json.loads(ledger.note("pauses") or "[]")
    try:
        running = os.path.getmtime(path_of("paused"))
    except OSError:
        return pauses
    return [*pauses, [running, float("inf")]]
