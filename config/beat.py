"""django-celery-beat's scheduler, hardened against a machine clock that is set back."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import Error as DatabaseError
from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler

from config.stored_clocks import LEEWAY, correct_clocks

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_CHECKS = 60.0


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # has no types
    """Checks for stored times in the future at start and once a minute."""

    _look_at = float("-inf")  # monotonic

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + SECONDS_BETWEEN_CHECKS
            self.correct_clocks()
        return super().tick(*args, **kwargs)

    def correct_clocks(self) -> None:
        now = timezone.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at > now + LEEWAY]
        for entry in ahead:  # first: its in-memory state overwrites the stored one
            entry.last_run_at = entry.model.last_run_at = now
        try:
            put_right = correct_clocks(now)
        except DatabaseError as problem:
            logger.warning("Stored times cannot be read: %s", problem)
            return
        if put_right:
            columns = ", ".join(f"{count} of {column}" for column, count in put_right.items())
            logger.warning("The clock was set back: %s were too far in the future, and have been corrected.", columns)
        if put_right or ahead:
            # The library's own times use the same clock: its last full read and the order of tasks.
            self._initial_read = self._heap_invalidated = True
