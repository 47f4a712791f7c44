"""What became of a session, in words, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from insights.pages.ai.sessions.states import COMMITTED, LABELS, PENDING, UNKNOWN, WASTED, outcome_of
from insights.pages.attribution.labels import moment
from insights.ui import wording
from integrations.models import AgentSession
from integrations.telemetry.sessions.story import SessionCommit


@dataclass(frozen=True)
class SessionOutcome:
    key: str
    label: str
    why: str


def explained(session: AgentSession, settled_before: datetime, commits: Sequence[SessionCommit]) -> SessionOutcome:
    key = outcome_of(session, settled_before)
    settles_at = session.ended_at + settings.SETTLING_TIME
    hours = int(settings.SETTLING_TIME.total_seconds() // 3600)
    lines = sum(commit.lines for commit in commits)
    why = {
        COMMITTED: f"{wording.count(lines, 'line')} of it {'stands' if lines == 1 else 'stand'} in "
        f"{wording.count(len(commits), 'commit')} that count{'s' if len(commits) == 1 else ''}.",
        PENDING: f"It ended less than {hours} hours ago, and no commit has lines of it yet. It settles with the full "
        f"hour after {moment(settles_at)}.",
        UNKNOWN: "No commit has lines of it, and no connected repository holds a commit of its developer within a "
        "year of it: where they went cannot be seen, so it is not called waste.",
        WASTED: f"No commit that counts has lines of it, {hours} hours after it ended, although commits of its "
        "developer are known.",
    }
    return SessionOutcome(key, LABELS[key], why[key])
