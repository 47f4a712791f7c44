"""Sends the queue to the server: counts by commit, activities of sessions, and the state of this machine's hooks."""

from __future__ import annotations

import json
import platform
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from . import VERSION
from .ledger import DAY, Ledger, StoredActivity, log, read_settings, system_name
from .sessions import documents_of

COMMITS_AT_ONCE = 200
ACTIVITIES_AT_ONCE = 1_000
CLOCK_TOLERANCE = 120  # seconds; an answer takes some
SECONDS = 10
LONGEST_PAUSE = 3_600 * 6  # between two attempts
STATE_EVERY = DAY / 4
MOST_REPLY = 100_000


class RefusedError(Exception):
    """A report that the server did not accept; the text is shown to the person at this machine."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Part(NamedTuple):
    """The content of one report: commits with their documents, and activities of sessions."""

    commits: Sequence[tuple[str, dict[str, Any]]]
    activities: Sequence[StoredActivity]

    @property
    def size(self) -> int:
        return len(self.commits) + len(self.activities)

    def halves(self) -> tuple[Part, Part]:
        """Return two parts that together contain all of it; neither is empty if it has at least two records."""
        commits, activities = len(self.commits) // 2, (len(self.activities) + 1) // 2
        first = Part(self.commits[:commits], self.activities[:activities])
        return first, Part(self.commits[commits:], self.activities[activities:])


def next_part(ledger: Ledger, now: float) -> Part:
    """The content of the next report.  An activity that lies in the server's future, because of a wrong clock,
    waits.
    """
    ahead = max(0.0, float(ledger.note("clock ahead") or 0))
    return Part(ledger.unsent(COMMITS_AT_ONCE), ledger.unsent_activities(ACTIVITIES_AT_ONCE, now - ahead))


def report_of(ledger: Ledger, part: Part) -> dict[str, Any]:
    return {
        "machine": machine_state(ledger),
        "commits": [document for _, document in part.commits],
        "sessions": documents_of(part.activities),
    }


def machine_state(ledger: Ledger) -> dict[str, Any]:
    """Versions, and for each agent whether its hooks are installed and when one last ran."""
    from .registration import AGENTS, state_of

    seen = ledger.notes("seen ")
    agents = {}
    for agent in AGENTS:
        hooks = state_of(agent)
        if hooks != "not installed" or agent.name in seen:
            at = seen.get(agent.name)
            agents[agent.name] = {
                "hooks": hooks,
                "last_event": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(at))) if at else None,
            }
    return {
        "version": VERSION,
        "system": system_name(),
        "python": platform.python_version(),
        "agents": agents,
    }


def send_queue(ledger: Ledger, *, now: float | None = None, force: bool = False) -> int:
    """Send what is queued, and the machine's state four times a day; return the number of commits and activities sent.

    After a failure the next attempt waits twice as long as the last; nothing is dropped because of it.
    """
    now = time.time() if now is None else now
    settings = read_settings()
    if not settings.get("server") or not settings.get("token"):
        return 0
    next_at = float(ledger.note("next attempt") or 0)
    if now < next_at <= now + LONGEST_PAUSE and not force:  # a clock that was set back does not stop us
        return 0
    sent = 0
    while True:
        part = next_part(ledger, now)
        if not part.size and (sent or 0 <= now - float(ledger.note("state sent") or 0) < STATE_EVERY) and not force:
            return sent
        force = False
        try:
            _send(ledger, settings, part)
        except RefusedError as problem:
            pause = min(LONGEST_PAUSE, 2 * float(ledger.note("pause") or 30))
            ledger.set_note("pause", str(pause))
            ledger.set_note("next attempt", str(now + pause))
            ledger.set_note("last problem", str(problem))
            log(f"not sent: {problem}")
            return sent
        ledger.set_note("state sent", str(now))
        for name in ("pause", "next attempt", "last problem"):
            ledger.rows("DELETE FROM note WHERE name = ?", name)
        sent += part.size
        if not part.size:
            return sent


def _send(ledger: Ledger, settings: dict[str, Any], part: Part) -> None:
    """Send a part.  If the server cannot accept it, each half is tried, so that one record does not hold up the others.

    Raises RefusedError if a later attempt may succeed.
    """
    report = report_of(ledger, part)
    try:
        ahead = post(settings["server"], settings["token"], report)
    except RefusedError as problem:
        if not problem.is_final or not part.size:
            raise
        if part.size > 1:
            for half in part.halves():
                _send(ledger, settings, half)
            return
        ledger.close_sent([sha for sha, _ in part.commits], refused=str(problem))
        ledger.close_activities(part.activities, refused=str(problem))
        return
    ledger.close_sent([sha for sha, _ in part.commits])
    ledger.close_activities(part.activities)
    ledger.set_note("last report", json.dumps(report, indent=2, sort_keys=True))
    if ahead is not None:
        ledger.set_note("clock ahead", str(ahead))


def post(server: str, token: str, report: dict[str, Any]) -> float | None:
    """Send one report; return by how many seconds this machine's clock is ahead of the server's, if the response says.

    Raises RefusedError.
    """
    request = urllib.request.Request(  # noqa: S310  # the scheme is checked at installation
        f"{server.rstrip('/')}/collector/v1/reports",
        data=json.dumps(report).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        method="POST",
    )
    try:
        with _opener().open(request, timeout=SECONDS) as response:
            answer = json.loads(response.read(MOST_REPLY))
            dated = response.headers.get("Date", "")
    except urllib.error.HTTPError as problem:
        with problem:
            said = problem.read(300).decode("utf-8", "replace").strip()
        # 400 and 413 are about this report; everything else (a token, a proxy, an outage) ends some day.
        raise RefusedError(f"{server} answered {problem.code}: {said}", is_final=problem.code in (400, 413)) from None
    except (OSError, ValueError) as problem:
        raise RefusedError(f"{server} cannot be reached or is not Headway: {problem}") from None
    if not isinstance(answer, dict) or "accepted" not in answer:
        raise RefusedError(f"{server} did not answer like Headway. A proxy or sign-in page may be in between.")
    return _ahead_of(dated)


def _ahead_of(dated: str) -> float | None:
    try:
        ahead = time.time() - parsedate_to_datetime(dated).timestamp()
    except (TypeError, ValueError):
        return None
    return ahead if abs(ahead) > CLOCK_TOLERANCE else 0.0


def _opener() -> urllib.request.OpenerDirector:
    """An opener that follows no redirects, so that the token is sent only to the server it is meant for."""

    class NoRedirects(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    return urllib.request.build_opener(NoRedirects())
