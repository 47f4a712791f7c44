"""The real application in processes of its own, against a database of its own.

    def test_something(server):                     # web only
    def test_something(server_with_worker):         # web, Celery worker and beat

Tests talk to it over HTTP (`server.browse(as_="member")` is a signed-in httpx client, `server.agent()` one that
sends the ingest token), run commands with `server.manage("metric", "ai.tokens")`, and look into its database with
`with server.database(): ...`.  Log files of every process are kept under .test-output/servers/.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import httpx

from tests.databases import database_url, pointed_at
from tests.personas import Persona

PROJECT_DIR = Path(__file__).resolve().parent.parent
OUTPUT_DIR = PROJECT_DIR / ".test-output"
START_SECONDS = 60  # how long a process may take to answer on a busy machine
STOP_SECONDS = 20

Result = TypeVar("Result")


def wait_until(look: Callable[[], Result], *, within_seconds: float, what: str) -> Result:
    """The first truthy result of `look`; AssertionError naming `what` when it does not come in time."""
    deadline = time.monotonic() + within_seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"Not within {within_seconds:g} s: {what}"
        time.sleep(0.05)
    return found


class Server:
    """One installation: its processes, its data directory, its database."""

    def __init__(
        self, *, database: str, data_dir: Path, log_dir: Path, unblock: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self.database_name = database
        self._unblock = unblock  # pytest-django's blocker of database access
        self.data_dir = data_dir
        self.log_dir = log_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._clients: list[httpx.Client] = []
        log_dir.mkdir(parents=True, exist_ok=True)
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        (data_dir / "static").symlink_to(collected_static_files())

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": database_url(self.database_name),
            "HEADWAY_DATA_DIR": str(self.data_dir),
            "HEADWAY_BASE_URL": self.url,
            "HEADWAY_HOST": "127.0.0.1",
            "HEADWAY_PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def start(self, *names: str) -> None:
        """Start the named processes (web, worker, beat); web is awaited until it answers."""
        for name in names:
            with (self.log_dir / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    self.command_line(name),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self.environment,
                    cwd=PROJECT_DIR,
                    start_new_session=True,
                )
        if "web" in names:
            wait_until(self._answers, within_seconds=START_SECONDS, what="the web process answers")

    def command_line(self, name: str) -> list[str]:
        celery = [sys.executable, "-m", "celery", "-A", "config.celery"]
        return {
            "web": [
                *(sys.executable, "-m", "gunicorn", "config.wsgi:application", "--bind", f"127.0.0.1:{self.port}"),
                *("--worker-class", "gthread", "--workers", "1", "--threads", "8"),
            ],
            "worker": [*celery, "worker", "--pool", "threads", "--concurrency", "2", "--loglevel", "INFO"],
            "beat": [
                *(*celery, "beat", "--loglevel", "INFO", "--pidfile", ""),
                *("--scheduler", "django_celery_beat.schedulers:DatabaseScheduler"),
            ],
        }[name]

    def kill(self, name: str) -> None:
        """End a process and its children at once, as a crash of the machine would."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        running = list(self.processes.values())
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()

    def manage(self, *arguments: str) -> str:
        """Standard output of `manage.py …` on this installation; AssertionError with its errors when it fails."""
        finished = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment,
            cwd=PROJECT_DIR,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
        )
        assert finished.returncode == 0, f"manage.py {' '.join(arguments)}: {finished.stdout}\n{finished.stderr}"
        return finished.stdout

    @contextmanager
    def database(self) -> Iterator[None]:
        """Django's models of the test's own process, on this installation's database."""
        with self._unblock(), pointed_at(self.database_name):
            yield

    @cached_property
    def ingest_token(self) -> str:
        return last_word(self.manage("create_ingest_token", "tests"))

    def agent(self) -> httpx.Client:
        """A client that sends telemetry."""
        return self._client(headers={"Authorization": f"Bearer {self.ingest_token}"})

    def browse(self, *, as_: Persona | None = None) -> httpx.Client:
        """A client with cookies, signed in as that persona through the sign-in page."""
        client = self._client(follow_redirects=True)
        if as_ is None:
            return client
        page = client.get("/accounts/login/").raise_for_status()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, "the sign-in page has a form"
        answer = client.post(
            "/accounts/login/",
            data={"login": as_.email, "password": as_.password, "csrfmiddlewaretoken": token[1]},
            headers={"Referer": f"{self.url}/accounts/login/"},
        )
        assert "sessionid" in client.cookies, f"{as_.name} could not sign in: {answer.status_code}"
        return client

    def logs(self, lines: int = 40) -> str:
        """The last lines of every process's log, for the report of a failed test."""
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
            for log in sorted(self.log_dir.glob("*.log"))
        )

    def _client(self, **options: object) -> httpx.Client:
        client = httpx.Client(base_url=self.url, timeout=30, trust_env=False, **options)  # type: ignore[arg-type]
        self._clients.append(client)
        return client

    def _answers(self) -> bool:
        assert self.processes["web"].poll() is None, f"the web process ended:\n{self.logs()}"
        try:
            httpx.get(f"{self.url}/healthz", timeout=5, trust_env=False)
        except httpx.TransportError:
            return False
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last_word(output: str) -> str:
    return output.rsplit(maxsplit=1)[-1]


def collected_static_files() -> Path:
    """The folder of hashed static files, collected once for the whole run, whichever xdist worker is first."""
    folder = Path(os.environ["HEADWAY_DATA_DIR"]) / "collected" / "static"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "staticfiles.json").exists():
            subprocess.run(
                [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
                env={**os.environ, "HEADWAY_DATA_DIR": str(folder.parent), "DJANGO_SETTINGS_MODULE": "config.settings"},
                cwd=PROJECT_DIR,
                check=True,
            )
    return folder


def fresh_log_dir(test: str) -> Path:
    folder = OUTPUT_DIR / "servers" / re.sub(r"[^\w.-]+", "_", test)[:120]
    shutil.rmtree(folder, ignore_errors=True)
    return folder
