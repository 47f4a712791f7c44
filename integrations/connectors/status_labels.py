"""Labels that give the status of an issue, for trackers whose issues are only open or closed."""

from __future__ import annotations

import re
from collections.abc import Sequence

IN_PROGRESS = frozenset({"in progress", "work in progress", "wip", "doing", "in development", "in review"})
WAITING = frozenset({"blocked", "on hold"})
"""Labels, in lower case and with blanks alone between their words; before them may stand that it is a status.  What is
blocked before anybody began is still to do."""
_WORDS = re.compile(r"[a-z]+")
_NAMES_OF_STATUS = ("status", "state", "workflow")  # GitLab's scoped labels: workflow::in progress


def status_of(labels: Sequence[str], otherwise: str) -> str:
    """The status of an open issue: its last label that means in progress, or waiting."""
    working = [label for label in labels if _words(label) in IN_PROGRESS]
    waiting = [label for label in labels if _words(label) in WAITING]
    return (waiting or working)[-1] if working else otherwise


def is_started(status: str) -> bool:
    """Whether the status is such a label."""
    return _words(status) in IN_PROGRESS | WAITING


def _words(label: str) -> str:
    """The label in plain words: status/In-Progress → in progress."""
    words = _WORDS.findall(label.lower())
    return " ".join(words[1:] if words[:1] and words[0] in _NAMES_OF_STATUS else words)
