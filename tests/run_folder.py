"""The temporary folder of a test run, and the end of what runs that were cut off left behind.

A run that is killed cannot stop its database server and its installations.  The next one does: every process of a
run has the run's folder in its environment, and the kernel drops a killed run's lock on that folder.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

RUN_MARKER = "HEADWAY_TEST_RUN"
PREFIX = "headway-test-"
LOCK = "owner.lock"
SECONDS_TO_END = 30  # installations stop their processes in order, and their database last


@contextmanager
def run_folder() -> Iterator[Path]:
    """A new folder, locked by this process; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o711)  # root's server runs under an account of its own, which passes through
    unnamed = folder / "unlocked"
    with unnamed.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unnamed.rename(folder / LOCK)  # nobody sees the file before it is locked
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def end_runs_that_were_cut_off() -> None:
    """End the processes of runs that are gone, and remove their folders."""
    for lock_file in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), lock_file.open("r+") as lock:  # another account's, or just being removed
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _end_processes(lock_file.parent)
            shutil.rmtree(lock_file.parent, ignore_errors=True)


def _end_processes(folder: Path) -> None:
    running = [process for process in psutil.process_iter() if _run_of(process) == str(folder)]
    for process in running:
        with suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(running, timeout=SECONDS_TO_END)
    for process in stubborn:
        with suppress(psutil.Error):
            process.kill()


def _run_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(RUN_MARKER)
    except (psutil.Error, OSError):  # gone, or another account's
        return None
