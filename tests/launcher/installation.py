"""An installation under `manage.py up`: its processes, output, URL and data directory."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil

from config.embedded_postgres.postmaster import Postmaster
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.servers import PROJECT_DIR, free_port

# An operator has none of the run's variables; these tests are about the embedded server and the broker of files,
# but for test_given_services.py, which names services among the `variables`.
NOT_OURS = ("DATABASE_URL", "CELERY_BROKER_URL", "HEADWAY_BASE_URL", "HEADWAY_SECRET_KEY")


class Installation:
    """One data directory and the supervisor that runs on it, if one does."""

    def __init__(
        self, data_dir: Path, *, python: tuple[str, ...] = (sys.executable,), variables: dict[str, str] | None = None
    ) -> None:
        self.data_dir = data_dir
        self.python = python
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{key: value for key, value in os.environ.items() if key not in NOT_OURS},
            "HEADWAY_DATA_DIR": str(data_dir),
            "HEADWAY_PORT": str(self.port),
            **(variables or {}),
        }
        self.output = ""  # since the start
        self._heard_from = 0
        self._started_at = 0.0
        self.up: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def heard(self) -> str:
        """The output of `up` since `listen_anew`."""
        return self.output[self._heard_from :]

    def listen_anew(self) -> None:
        self._heard_from = len(self.output)

    def is_up(self) -> bool:
        return self.up is not None and self.up.poll() is None

    def start(self, *, wait: bool = True) -> None:
        """Start `manage.py up`, and wait until it says where to go."""
        self._finish_reading()
        self.output = ""
        self._heard_from = 0
        self._started_at = time.time()
        self.up = subprocess.Popen(
            [*self.python, "manage.py", "up"],
            cwd=PROJECT_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self.up,), daemon=True)
        self._reader.start()
        if wait:
            wait_until(self._announced, what="`up` says where to go")

    def refused(self) -> str:
        """The output of a `manage.py up` that does not start; AssertionError if it does."""
        self.start(wait=False)
        assert self.up is not None
        assert self.up.wait(PATIENCE_SECONDS) != 0
        self._finish_reading()
        assert "Traceback" not in self.output, self.output
        return self.output

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask `up` to stop; AssertionError where it does not come to a clean end."""
        assert self.up is not None
        self.up.send_signal(number)
        code = self.up.wait(PATIENCE_SECONDS)
        self._finish_reading()
        assert code == 0, self.output
        self.up = None

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.python, "manage.py", *arguments],
            cwd=PROJECT_DIR,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def child(self, name: str) -> psutil.Process | None:
        """The web, worker or beat process, while there is one."""
        assert self.up is not None
        supervisor = psutil.Process(self.up.pid)
        children = [process for process in supervisor.children() if command_line(process)[-1:] == [name]]
        return children[0] if children else None

    def children(self) -> list[psutil.Process]:
        """Every process of the installation but the supervisor and PostgreSQL's."""
        assert self.up is not None
        processes = psutil.Process(self.up.pid).children(recursive=True)
        return [process for process in processes if "config.launcher.child" in command_line(process)]

    def postmaster(self) -> psutil.Process | None:
        """The database server that runs on the data directory."""
        postmaster = Postmaster.read(self.data_dir / "postgres")
        return psutil.Process(postmaster.pid) if postmaster is not None and postmaster.is_alive() else None

    def get(self, path: str, *, timeout_seconds: float = 10) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=timeout_seconds, trust_env=False)

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def wait_for_a_task(self) -> None:
        """Return once the worker has finished one since the start; the file is what `manage.py doctor` reads."""
        mark = self.data_dir / "run" / "last-task"
        wait_until(lambda: mark.exists() and mark.stat().st_mtime > self._started_at, what="a task was finished")

    def end_everything(self) -> None:
        """Leave no process of this installation behind, whatever a test did."""
        processes = []
        if self.up is not None and self.up.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess):
                processes = [psutil.Process(self.up.pid), *self.children()]
        if (postmaster := self.postmaster()) is not None:
            postmaster.send_signal(signal.SIGQUIT)
            processes.append(postmaster)
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
        if self.up is not None:
            self.up.wait(PATIENCE_SECONDS)
            self._finish_reading()

    def _announced(self) -> bool:
        assert self.up is not None
        assert self.up.poll() is None, f"`up` ended:\n{self.output}"
        return re.search(r"^  Open ", self.output, re.MULTILINE) is not None

    def _read(self, up: subprocess.Popen[str]) -> None:
        assert up.stdout is not None
        for line in up.stdout:
            self.output += line

    def _finish_reading(self) -> None:
        if self._reader is not None:
            self._reader.join(PATIENCE_SECONDS)
        if self.up is not None and self.up.stdout is not None:
            self.up.stdout.close()


def command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)
