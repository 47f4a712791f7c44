"""How long a test waits for what should come before it fails.

Long, because it is paid by failing tests alone: others may use the same processors, and who waits goes on as soon as
what is awaited is there.  How fast Headway is, `make bench` measures.
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
