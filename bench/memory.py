"""Memory of the idle installation, PostgreSQL left out, and of a web process that has shown every page."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.urls import reverse

from bench.figures import Measured
from bench.instance import SUPERVISOR_PID
from bench.responses import browser, visit
from insights.catalogue.registry import metrics

GOAL_MB = 400
WEB_GOAL_MB = 350
ENDED = (FileNotFoundError, ProcessLookupError)  # exceptions of reading a process that has ended
SETTLING_SECONDS = 5  # after which a freshly started installation no longer grows


def idle_memory() -> list[Measured]:
    """PSS of web, worker, beat and their supervisor, in MB.  Linux only: elsewhere nothing is measured."""
    supervisor = os.environ.get(SUPERVISOR_PID)
    if supervisor is None or not Path("/proc/self/smaps_rollup").exists():
        return []
    time.sleep(SETTLING_SECONDS)
    parts: dict[str, float] = {}
    for pid in tree_of(int(supervisor)):
        role = role_of(pid)
        if role != "postgres":
            parts[role] = parts.get(role, 0) + _pss_mb(pid)
    total = sum(parts.values())
    return [
        Measured(
            name="idle memory",
            value=total,
            unit="MB PSS",
            goal=f"≤ {GOAL_MB} MB",
            met=total <= GOAL_MB,
            conditions="without PostgreSQL: " + ", ".join(f"{role} {size:.0f}" for role, size in sorted(parts.items())),
        )
    ]


def web_memory(session_cookie: str) -> list[Measured]:
    """PSS of the largest web process after all pages of the menu and of the metrics, in MB.  Linux only."""
    supervisor = os.environ.get(SUPERVISOR_PID)
    if supervisor is None or not Path("/proc/self/smaps_rollup").exists():
        return []
    with browser(session_cookie) as client:
        menu = client.get("/").raise_for_status().text.partition('id="navigation"')[2].partition("</nav>")[0]
        pages = [*dict.fromkeys(re.findall(r'href="(/[^"]*)"', menu))]
        pages += [reverse("metric_page", args=[metric.key]) for metric in metrics()]
        responses = sum(len(visit(client, page)) for page in pages)
    largest = max(_pss_mb(pid) for pid in tree_of(int(supervisor)) if role_of(pid) == "web")
    return [
        Measured(
            name="memory of a web process",
            value=largest,
            unit="MB PSS",
            goal=f"≤ {WEB_GOAL_MB} MB",
            met=largest <= WEB_GOAL_MB,
            conditions=f"after {len(pages)} pages in {responses:,} responses, and what was measured before",
        )
    ]


def tree_of(pid: int) -> Iterator[int]:
    """The process and all its descendants, except those that end meanwhile."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(*ENDED):
            for child in thread.read_text().split():
                yield from tree_of(int(child))


def role_of(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    if "postgres" in words[0]:
        return "postgres"
    return next((role for role in ("web", "worker", "beat") if role in words), "supervisor")


def _pss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    return 0.0
