"""Lock that lets one process at a time read a clone."""

from __future__ import annotations

from collections.abc import Iterable

from core.locks import BusyError, Lock
from integrations.models import RepositorySource

READING = Lock("reading of a clone")  # by source


def no_reading(sources: Iterable[RepositorySource]) -> None:
    """Keep others from reading these sources until the caller's transaction ends.  Raises BusyError."""
    for source in sources:
        if not READING.try_hold(source.pk):
            raise BusyError
