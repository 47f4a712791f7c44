"""One `up` per data directory: a lock that children of a killed supervisor hold until they end."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from config.launcher.errors import LaunchError

SECONDS_FOR_EARLIER_CHILDREN = 30.0
SECONDS_BETWEEN_TRIES = 0.1


def lock_data_directory(run_dir: Path, data_dir: Path) -> int:
    """Acquire the lock and return its descriptor, to be inherited by the children.

    Waits for children of a killed supervisor; raises LaunchError if a supervisor runs.
    """
    descriptor = os.open(run_dir / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + SECONDS_FOR_EARLIER_CHILDREN
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            supervisor = os.pread(descriptor, 20, 0).decode().strip()
            if _is_alive(supervisor):
                raise LaunchError(
                    f"Headway already runs on {data_dir} (process {supervisor}). Stop it first, or set "
                    "HEADWAY_DATA_DIR and HEADWAY_PORT to start a second installation."
                ) from None
            if time.monotonic() > deadline:
                raise LaunchError(
                    f"Processes of an earlier run on {data_dir} have not ended yet. Try again in a moment."
                ) from None
            time.sleep(SECONDS_BETWEEN_TRIES)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            return descriptor


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
