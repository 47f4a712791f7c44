"""Child processes: start, restart with backoff, and stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

from config import environment

LONG_ENOUGH_SECONDS = 30  # after this uptime, restart at once
LONGEST_PAUSE_SECONDS = 30.0


@dataclass
class Child:
    """A process of `config/launcher/child.py`, restarted when it dies."""

    name: str
    descriptors: Mapping[str, int]
    """File descriptors that it inherits, by the options that name them."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Further options of its command line."""
    process: subprocess.Popen[bytes] | None = None
    stream: IO[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    deaths_in_a_row: int = 0

    def start(self) -> None:
        """Start the process with captured output, in its own session so that Ctrl-C does not reach it."""
        options = [f"--{option}={value}" for option, value in {**self.descriptors, **self.options}.items()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "config.launcher.child", *options, self.name],
            cwd=environment.PROJECT_DIR,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(self.descriptors.values()),
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        self.stream = self.process.stdout
        if self.stream is not None:
            os.set_blocking(self.stream.fileno(), False)

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def record_exit(self) -> str:
        """Schedule the restart, with backoff for early deaths, and return a message."""
        code, self.process = (self.process.returncode if self.process is not None else 0), None
        now = time.monotonic()
        young = now - self.started_at < LONG_ENOUGH_SECONDS
        self.deaths_in_a_row = self.deaths_in_a_row + 1 if young else 1
        pause = 0.0 if self.deaths_in_a_row == 1 else min(2.0 ** (self.deaths_in_a_row - 2), LONGEST_PAUSE_SECONDS)
        self.start_again_at = now + pause
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"{self.name} {how}; starting it again {f'in {pause:.0f} s' if pause else 'now'}."

    def request_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """Kill the process and its children."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
