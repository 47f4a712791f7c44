"""A child that ends when its supervisor is gone, even where that was killed and could tell nobody.

Supervisor and children share a pipe whose writing end only the supervisor holds: when it dies, however it dies,
the kernel closes that end, and reading gives end-of-file.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import NoReturn

ENVIRONMENT_NAME = "HEADWAY_LIFELINE"  # set by the supervisor for its children, not for operators
GRACE_SECONDS = 10


def end_with_supervisor() -> None:
    """Ask this process to stop as soon as the supervisor is gone; does nothing without one."""
    descriptor = os.environ.pop(ENVIRONMENT_NAME, "")
    if not descriptor:
        return
    pipe = int(descriptor)
    os.set_inheritable(pipe, False)
    threading.Thread(target=_wait_for_the_end, args=(pipe,), name="lifeline", daemon=True).start()


def _wait_for_the_end(pipe: int) -> NoReturn:
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
