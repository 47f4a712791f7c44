"""A separate installation for the bench: its own data directory, database and port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from django.conf import settings

START_SECONDS = 600  # on a busy machine
STOP_SECONDS = 60
SUPERVISOR_PID = "HEADWAY_BENCH_SUPERVISOR"  # identifies the installation's processes for the measuring process


class BenchInstanceError(Exception):
    """The bench's installation did not start; the message carries the end of its log."""


@contextmanager
def bench_instance(reusable: Path | None = None) -> Iterator[Mapping[str, str]]:
    """Run `manage.py up`; yields the environment in which commands reach it.

    With `reusable`, it runs in that folder, on the data that an earlier run left there; otherwise in a folder deleted
    afterwards.
    """
    folder = reusable or Path(tempfile.mkdtemp(prefix="headway-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "CELERY_BROKER_URL")},
        "HEADWAY_DATA_DIR": str(folder / "data"),
        "HEADWAY_BASE_URL": f"http://127.0.0.1:{port}",
        "HEADWAY_HOST": "127.0.0.1",
        "HEADWAY_PORT": str(port),
    }
    log = folder / "up.log"
    with _end_signals_raise() as ignore_that:
        with log.open("wb") as output:
            supervisor = subprocess.Popen(
                [sys.executable, str(settings.BASE_DIR / "manage.py"), "up"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C reaches the bench, which then stops its installation in order
            )
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}/readyz", supervisor, log)
            yield {**environment, SUPERVISOR_PID: str(supervisor.pid)}
        finally:
            ignore_that()  # pressing Ctrl-C twice would leave the installation running
            supervisor.send_signal(signal.SIGTERM)
            try:
                supervisor.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(supervisor.pid, signal.SIGKILL)
                supervisor.wait()
            if not reusable:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _end_signals_raise() -> Iterator[Callable[[], None]]:
    """Make termination signals raise within the block, as Ctrl-C does; yield a function that ignores both."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    def ignore() -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    try:
        yield ignore
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_until_ready(url: str, supervisor: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if supervisor.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- an address of this machine
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    raise BenchInstanceError(f"The bench's installation did not start within {START_SECONDS} s:\n{tail}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
