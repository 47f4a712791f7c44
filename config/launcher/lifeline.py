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

GRACE_SECONDS = 10


def end_with_supervisor(pipe: int) -> None:
    """Ask this process to stop as soon as the writing end of the inherited `pipe` is closed."""
    os.set_inheritable(pipe, False)
    threading.Thread(target=_wait_for_the_end, args=(pipe,), name="lifeline", daemon=True).start()


def _wait_for_the_end(pipe: int) -> NoReturn:
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
