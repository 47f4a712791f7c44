"""The queue → the server: counts by commit, and the state of this machine's hooks."""

from __future__ import annotations

import json
import platform
import time
import urllib.error
import urllib.request
from typing import Any

from . import VERSION
from .ledger import DAY, Ledger, log, read_settings, system_name

COMMITS_AT_ONCE = 200
SECONDS = 10
LONGEST_PAUSE = 3_600 * 6  # between two attempts
STATE_EVERY = DAY / 4
MOST_REPLY = 100_000


class RefusedError(Exception):
    """The server did not take a report; the text is for the person at this machine."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


def report_of(ledger: Ledger, most: int = COMMITS_AT_ONCE) -> tuple[dict[str, Any], list[str]]:
    """The next report, and the commits in it."""
    unsent = ledger.unsent(most)
    return {"machine": machine_state(ledger), "commits": [document for _, document in unsent]}, [
        sha for sha, _ in unsent
    ]


def machine_state(ledger: Ledger) -> dict[str, Any]:
    """Versions, and per agent whether its hooks are in place and when one ran last."""
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
    """Send what is queued, and the machine's state four times a day; returns the number of commits sent.

    After a failure the next attempt waits, twice as long each time; nothing is dropped for it.
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
        report, commits = report_of(ledger)
        if not commits and (sent or 0 <= now - float(ledger.note("state sent") or 0) < STATE_EVERY) and not force:
            return sent
        force = False
        try:
            post(settings["server"], settings["token"], report)
        except RefusedError as problem:
            if problem.is_final and len(commits) == 1:
                ledger.close_sent(commits, refused=str(problem))
                continue
            if problem.is_final and commits:
                _send_singly(ledger, settings, report, commits)
                continue
            pause = min(LONGEST_PAUSE, 2 * float(ledger.note("pause") or 30))
            ledger.set_note("pause", str(pause))
            ledger.set_note("next attempt", str(now + pause))
            ledger.set_note("last problem", str(problem))
            log(f"not sent: {problem}")
            return sent
        ledger.close_sent(commits)
        ledger.set_note("last report", json.dumps(report, indent=2, sort_keys=True))
        ledger.set_note("state sent", str(now))
        for name in ("pause", "next attempt", "last problem"):
            ledger.rows("DELETE FROM note WHERE name = ?", name)
        sent += len(commits)
        if not commits:
            return sent


def _send_singly(ledger: Ledger, settings: dict[str, Any], report: dict[str, Any], commits: list[str]) -> None:
    """One commit at a time, so that one that the server refuses does not hold up the others."""
    for sha, document in zip(commits, report["commits"]):
        try:
            post(settings["server"], settings["token"], {**report, "commits": [document]})
        except RefusedError as problem:
            if not problem.is_final:
                raise
            ledger.close_sent([sha], refused=str(problem))
        else:
            ledger.close_sent([sha])


def post(server: str, token: str, report: dict[str, Any]) -> None:
    """Send one report.  Raises RefusedError."""
    request = urllib.request.Request(  # noqa: S310  # the scheme is checked at installation
        f"{server.rstrip('/')}/collector/v1/reports",
        data=json.dumps(report).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        method="POST",
    )
    try:
        with _opener().open(request, timeout=SECONDS) as response:
            answer = json.loads(response.read(MOST_REPLY))
    except urllib.error.HTTPError as problem:
        with problem:
            said = problem.read(300).decode("utf-8", "replace").strip()
        # 400 and 413 are about this report; everything else (a token, a proxy, an outage) ends some day.
        raise RefusedError(f"{server} answered {problem.code}: {said}", is_final=problem.code in (400, 413)) from None
    except (OSError, ValueError) as problem:
        raise RefusedError(f"{server} cannot be reached or is no Headway: {problem}") from None
    if not isinstance(answer, dict) or "accepted" not in answer:
        raise RefusedError(f"{server} did not answer as Headway does. A proxy or sign-in page stands between.")


def _opener() -> urllib.request.OpenerDirector:
    """An opener that follows no redirect: a token goes to the server it is for, and nowhere else."""

    class NoRedirects(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    return urllib.request.build_opener(NoRedirects())
