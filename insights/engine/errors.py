"""Errors of the engine."""

from __future__ import annotations

import enum


class Limit(enum.Enum):
    TIME = "time"
    MEMORY = "memory"


class QuestionStoppedError(Exception):
    """A query exceeded its time or memory limit; config/errors.py has the message for users."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(f"A query of the engine was stopped: it exceeded its {limit.value} limit.")
        self.limit = limit
