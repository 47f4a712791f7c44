"""The time for which a test polls for an expected state before it fails.

The timeout is long because only failing tests pay for it: polling ends as soon as the state is reached, and other jobs
may use the same processors.  `make bench` measures performance.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_SECONDS = 300

Result = TypeVar("Result")


def wait_until(look: Callable[[], Result], *, what: str, within_seconds: float = PATIENCE_SECONDS) -> Result:
    """The first truthy result of `look`; AssertionError naming `what` when it does not come in time."""
    deadline = time.monotonic() + within_seconds
    while not (result := look()):
        assert time.monotonic() < deadline, f"Not within {within_seconds:g} s: {what}"
        time.sleep(0.05)
    return result
