"""The scheduler of django-celery-beat, for machines whose clock is put back while it runs or while it does not."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import Error as DatabaseError
from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler

from config.stored_clocks import LEEWAY, put_clocks_right

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 60.0


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # has no types
    """Looks once a minute, and when it starts, whether a stored moment lies in the future."""

    _look_at = float("-inf")  # by a clock that nobody puts back

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + SECONDS_BETWEEN_LOOKS
            self.put_clocks_right()
        return super().tick(*args, **kwargs)

    def put_clocks_right(self) -> None:
        now = timezone.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at > now + LEEWAY]
        for entry in ahead:  # first: what it remembers is written over what is stored
            entry.last_run_at = entry.model.last_run_at = now
        try:
            put_right = put_clocks_right(now)
        except DatabaseError as problem:
            logger.warning("Stored times cannot be looked at: %s", problem)
            return
        if put_right:
            columns = ", ".join(f"{count} of {column}" for column, count in put_right.items())
            logger.warning("The clock was put back: %s lay in the future, and are set to now.", columns)
        if put_right or ahead:
            # Times of the library's own, by the same clock: when it last read all tasks, and in which order they come.
            self._initial_read = self._heap_invalidated = True
