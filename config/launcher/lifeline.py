"""Ends a child when its supervisor is gone, even if it was killed.

Children inherit a pipe whose write end only the supervisor holds: when it dies, the kernel closes that end and reading
returns EOF.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import NoReturn

GRACE_SECONDS = 10


def end_with_supervisor(pipe: int) -> None:
    """Send this process SIGTERM as soon as the write end of the inherited `pipe` is closed."""
    os.set_inheritable(pipe, False)
    threading.Thread(target=_wait_for_the_end, args=(pipe,), name="lifeline", daemon=True).start()


def _wait_for_the_end(pipe: int) -> NoReturn:
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
