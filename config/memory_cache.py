"""Django's in-memory cache, whose entries expire on time whatever happens to the machine's clock."""

from __future__ import annotations

import time

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache


class MonotonicMemory(LocMemCache):
    """Expires entries by a monotonic clock: allauth counts sign-ins in this cache, and after a clock that ran ahead is
    set back it would otherwise refuse an address until that time.
    """

    def get_backend_timeout(self, timeout: float | object = DEFAULT_TIMEOUT) -> float | None:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return None if seconds is None else time.monotonic() + float(seconds)  # type: ignore[arg-type]

    def _has_expired(self, key: str) -> bool:
        expires = self._expire_info.get(key, float("-inf"))  # type: ignore[attr-defined]  # the stubs lack it
        return expires is not None and bool(expires <= time.monotonic())
