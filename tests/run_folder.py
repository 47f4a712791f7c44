"""The temporary folder of a test run, in memory if there is room, and cleanup of leftover processes.

A killed run cannot stop its database server and installations.  A watchdog process does, or the next run if that was
killed too: every process of a run has the run's folder in its environment, and the kernel releases a killed run's lock
on it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

RUN_MARKER = "HEADWAY_TEST_RUN"
PREFIX = "headway-test-"
LOCK = "owner.lock"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # where the system has it
NEEDED_BYTES = 4 << 30  # a whole run in two processes takes less than two
SECONDS_TO_END = 30  # installations stop their processes in order, and their database last


@contextmanager
def run_folder() -> Iterator[Path]:
    """A new folder, locked by this process; gone afterwards, with the processes that belong to the run."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_roomiest()))
    folder.chmod(0o711)  # root's server runs under an account of its own, which passes through
    unnamed = folder / "unlocked"
    with _cleaner(), unnamed.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unnamed.rename(folder / LOCK)  # nobody sees the file before it is locked
        yield folder


@contextmanager
def once_per_run(step: str) -> Iterator[bool]:
    """True for the first process of the run that comes here; the others wait until it is through, and get False."""
    done = Path(os.environ[RUN_MARKER], f"{step}.done")
    with done.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not done.exists()
        done.touch()


def end_runs_that_were_cut_off() -> None:
    """End the processes of runs that are gone, and remove their folders."""
    for parent in _parents():
        for lock_file in parent.glob(f"{PREFIX}*/{LOCK}"):
            with suppress(OSError), lock_file.open("r+") as lock:  # another account's, or just being removed
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _end_processes(lock_file.parent)
                shutil.rmtree(lock_file.parent, ignore_errors=True)


def _parents() -> tuple[Path, ...]:
    return SHARED_MEMORY, Path(tempfile.gettempdir())


def _roomiest() -> Path:
    """Shared memory where there is enough, else the folder for temporary files."""
    memory, disk = _parents()
    with suppress(OSError):
        if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= NEEDED_BYTES:
            return memory
    return disk


@contextmanager
def _cleaner() -> Iterator[None]:
    """A process that outlives this one, however it ends, and cleans up after it."""
    cleaner = subprocess.Popen(
        [sys.executable, "-m", "tests.run_folder"],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in the terminal is for the run
    )
    try:
        yield
    finally:
        cleaner.communicate()  # closes its input, and waits until it is done


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


if __name__ == "__main__":
    sys.stdin.buffer.read()  # until the run is gone
    end_runs_that_were_cut_off()
