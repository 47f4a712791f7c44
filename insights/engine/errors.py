"""Why a question was not answered."""

from __future__ import annotations

import enum


class Limit(enum.Enum):
    TIME = "time"
    MEMORY = "memory"


class QuestionStoppedError(Exception):
    """A question that needed more time or memory than a question may; config/errors.py has the sentence for it."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(f"A question to the engine was stopped: it needed too much {limit.value}.")
        self.limit = limit
