"""The time when this machine's worker last finished a task, kept as the modification time of a file."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from django.conf import settings


def _mark() -> Path:
    return Path(settings.DATA_DIR) / "run" / "last-task"


def note_finished_task(**_: object) -> None:
    """Receiver of Celery's task_postrun signal."""
    with contextlib.suppress(OSError):  # a full disk must not fail the task
        _mark().touch()


def seconds_since_last_task() -> float | None:
    """None if no worker has finished a task here."""
    try:
        return abs(time.time() - _mark().stat().st_mtime)  # in the future: the clock was put back
    except FileNotFoundError:
        return None
