"""The real application in separate processes.

    def test_something(server):                     # web only
    def test_something(server_with_worker):         # web, Celery worker and beat
    def test_something(installation):               # `manage.py up`, with its own database server without DATABASE_URL

Processes of a `server` are forked from a preloaded one (tests/forked.py); those of an `installation` are started like
in production.

Tests talk to it over HTTP (`server.browse(as_=MEMBER)` is a signed-in httpx client, `server.agent()` one that sends
the ingest token) and run commands with `server.manage("metric", "ai.tokens")`.  A `server` shares the run's database
server: `with server.database(): ...` connects the models of the test's process to it.  Logs of the processes are under
.test-output/servers/.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path

import httpx

from core import sql
from integrations.models import IngestScope
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token
from orgtree.access.api_tokens import create_api_token, in_a_year
from tests.databases import database_url, pointed_at
from tests.forked import ForkedProcess
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.personas import Persona, signed_in
from tests.run_folder import once_per_run

PROJECT_DIR = Path(__file__).resolve().parent.parent
OUTPUT_DIR = PROJECT_DIR / ".test-output"
STOP_SECONDS = 40
READ_BESIDE_A_LOOP = "DJANGO_ALLOW_ASYNC_UNSAFE"  # set in the test's own process while a browser runs


class Application:
    """One installation as it is seen from outside: its address, its commands, what it says.

    `services` are the DATABASE_URL and the CELERY_BROKER_URL that are its own; what is not among them is embedded.
    """

    def __init__(self, *, data_dir: Path, log_dir: Path, services: Mapping[str, str]) -> None:
        self.data_dir = data_dir
        self.log_dir = log_dir
        self.services = services
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes] | ForkedProcess] = {}
        self._clients: list[httpx.Client] = []
        self._sessions: dict[Persona, str] = {}
        log_dir.mkdir(parents=True, exist_ok=True)
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def environment(self) -> Mapping[str, str]:
        of_the_run = ("DATABASE_URL", "CELERY_BROKER_URL", READ_BESIDE_A_LOOP)
        return {
            **{name: value for name, value in os.environ.items() if name not in of_the_run},
            **self.services,
            "HEADWAY_DATA_DIR": str(self.data_dir),
            "HEADWAY_BASE_URL": self.url,
            "HEADWAY_HOST": "127.0.0.1",
            "HEADWAY_PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def run(self, name: str, *arguments: str) -> None:
        """Start a Python process of this installation in the background."""
        with (self.log_dir / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=PROJECT_DIR,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """End a process and what it forked at once, as a crash would."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        running = list(self.processes.values())
        self.processes.clear()
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def wait_until_it_answers(self, *, path: str = "/healthz") -> None:
        client = self._client({})

        def answers() -> bool:
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} ended:\n{self.logs()}"
            try:
                return client.get(path, timeout=5).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        try:
            wait_until(answers, what=f"{path} answers 200")
        except AssertionError as too_late:
            raise AssertionError(f"{too_late}\n{self.logs()}") from None

    def manage(self, *arguments: str, within_seconds: float = PATIENCE_SECONDS) -> str:
        """Standard output of `manage.py …` on this installation; AssertionError with its errors when it fails."""
        finished = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment,
            cwd=PROJECT_DIR,
            capture_output=True,
            text=True,
            check=False,
            timeout=within_seconds,
        )
        assert finished.returncode == 0, f"manage.py {' '.join(arguments)}: {finished.stdout}\n{finished.stderr}"
        return finished.stdout

    @cached_property
    def ingest_token(self) -> str:
        return last_word(self.manage("create_ingest_token", "tests"))

    @cached_property
    def push_token(self) -> str:
        return last_word(self.manage("create_ingest_token", "tests", "--scope", "push"))

    @cached_property
    def api_token(self) -> str:
        return last_word(self.manage("create_api_token", "tests"))

    def agent(self) -> httpx.Client:
        """A client that sends telemetry."""
        return self._client({"Authorization": f"Bearer {self.ingest_token}"})

    def pipeline(self) -> httpx.Client:
        """A client that pushes records, and changes its own only."""
        return self._client({"Authorization": f"Bearer {self.push_token}"})

    def pipeline_for_all_records(self) -> httpx.Client:
        """A client that pushes records, and changes those of others, too."""
        made = self.manage("create_ingest_token", "all-records", "--scope", "push", "--all-records")
        return self._client({"Authorization": f"Bearer {last_word(made)}"})

    def script(self) -> httpx.Client:
        """A client that reads the API."""
        return self._client({"Authorization": f"Bearer {self.api_token}"})

    def browse(self, *, as_: Persona | None = None) -> httpx.Client:
        """A client with cookies, signed in as that persona through the sign-in page."""
        client = self._client({})
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

    def session_of(self, persona: Persona) -> str:
        """The session cookie of that persona, who signs in once."""
        if persona not in self._sessions:
            self._sessions[persona] = self.browse(as_=persona).cookies["sessionid"]
        return self._sessions[persona]

    def logs(self, lines: int = 40) -> str:
        """The last lines of every process and of an embedded database, for the report of a failed test."""
        files = [*self.log_dir.glob("*.log"), *(self.data_dir / "logs").glob("*.log")]
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
            for log in sorted(files)
        )

    def _client(self, headers: Mapping[str, str]) -> httpx.Client:
        client = httpx.Client(
            base_url=self.url, headers=dict(headers), timeout=PATIENCE_SECONDS, trust_env=False, follow_redirects=True
        )
        self._clients.append(client)
        return client


class Server(Application):
    """Chosen processes of an installation, on a database in the run's database server."""

    def __init__(
        self,
        *,
        database: str,
        broker: Mapping[str, str],
        data_dir: Path,
        log_dir: Path,
        unblock: Callable[[], AbstractContextManager[None]],
    ) -> None:
        super().__init__(
            data_dir=data_dir, log_dir=log_dir, services={"DATABASE_URL": database_url(database), **broker}
        )
        self._database = database
        self._unblock = unblock  # pytest-django's blocker of database access
        (data_dir / "static").symlink_to(collected_static_files())

    def start(self, *names: str) -> None:
        """Start the named processes (web, worker, beat) as the launcher does; web is awaited until it answers."""
        for name in names:
            self.run(name, "-m", "config.launcher.child", name)
        if "web" in names:
            self.wait_until_it_answers()

    def run(self, name: str, *arguments: str) -> None:
        environment = {**self.environment, "PGAPPNAME": name}
        self.processes[name] = ForkedProcess(arguments, environment=environment, output=self.log_dir / f"{name}.log")

    def kill(self, name: str) -> None:
        """As above, and wait until PostgreSQL has noticed: what the process had locked is taken until then."""
        self._end(name)
        with self.database():
            wait_until(
                lambda: (
                    not sql.rows(
                        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s",
                        [name],
                    )
                ),
                what=f"the database sessions of {name} are gone",
            )

    def _end(self, name: str) -> None:
        process = self.processes.pop(name)
        assert isinstance(process, ForkedProcess)
        process.kill_group()
        process.wait()

    def stop(self) -> None:
        """Kill everything at once: the database goes, too, and how processes end is the launcher's tests' subject."""
        for client in self._clients:
            client.close()
        for name in list(self.processes):
            self._end(name)

    def manage(self, *arguments: str, within_seconds: float = PATIENCE_SECONDS) -> str:
        with tempfile.TemporaryDirectory() as folder:
            output, errors = Path(folder, "output"), Path(folder, "errors")
            command = ForkedProcess(
                ("manage.py", *arguments), environment=self.environment, output=output, errors=errors
            )
            try:
                code = command.wait(within_seconds)
            finally:
                command.kill_group()
            printed, complaints = output.read_text(), errors.read_text()
        assert code == 0, f"manage.py {' '.join(arguments)}: {printed}\n{complaints}"
        return printed

    def session_of(self, persona: Persona) -> str:
        """The session cookie of that persona, without a visit to the sign-in page."""
        if persona not in self._sessions:
            with self.database():
                self._sessions[persona] = signed_in(persona).cookies["sessionid"].value
        return self._sessions[persona]

    @cached_property
    def ingest_token(self) -> str:
        with self.database():
            return create_ingest_token("tests")[1]

    @cached_property
    def push_token(self) -> str:
        with self.database():
            return create_ingest_token("tests", scope=IngestScope.PUSH)[1]

    @cached_property
    def api_token(self) -> str:
        with self.database():
            return create_api_token("tests", expires_at=in_a_year())[1]

    @contextmanager
    def database(self) -> Iterator[None]:
        """Django's models of the test's own process, on this installation's database."""
        with self._unblock(), pointed_at(self._database):
            yield


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last_word(output: str) -> str:
    return output.rsplit(maxsplit=1)[-1]


def collected_static_files() -> Path:
    """The folder of hashed static files, collected once for the whole run, whichever xdist worker is first."""
    folder = Path(os.environ["HEADWAY_DATA_DIR"]) / "collected" / "static"
    with once_per_run("static") as first:
        if first:
            folder.mkdir(parents=True)
            collect = ForkedProcess(
                ("manage.py", "collectstatic", "--noinput", "--verbosity", "0"),
                environment={**os.environ, "HEADWAY_DATA_DIR": str(folder.parent)},
                output=folder.parent / "collect.log",
            )
            assert collect.wait() == 0, (folder.parent / "collect.log").read_text()
    return folder


def fresh_log_dir(test: str) -> Path:
    folder = OUTPUT_DIR / "servers" / re.sub(r"[^\w.-]+", "_", test)[:120]
    shutil.rmtree(folder, ignore_errors=True)
    return folder
