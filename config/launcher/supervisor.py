"""Supervises the children: restarts them, forwards their output, and stops them in order."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from config.launcher.children import Child
from config.launcher.output import Output

SECONDS_TO_STOP = 20.0  # the web process ends open requests within 10
SECONDS_BETWEEN_CHECKS = 1.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Supervisor:
    """One thread and one loop: signals, deaths and output all arrive through the selector."""

    children: Sequence[Child]
    output: Output
    ensure_running: Callable[[], None]
    """Called about once a second while running; restarts the embedded database."""
    errand: Child | None = None
    stop_requests: int = 0
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def listen_for_signals(self) -> None:
        """Record Ctrl-C, SIGTERM and SIGHUP as stop requests instead of ending at once."""
        reading, writing = socket.socketpair()
        reading.setblocking(False)
        writing.setblocking(False)
        signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        self._wakeup = (reading, writing)
        self._selector.register(reading, selectors.EVENT_READ)
        for number in STOP_SIGNALS:
            signal.signal(number, self._record_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the loop

    def _record_stop(self, *_: object) -> None:
        self.stop_requests += 1

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Keep every child running until a stop request, or until `until` returns true (called on each iteration)."""
        next_look = 0.0
        while not self.stop_requests and not until():
            now = time.monotonic()
            if now >= next_look:
                self.ensure_running()
                next_look = time.monotonic() + SECONDS_BETWEEN_CHECKS
            self._finish_errand()
            for child in self.children:
                if child.ended():
                    self._drain(child)
                    self.output.say(child.record_exit())
                if child.process is None and now >= child.start_again_at:
                    self._start(child)
            self._wait(0.2)

    def start_errand(self, child: Child) -> None:
        """Start a one-off process that is not restarted."""
        self.errand = child
        self._start(child)

    def wait_for_errand(self) -> None:
        """Return when the errand has ended; a stop request ends it."""
        while self.errand is not None and self.errand.process is not None:
            self._wait(0.2)
            if self.stop_requests:
                self.errand.request_stop()
            self._finish_errand()

    def stop(self) -> None:
        """Terminate every child; kill the rest after a timeout or at the next stop request."""
        requests = self.stop_requests
        running = [child for child in (*self.children, self.errand) if child is not None and child.process is not None]
        for child in running:
            child.request_stop()
        deadline = time.monotonic() + SECONDS_TO_STOP
        hurrying = False
        while not all(child.ended() for child in running):
            stop_repeated = self.stop_requests > requests
            if stop_repeated or time.monotonic() > deadline:
                for child in running:
                    child.kill()
            if stop_repeated and not hurrying:
                hurrying = True
                self.output.say("Asked again: whatever still runs is ended at once.")
            self._wait(0.2)
        for child in running:
            self._drain(child)
            child.process = None

    def _finish_errand(self) -> None:
        if self.errand is None or self.errand.process is None or not self.errand.ended():
            return
        self._drain(self.errand)
        code, self.errand.process = self.errand.process.returncode, None
        if code != 0 and not self.stop_requests:
            self.output.say(f"{self.errand.name} ended with code {code} before its work was done; see above.")

    def _start(self, child: Child) -> None:
        child.start()
        if child.stream is not None:
            self._selector.register(child.stream, selectors.EVENT_READ, child)

    def _wait(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                self._wakeup[0].recv(1024)
            else:
                self._read(key.data)

    def _read(self, child: Child) -> bool:
        """Forward available output; False if there is none or EOF."""
        if child.stream is None:
            return False
        try:
            chunk = os.read(child.stream.fileno(), 65536)
        except BlockingIOError:
            return False
        if chunk:
            self.output.feed(child.name, chunk)
            return True
        self._selector.unregister(child.stream)
        child.stream.close()
        child.stream = None
        return False

    def _drain(self, child: Child) -> None:
        """Write the remaining output of an ended child; its orphans may keep the pipe open."""
        while self._read(child):
            pass
        self.output.end(child.name)
        if child.stream is not None:
            self._selector.unregister(child.stream)
            child.stream.close()
            child.stream = None
